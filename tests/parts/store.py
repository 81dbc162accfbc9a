"""A real MinIO on loopback, with random keys and the four buckets."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from minio import Minio
from minio.versioningconfig import ENABLED, VersioningConfig

from gongshu.settings import StoreSettings
from tests.parts.places import TOOLS, free_port


@dataclass
class Store:
    endpoint: str
    key_file: Path
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def settings(self) -> StoreSettings:
        return StoreSettings(endpoint=self.endpoint, key_file=self.key_file)

    def client(self) -> Minio:
        access, secret = self.settings.key()
        return Minio(self.endpoint, access, secret, secure=False)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_store(folder: Path) -> Store:
    """Start MinIO and make the buckets (the log's with object lock, the data's versioned)."""
    folder.mkdir(parents=True)
    access, secret = secrets.token_hex(10), secrets.token_hex(20)
    key_file = folder / "key"
    key_file.write_text(f"{access}\n{secret}\n")
    key_file.chmod(0o600)
    port = free_port()
    environment = {
        **os.environ,
        "MINIO_ROOT_USER": access,
        "MINIO_ROOT_PASSWORD": secret,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    with (folder / "minio.log").open("wb") as log:
        process = subprocess.Popen(
            [str(TOOLS / "minio"), "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder / "data")],
            env=environment,
            stdout=log,
            stderr=log,
        )
    store = Store(f"127.0.0.1:{port}", key_file, folder, process)
    _wait(store)
    client = store.client()
    for bucket in ("gongshu-data", "gongshu-quarantine", "gongshu-released"):
        client.make_bucket(bucket)
        client.set_bucket_versioning(bucket, VersioningConfig(ENABLED))
    client.make_bucket("gongshu-log", object_lock=True)
    return store


def _wait(store: Store) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if httpx.get(f"http://{store.endpoint}/minio/health/ready", timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline or store.process.poll() is not None:
            raise RuntimeError(f"MinIO did not start: {(store.folder / 'minio.log').read_text()[-800:]}")
        time.sleep(0.1)
