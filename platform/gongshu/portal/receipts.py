"""A receipt for somebody who knows an entry by its ULID: an invoice's payer, a release's holder.

The receipt holds the entry's public bytes only; whether the person may have it is the caller's to decide.
"""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import PlainTextResponse, Response

from gongshu.audit.models import LogEntry
from gongshu.audit.receipts import prove, wait_for_checkpoint
from gongshu.audit.store import LogStore
from gongshu.errors import Unavailable
from gongshu.portal.edge import Context

WAIT_SECONDS = 5.0


def receipt_of(ctx: Context, entry_id: str, name: str) -> Response:
    """The `.tlog-proof` as a file. Raises Unavailable('log') while no checkpoint covers the entry."""
    assert ctx.settings.store is not None
    store = LogStore.open(ctx.settings.store)
    index, data = ctx.session.execute(select(LogEntry.index, LogEntry.data).where(LogEntry.entry_id == entry_id)).one()
    wait_for_checkpoint(store, index + 1, WAIT_SECONDS)
    proof = prove(store, index, data)
    if proof is None or not proof.good:
        raise Unavailable("log")
    return PlainTextResponse(proof.receipt(data), headers={"Content-Disposition": f'attachment; filename="{name}"'})
