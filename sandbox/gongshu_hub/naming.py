"""The name of a sandbox: ``<person>--<scenario>``, its host name, its group.

The one place that knows the rule. Persons and scenario codes are lower-case letters, digits and single
hyphens, so that the split is unambiguous and the name is one DNS label.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PERSON = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
SCENARIO = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
LABEL_LENGTH = 63
# `portal--service` is the host of the portal: no scenario may be called so.
RESERVED_SCENARIOS = frozenset({"service"})


class SandboxName(NamedTuple):
    person: str
    scenario: str

    def __str__(self) -> str:
        return f"{self.person}--{self.scenario}"

    @property
    def group(self) -> str:
        return group_of(self.person)


def group_of(person: str) -> str:
    """The Hub group of a person's sandboxes; the person's role is limited to it."""
    return f"sandboxes-of-{person}"


def is_person(name: str) -> bool:
    return len(name) <= 32 and PERSON.match(name) is not None


def sandbox_name(person: str, scenario: str) -> SandboxName | None:
    """Join the two; None when either breaks the rule (then no such sandbox exists)."""
    if not is_person(person) or not SCENARIO.match(scenario) or scenario in RESERVED_SCENARIOS:
        return None
    name = SandboxName(person, scenario)
    return name if len(str(name)) <= LABEL_LENGTH else None


def parse(name: str) -> SandboxName | None:
    """Split a Hub user's name; None when it is not a sandbox's."""
    person, mark, scenario = name.partition("--")
    return sandbox_name(person, scenario) if mark else None


def subdomain(name: str, domain: str, kind: str) -> str:
    """Host of a Hub user or service (JupyterHub.subdomain_hook). Names are DNS labels already."""
    return f"{name}--service.{domain}" if kind == "service" else f"{name}.{domain}"
