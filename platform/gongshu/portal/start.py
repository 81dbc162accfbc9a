"""Opens what the portal process holds. Refuses to start where sandboxes would share the portal's origin."""

from __future__ import annotations

from urllib.parse import urlsplit

from gongshu.audit import Vault
from gongshu.clock import SystemClock
from gongshu.database import open_engine, open_sessions
from gongshu.errors import Invalid, Words
from gongshu.policy import Opa
from gongshu.portal.edge import Services
from gongshu.portal.hub import Hub
from gongshu.portal.layout import Layout
from gongshu.settings import Settings
from gongshu.store import open_store


def open_services(settings: Settings) -> Services:
    """Everything a request needs. Raises Invalid naming the setting that is missing or insecure."""
    require_own_origin(settings)
    needed = ("database", "store", "opa_url", "payload_key_file", "hub_api_socket", "oauth_client_secret_file")
    for name in needed:
        if getattr(settings, name) is None:
            raise Invalid("settings.missing", Words(f"配置里没有 {name}", f"The settings hold no {name}"))
    assert settings.database and settings.store and settings.opa_url and settings.payload_key_file
    return Services(
        settings=settings,
        clock=SystemClock(),
        sessions=open_sessions(open_engine(settings.database.url)),
        vault=Vault.from_file(settings.payload_key_file),
        opa=Opa(settings.opa_url, settings.opa_timeout_ms),
        store=open_store(settings.store),
        hub=Hub(settings),
        layout=Layout(settings),
    )


def require_own_origin(settings: Settings) -> None:
    """Raise Invalid when Hub and portal share a host name: a notebook's script would be the person (document 4 §7)."""
    hub, portal = urlsplit(settings.hub_url or ""), urlsplit(settings.portal_url or "")
    if not hub.hostname or not portal.hostname or hub.hostname == portal.hostname:
        raise Invalid(
            "settings.origin.shared",
            Words("门户与沙箱管理服务必须使用不同的主机名。", "The portal and the Hub must have different host names."),
            Words("设置 JupyterHub 的 subdomain_host", "Set JupyterHub's subdomain_host"),
        )
    if not settings.demo and portal.scheme != "https":
        raise Invalid(
            "settings.portal.plain",
            Words("演示之外,门户必须使用 https。", "Outside the demo the portal must use https."),
            Words("把 portal_url 改为 https 地址", "Make portal_url an https address"),
        )
