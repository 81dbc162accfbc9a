"""The IPython extension that every kernel of the sandbox loads: names, ``%%sql``, calm refusals.

A kernel must start at once, and even when the gateway and the portal are down; nothing here waits for them.
"""

from __future__ import annotations

import threading
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython at the start of a kernel."""
    import gongshu  # only here: in the platform's own environment another distribution has this name

    from gongshu_sandbox import magic

    shell.push({"gongshu": gongshu, "spark": gongshu.spark})
    magic.register(shell)
    threading.Thread(target=_warm, args=(shell,), daemon=True).start()


def _warm(shell: Any) -> None:
    """Load Spark's client (a second) while the person reads or types."""
    from gongshu_sandbox import refusals
    from gongshu_sandbox.session import session

    refusals.install(shell)
    session()
