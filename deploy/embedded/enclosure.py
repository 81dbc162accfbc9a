"""What stands around the supervisor: a private mount namespace with account names, as root only.

Run by `unshare --mount`; replaces itself with the supervisor. It gives the parts an /etc/passwd that
names their accounts, and, where the checkout lies below a folder that other accounts may not enter
(such as /root), covers that folder so that nothing in it but the checkout can be seen. The machine
outside sees none of this. It never runs in the machine's own mount namespace.
"""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from pathlib import Path

from deploy.embedded.accounts import Accounts
from deploy.embedded.places import PYTHON, ROOT, RunFolder

PR_SET_CHILD_SUBREAPER = 36


def enclose(run: RunFolder, accounts: Accounts, command: list[str]) -> list[str]:
    """The command that runs `command` in an enclosure (without root: just as it is, orphans gathered)."""
    within = [str(PYTHON), "-m", "deploy.embedded.enclosure"]
    if not accounts.separate:
        return [*within, "", "", str(run.path), *command]
    files = []
    for name, lines in (("passwd", accounts.passwd_lines()), ("group", accounts.group_lines())):
        file = run.path / "supervisor" / name
        file.write_text(Path(f"/etc/{name}").read_text() + lines)
        file.chmod(0o644)
        files.append(str(file))
    return ["/usr/bin/unshare", "--mount", "--propagation", "private", "--", *within, *files, str(run.path), *command]


def main() -> None:
    """argv: passwd file, group file (both empty without root), run folder, then the command to become."""
    passwd, group, run_folder, *command = sys.argv[1:]
    if passwd:
        subprocess.run(["mount", "--bind", passwd, "/etc/passwd"], check=True)
        subprocess.run(["mount", "--bind", group, "/etc/group"], check=True)
        kept = [ROOT] if Path(run_folder).is_relative_to(ROOT) else [ROOT, Path(run_folder)]
        for closed in dict.fromkeys(filter(None, map(closed_ancestor, kept))):
            cover(closed, [folder for folder in kept if folder.is_relative_to(closed)])
    # Orphans of parts become the supervisor's, so that stopping can find everything that was started.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.chdir(ROOT)
    os.execv(command[0], command)


def closed_ancestor(folder: Path) -> Path | None:
    """The topmost folder above that others may not enter, or None."""
    for ancestor in reversed(folder.parents):
        if not ancestor.stat().st_mode & stat.S_IXOTH:
            return ancestor
    return None


def cover(closed: Path, kept: list[Path]) -> None:
    """Hide `closed` under an empty file system in which only the kept folders appear, at the same paths."""
    meeting = Path("/mnt")  # a mount point every machine has; covered in this namespace only
    _mount_empty(meeting)
    for number, folder in enumerate(kept):
        (meeting / str(number)).mkdir()
        _mount("--rbind", str(folder), str(meeting / str(number)))
    _mount_empty(closed)
    for number, folder in enumerate(kept):
        folder.mkdir(parents=True)
        _mount("--rbind", str(meeting / str(number)), str(folder))
    subprocess.run(["umount", "-R", "-l", str(meeting)], check=True, cwd="/")


def _mount_empty(place: Path) -> None:
    _mount("-t", "tmpfs", "-o", "size=64k,mode=0755", "tmpfs", str(place))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, cwd="/")


if __name__ == "__main__":
    main()
