"""Login at the Hub: the portal's accounts, asked over its internal socket.

The Hub keeps no password and makes nobody an admin. Names of sandboxes (``person--scenario``) cannot log in.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.auth import Authenticator

from gongshu_hub.internal import InternalPortal, RefusedByPortal
from gongshu_hub.naming import is_person
from gongshu_hub.settings import settings

REFUSED_SECONDS = 0.3


class PortalAuthenticator(Authenticator):  # type: ignore[misc]  # jupyterhub has no types
    """Asks the portal; anything but a clear yes is a no."""

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:  # noqa: ARG002
        """The person, or None after a moment: guessing is slowed, and how fast the no came tells nothing.

        An answer within the same millisecond would also close the proxy's connection (to a unix socket it keeps none
        open) while it still finishes the request, and the browser would get the proxy's 503 instead of the refusal.
        """
        person = await self._person(data.get("username", ""), data.get("password", ""))
        if person is None:
            await asyncio.sleep(REFUSED_SECONDS)
        return person

    async def _person(self, name: str, password: str) -> dict[str, Any] | None:
        if not is_person(name) or not password or len(password) > 1024:
            return None
        try:
            person = await InternalPortal(settings().internal_socket).login(name, password)
        except RefusedByPortal as refusal:
            if refusal.status >= 500:
                self.log.error("login.portal.unavailable")
                raise _unavailable() from refusal
            return None
        if person.get("name") != name:
            return None
        language = "en" if person.get("language") == "en" else "zh"
        return {"name": name, "admin": False, "user_info": {"language": language}}


def _unavailable() -> Any:
    from tornado.web import HTTPError  # only here: tornado is the Hub's, not ours to import early

    error = HTTPError(503, "portal unavailable")
    error.jupyterhub_message = "门户没有应答,暂时不能登录;请稍后重试。The portal does not answer; try again shortly."
    return error
