"""Identifiers that are valid by their standards and belong to nobody.

Persons: GB 11643 in a county that was abolished in 1993 with birth dates of 1870–1899, long before such numbers
were issued. Companies: GB 32100
with a valid GB 11714 body. Phones: prefix 140, which is not given to subscribers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Generator = np.random.Generator
Bytes = npt.NDArray[np.uint8]

ABOLISHED_COUNTY = b"440121"
DIGITS = np.frombuffer(b"0123456789", dtype=np.uint8)
USCC_SIGNS = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)  # GB 32100-2015, table 2
BODY_SIGNS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)  # GB 11714-1997
PERSON_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
PERSON_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
BODY_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
BODY_CHECKS = np.frombuffer(b"0X987654321", dtype=np.uint8)
USCC_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)])


def to_strings(signs: Bytes) -> pa.Array:
    """Rows of ASCII codes, one string each."""
    count, width = signs.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    contiguous = np.ascontiguousarray(signs)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(contiguous))


def digits_of(numbers: npt.NDArray[np.int64], width: int) -> Bytes:
    """Numbers as zero-padded ASCII digits."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    places = (numbers[:, None] // powers) % 10
    return np.asarray(DIGITS[places])


def persons(rng: Generator, count: int) -> pa.Array:
    """`count` different identity numbers: district, birth date, order, check sign."""
    days_1870_to_1899 = 10_957
    day, order = np.divmod(_different(rng, days_1870_to_1899 * 1000, count), 1000)
    birth = np.datetime64("1870-01-01") + day.astype("timedelta64[D]")
    stamps = np.char.replace(np.datetime_as_string(birth), "-", "").astype("S8")
    body = np.concatenate(
        [
            np.tile(np.frombuffer(ABOLISHED_COUNTY, dtype=np.uint8), (count, 1)),
            stamps.view(np.uint8).reshape(count, 8),
            digits_of(order, 3),
        ],
        axis=1,
    )
    sums = ((body - DIGITS[0]).astype(np.int64) * PERSON_WEIGHTS).sum(axis=1) % 11
    return to_strings(np.concatenate([body, PERSON_CHECKS[sums][:, None]], axis=1))


def companies(rng: Generator, districts: npt.NDArray[np.int64]) -> pa.Array:
    """One different unified social credit code for each company; `districts` are its codes as numbers."""
    count = len(districts)
    body = digits_of(_different(rng, 10**8, count), 8)
    sums = ((body - DIGITS[0]).astype(np.int64) * BODY_WEIGHTS).sum(axis=1) % 11
    head = np.tile(np.frombuffer(b"91", dtype=np.uint8), (count, 1))
    first = np.concatenate([head, digits_of(districts, 6), body, BODY_CHECKS[sums][:, None]], axis=1)
    values = np.searchsorted(USCC_SIGNS, first)
    checks = (-(values * USCC_WEIGHTS).sum(axis=1)) % 31
    return to_strings(np.concatenate([first, USCC_SIGNS[checks][:, None]], axis=1))


def phones(rng: Generator, count: int) -> pa.Array:
    head = np.tile(np.frombuffer(b"140", dtype=np.uint8), (count, 1))
    return to_strings(np.concatenate([head, digits_of(rng.integers(0, 10**8, count), 8)], axis=1))


def numbered(prefix: str, count: int, width: int) -> pa.Array:
    """`S00000001`, `S00000002` …"""
    head = np.tile(np.frombuffer(prefix.encode(), dtype=np.uint8), (count, 1))
    return to_strings(np.concatenate([head, digits_of(np.arange(1, count + 1, dtype=np.int64), width)], axis=1))


def _different(rng: Generator, spaces: int, count: int) -> npt.NDArray[np.int64]:
    """`count` different numbers below `spaces`, in random order."""
    found = np.unique(rng.integers(0, spaces, int(count * 1.2) + 100))
    while len(found) < count:
        found = np.unique(np.concatenate([found, rng.integers(0, spaces, count)]))
    return np.asarray(rng.permutation(found)[:count])
