"""Start the notebook server inside the sandbox, on the listening socket that the keeper handed in.

It opens no port of its own and reads no secret but the sandbox's own token. Whatever the analyst changes
here stays inside: the doors outside decide what passes, not this process.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

SERVER_FD = "GONGSHU_SERVER_FD"
ARGUMENTS = [
    "--ServerApp.sock=/tmp/server.sock",  # never made: see `use_handed_socket`
    "--KernelManager.transport=ipc",
    f"--ServerApp.root_dir={Path.home()}",
    "--ServerApp.allow_origin_pat=",
    "--ServerApp.terminals_enabled=True",
    "--FileContentsManager.delete_to_trash=False",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]


def use_handed_socket(number: int) -> None:
    """Make the server listen on descriptor `number` instead of binding a socket file."""
    from jupyter_server import serverapp  # only here: the import takes a second and needs the environment

    listening = socket.socket(fileno=number)
    listening.setblocking(False)
    os.set_inheritable(number, False)  # kernels and terminals must not get it

    def handed(*_: Any, **__: Any) -> socket.socket:
        return listening

    serverapp.bind_unix_socket = handed


def main() -> None:
    number = int(os.environ.pop(SERVER_FD))
    os.umask(0o077)
    os.environ.setdefault("JUPYTER_RUNTIME_DIR", "/tmp/jupyter")
    use_handed_socket(number)
    from jupyterhub.singleuser import main as serve  # only here: after the socket is in place

    sys.argv = ["jupyterhub-singleuser", *ARGUMENTS]
    serve()


if __name__ == "__main__":
    main()
