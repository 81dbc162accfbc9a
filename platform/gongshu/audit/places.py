"""Where things lie in the published log and in an export of it (document 10): one table for writer and reader."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

# By kind of blob, with its label; other kinds lie under their digest. The verifier carries the same table.
BLOB_PLACES = {
    "policy-bundle": "bundles/{label}.tar.gz",
    "price-book": "prices/{label}.json",
    "key": "keys/{label}",
    "readme": "{label}",
}
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")

README = """公数审计日志 · Gongshu audit log

checkpoint           已签名的树根 signed tree head (C2SP tlog-checkpoint, signed-note)
tile/…               哈希片与条目 hash tiles and entry bundles (C2SP tlog-tiles)
checkpoints/<size>   以前的检查点 earlier checkpoints
keys/log.vkey        验签公钥 verifier key (Ed25519); keys/sm2.pem: SM2
seal/<size>.sm3      第二封签:SM3 树根 second seal: SM3 root; .sm2: its SM2 signature
payloads/<i>.json    条目 i 的非公开部分 private parts of entry i: salt and payload, or erased, or withheld
bundles/ prices/ blobs/   条目所指的策略包、收费标准与其他文件 what entries point to

核验 verify:  python3 gongshu_verify.py log . --key FILE
"""


def seal_path(size: int) -> str:
    return f"seal/{size}.sm3"


def seal_signature_path(size: int) -> str:
    return f"seal/{size}.sm2"


def blob_path(blob: Mapping[str, str]) -> str:
    """The path of a blob that an entry names. Raises ValueError on a label that is no plain name."""
    if blob["kind"] not in BLOB_PLACES:
        return f"blobs/sha256/{blob['sha256']}"
    if not LABEL.fullmatch(blob["label"]):
        raise ValueError(f"{blob['label']!r} cannot name a file")
    return BLOB_PLACES[blob["kind"]].format(label=blob["label"])


def named_blobs(entry: bytes) -> list[dict[str, str]]:
    """The blobs that an entry names."""
    if b'"blobs":' not in entry:
        return []
    found = orjson.loads(entry)["public"].get("blobs", [])
    return [blob for blob in found if isinstance(blob, dict)]
