"""`spark`: a Spark session through the spark door, made when it is first used.

The client cannot be pointed anywhere else from inside: there is no other way out. A gateway that does not
answer is an error in a second or two, never minutes of silent retries.
"""

from __future__ import annotations

import threading
from typing import Any

_lock = threading.Lock()
_session: Any = None


def session() -> Any:
    """The kernel's one `SparkSession`; made anew when the last was stopped."""
    global _session
    # Only here: it takes a second, and a kernel must start at once.
    from gongshu_sandbox.channel import open_session

    with _lock:
        if _session is None or _session.is_stopped:
            _session = open_session()
        return _session


class LazySession:
    """Stands for the session until it is used, so that a kernel starts at once and without the gateway."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_ipython_") or name.startswith("_repr_"):  # a notebook asks these of everything it shows
            raise AttributeError(name)
        return getattr(session(), name)

    def __dir__(self) -> list[str]:
        return dir(session())

    def __repr__(self) -> str:
        return "<Spark · 公数网关 · Gongshu gateway>"


spark = LazySession()
