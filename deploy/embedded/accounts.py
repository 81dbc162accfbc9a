"""Under which account each part runs.

As root every part has a uid of its own and gets only the groups whose sockets it must reach; the
numbers come from the run folder's path, so two houses on one machine do not share them. As an
ordinary user all parts are that user: announced, for the demo only.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

PARTS = ("postgres", "minio", "opa", "hub", "proxy", "doors", "portal", "gateway", "worker", "keeper")
KEEPER = "keeper"  # bubblewrap's parent stays root: it must become each sandbox's own uid
# Folder of sockets -> (the part that listens there, the parts that may connect).
SOCKET_GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "postgres": ("postgres", ("hub", "portal", "gateway", "worker")),
    "hub": ("hub", ("doors", "portal", "gateway", "proxy")),
    "proxy": ("proxy", ("hub",)),
    "internal": ("portal", ("hub", "doors", "gateway")),
    "gateway": ("gateway", ("doors",)),
    "doors": ("doors", ("hub", "portal")),
}
FIRST_PART_ID = 180_000  # below the sandboxes' uids, which start at 200000
IDS_PER_HOUSE = 32
HOUSES = 600


@dataclass(frozen=True)
class Accounts:
    """Numbers of one house. `separate` is False when everything runs as the calling user."""

    separate: bool
    first_id: int

    def uid(self, part: str) -> int:
        if not self.separate:
            return os.geteuid()
        return 0 if part == KEEPER else self.first_id + PARTS.index(part)

    def gid(self, part: str) -> int:
        if not self.separate:
            return os.getegid()
        return self.first_id + PARTS.index(part)

    def socket_gid(self, group: str) -> int:
        if not self.separate:
            return os.getegid()
        return self.first_id + len(PARTS) + tuple(SOCKET_GROUPS).index(group)

    def groups(self, part: str) -> list[int]:
        """Groups of the sockets this part listens on or connects to."""
        return [self.socket_gid(g) for g, (owner, users) in SOCKET_GROUPS.items() if part == owner or part in users]

    def become(self, part: str) -> list[str]:
        """Words before a command so that it runs as the part. They exec: the pid is the part's own."""
        if not self.separate or part == KEEPER:
            return []
        groups = ",".join(str(g) for g in self.groups(part))
        given = f"--groups={groups}" if groups else "--clear-groups"
        ids = [f"--reuid={self.uid(part)}", f"--regid={self.gid(part)}", given]
        return ["/usr/bin/setpriv", *ids, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]

    def hand_over(self, path: Path, part: str, mode: int) -> None:
        """Give a file or folder to a part."""
        path.chmod(mode)
        if self.separate:
            os.chown(path, self.uid(part), self.gid(part))

    def passwd_lines(self) -> str:
        named = [p for p in PARTS if self.uid(p) != 0]
        return "".join(f"gongshu-{p}:x:{self.uid(p)}:{self.gid(p)}::/nonexistent:/usr/sbin/nologin\n" for p in named)

    def group_lines(self) -> str:
        own = "".join(f"gongshu-{p}:x:{self.gid(p)}:\n" for p in PARTS)
        return own + "".join(f"gongshu-{g}-sockets:x:{self.socket_gid(g)}:\n" for g in SOCKET_GROUPS)


def accounts_for(run_path: Path) -> Accounts:
    """Separate accounts when root may use any uid; a root of few uids counts as an ordinary user."""
    house = zlib.crc32(os.fsencode(run_path.resolve())) % HOUSES
    return Accounts(os.geteuid() == 0 and _all_ids_are_mapped(), FIRST_PART_ID + house * IDS_PER_HOUSE)


def _all_ids_are_mapped() -> bool:
    lines = Path("/proc/self/uid_map").read_text().split("\n")
    ranges = [tuple(int(n) for n in line.split()) for line in lines if line.strip()]
    return any(inside == 0 and count > 1_000_000 for inside, _, count in ranges)
