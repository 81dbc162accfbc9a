"""The object store: one client with deadlines, and the refusal that names it.

It decides how long a part waits for storage; never what is stored. MinIO gone means a refusal in
seconds, never a hang.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from gongshu.errors import Unavailable
from gongshu.settings import StoreSettings

REGION = "us-east-1"
ABSENT_CODES = {"NoSuchKey", "NoSuchBucket", "NoSuchVersion"}


def open_store(settings: StoreSettings) -> Minio:
    """A client that connects within 2 s and waits 10 s for an answer, without retries."""
    access, secret = settings.key()
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=10), retries=False, maxsize=16)
    return Minio(settings.endpoint, access, secret, secure=settings.secure, region=REGION, http_client=pool)


@contextmanager
def naming_the_store() -> Iterator[None]:
    """Turn a lost or refusing store into the refusal that names it; an absent object passes through."""
    try:
        yield
    except S3Error as error:
        if error.code in ABSENT_CODES:
            raise
        raise Unavailable("storage") from error
    except (urllib3.exceptions.HTTPError, MinioException, OSError) as error:
        raise Unavailable("storage") from error
