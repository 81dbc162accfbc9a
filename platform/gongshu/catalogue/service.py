"""The verbs of the catalogue: register, describe, hand over for sign-off, sign off, return.

Two people of one department stand behind every version: the steward who prepared it and the chief data
officer who signed it off. A version's files never change; what was described is fixed by sign-off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, UnitOfWork, Value
from gongshu.catalogue.ingest import DeliveredColumn, Delivery, ObjectFile
from gongshu.catalogue.models import Column, Dataset, StoredFile, Version
from gongshu.catalogue.registration import (
    ColumnFacts,
    NewDataset,
    Renewal,
    VersionFacts,
    require_later,
    require_registrable,
)
from gongshu.errors import Conflict, Denied, Invalid, NotFound, Words
from gongshu.identity import Actor, Role, require_role

DRAFT, PREPARED, SIGNED_OFF = "draft", "prepared", "signed-off"
UNDESCRIBED_LEVEL = "L4"  # until somebody has said otherwise


def require_can_register(session: Session, actor: Actor, new: NewDataset) -> None:
    """Raise before the file is read: not a steward there, or the name is taken."""
    require_role(actor, Role.STEWARD, new.provider)
    if session.get(Dataset, new.name) is not None:
        raise Conflict(
            "catalogue.dataset.exists",
            Words(f"数据资源 {new.name} 已经登记。", f"Dataset {new.name} is registered already."),
            Words("请为它上传新版本,或换一个名称", "Upload a new version of it, or choose another name"),
        )


def register_dataset(work: UnitOfWork, actor: Actor, new: NewDataset, delivery: Delivery) -> Version:
    """Register a dataset with its first version; described in full it is prepared, otherwise a draft."""
    _one_at_a_time(work.session)
    require_can_register(work.session, actor, new)
    attributes = require_registrable(new, work.clock.now().date())
    number = (work.session.scalar(select(func.max(Dataset.number))) or 0) + 1
    event = Event(
        EventType.DATASET_REGISTERED,
        actor=actor.pseudonym,
        organisation=new.provider,
        public={
            "dataset": new.name,
            "title": new.title_zh,
            "number": number,
            "registration_code": new.registration_code,
            "registration_valid_until": new.registration_valid_until.isoformat(),
            **attributes,
        },
    )
    dataset = Dataset(
        name=new.name,
        number=number,
        provider=new.provider,
        title_zh=new.title_zh,
        title_en=new.title_en,
        registration_code=new.registration_code,
        registration_valid_until=new.registration_valid_until,
        created_at=work.clock.now(),
        entry_id=work.record(event),
        **attributes,
    )
    work.session.add(dataset)
    work.session.flush()
    return _add_version(work, actor, dataset, new, delivery)


def deliver_version(work: UnitOfWork, actor: Actor, name: str, facts: VersionFacts, delivery: Delivery) -> Version:
    """Add a new version. Columns that were described before keep their description unless `facts` says otherwise."""
    _one_at_a_time(work.session)
    dataset = find_dataset(work.session, name)
    require_role(actor, Role.STEWARD, dataset.provider)
    latest = dataset.versions[-1]
    if latest.original_sha256 == delivery.original_sha256:
        raise Conflict(
            "catalogue.version.same",
            Words(f"内容与第 {latest.number} 版完全相同。", f"The content equals version {latest.number}."),
            Words("不需要再上传", "There is nothing to upload"),
            version=latest.number,
        )
    if latest.state != SIGNED_OFF:
        raise Conflict(
            "catalogue.version.open",
            Words(f"第 {latest.number} 版还没有签核。", f"Version {latest.number} is not signed off yet."),
            Words("请先完成上一版的签核", "Complete the sign-off of that version first"),
        )
    known = [
        ColumnFacts(
            name=one.name,
            comment_zh=one.comment_zh,
            comment_en=one.comment_en,
            category=one.category,
            level=one.level,  # type: ignore[arg-type]  # stored from the same choice
            dimension=one.dimension,
        )
        for one in latest.columns
    ]
    described = {one.name: one for one in (*known, *facts.columns)}
    present = {column.name for column in delivery.columns}
    merged = facts.model_copy(
        update={
            "columns": [one for one in described.values() if one.name in present],
            "entity_column": facts.entity_column or latest.entity_column,
        }
    )
    return _add_version(work, actor, dataset, merged, delivery)


def describe_columns(work: UnitOfWork, actor: Actor, name: str, number: int, facts: VersionFacts) -> Version:
    """Fill in a draft's columns and hand it over for sign-off."""
    version = find_version(work.session, name, number)
    require_role(actor, Role.STEWARD, version.of.provider)
    _require_state(version, DRAFT)
    _require_described(facts.columns, [column.name for column in version.columns])
    _require_entity(facts.entity_column, [column.name for column in version.columns])
    stated = {one.name: one for one in facts.columns}
    for column in version.columns:
        _describe(column, stated[column.name])
    version.entity_column = facts.entity_column
    _prepare(work, actor, version)
    return version


def require_can_sign_off(actor: Actor, version: Version) -> None:
    """Raise unless the actor is this department's chief data officer and did not prepare the version."""
    require_role(actor, Role.CDO, version.of.provider)
    if actor.pseudonym == version.prepared_by:
        raise Denied(
            "catalogue.version.own",
            Words(
                "这一版是您自己准备的,不能由您签核(职责分离)。",
                "You prepared this version, so you cannot sign it off (separation of duty).",
            ),
            Words("请本单位的另一位首席数据官签核", "Ask another chief data officer of your department"),
        )
    _require_state(version, PREPARED)


def can_sign_off(actor: Actor, version: Version) -> bool:
    try:
        require_can_sign_off(actor, version)
    except (Denied, Conflict):
        return False
    return True


def sign_off(work: UnitOfWork, actor: Actor, name: str, number: int) -> Version:
    """Sign off the classification: from now on the version can be granted and never changes."""
    version = find_version(work.session, name, number)
    require_can_sign_off(actor, version)
    version.state = SIGNED_OFF
    version.signed_off_by = actor.pseudonym
    version.signed_off_at = work.clock.now()
    version.entry_id = _record(work, EventType.VERSION_SIGNED_OFF, actor, version)
    return version


def return_version(work: UnitOfWork, actor: Actor, name: str, number: int, reason: str) -> Version:
    """Send a prepared version back to the steward, with the reason."""
    version = find_version(work.session, name, number)
    require_can_sign_off(actor, version)
    if not reason.strip():
        raise Invalid(
            "catalogue.return.reason",
            Words("请写明退回的理由。", "Say why it is returned."),
            Words("填写理由后再提交", "Give the reason and submit again"),
            fields={"reason": {"zh": "请填写", "en": "Fill this in"}},
        )
    version.state = DRAFT
    version.return_reason = reason.strip()[:1000]
    version.entry_id = _record(work, EventType.VERSION_RETURNED, actor, version)
    return version


def renew_registration(work: UnitOfWork, actor: Actor, name: str, renewal: Renewal) -> Dataset:
    """Record that the outside registry has prolonged the registration; the versions stay as they are."""
    dataset = find_dataset(work.session, name)
    require_role(actor, Role.STEWARD, dataset.provider)
    require_later(renewal, dataset.registration_valid_until, work.clock.now().date())
    public: dict[str, Value] = {
        "dataset": name,
        "registration_code": renewal.registration_code,
        "registration_valid_until": renewal.registration_valid_until.isoformat(),
        "before": dataset.registration_valid_until.isoformat(),
    }
    dataset.registration_code = renewal.registration_code
    dataset.registration_valid_until = renewal.registration_valid_until
    event = Event(EventType.REGISTRATION_RENEWED, actor=actor.pseudonym, organisation=dataset.provider, public=public)
    dataset.entry_id = work.record(event)
    return dataset


def find_dataset(session: Session, name: str) -> Dataset:
    """The dataset of that name. Raises NotFound."""
    dataset = session.get(Dataset, name)
    if dataset is None:
        raise absent(name)
    return dataset


def find_version(session: Session, name: str, number: int) -> Version:
    """The version, locked against a second decision at the same time. Raises NotFound."""
    version = session.get(Version, (name, number), with_for_update=True)
    if version is None:
        raise absent(f"{name} v{number}")
    return version


def absent(what: str) -> NotFound:
    return NotFound(
        "catalogue.dataset.absent",
        Words(f"目录里没有 {what}。", f"The catalogue has no {what}."),
        Words("请在数据资源目录中查找", "Look it up in the catalogue"),
    )


def _add_version(work: UnitOfWork, actor: Actor, dataset: Dataset, facts: VersionFacts, delivery: Delivery) -> Version:
    names = [column.name for column in delivery.columns]
    _require_entity(facts.entity_column, names)
    stated = {one.name: one for one in facts.columns}
    if facts.columns:
        _require_described(facts.columns, names, complete=not _is_new_version(dataset))
    number = (work.session.scalar(select(func.max(Version.number)).where(Version.dataset == dataset.name)) or 0) + 1
    version = Version(
        dataset=dataset.name,
        number=number,
        of=dataset,
        state=DRAFT,
        digest=delivery.digest,
        rows=delivery.rows,
        bytes=sum(file.bytes for file in delivery.files),
        base_key=delivery.base_key,
        partition_columns=list(delivery.partition_columns),
        entity_column=facts.entity_column,
        original_key=delivery.original_key,
        original_sha256=delivery.original_sha256,
        original_bytes=delivery.original_bytes,
        original_format=delivery.original_format,
        prepared_by=actor.pseudonym,
        prepared_at=work.clock.now(),
        return_reason="",
    )
    version.columns = [_column(version, position, column, stated) for position, column in enumerate(delivery.columns)]
    version.files = [_stored_file(version, file) for file in delivery.files]
    version.entry_id = _record(work, EventType.VERSION_DELIVERED, actor, version)
    work.session.add(version)
    if all(name in stated for name in names):
        _prepare(work, actor, version)
    return version


def _is_new_version(dataset: Dataset) -> bool:
    return any(one.state == SIGNED_OFF for one in dataset.versions)


def _column(version: Version, position: int, delivered: DeliveredColumn, stated: dict[str, ColumnFacts]) -> Column:
    column = Column(
        dataset=version.dataset,
        version=version.number,
        position=position,
        name=delivered.name,
        type=delivered.type,
        stored_bytes=delivered.stored_bytes,
        comment_zh="",
        comment_en="",
        category="",
        level=UNDESCRIBED_LEVEL,
        dimension=False,
    )
    if column.name in stated:
        _describe(column, stated[column.name])
    return column


def _describe(column: Column, facts: ColumnFacts) -> None:
    column.comment_zh, column.comment_en = facts.comment_zh, facts.comment_en
    column.category, column.level, column.dimension = facts.category, facts.level, facts.dimension


def _stored_file(version: Version, file: ObjectFile) -> StoredFile:
    return StoredFile(
        dataset=version.dataset,
        version=version.number,
        key=file.key,
        bytes=file.bytes,
        rows=file.rows,
        sha256=file.sha256,
        partition=dict(file.partition),
        version_id=file.version_id,
        etag=file.etag,
    )


def _prepare(work: UnitOfWork, actor: Actor, version: Version) -> None:
    version.state = PREPARED
    version.prepared_by = actor.pseudonym
    version.prepared_at = work.clock.now()
    version.return_reason = ""
    version.entry_id = _record(work, EventType.VERSION_PREPARED, actor, version)


def _record(work: UnitOfWork, kind: EventType, actor: Actor, version: Version) -> str:
    public: dict[str, Value] = {
        "dataset": version.dataset,
        "version": version.number,
        "digest": version.digest,
        "rows": version.rows,
        "original_sha256": version.original_sha256,
        "entity_column": version.entity_column,
        "columns": [
            {"name": one.name, "type": one.type, "category": one.category, "level": one.level}
            for one in version.columns
        ],
    }
    if version.return_reason and kind is EventType.VERSION_RETURNED:
        public["reason"] = version.return_reason
    return work.record(Event(kind, actor=actor.pseudonym, organisation=version.of.provider, public=public))


def _require_state(version: Version, wanted: str) -> None:
    if version.state != wanted:
        names = {
            DRAFT: Words("草稿", "a draft"),
            PREPARED: Words("待签核", "waiting for sign-off"),
            SIGNED_OFF: Words("已签核", "signed off"),
        }
        now = names[version.state]
        raise Conflict(
            "catalogue.version.state",
            Words(
                f"第 {version.number} 版现在是“{now.zh}”,不能办理这一步。",
                f"Version {version.number} is {now.en}; this step is not possible now.",
            ),
            Words("请刷新页面后查看", "Reload the page"),
            state=version.state,
        )


def _require_entity(entity: str | None, names: Sequence[str]) -> None:
    if entity is not None and entity not in names:
        raise Invalid(
            "catalogue.entity.absent",
            Words(f"主体标识列 {entity[:64]} 不在文件里。", f"The entity column {entity[:64]} is not in the file."),
            Words("从文件的列中选择", "Choose one of the file's columns"),
            fields={"entity_column": {"zh": "从文件的列中选择", "en": "Choose one of the file's columns"}},
        )


def _require_described(stated: Iterable[ColumnFacts], names: Sequence[str], *, complete: bool = True) -> None:
    given = [one.name for one in stated]
    missing = [name for name in names if name not in given] if complete else []
    extra = [name for name in given if name not in names]
    repeated = sorted({name for name in given if given.count(name) > 1})
    if missing or extra or repeated:
        raise Invalid(
            "catalogue.columns.differ",
            Words(
                f"列说明与文件不一致:缺 {len(missing)} 列,多 {len(extra)} 列,重复 {len(repeated)} 列。",
                f"The column table differs from the file: missing {len(missing)}, unknown {len(extra)}, "
                f"repeated {len(repeated)}.",
            ),
            Words("请逐列对照文件的表头改正", "Correct it column by column against the file's header"),
            missing=missing,
            unknown=extra,
            repeated=repeated,
        )


def _one_at_a_time(session: Session) -> None:
    """Registrations queue, so that numbers are given once."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gongshu.catalogue'))"))
