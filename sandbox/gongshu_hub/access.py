"""Who may start and enter which sandbox, in the Hub's own roles.

A sandbox is a Hub user of its own (``chen--tourism-flow``) in the group ``sandboxes-of-chen``; the person's
role may start, stop and enter the servers of that group and nothing else. Nobody is a Hub admin, nobody may
make tokens. The portal, not this, decides whether a sandbox may start.
"""

from __future__ import annotations

from typing import Any

from jupyterhub import orm, roles

from gongshu_hub.naming import SandboxName, parse

SANDBOX_CLIENT = "jupyterhub-user-"


def ensure_access(handler: Any, name: SandboxName) -> Any:
    """Make the sandbox's Hub user, group and the person's role if missing; return the Hub user."""
    owner = handler.user_from_username(str(name))
    database = handler.db
    group = orm.Group.find(database, name.group)
    if group is None:
        group = orm.Group(name=name.group)
        database.add(group)
    if owner.orm_user not in group.users:
        group.users.append(owner.orm_user)
    # A sandbox's own user holds no role but the default one: its token reads its own name, no more.
    role = {
        "name": name.group,
        "description": "启动、停止和进入本人的沙箱",
        "scopes": [f"servers!group={name.group}", f"access:servers!group={name.group}"],
        "managed_by_auth": True,  # or the Hub deletes it at its next start, as it is in no configuration file
    }
    if orm.Role.find(database, name.group) is None:
        roles.create_role(database, role)
    person = orm.User.find(database, name.person)
    roles.grant_role(database, person, name.group)
    database.commit()
    return owner


class KnownClients(set[str]):
    """OAuth clients that need no confirmation page: the portal, and every sandbox.

    The Hub still refuses a person who may not enter that sandbox; the page would only ask a person to
    confirm entering what is their own.
    """

    def __contains__(self, client: object) -> bool:
        if super().__contains__(client):
            return True
        name = str(client)
        return name.startswith(SANDBOX_CLIENT) and parse(name.removeprefix(SANDBOX_CLIENT)) is not None


OWN = ["read:users:name!user", "read:users:groups!user", "users:activity!user"]
LOAD_ROLES = [
    # In place of JupyterHub's own defaults, which let a person make tokens and start servers.
    {"name": "user", "scopes": [*OWN, "access:services!service=portal"]},
    {"name": "server", "scopes": OWN},
    {
        "name": "portal",
        "description": "门户:看哪些沙箱在运行",
        "scopes": ["list:users", "read:users:name", "read:servers"],
        "services": ["portal"],
    },
]
