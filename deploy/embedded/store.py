"""MinIO of the embedded default: loopback, random keys, one user and policy for each part.

The open state that we pin accepts forged uploads from whoever knows a key id (CVE-2026-40344), so it
is never more than this: loopback, random key ids, one machine.
"""

from __future__ import annotations

import secrets
from typing import Any

from deploy.embedded.keys import Keys
from deploy.embedded.places import MINIO, RunFolder

DATA, QUARANTINE, RELEASED, LOG = "gongshu-data", "gongshu-quarantine", "gongshu-released", "gongshu-log"
LOG_RETENTION_DAYS = 180  # 网络安全法 art. 21: network logs are kept six months at least

READ = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes"]
LIST = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
WRITE = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads"]
LOCK = ["s3:PutObjectRetention", "s3:GetObjectRetention", "s3:GetBucketObjectLockConfiguration"]
# User -> bucket -> what it may do there. Nobody may delete; nobody but the worker writes the log.
USERS: dict[str, dict[str, list[str]]] = {
    "portal": {
        DATA: READ + LIST + WRITE,
        QUARANTINE: READ + LIST + WRITE,
        RELEASED: READ + LIST + WRITE,
        LOG: READ + LIST,
    },
    "gateway": {DATA: READ + LIST},
    "gateway-quarantine": {QUARANTINE: ["s3:PutObject"]},
    "worker": {LOG: READ + LIST + WRITE + LOCK},
}
HOLDER = {"gateway-quarantine": "gateway"}  # the others' keys are held by the part of the same name


def prepare(run: RunFolder, keys: Keys) -> None:
    """Root keys of the server, and a key for each user, made the first time."""
    if not run.secret("minio", "environment").exists():
        lines = [f"MINIO_ROOT_USER={secrets.token_hex(10)}", f"MINIO_ROOT_PASSWORD={secrets.token_hex(20)}"]
        keys.write("minio", "environment", "\n".join([*lines, ""]))
    for user in USERS:
        part = HOLDER.get(user, user)
        if not run.secret(part, f"store-{user}").exists():
            keys.write(part, f"store-{user}", f"{secrets.token_hex(10)}\n{secrets.token_hex(20)}\n")
    access, secret = user_key(run, "gateway")
    profile = f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n"
    keys.write("gateway", "aws-credentials", profile)


def user_key(run: RunFolder, user: str) -> tuple[str, str]:
    access, secret = run.secret(HOLDER.get(user, user), f"store-{user}").read_text().split()
    return access, secret


def command(run: RunFolder, port: int) -> list[str]:
    return [str(MINIO), "server", "--quiet", "--address", f"127.0.0.1:{port}", str(run.path / "minio" / "data")]


def environment(run: RunFolder) -> dict[str, str]:
    return {
        "MINIO_CONFIG_ENV_FILE": str(run.secret("minio", "environment")),
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_CALLHOME_ENABLE": "off",
    }


def root_key(run: RunFolder) -> tuple[str, str]:
    lines = dict(line.split("=", 1) for line in run.secret("minio", "environment").read_text().split())
    return lines["MINIO_ROOT_USER"], lines["MINIO_ROOT_PASSWORD"]


def settle(run: RunFolder, port: int) -> None:
    """Buckets, users and policies, brought to what is written above. Idempotent."""
    from minio import Minio, MinioAdmin
    from minio.credentials import StaticProvider

    access, secret = root_key(run)
    endpoint = f"127.0.0.1:{port}"
    _make_buckets(Minio(endpoint=endpoint, access_key=access, secret_key=secret, secure=False))
    admin = MinioAdmin(endpoint=endpoint, credentials=StaticProvider(access, secret), secure=False)
    for user in USERS:
        name, key = user_key(run, user)
        admin.user_add(name, key)
        _put_policy(admin, user)
        _attach(admin, f"gongshu-{user}", name)


def _make_buckets(client: Any) -> None:
    from minio.commonconfig import COMPLIANCE, ENABLED
    from minio.objectlockconfig import DAYS, ObjectLockConfig
    from minio.versioningconfig import VersioningConfig

    for bucket in (DATA, QUARANTINE, RELEASED):
        if not client.bucket_exists(bucket):
            client.make_bucket(bucket)
        client.set_bucket_versioning(bucket, VersioningConfig(ENABLED))
    if not client.bucket_exists(LOG):
        client.make_bucket(LOG, object_lock=True)
    client.set_object_lock_config(LOG, ObjectLockConfig(COMPLIANCE, LOG_RETENTION_DAYS, DAYS))


def _put_policy(admin: Any, user: str) -> None:
    statements = [_statement(bucket, actions) for bucket, actions in USERS[user].items()]
    admin.policy_add(f"gongshu-{user}", policy={"Version": "2012-10-17", "Statement": statements})


def _statement(bucket: str, actions: list[str]) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }


def _attach(admin: Any, policy: str, user: str) -> None:
    from minio.error import MinioAdminException

    try:
        admin.policy_set(policy, user=user)
    except MinioAdminException as error:
        if "already" not in str(error):  # the server refuses to attach what is attached
            raise
