"""Passwords: scrypt hashes (RFC 7914, N=2^14, r=8, p=1), compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

COST, BLOCK, PARALLEL = 2**14, 8, 1


def hash_password(password: str) -> str:
    """Return ``scrypt$salt$hash`` (base64)."""
    salt = secrets.token_bytes(16)
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(_derive(password, salt)).decode()}"


def password_matches(password: str, stored: str) -> bool:
    """Compare without telling by time how far they agree."""
    _, salt, expected = stored.split("$")
    return hmac.compare_digest(_derive(password, base64.b64decode(salt)), base64.b64decode(expected))


def _derive(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, dklen=32)
