"""The write-once bucket in which the log is published: plain objects at their C2SP paths.

It decides nothing about content. Deadlines are short, so that a stuck store is an error in seconds.
"""

from __future__ import annotations

import io

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from gongshu.errors import Unavailable
from gongshu.settings import StoreSettings

TYPES = {".json": "application/json", ".gz": "application/gzip", ".txt": "text/plain; charset=utf-8"}


def open_client(settings: StoreSettings) -> Minio:
    """A client that gives up in seconds (connect 2 s, read 5 s, one retry)."""
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=5), retries=urllib3.Retry(1, backoff_factor=0.1))
    access, secret = settings.key()
    return Minio(settings.endpoint, access, secret, secure=settings.secure, http_client=pool)


class LogStore:
    """The log's bucket. Raises Unavailable('storage') when it cannot be reached."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def open(cls, settings: StoreSettings) -> LogStore:
        return cls(open_client(settings), settings.log_bucket)

    def get(self, path: str) -> bytes | None:
        """The object's newest bytes, or None when there is none."""
        try:
            answer = self._client.get_object(self._bucket, path)
            try:
                return bytes(answer.read())
            finally:
                answer.close()
                answer.release_conn()
        except S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise Unavailable("storage") from error
        except (HTTPError, MinioException, OSError) as error:
            raise Unavailable("storage") from error

    def put(self, path: str, data: bytes) -> None:
        kind = next((value for ending, value in TYPES.items() if path.endswith(ending)), "application/octet-stream")
        try:
            self._client.put_object(self._bucket, path, io.BytesIO(data), len(data), content_type=kind)
        except (HTTPError, MinioException, OSError) as error:
            raise Unavailable("storage") from error

    def has(self, path: str) -> bool:
        try:
            self._client.stat_object(self._bucket, path)
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchObject"):
                return False
            raise Unavailable("storage") from error
        except (HTTPError, MinioException, OSError) as error:
            raise Unavailable("storage") from error
        return True

    def names(self, folder: str) -> list[str]:
        """Every object below `folder/`."""
        try:
            return sorted(
                str(o.object_name) for o in self._client.list_objects(self._bucket, f"{folder}/", recursive=True)
            )
        except (HTTPError, MinioException, OSError) as error:
            raise Unavailable("storage") from error

    def is_locked(self) -> bool:
        """Whether the bucket keeps what is written for a time by itself (object lock with a default)."""
        try:
            return self._client.get_object_lock_config(self._bucket).mode is not None
        except S3Error:
            return False
        except (HTTPError, MinioException, OSError) as error:
            raise Unavailable("storage") from error
