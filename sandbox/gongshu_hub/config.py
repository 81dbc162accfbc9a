"""JupyterHub's configuration: ``jupyterhub -f sandbox/gongshu_hub/config.py`` with GONGSHU_HUB_SETTINGS set.

One origin for each person and scenario, unix sockets throughout, nobody an admin, the proxy started outside.
It refuses to start without its settings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from gongshu_hub.access import LOAD_ROLES, KnownClients
from gongshu_hub.authenticator import PortalAuthenticator
from gongshu_hub.look import LookHandler, look_address
from gongshu_hub.naming import subdomain
from gongshu_hub.settings import HubSettings, settings
from gongshu_hub.spawner import INSIDE_HUB, SandboxSpawner
from gongshu_hub.start_page import StartPage, StopPage, portal_page


def configure(c: Any, house: HubSettings) -> None:
    """Write everything the Hub needs into its configuration object."""
    _addresses(c, house)
    _secrets_and_state(c, house)
    _people(c)
    _sandboxes(c)
    _portal(c, house)
    _pages(c)


def _unix(path: Path) -> str:
    return f"http+unix://{quote(str(path), safe='')}"


def _addresses(c: Any, house: HubSettings) -> None:
    hub = _unix(house.need("hub_socket"))
    c.JupyterHub.subdomain_host = house.public_host
    c.JupyterHub.subdomain_hook = subdomain
    c.JupyterHub.bind_url = f"http://127.0.0.1:{urlsplit(house.public_host).port or 80}/"
    c.JupyterHub.hub_bind_url = hub
    c.JupyterHub.hub_connect_url = hub
    c.JupyterHub.hub_socket_mode = 0o666  # its directory says who may reach it
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = _unix(house.need("proxy_api_socket"))
    c.ConfigurableHTTPProxy.auth_token = house.secret("proxy_token_file")
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False


def _secrets_and_state(c: Any, house: HubSettings) -> None:
    database = house.need("database")
    password = quote(Path(database["password_file"]).read_text().strip(), safe="")
    place = f"host={quote(str(database['host']), safe='')}&port={database['port']}"
    c.JupyterHub.db_url = f"postgresql+psycopg://{database['role']}:{password}@/{database['name']}?{place}"
    c.JupyterHub.cookie_secret = bytes.fromhex(house.secret("cookie_secret_file"))
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.cookie_max_age_days = 0.5
    c.JupyterHub.tornado_settings = {
        "oauth_no_confirm_list": KnownClients({"service-portal"}),
        "cookie_options": {"secure": True} if house.public_host.startswith("https://") else {},
    }


def _people(c: Any) -> None:
    c.JupyterHub.authenticator_class = PortalAuthenticator
    c.Authenticator.allow_all = True  # the portal decides who may log in; nobody else has a password
    c.Authenticator.admin_users = set()
    c.JupyterHub.admin_access = False
    c.JupyterHub.load_roles = LOAD_ROLES


def _sandboxes(c: Any) -> None:
    c.JupyterHub.spawner_class = SandboxSpawner
    c.JupyterHub.allow_named_servers = False
    c.Spawner.hub_connect_url = INSIDE_HUB
    c.Spawner.ip = "127.0.0.1"
    c.Spawner.port = 8888  # only a word in a URL: the server listens on the socket it is handed
    c.Spawner.default_url = "/lab"
    c.Spawner.env_keep = []
    c.Spawner.start_timeout = 120
    c.Spawner.http_timeout = 60
    c.Spawner.poll_interval = 5
    c.Spawner.oauth_client_allowed_scopes = []
    c.JupyterHub.implicit_spawn_seconds = 0


def _portal(c: Any, house: HubSettings) -> None:
    c.JupyterHub.services = [
        {
            "name": "portal",
            "url": f"http://127.0.0.1:{house.need('portal_port')}",
            "api_token": house.secret("portal_token_file"),
            "oauth_client_id": "service-portal",
            "oauth_redirect_uri": portal_page("/oauth_callback"),
            "oauth_no_confirm": True,
            "display": False,
        }
    ]
    c.JupyterHub.default_url = portal_page("/")


def _pages(c: Any) -> None:
    c.JupyterHub.template_paths = [str(Path(__file__).parent / "templates")]
    c.JupyterHub.template_vars = {"look": look_address(), "portal": portal_page(""), "hub_title": "公数"}
    c.JupyterHub.extra_handlers = [
        (r"/sandbox/([a-z0-9-]+)", StartPage),
        (r"/sandbox/([a-z0-9-]+)/stop", StopPage),
        (r"/look/([a-z0-9.-]+)", LookHandler),
    ]
    c.JupyterHub.log_level = os.environ.get("GONGSHU_HUB_LOG", "INFO")


if "get_config" in globals():  # read by jupyterhub; importing the module configures nothing
    configure(globals()["get_config"](), settings())
