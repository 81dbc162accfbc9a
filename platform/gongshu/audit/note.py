"""Signed notes, checkpoints and receipts: C2SP signed-note, tlog-checkpoint, tlog-proof.

It decides how a root is signed and read back. Only the worker holds a `Signer`; everyone else
verifies. A checkpoint has no time of its own: the same tree always gives the same signed bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ED25519 = b"\x01"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: whose log, how many entries, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class VerifierKey:
    """A signed-note verifier key, `name+id+base64(0x01 ‖ public key)`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises ValueError unless the id is the hash of name and key."""
        name, key_id, data = text.strip().split("+", 2)
        raw = base64.b64decode(data, validate=True)
        key = cls(name, raw[1:])
        if raw[:1] != ED25519 or len(raw) != 33 or key.key_id.hex() != key_id:
            raise ValueError("not an Ed25519 verifier key")
        return key


class Signer:
    """Signs checkpoints with an Ed25519 key. The key's name is the log's origin."""

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self.origin = origin
        self._key = key
        self.verifier = VerifierKey(origin, key.public_key().public_bytes_raw())

    @classmethod
    def from_file(cls, origin: str, path: Path) -> Signer:
        """Read the key: PEM (PKCS#8), or its 32-byte seed as 64 hex digits. Raises ValueError."""
        data = path.read_bytes()
        if data.lstrip().startswith(b"-----BEGIN"):
            key = load_pem_private_key(data, password=None)
            if not isinstance(key, Ed25519PrivateKey):
                raise ValueError("the log's key must be Ed25519")
            return cls(origin, key)
        return cls(origin, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(data.decode().strip())))

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """Return the signed note. Deterministic: Ed25519 takes no randomness."""
        text = checkpoint.text()
        blob = self.verifier.key_id + self._key.sign(text.encode())
        return f"{text}\n— {self.origin} {base64.b64encode(blob).decode()}\n".encode()


def read_checkpoint(note: bytes, key: VerifierKey) -> Checkpoint:
    """Read a signed checkpoint. Raises ValueError unless `key` signed exactly these bytes."""
    text, blank, signatures = note.decode().partition("\n\n")
    lines = text.split("\n")
    if not blank or len(lines) < 3 or not re.fullmatch(r"0|[1-9][0-9]*", lines[1]) or not signatures.endswith("\n"):
        raise ValueError("not a checkpoint")
    wanted = f"— {key.name} "
    for line in signatures[:-1].split("\n"):
        blob = _base64(line[len(wanted) :]) if line.startswith(wanted) else b""
        if blob[:4] != key.key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(blob[4:], f"{text}\n".encode())
        except InvalidSignature as error:
            raise ValueError("the checkpoint's signature does not hold") from error
        return Checkpoint(lines[0], int(lines[1]), _base64(lines[2]))
    raise ValueError("the checkpoint is not signed by this key")


def _base64(text: str) -> bytes:
    """Decode canonical base64 only: two texts never mean the same bytes."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def receipt_text(index: int, path: Sequence[bytes], note: bytes, entry: bytes | None = None) -> str:
    """Write a receipt (`.tlog-proof`); the entry's bytes travel in its `extra` line."""
    lines = [PROOF_HEADER]
    if entry is not None:
        lines.append(f"extra {base64.b64encode(entry).decode()}")
    lines.append(f"index {index}")
    lines += [base64.b64encode(step).decode() for step in path]
    return "\n".join(lines) + "\n\n" + note.decode()
