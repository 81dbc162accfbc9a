"""The verifiable log: entries, tiles, checkpoints, receipts, witnesses.

It decides what counts as said; it must never change or lose an entry, nor let a change of state
happen without one. Others use what is named here.
"""

from gongshu.audit.append import Receipt, keep_blob
from gongshu.audit.event import Event, EventType, Private, Value
from gongshu.audit.vault import Vault
from gongshu.audit.work import UnitOfWork, UnrecordedChange

__all__ = ["Event", "EventType", "Private", "Receipt", "UnitOfWork", "UnrecordedChange", "Value", "Vault", "keep_blob"]
