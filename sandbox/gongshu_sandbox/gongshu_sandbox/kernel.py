"""The IPython extension that every kernel of the sandbox loads: names, ``%%sql``, calm refusals.

A kernel must start at once, and even when the gateway and the portal are down; nothing here waits for them.
"""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython at the start of a kernel."""
    from tornado.ioloop import IOLoop

    import gongshu  # only here: in the platform's own environment another distribution has this name
    from gongshu_sandbox import magic, refusals

    shell.push({"gongshu": gongshu, "spark": gongshu.spark})
    magic.register(shell)
    refusals.install(shell, refusals.Refused)
    # On the kernel's own thread, between cells: pyspark's imports are circular and dead-lock in another thread.
    IOLoop.current().call_later(0.05, _warm)


def _warm() -> None:
    """Load Spark's client (a second) while the person reads or types."""
    from gongshu_sandbox.session import session

    session()
