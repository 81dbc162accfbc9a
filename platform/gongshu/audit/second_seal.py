"""The second seal: the same entries under SM3, signed with SM2, for those whose rules ask for it (密评).

The signature is made and checked by the `openssl` command (OpenSSL 3), because the Python libraries
refuse SM2's curve. Where that command cannot do it there is no second seal, and the log says so by
not carrying one.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from gongshu.audit.tree import Frontier

IDENTITY = "distid:1234567812345678"  # the default identity of GM/T 0009
TIMEOUT_SECONDS = 10


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.new("sm3", b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.new("sm3", b"\x01" + left + right).digest()


class SecondSeal:
    """Grows the SM3 tree beside the SHA-256 one and signs its root."""

    def __init__(self, origin: str, key_file: Path) -> None:
        self._origin = origin
        self._key_file = key_file
        self._tree = Frontier(node_hash, hashlib.new("sm3").digest())
        self.public = _openssl(["pkey", "-in", str(key_file), "-pubout"])

    @classmethod
    def open(cls, origin: str, key_file: Path) -> SecondSeal | None:
        """Open the key, making it the first time. None where `openssl` or Python cannot do SM2 and SM3."""
        if not shutil.which("openssl") or "sm3" not in hashlib.algorithms_available:
            return None
        try:
            if not key_file.exists():
                _write_once(key_file, _openssl(["genpkey", "-algorithm", "SM2"]))
            return cls(origin, key_file)
        except (OSError, subprocess.SubprocessError):
            return None

    def append(self, entry: bytes) -> None:
        self._tree.append(leaf_hash(entry))

    def text(self) -> bytes:
        """What is signed: origin, size, SM3 root in hex."""
        return f"{self._origin}\n{self._tree.size}\n{self._tree.root().hex()}\n".encode()

    def sign(self) -> bytes:
        """The SM2 signature over `text()`. Raises subprocess.SubprocessError."""
        return _openssl(["dgst", "-sm3", "-sign", str(self._key_file), "-sigopt", IDENTITY], self.text())


def _write_once(path: Path, data: bytes) -> None:
    """The whole key or none, for its owner alone."""
    half = path.with_suffix(".part")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_bytes(data)
    half.replace(path)


def _openssl(words: list[str], given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, check=True, timeout=TIMEOUT_SECONDS)
    return done.stdout
