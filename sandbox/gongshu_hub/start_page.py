"""The page that starts a sandbox: ``/hub/sandbox/<scenario>`` and its ``/stop``.

It names scenario, purpose, term and quota before anything starts. A refusal is a page with the sentence,
the clause and the next step. A scenario of somebody else reads the same as one that does not exist.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.pages import SpawnHandler
from tornado.web import HTTPError, authenticated

from gongshu_hub.access import ensure_access
from gongshu_hub.internal import InternalPortal, RefusedByPortal
from gongshu_hub.naming import SandboxName, sandbox_name
from gongshu_hub.settings import settings

ABSENT = RefusedByPortal(
    404,
    "sandbox.absent",
    "没有这个应用场景,或它不属于您的机构。",
    "There is no such scenario, or it is not your organisation's.",
    "请从门户的“我的沙箱”进入。",
    "Start from “My sandboxes” in the portal.",
)


class StartPage(SpawnHandler):  # type: ignore[misc]  # jupyterhub has no types
    """Shows what is about to start, and starts it."""

    @authenticated  # type: ignore[untyped-decorator]  # tornado's
    async def get(self, scenario: str) -> None:
        name = sandbox_name(self.current_user.name, scenario)
        owner = self.find_user(str(name)) if name else None
        if name is None:
            await self.show_refusal(ABSENT)
        elif owner is not None and owner.spawner.active:
            ensure_access(self, name)
            self.redirect(owner.server_url("") if owner.spawner.ready else self._get_pending_url(owner, ""))
        else:
            await self.show_start(name)

    async def show_start(self, name: SandboxName) -> None:
        try:
            facts = await InternalPortal(settings().internal_socket).may_start(name.person, name.scenario)
        except RefusedByPortal as refusal:
            await self.show_refusal(refusal)
            return
        ensure_access(self, name)
        self.finish(await self.render_template("start.html", facts=shown(facts), scenario=name.scenario))

    @authenticated  # type: ignore[untyped-decorator]  # tornado's
    async def post(self, scenario: str) -> None:
        name = sandbox_name(self.current_user.name, scenario)
        owner = self.find_user(str(name)) if name else None
        if owner is None:
            await self.show_refusal(ABSENT)
            return
        pending = self._get_pending_url(owner, "")
        if owner.spawner.active:
            self.redirect(pending)
            return
        spawner = owner.get_or_create_spawner("", "", replace_failed=True)
        try:
            await self._wrap_spawn_single_user(owner, "", "", spawner, pending, {})
        except HTTPError as error:
            await self.show_refusal(refusal_of(error))

    async def show_refusal(self, refusal: RefusedByPortal) -> None:
        self.set_status(refusal.status)
        self.finish(await self.render_template("refused.html", refusal=refusal))


class StopPage(BaseHandler):  # type: ignore[misc]  # jupyterhub has no types
    """Stops the own sandbox; the home stays."""

    @authenticated  # type: ignore[untyped-decorator]  # tornado's
    async def get(self, scenario: str) -> None:
        self.finish(await self.render_template("stop.html", scenario=scenario))

    @authenticated  # type: ignore[untyped-decorator]  # tornado's
    async def post(self, scenario: str) -> None:
        name: SandboxName | None = sandbox_name(self.current_user.name, scenario)
        owner = self.find_user(str(name)) if name else None
        if owner is not None and owner.spawner.ready:
            await self.stop_single_user(owner, "")
        self.redirect(portal_page("/sandboxes"))


def portal_page(path: str) -> str:
    """Public address of a page of the portal."""
    scheme, _, authority = settings().public_host.partition("://")
    return f"{scheme}://portal--service.{authority}{settings().portal_prefix}{path}"


def refusal_of(error: HTTPError) -> RefusedByPortal:
    """The refusal inside a failed start, or one made of its words."""
    known = getattr(error, "refusal", None)
    if isinstance(known, RefusedByPortal):
        return known
    message = getattr(error, "jupyterhub_message", None) or "沙箱没有启动成功。The sandbox did not start."
    part = "keeper" if error.status_code >= 500 else ""
    return RefusedByPortal(error.status_code, "sandbox.start_failed", str(message), str(message), part=part)


def shown(facts: dict[str, Any]) -> dict[str, Any]:
    """The portal's facts, ready to be printed: texts in both languages, time left in days or minutes."""
    title = facts.get("title")
    titles = title if isinstance(title, dict) else {"zh": title, "en": title}
    return {**facts, "titles": titles, "left": time_left(str(facts.get("ends_at") or ""))}


def time_left(ends_at: str) -> dict[str, str]:
    """How long the term still runs."""
    try:
        end = datetime.fromisoformat(ends_at.replace("Z", "+00:00"))
    except ValueError:
        return {"zh": "", "en": ""}
    minutes = max(0, int((end - datetime.now(UTC)).total_seconds() // 60))
    if minutes >= 2 * 24 * 60:
        days = minutes // (24 * 60)
        return {"zh": f"还剩 {days} 天", "en": f"{days} days left"}
    if minutes >= 120:
        return {"zh": f"还剩 {minutes // 60} 小时", "en": f"{minutes // 60} hours left"}
    return {"zh": f"还剩 {minutes} 分钟", "en": f"{minutes} minutes left"}
