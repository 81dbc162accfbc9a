"""Keeps the private parts of entries: encrypted with one key per item, that key wrapped by the platform's.

Erasing a part means deleting its wrapped key; nothing else can bring the text back.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


@dataclass(frozen=True)
class SealedText:
    ciphertext: bytes
    wrapped_key: bytes


class Vault:
    """Seals and opens private parts under one 32-byte wrapping key."""

    def __init__(self, wrapping_key: bytes) -> None:
        self._wrapping = AESGCM(wrapping_key)

    @classmethod
    def from_file(cls, path: Path) -> Vault:
        """Read the wrapping key, 64 hex digits."""
        return cls(bytes.fromhex(path.read_text().strip()))

    def seal(self, text: bytes) -> SealedText:
        key = secrets.token_bytes(32)
        return SealedText(_encrypt(AESGCM(key), text), _encrypt(self._wrapping, key))

    def open(self, sealed: SealedText) -> bytes:
        """Return the text. Raises cryptography's InvalidTag when either part was changed."""
        key = _decrypt(self._wrapping, sealed.wrapped_key)
        return _decrypt(AESGCM(key), sealed.ciphertext)


def _encrypt(cipher: AESGCM, text: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, text, None)


def _decrypt(cipher: AESGCM, sealed: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
