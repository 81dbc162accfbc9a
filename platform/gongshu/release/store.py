"""Where item bytes lie: quarantine until two people agreed, then the released bucket.

Objects are named by their digest and read back against it: a changed byte is never served. The
gateway holds a key that can only put into quarantine.
"""

from __future__ import annotations

import hashlib
import io

import urllib3
from minio import Minio
from minio.error import MinioException

from gongshu.errors import Unavailable
from gongshu.release.table import Digests, digests_of
from gongshu.settings import StoreSettings

REGION = "us-east-1"  # named, so that a put-only key need not ask where the bucket is


class ItemChanged(Exception):
    """The stored bytes no longer have the digest under which they lie."""


class ItemStore:
    """Item bytes by digest. Every method raises Unavailable('storage') within about 5 seconds."""

    def __init__(self, settings: StoreSettings) -> None:
        access, secret = settings.key()
        pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=1.5, read=2), retries=urllib3.Retry(1, backoff_factor=0.1)
        )
        self._client = Minio(settings.endpoint, access, secret, secure=settings.secure, region=REGION, http_client=pool)
        self._quarantine = settings.quarantine_bucket
        self._released = settings.released_bucket

    def quarantine(self, data: bytes) -> Digests:
        """Put bytes under their digest; the same bytes again are the same object."""
        digests = digests_of(data)
        self._put(self._quarantine, digests.sha256, data)
        return digests

    def read_quarantined(self, sha256: str) -> bytes:
        """Raises ItemChanged when a byte differs."""
        return self._get(self._quarantine, sha256)

    def release(self, sha256: str) -> None:
        """Copy an item to the released bucket. Raises ItemChanged when a byte differs."""
        self._put(self._released, sha256, self.read_quarantined(sha256))

    def read_released(self, sha256: str) -> bytes:
        """Raises ItemChanged when a byte differs."""
        return self._get(self._released, sha256)

    def _put(self, bucket: str, sha256: str, data: bytes) -> None:
        try:
            self._client.put_object(bucket, f"sha256/{sha256}", io.BytesIO(data), len(data))
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise Unavailable("storage") from error

    def _get(self, bucket: str, sha256: str) -> bytes:
        try:
            answer = self._client.get_object(bucket, f"sha256/{sha256}")
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise Unavailable("storage") from error
        try:
            data = answer.read()
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable("storage") from error
        finally:
            answer.close()
            answer.release_conn()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ItemChanged(sha256)
        return bytes(data)
