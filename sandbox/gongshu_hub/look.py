"""The portal's stylesheet for the Hub's own pages, served by the Hub itself (another origin may not lend it)."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path

from tornado.web import HTTPError, RequestHandler

STATIC = Path(__file__).resolve().parents[2] / "platform" / "gongshu" / "portal" / "static"


def look_address() -> dict[str, str]:
    """File names of the current look by role (``css``, ``icon``); empty when it has not been built."""
    try:
        manifest = json.loads((STATIC / "manifest.json").read_text())
    except (OSError, ValueError):
        return {}
    wanted = {"css": "gongshu.css", "icon": "favicon.svg"}
    return {role: str(manifest[name]) for role, name in wanted.items() if name in manifest}


class LookHandler(RequestHandler):  # type: ignore[misc]  # tornado is untyped here
    """Sends one file of the look; public, cached for a year (the name carries its hash)."""

    def get(self, name: str) -> None:
        if name not in look_address().values():
            raise HTTPError(404)
        self.set_header("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish((STATIC / name).read_bytes())
