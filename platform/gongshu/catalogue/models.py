"""Tables of datasets, their immutable versions, columns and files."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gongshu.database import Base


class Dataset(Base):
    """A registered resource of one department. Attributes hold for all its versions."""

    __tablename__ = "catalogue_dataset"
    name: Mapped[str] = mapped_column(String(90), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    provider: Mapped[str] = mapped_column(ForeignKey("identity_organisation.code"), index=True)
    title_zh: Mapped[str] = mapped_column(String(120))
    title_en: Mapped[str] = mapped_column(String(120))
    legal_grade: Mapped[str] = mapped_column(String(20))
    sharing: Mapped[str] = mapped_column(String(20))
    opening: Mapped[str] = mapped_column(String(20))
    update_frequency: Mapped[str] = mapped_column(String(20))
    registration_code: Mapped[str] = mapped_column(String(60))
    registration_valid_until: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    entry_id: Mapped[str] = mapped_column(String(26))
    versions: Mapped[list[Version]] = relationship(order_by="Version.number", back_populates="of")

    @property
    def resource_number(self) -> str:
        """资源编号: our own number; the outside registry's code is recorded beside it, never minted here."""
        return f"GS-{self.number:04d}"


class Version(Base):
    """One immutable delivery. state: draft → prepared → signed-off."""

    __tablename__ = "catalogue_version"
    dataset: Mapped[str] = mapped_column(ForeignKey("catalogue_dataset.name"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    base_key: Mapped[str] = mapped_column(String(200))
    partition_columns: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    entity_column: Mapped[str | None] = mapped_column(String(64))
    original_key: Mapped[str] = mapped_column(String(200))
    original_sha256: Mapped[str] = mapped_column(String(64))
    original_bytes: Mapped[int] = mapped_column(BigInteger)
    original_format: Mapped[str] = mapped_column(String(10))
    prepared_by: Mapped[str] = mapped_column(String(40))
    prepared_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    signed_off_by: Mapped[str | None] = mapped_column(String(40))
    signed_off_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    return_reason: Mapped[str] = mapped_column(String(1000), default="")
    entry_id: Mapped[str] = mapped_column(String(26))
    of: Mapped[Dataset] = relationship(back_populates="versions")
    columns: Mapped[list[Column]] = relationship(order_by="Column.position", cascade="all, delete-orphan")
    files: Mapped[list[StoredFile]] = relationship(order_by="StoredFile.key", cascade="all, delete-orphan")


class Column(Base):
    """A column with its level. type: Spark SQL. stored_bytes: compressed, from the Parquet footers."""

    __tablename__ = "catalogue_column"
    __table_args__ = (
        ForeignKeyConstraint(["dataset", "version"], ["catalogue_version.dataset", "catalogue_version.number"]),
    )
    dataset: Mapped[str] = mapped_column(String(90), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column()
    type: Mapped[str] = mapped_column(String(40))
    comment_zh: Mapped[str] = mapped_column(String(200))
    comment_en: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(2))
    dimension: Mapped[bool] = mapped_column()
    stored_bytes: Mapped[int] = mapped_column(BigInteger)


class StoredFile(Base):
    """One Parquet object. partition: {column: value} of its hive folder."""

    __tablename__ = "catalogue_file"
    __table_args__ = (
        ForeignKeyConstraint(["dataset", "version"], ["catalogue_version.dataset", "catalogue_version.number"]),
    )
    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    dataset: Mapped[str] = mapped_column(String(90), index=True)
    version: Mapped[int] = mapped_column()
    bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    partition: Mapped[dict[str, str]] = mapped_column(JSONB)
    version_id: Mapped[str] = mapped_column(String(80))
    etag: Mapped[str] = mapped_column(String(80))
