"""The portal over the real database, store and policy, with people logged in by a session row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gongshu.audit import Vault
from gongshu.clock import SettableClock
from gongshu.database import Sessions
from gongshu.errors import Words
from gongshu.identity import NewOrganisation, NewPerson, OrganisationKind, Role, create_organisation, create_person
from gongshu.policy import Opa
from gongshu.portal.app import create_app
from gongshu.portal.edge import Services
from gongshu.portal.hub import Hub
from gongshu.portal.layout import Layout
from gongshu.portal.session import cookie_name, open_session
from gongshu.settings import Settings
from gongshu.store import open_store
from tests.conftest import NewWork
from tests.parts.opa import OpaServer
from tests.parts.store import Store

PORTAL = "http://portal--service.gongshu.localhost:8000"
PREFIX = "/services/portal"
Kind = OrganisationKind
ORGANISATIONS = [
    ("operator-a", "粤数科技", "Yueshu Tech", Kind.OPERATOR, ()),
    ("operator-b", "海珠数据", "Haizhu Data", Kind.OPERATOR, ()),
    ("tourism", "市文化广电旅游局", "Culture and Tourism Bureau", Kind.PROVIDER, ()),
    ("market", "市市场监督管理局", "Market Regulation Bureau", Kind.PROVIDER, ()),
    ("principal", "市政府办公室", "Government Office", Kind.AUTHORITY, ("principal",)),
    ("agency", "市政务服务和数据管理局", "Data Administration", Kind.AUTHORITY, ("agency",)),
    ("audit", "市审计局", "Audit Bureau", Kind.REGULATOR, ("audit",)),
    ("platform", "示范市数据集团", "City Data Group", Kind.PLATFORM, ()),
]
PEOPLE = [
    ("chen", Role.ANALYST, "operator-a"),
    ("liang", Role.MANAGER, "operator-a"),
    ("xie", Role.MANAGER, "operator-b"),
    ("luo", Role.STEWARD, "tourism"),
    ("deng", Role.STEWARD, "market"),
    ("jiang", Role.CDO, "tourism"),
    ("song", Role.OFFICER, "principal"),
    ("feng", Role.OFFICER, "agency"),
    ("tang", Role.REVIEWER, "agency"),
    ("shen", Role.REGULATOR, "audit"),
    ("ye", Role.ENGINEER, "platform"),
]
Browse = Callable[[str | None], TestClient]


@pytest.fixture
def services(
    sessions: Sessions,
    clock: SettableClock,
    vault: Vault,
    store: Store,
    opa: OpaServer,
    new_work: NewWork,
    tmp_path: Path,
) -> Services:
    secret = tmp_path / "secret"
    secret.write_text("s")
    settings = Settings(
        part="portal",
        demo=True,
        run_dir=tmp_path,
        store=store.settings,
        opa_url=opa.url,
        hub_url="http://gongshu.localhost:8000/",
        portal_url=f"{PORTAL}{PREFIX}/",
        hub_api_socket=tmp_path / "absent.sock",
        oauth_client_secret_file=secret,
    )
    with new_work() as work:
        for code, zh, en, kind, duties in ORGANISATIONS:
            create_organisation(work, "system:setup", NewOrganisation(code, Words(zh, en), kind, duties=duties))
        work.session.flush()
        for name, role, place in PEOPLE:
            person = NewPerson(name, Words(name, name.title()), place, f"password of {name}", ((role, place),))
            create_person(work, "system:setup", person)
        work.commit()
    return Services(
        settings=settings,
        clock=clock,
        sessions=sessions,
        vault=vault,
        opa=Opa(opa.url, 500),
        store=open_store(store.settings),
        hub=Hub(settings),
        layout=Layout(settings),
    )


@pytest.fixture
def browse(services: Services) -> Browse:
    """A browser of the named person (None: nobody is logged in); `client.get("/services/portal/…")`."""
    app = create_app(services)

    def begin(name: str | None) -> TestClient:
        client = TestClient(app, base_url=PORTAL, raise_server_exceptions=False, follow_redirects=False)
        client.headers["Sec-Fetch-Site"] = "same-origin"
        if name:
            with services.sessions() as session:
                opaque = open_session(session, name, services.clock.now())
                session.commit()
            client.cookies.set(cookie_name(secure=False), opaque, domain="portal--service.gongshu.localhost")
        return client

    return begin
