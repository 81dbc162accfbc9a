"""Tables of the gateway room, and what each part's role may do with them."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
