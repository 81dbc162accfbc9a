"""Routes for the Hub on the internal socket: whether a password is a person's, and what they are.

It answers the Hub's authenticator only; it hands out no session and no rights.
"""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gongshu.errors import Unauthenticated, Words
from gongshu.identity import check_password
from gongshu.portal.edge import Public

router = APIRouter()


class Login(BaseModel):
    name: str = Field(max_length=60)
    password: str = Field(max_length=200)


class LoggedIn(BaseModel):
    """A person as the Hub needs to know them."""

    name: str
    organisation: str
    roles: list[str]
    language: str


@router.post("/login")
def log_in(ctx: Public, login: Login) -> LoggedIn:
    """Check a password. Raises Unauthenticated; both outcomes are entries of the log."""
    actor = check_password(ctx.work, login.name, login.password)
    ctx.commit()
    if actor is None:
        raise Unauthenticated(
            "identity.login.refused",
            Words("用户名或密码不对。", "The user name or the password is wrong."),
            Words("请重新输入;忘记密码请联系本单位管理人员", "Try again; if you forgot it, ask your organisation"),
        )
    return LoggedIn(
        name=actor.name, organisation=actor.organisation, roles=sorted(actor.roles), language=actor.language
    )
