"""What may pass a door: pure functions on the raw request line. Everything not named is refused.

A refusal says what was asked and what to do instead; it holds no data and no token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
LAB_ROOTS = frozenset(
    {"lab", "api", "static", "terminals", "oauth_callback", "logout", "favicon.ico", "logo", "metrics"}
)
EXITS = frozenset({"files", "nbconvert", "view", "directories", "proxy", "export", "download"})
SOCKETS = (
    re.compile(rf"api/kernels/{ID}/channels\Z"),
    re.compile(rf"terminals/websocket/{ID}\Z"),
    re.compile(r"api/events/subscribe\Z"),
)
PORTAL_ROUTES = (
    ("GET", re.compile(r"/api/v1/sandbox\Z")),
    ("GET", re.compile(r"/api/v1/sandbox/releases\Z")),
    ("POST", re.compile(rf"/api/v1/sandbox/releases/{ID}/submit\Z")),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True)
class Refusal:
    """Why a request does not pass. `code` goes into the log entry."""

    code: str
    zh: str
    en: str
    status: int = 403


RELEASE_STEP = (
    "需要带出结果时,请在笔记本里用 gongshu.release_table(…) 提出出域申请。",
    "To take a result out, ask for a release with gongshu.release_table(…) in a notebook.",
)
EXIT = Refusal(
    "door.exit",
    "沙箱内的文件不能直接下载或导出。" + RELEASE_STEP[0],
    "Files cannot be downloaded or exported from the sandbox. " + RELEASE_STEP[1],
)
STRANGE = Refusal("door.malformed", "请求的写法不被接受。", "The request is not written in an accepted way.", 400)
UNKNOWN = Refusal(
    "door.not_listed", "这个地址不在受控通道的许可清单内。", "This address is not on the door's list.", 404
)
TOKEN = Refusal("door.token", "凭证不属于这个沙箱。", "The token does not belong to this sandbox.", 401)


def refuse_inbound(method: str, target: str, prefix: str, websocket: bool) -> Refusal | None:
    """The inbound door: the Lab's own pages, API and websockets under `prefix`; never a way to take files out."""
    path, _, query = target.partition("?")
    if method not in METHODS or not path.startswith("/"):
        return STRANGE
    decoded = unquote(path)
    if _is_strange(path, decoded):
        return STRANGE
    if not (decoded + "/").startswith(prefix):
        return UNKNOWN
    inside = decoded[len(prefix) :]
    words = inside.lower().split("/")
    if words[0] in EXITS or "download" in unquote(query).lower() or _exports(words):
        return EXIT
    if websocket:
        return None if any(rule.match(inside) for rule in SOCKETS) else UNKNOWN
    return None if not inside or words[0] in LAB_ROOTS else UNKNOWN


def _exports(words: list[str]) -> bool:
    return len(words) > 2 and words[:2] == ["api", "nbconvert"]


def _is_strange(path: str, decoded: str) -> bool:
    """Encoded slashes, double encoding, dot segments, control characters: never needed, often a trick."""
    lowered = path.lower()
    return (
        "%2f" in lowered
        or "%5c" in lowered
        or "\\" in decoded
        or re.search(r"%[0-9a-f]{2}", decoded.lower()) is not None
        or "//" in decoded
        or any(word in {".", ".."} for word in decoded.split("/"))
        or any(ord(letter) < 32 or ord(letter) == 127 for letter in decoded)
    )


def refuse_hub(method: str, target: str, name: str) -> Refusal | None:
    """The hub door: four calls on the raw path."""
    allowed = {
        ("GET", "/hub/api"),
        ("GET", "/hub/api/"),
        ("GET", "/hub/api/user"),
        ("POST", "/hub/api/oauth2/token"),
        ("POST", f"/hub/api/users/{name}/activity"),
    }
    return None if (method, target) in allowed else UNKNOWN


def refuse_portal(method: str, target: str) -> Refusal | None:
    """The portal door: read the own scenario, read and submit the own release requests."""
    if any(method == verb and rule.match(target) for verb, rule in PORTAL_ROUTES):
        return None
    return UNKNOWN
