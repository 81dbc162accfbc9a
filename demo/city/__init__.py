"""The invented city's data: seeded, so that every demo has the same rows; vectorised, so that it takes seconds."""

SEED = 20261122
DISTRICTS = (
    "440103", "440104", "440105", "440106", "440111", "440112", "440113", "440114", "440115", "440117", "440118",
)  # fmt: skip
# How much of the city's life is in each district.
DISTRICT_SHARES = (0.09, 0.12, 0.12, 0.18, 0.14, 0.08, 0.11, 0.06, 0.04, 0.02, 0.04)
FIRST_DAY, LAST_DAY = "2025-11-01", "2026-10-31"
