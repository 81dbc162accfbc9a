"""The Hub as the portal's source of identity: OAuth for people, the token check for sandboxes.

Spoken over the Hub's own unix socket with deadlines. It never keeps a token, and trusts nothing but
the name that the Hub answers.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from gongshu.errors import Unauthenticated, Unavailable, Words
from gongshu.settings import Settings

LOGIN_ENDED = Words("登录没有完成。", "The login was not completed.")
LOGIN_AGAIN = Words("请重新登录", "Log in again")


@dataclass(frozen=True)
class Flow:
    """One login under way: kept in a short-lived cookie of the browser that began it."""

    state: str
    verifier: str
    next_path: str

    @classmethod
    def begin(cls, next_path: str) -> Flow:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(48), next_path)

    @property
    def challenge(self) -> str:
        """The PKCE challenge, method S256."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Hub:
    """The two questions the portal has for the Hub."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client_id = "service-portal"
        transport = httpx.HTTPTransport(uds=str(settings.hub_api_socket)) if settings.hub_api_socket else None
        self._client = httpx.Client(transport=transport, base_url="http://hub/hub/api", timeout=5)

    @property
    def _redirect_uri(self) -> str:
        return f"{self._settings.portal_url}oauth_callback"

    def authorize_url(self, flow: Flow) -> str:
        """Where the browser goes to log in."""
        query = {
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "response_type": "code",
            "state": flow.state,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._settings.hub_url}hub/api/oauth2/authorize?{urlencode(query)}"

    def person_for_code(self, code: str, flow: Flow) -> str:
        """Exchange the code and return the Hub user's name. Raises Unauthenticated, Unavailable('hub')."""
        secret = self._settings.oauth_client_secret_file
        form = {
            "client_id": self._client_id,
            "client_secret": secret.read_text().strip() if secret else "",
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": flow.verifier,
        }
        answer = self._ask("POST", "/oauth2/token", data=form)
        return self.name_for_token(str(answer.get("access_token", "")))

    def name_for_token(self, token: str) -> str:
        """The Hub user whose token this is. Raises Unauthenticated, Unavailable('hub')."""
        return str(self._ask("GET", "/user", headers={"Authorization": f"Bearer {token}"})["name"])

    def _ask(self, method: str, path: str, **parts: object) -> dict[str, object]:
        try:
            response = self._client.request(method, path, **parts)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise Unavailable("hub") from error
        if response.status_code >= 500:
            raise Unavailable("hub")
        if response.status_code != 200:
            raise Unauthenticated("session.login.refused", LOGIN_ENDED, LOGIN_AGAIN)
        answer = response.json()
        if not isinstance(answer, dict):
            raise Unavailable("hub")
        return answer
