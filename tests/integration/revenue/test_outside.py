"""What an outsider recomputes from an export alone: every invoice and split, and a release's certificate."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gongshu import release, revenue
from gongshu.audit.reading import Viewer
from gongshu.release.certificate import prove_certificate
from gongshu.revenue.price import Kind, Tier
from tests.integration.audit.conftest import House, new_house, verify
from tests.integration.release import release_world
from tests.integration.revenue.bureau import FLOW, GIB, Bureau
from tests.parts.opa import OpaServer
from tests.parts.store import Store


@pytest.fixture
def house(database: Engine, store: Store, tmp_path: Path) -> House:
    return new_house(database, store, tmp_path)


def live(house: House, opa: OpaServer) -> Bureau:
    """A month with a price change in the middle, free use, an unpriced start and three closings."""
    bureau = Bureau(house.work, house.sessions, house.clock, house.vault, opa)
    draw = random.Random(7)
    bureau.use("tourism.stays", 12_345)
    bureau.set_ceiling()
    bureau.publish()
    for part in range(3):
        for _ in range(12):
            house.clock.moment += timedelta(minutes=draw.randrange(90))
            dataset = draw.choice(["tourism.stays", "transit.trips"])
            status = draw.choice(["finished", "finished", "cancelled", "failed"])
            use = draw.choice(["industry", "industry", "public-interest"])
            bureau.use(dataset, draw.randrange(1, GIB // 5), status=status, use=use)
        if part == 1:
            bureau.publish(replace(FLOW, tiers=(Tier(GIB, 11_111_111_111), Tier(None, 7_777_777_777))))
        bureau.close()
    return bureau


def test_every_invoice_is_recomputed_from_the_export_alone(house: House, opa: OpaServer, tmp_path: Path) -> None:
    publisher = house.start()
    live(house, opa)
    publisher.publish()
    folder = house.export(tmp_path / "export")
    found = verify(folder, command="revenue")
    assert found["ok"], found
    assert found["invoices"] == 3 and found["fen"] > 0
    company = house.export(tmp_path / "company", Viewer("operator-a"))
    assert verify(company, command="revenue")["fault"] in (None, "payload-missing")


def spoil_price(folder: Path) -> None:
    path = folder / "prices" / "1.json"
    path.write_bytes(path.read_bytes().replace(b"12000000000", b"12000000001"))


def spoil_usage(folder: Path) -> None:
    path = next(
        p
        for p in sorted(folder.glob("payloads/*.json"))
        if b":12345}" in p.read_bytes().replace(b"\\", b"") or b":12345," in p.read_bytes()
    )
    path.write_bytes(path.read_bytes().replace(b"12345", b"12344"))


@pytest.mark.parametrize("spoil", [spoil_price, spoil_usage])
def test_a_changed_price_or_usage_is_found(
    house: House, opa: OpaServer, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    publisher = house.start()
    live(house, opa)
    publisher.publish()
    folder = house.export(tmp_path / "export")
    spoil(folder)
    assert not verify(folder, command="revenue")["ok"]


def test_an_invoice_that_was_issued_wrong_is_found(
    house: House, opa: OpaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform that rounds in its own favour signs a good log of a bad bill; only recomputing tells."""
    publisher = house.start()
    bureau = Bureau(house.work, house.sessions, house.clock, house.vault, opa)
    bureau.set_ceiling()
    bureau.publish()
    bureau.use("tourism.stays", GIB // 7)
    monkeypatch.setattr("gongshu.revenue.run.to_fen", lambda microfen: -(-microfen // 1_000_000))
    bureau.use("tourism.stays", 1)
    bureau.close()
    publisher.publish()
    folder = house.export(tmp_path / "export")
    assert verify(folder)["ok"]
    assert verify(folder, command="revenue")["fault"] == "revenue"


def test_a_certificate_proves_its_file_and_no_other(house: House, opa: OpaServer, store: Store, tmp_path: Path) -> None:
    publisher = house.start()
    desk = release_world.open_desk(house.work, house.sessions, opa, store)
    number = desk.in_review()
    desk.vote(number, "tang")
    desk.vote(number, "pan")
    publisher.publish()
    with house.sessions() as session:
        _request, kept = release.certificate_of(session, desk.actor("chen"), number)
        whole = prove_certificate(session, house.store, kept.body, kept.entries)
    certificate, item, key = tmp_path / "c.json", tmp_path / "item.csv", tmp_path / "key"
    certificate.write_text(json.dumps(whole, ensure_ascii=False, indent=1))
    item.write_bytes(b"district,visits\n440103,100\n440104,101\n")
    key.write_text(house.signer.verifier.text())
    found = verify(certificate, "--item", str(item), "--key", str(key), command="certificate")
    assert found["ok"] and found["authentic"], found
    item.write_bytes(item.read_bytes().replace(b"101", b"102"))
    assert verify(certificate, "--item", str(item), command="certificate")["fault"] == "item"
    for spoil in (
        lambda body: body["items"][0].update(sha256="0" * 64),
        lambda body: body["decisions"].pop(),
        lambda body: body.update(title="别的"),
    ):
        forged = json.loads(json.dumps(whole))
        spoil(forged["body"])
        certificate.write_text(json.dumps(forged))
        assert not verify(certificate, command="certificate")["ok"]


def test_a_zero_rated_price_needs_no_ceiling(house: House, opa: OpaServer, tmp_path: Path) -> None:
    publisher = house.start()
    bureau = Bureau(house.work, house.sessions, house.clock, house.vault, opa)
    bureau.publish(replace(FLOW, kind=Kind.ZERO_RATED, use="public-interest"))
    bureau.use("tourism.stays", GIB, use="public-interest")
    assert bureau.close().invoices[0].shadow_fen == 10500
    publisher.publish()
    assert verify(house.export(tmp_path / "export"), command="revenue")["ok"]
    assert revenue.month_of("2026-11-30T16:00:00.000000Z") == "2026-12"
