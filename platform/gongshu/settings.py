"""One typed settings class, read once at start.

Each part reads one JSON file named by ``GONGSHU_SETTINGS``; secrets are *paths of files*, never
values, and have no default. Outside the demo, placeholders and insecure combinations are refused.
"""

from __future__ import annotations

import json
import os
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gongshu.errors import Invalid, Words


class DatabaseSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    host: str = Field(description="directory of the unix socket, or a host name")
    port: int
    name: str = "gongshu"
    role: str
    password_file: Path

    @property
    def url(self) -> str:
        from urllib.parse import quote  # only here: keeps the password out of any attribute

        password = quote(self.password_file.read_text().strip(), safe="")
        place = f"host={quote(self.host, safe='')}&port={self.port}"
        return f"postgresql+psycopg://{self.role}:{password}@/{self.name}?{place}"


class StoreSettings(BaseModel):
    """An S3 endpoint and the key this part may use there (file: line 1 access key, line 2 secret key)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    endpoint: str = Field(description="host:port")
    secure: bool = False
    key_file: Path
    data_bucket: str = "gongshu-data"
    quarantine_bucket: str = "gongshu-quarantine"
    released_bucket: str = "gongshu-released"
    log_bucket: str = "gongshu-log"

    def key(self) -> tuple[str, str]:
        access, secret = self.key_file.read_text().split()
        return access, secret


class Settings(BaseModel):
    """What one part needs to know. Fields that a part has no use for stay None: it cannot use them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    part: str = Field(description="portal, gateway, worker, cli; also the `writer` of its log entries")
    demo: bool = False
    run_dir: Path
    database: DatabaseSettings | None = None
    store: StoreSettings | None = None
    quarantine_store: StoreSettings | None = Field(None, description="gateway: put-only key for quarantine")
    opa_url: str | None = None
    opa_binary: Path | None = None
    opa_timeout_ms: int = 1500
    policy_bundle: Path | None = Field(None, description="the bundle file that OPA serves")
    hub_url: str | None = Field(None, description="public Hub URL, ends with /")
    hub_api_socket: Path | None = Field(None, description="unix socket of the Hub's API")
    hub_token_file: Path | None = None
    portal_url: str | None = Field(None, description="public portal URL, ends with /")
    portal_port: int | None = None
    portal_prefix: str = "/services/portal"
    oauth_client_secret_file: Path | None = None
    internal_socket: Path | None = Field(None, description="unix socket of the portal's internal routes")
    gateway_socket: Path | None = Field(None, description="unix socket on which the gateway's gRPC listens")
    spark_connect_port: int | None = None
    spark_token_file: Path | None = None
    spark_jars_dir: Path | None = None
    spark_helper_jar: Path | None = None
    spark_memory_mib: int = 3072
    spark_cores: int = 2
    aws_credentials_file: Path | None = Field(None, description="gateway: AWS profile file for s3a, read-only key")
    masks_key_file: Path | None = Field(None, description="root of the per-scenario mask keys")
    payload_key_file: Path | None = Field(None, description="wraps the per-item payload keys of the log")
    signing_key_file: Path | None = Field(None, description="worker only: the log's Ed25519 key")
    log_origin: str = "gongshu.localhost/log"
    time_zone: str = "Asia/Shanghai"

    @cached_property
    def secure_cookies(self) -> bool:
        return bool(self.portal_url and self.portal_url.startswith("https://"))


def read_settings(path: Path) -> Settings:
    """Read one part's settings. Raises Invalid with the field that is wrong."""
    try:
        return Settings.model_validate(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise Invalid(
            "settings.unreadable",
            Words(f"配置文件 {path} 无法读取:{error}", f"Settings file {path} cannot be read: {error}"),
            Words("修正该文件后重新启动", "Correct the file and start again"),
        ) from error


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process (file named by ``GONGSHU_SETTINGS``)."""
    named = os.environ.get("GONGSHU_SETTINGS")
    if not named:
        raise Invalid(
            "settings.missing",
            Words("没有设置 GONGSHU_SETTINGS(配置文件路径)", "GONGSHU_SETTINGS (path of the settings file) is not set"),
            Words("用 make demo 启动,或指明配置文件", "Start with make demo, or name the settings file"),
        )
    return read_settings(Path(named))
