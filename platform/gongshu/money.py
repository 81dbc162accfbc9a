"""Money as integers, never floats.

Rating works in micro-fen (10⁻⁶ fen), documents in fen (0.01 yuan); ratios are `Fraction`.
Rounding happens once per invoice line, half up (四舍五入), in `to_fen`.
"""

from __future__ import annotations

from fractions import Fraction

MICROFEN_PER_FEN = 1_000_000


def to_fen(microfen: int) -> int:
    """Round an amount of micro-fen to fen, half away from zero."""
    sign = -1 if microfen < 0 else 1
    return sign * ((abs(microfen) + MICROFEN_PER_FEN // 2) // MICROFEN_PER_FEN)


def share_cumulatively(total: int, ratios: list[Fraction]) -> list[int]:
    """Split `total` by `ratios` (sum 1) so that running totals stay within one unit of the exact share.

    Largest remainder on the cumulative total; ties go to the earlier party. Raises ValueError if the
    ratios do not sum to exactly 1 or one is negative.
    """
    if any(r < 0 for r in ratios) or sum(ratios) != 1:
        raise ValueError("ratios must be non-negative and sum to exactly 1")
    exact = [total * r for r in ratios]
    floors = [e.numerator // e.denominator for e in exact]
    by_remainder = sorted(range(len(ratios)), key=lambda i: (floors[i] - exact[i], i))
    for i in by_remainder[: total - sum(floors)]:
        floors[i] += 1
    return floors


def format_yuan(fen: int) -> str:
    """Write fen as ``1,204,338.50`` (yuan, two decimals)."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
