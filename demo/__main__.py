"""`make demo`: start every part, carry the whole journey once, leave it running.

A second run starts the parts on the same state and skips the journey. A journey that was cut off is
started over: half a journey proves nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo import analysis, journey, people
from demo.browsers import Browsers, JourneyFailed
from demo.city import files
from demo.journey import Journey
from demo.scenarios import MANAGERS, OPERATORS, SCENARIOS
from demo.summary import print_accounts, print_summary
from deploy.embedded import instance, recorder
from deploy.embedded.configuration import House
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import ROOT, VENV

# Step, its verb, the event that it leaves first in the log.
STEPS: tuple[tuple[str, Callable[[Journey], str], str], ...] = (
    ("register 登记", journey.register, "catalogue.dataset.registered"),
    ("price 定价", analysis.price, "price.ceiling.set"),
    ("apply 申请", journey.apply, "authorization.scenario.submitted"),
    ("agree 审定", journey.agree, "authorization.request.decided"),
    ("sign 签约", journey.sign, "authorization.agreement.signed"),
    ("query 查询", analysis.query, "statement.intent.logged"),
    ("refuse 拒绝", analysis.refuse, "statement.denial.logged"),
    ("review 审核", analysis.review, "release.review.submitted"),
    ("download 下载", analysis.download, "release.item.downloaded"),
    ("settle 结算", analysis.settle, "settlement.period.closed"),
    ("lapse 到期", analysis.lapse, "authorization.spawn.decided@expired-pilot"),
    ("verify 核验", analysis.prove, "audit.log.exported"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="throw the state away and start over")
    parser.add_argument("--run", type=Path, default=ROOT / ".run", help="run folder (default .run)")
    arguments = parser.parse_args()
    try:
        _demo(arguments.run, fresh=arguments.fresh)
    except (CannotGoOn, JourneyFailed) as error:
        print(f"\n✘ {error}", file=sys.stderr)
        if isinstance(error, JourneyFailed):
            print(
                f"  → Logs: {arguments.run / 'logs'}. The parts were left up; make demo starts over.", file=sys.stderr
            )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. make demo starts over; make stop stops the parts.", file=sys.stderr)
        return 130
    return 0


def _demo(run: Path, *, fresh: bool) -> None:
    began = time.monotonic()
    done = run / "journey" / "done.json"
    if fresh or (run.exists() and (run / "instance.json").exists() and not done.exists()):
        print("Starting over: the state of the last demo is thrown away.")
        instance.stop(run)
        instance.fresh(run, keep=("data", "test"))
    (run / "demo.json").unlink(missing_ok=True)
    city = files.write_all(_data_folder(run), lambda line: print(f"  {line}", flush=True)) if not done.exists() else {}
    print("Parts:")
    house = instance.start(run, say=lambda line: print(line, flush=True))
    world = _first_accounts(house)
    browsers = Browsers(house.hub_url, house.portal_url, {p["name"]: p["password"] for p in world["people"]})
    if not done.exists():
        _carry(browsers, city, done)
    facts = json.loads(done.read_text())
    recorder.replace(house.run.demo_file, _demo_facts(house, world, facts))
    if not facts.pop("shown", False):
        print_summary(facts)
        recorder.replace(done, {**facts, "shown": True})
    print_accounts(house.hub_url, house.portal_url, world, time.monotonic() - began)


def _data_folder(run: Path) -> Path:
    run.mkdir(parents=True, exist_ok=True)
    return run / "data"


def _first_accounts(house: House) -> dict[str, Any]:
    """Make the first organisations and people, once."""
    file = house.run.secret("setup", "accounts.json")
    if not file.exists():
        world = people.first_accounts()
        new = file.with_suffix(".new")
        recorder.replace(new, world)
        environment = {**os.environ, "GONGSHU_SETTINGS": str(house.run.config("setup"))}
        words = [str(VENV / "bin" / "gongshu"), "setup", "accounts", str(new)]
        made = subprocess.run(words, env=environment, capture_output=True, text=True)
        if made.returncode != 0:
            raise CannotGoOn(f"The first accounts could not be made: {made.stderr.strip()[-600:]}", "make demo FRESH=1")
        new.rename(file)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def _carry(browsers: Browsers, city: dict[str, Path], done: Path) -> None:
    folder = done.parent
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    began = time.monotonic()

    def say(line: str, indent: str = "    ") -> None:
        seconds = int(time.monotonic() - began)
        print(f"[{seconds // 60}:{seconds % 60:02d}] {indent}{line}", flush=True)

    trip = Journey(browsers, city, say, folder)
    steps = []
    for number, (name, verb, event) in enumerate(STEPS, 1):
        started = time.monotonic()
        print(
            f"[{int(started - began) // 60}:{int(started - began) % 60:02d}] {number}/{len(STEPS)} {name}", flush=True
        )
        said = verb(trip)
        steps.append({"step": name, "said": said, "event": event, "seconds": round(time.monotonic() - started, 1)})
        say(f"✔ {said} ({steps[-1]['seconds']} s)")
    for step in steps:
        step["log_index"] = trip.first_indices.get(str(step["event"]))
    browsers.close()
    recorder.replace(done, {"steps": steps, "invoices": trip.invoices, "log_key": trip.log_key})


def _demo_facts(house: House, world: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """`.run/demo.json` (document 10): an interface."""
    roles = {name: role for name, _, _, role, _ in people.PEOPLE}
    ports = dict(house.ports)
    states = {"expired-pilot": "lapsed"}
    return {
        "hub": house.hub_url,
        "portal": house.portal_url,
        "accounts": {
            person["name"]: {
                "password": person["password"],
                "role": roles[person["name"]],
                "organisation": person["organisation"],
            }
            for person in world["people"]
        },
        "scenarios": {
            code: {
                "operator": OPERATORS[code],
                "manager": MANAGERS[code],
                "analysts": scenario["analysts"],
                "datasets": [request["dataset"] for request in scenario["requests"]],
                "state": states.get(code, "in-force"),
            }
            for code, scenario in SCENARIOS.items()
        },
        "ports": {
            "postgres": 5432,
            "minio": ports["minio"],
            "opa": ports["opa"],
            "hub": ports["proxy"],
            "proxy": ports["proxy"],
            "portal": ports["portal"],
            "gateway": ports["spark"],
        },
        "pids": recorder.pids(house.run),
        "sockets": str(house.run.sockets),
        "log_key": facts["log_key"],
    }


if __name__ == "__main__":
    sys.exit(main())
