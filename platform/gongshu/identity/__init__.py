"""Organisations, people, and the duties that exclude one another.

It decides who somebody is and what they may be; it never decides what data they may touch.
"""

from gongshu.identity.roles import ROLE_WORDS, Actor, OrganisationKind, Role, require_compatible, require_role
from gongshu.identity.service import (
    NewOrganisation,
    NewPerson,
    check_password,
    create_organisation,
    create_person,
    find_actor,
    find_by_pseudonym,
    find_organisation,
    organisations,
    people_of,
)

__all__ = [
    "ROLE_WORDS",
    "Actor",
    "NewOrganisation",
    "NewPerson",
    "OrganisationKind",
    "Role",
    "check_password",
    "create_organisation",
    "create_person",
    "find_actor",
    "find_by_pseudonym",
    "find_organisation",
    "organisations",
    "people_of",
    "require_compatible",
    "require_role",
]
