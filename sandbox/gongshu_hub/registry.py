"""Numbers, homes and sockets of the sandboxes: what the keeper makes on disk before anything starts.

A number belongs to one name for ever (the home belongs to its uid), so that no sandbox can inherit
another's files. Nothing here is writable by a tenant but the home itself.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from gongshu_hub.settings import HubSettings


class PlaceError(Exception):
    """A directory is not what it must be; no sandbox starts there."""


@dataclass(frozen=True)
class Place:
    """Where one sandbox lives on the machine."""

    number: int
    uid: int
    home: Path
    sockets: Path

    @property
    def doors(self) -> Path:
        """The directory that the sandbox sees as /run/doors."""
        return self.sockets / "out"

    @property
    def server_socket(self) -> Path:
        return self.sockets / "jup.sock"


class Registry:
    """Gives every name its number, once. Number 0 is the preflight's throw-away sandbox."""

    def __init__(self, settings: HubSettings) -> None:
        self.homes: Path = settings.need("homes_dir")
        self.sockets: Path = settings.need("doors_dir")
        self.file: Path = Path(settings.need("state_dir")) / "numbers.json"
        self.uid_base = settings.tenant_uid_base
        self.doors_uid = settings.doors_uid if settings.doors_uid is not None else os.getuid()

    def number(self, name: str) -> int:
        numbers: dict[str, int] = json.loads(self.file.read_text()) if self.file.exists() else {}
        if name not in numbers:
            numbers[name] = max(numbers.values(), default=0) + 1
            draft = self.file.with_suffix(".new")
            draft.write_text(json.dumps(numbers, indent=1, sort_keys=True))
            draft.replace(self.file)
        return numbers[name]

    def place(self, name: str, number: int | None = None) -> Place:
        """Make home and socket directories. Raises PlaceError when something else is in the way."""
        number = self.number(name) if number is None else number
        uid = os.getuid() if self.uid_base is None else self.uid_base + number
        place = Place(number, uid, self.homes / name, self.sockets / str(number))
        if not place.home.exists():
            place.home.mkdir(mode=0o700)
            os.chown(place.home, uid, uid if self.uid_base is not None else -1)
        seen = place.home.lstat()
        if seen.st_uid != uid or not place.home.is_dir() or place.home.is_symlink():
            raise PlaceError(f"{name} 的主目录不属于它。The home of {name} does not belong to it.")
        self.clear(place)
        for directory in (place.sockets, place.doors):
            directory.mkdir(mode=0o711)
            directory.chmod(0o711)
            os.chown(directory, self.doors_uid, -1)
        return place

    def clear(self, place: Place) -> None:
        """Remove the sockets of an earlier run; the home stays."""
        if place.sockets.exists():
            shutil.rmtree(place.sockets)
