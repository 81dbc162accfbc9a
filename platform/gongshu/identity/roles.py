"""Roles, kinds of organisation, and which roles exclude one another.

It decides who may be appointed to what; nobody is ever an administrator of everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gongshu.errors import Denied, Words


class Role(StrEnum):
    ANALYST = "analyst"
    MANAGER = "manager"
    STEWARD = "steward"
    CDO = "cdo"
    OFFICER = "officer"
    REVIEWER = "reviewer"
    REGULATOR = "regulator"
    ENGINEER = "engineer"


class OrganisationKind(StrEnum):
    AUTHORITY = "authority"
    OPERATOR = "operator"
    PARTNER = "partner"
    PROVIDER = "provider"
    REGULATOR = "regulator"
    PLATFORM = "platform"


ROLE_WORDS = {
    Role.ANALYST: Words("分析员", "analyst"),
    Role.MANAGER: Words("运营负责人", "operator manager"),
    Role.STEWARD: Words("数源单位", "data steward"),
    Role.CDO: Words("首席数据官", "chief data officer"),
    Role.OFFICER: Words("实施机构", "authority officer"),
    Role.REVIEWER: Words("审核员", "reviewer"),
    Role.REGULATOR: Words("监管", "regulator"),
    Role.ENGINEER: Words("平台运维", "platform engineer"),
}

# Document 1, "who uses it": the kind of organisation in which a role can exist at all.
ROLE_HOMES = {
    Role.ANALYST: {OrganisationKind.OPERATOR, OrganisationKind.PARTNER},
    Role.MANAGER: {OrganisationKind.OPERATOR},
    Role.STEWARD: {OrganisationKind.PROVIDER},
    Role.CDO: {OrganisationKind.PROVIDER},
    Role.OFFICER: {OrganisationKind.AUTHORITY},
    Role.REVIEWER: {OrganisationKind.AUTHORITY},
    Role.REGULATOR: {OrganisationKind.REGULATOR},
    Role.ENGINEER: {OrganisationKind.PLATFORM},
}

# One person never holds both: whoever asks does not decide, whoever prepares does not sign off,
# whoever runs the platform or watches it does nothing else.
EXCLUDING_PAIRS = frozenset(
    frozenset(pair)
    for pair in [
        *((Role.REGULATOR, other) for other in Role if other is not Role.REGULATOR),
        *((Role.ENGINEER, other) for other in Role if other is not Role.ENGINEER),
        *((Role.REVIEWER, other) for other in (Role.ANALYST, Role.MANAGER, Role.OFFICER, Role.STEWARD, Role.CDO)),
        *((Role.OFFICER, other) for other in (Role.ANALYST, Role.MANAGER, Role.STEWARD, Role.CDO)),
        *((Role.STEWARD, other) for other in (Role.ANALYST, Role.MANAGER, Role.CDO)),
        *((Role.CDO, other) for other in (Role.ANALYST, Role.MANAGER)),
    ]
)


def require_compatible(roles: Iterable[Role]) -> None:
    """Raise Denied when two of the roles exclude one another."""
    held = sorted(set(roles))
    for position, first in enumerate(held):
        for second in held[position + 1 :]:
            if frozenset((first, second)) in EXCLUDING_PAIRS:
                a, b = ROLE_WORDS[first], ROLE_WORDS[second]
                raise Denied(
                    "identity.roles.exclude",
                    Words(
                        f"同一人不能既是{a.zh}又是{b.zh}(职责分离)。",
                        f"One person cannot be both {a.en} and {b.en} (separation of duty).",
                    ),
                    Words("请任命另一个人", "Appoint another person"),
                )


@dataclass(frozen=True)
class Actor:
    """Who acts: a person with pseudonym, home organisation and roles. Never built from a request's own claims."""

    name: str
    pseudonym: str
    display: Words
    organisation: str
    organisation_name: Words
    organisation_kind: OrganisationKind
    duties: frozenset[str]
    appointments: frozenset[tuple[Role, str]]
    language: str = "zh"

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(role for role, _ in self.appointments)

    def has(self, role: Role, organisation: str | None = None) -> bool:
        """Whether the person holds the role (in that organisation, when one is named)."""
        return any(role is held and organisation in (None, place) for held, place in self.appointments)

    def organisations_as(self, role: Role) -> frozenset[str]:
        """The organisations in which the person holds the role."""
        return frozenset(place for held, place in self.appointments if held is role)


def require_role(actor: Actor, role: Role, organisation: str | None = None, *, duty: str | None = None) -> None:
    """Raise Denied unless the actor holds the role there, in an organisation with that duty."""
    if not actor.has(role, organisation) or (duty is not None and duty not in actor.duties):
        words = ROLE_WORDS[role]
        raise Denied(
            "identity.role.required",
            Words(
                f"这一步由{words.zh}办理,您的职责不包括它。",
                f"This step belongs to the {words.en}; it is not among your duties.",
            ),
            Words(f"请联系{words.zh}", f"Ask the {words.en}"),
        )
