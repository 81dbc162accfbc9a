"""The frame of every page: templates, navigation by role, links, static files.

It decides which links a person is offered; it never decides what the person may do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from gongshu.audit.health import is_writable
from gongshu.errors import GongshuError, Invalid, Words
from gongshu.identity import ROLE_WORDS, Role
from gongshu.portal import charts, formats, language
from gongshu.portal.forms import fields_of
from gongshu.portal.language import N_
from gongshu.portal.status import STATUSES
from gongshu.settings import Settings

if TYPE_CHECKING:
    from gongshu.portal.edge import Context

HERE = Path(__file__).parent
STATIC = HERE / "static"
EVERYONE = frozenset(Role)


@dataclass(frozen=True)
class Link:
    path: str
    label: str
    roles: frozenset[Role] = EVERYONE


# Shown in this order to those who hold one of the roles, as far as the page exists.
NAVIGATION = (
    Link("/scenarios", N_("应用场景"), frozenset({Role.ANALYST, Role.MANAGER, Role.OFFICER})),
    Link("/approvals", N_("待审定"), frozenset({Role.STEWARD})),
    Link("/agreements", N_("授权协议"), frozenset({Role.MANAGER, Role.OFFICER})),
    Link("/reviews", N_("出域审核"), frozenset({Role.REVIEWER})),
    Link("/sandboxes", N_("沙箱"), frozenset({Role.ANALYST})),
    Link("/statements", N_("语句"), frozenset({Role.ANALYST, Role.MANAGER})),
    Link("/releases", N_("成果出域"), frozenset({Role.ANALYST, Role.MANAGER})),
    Link("/datasets", N_("数据资源")),
    Link("/log", N_("审计日志"), frozenset({Role.REGULATOR})),
    Link("/replay", N_("判定重放"), frozenset({Role.REGULATOR, Role.OFFICER})),
    Link("/usage", N_("用量"), frozenset({Role.MANAGER, Role.OFFICER, Role.REGULATOR})),
    Link("/invoices", N_("结算单"), frozenset({Role.MANAGER, Role.OFFICER, Role.REGULATOR})),
    Link("/earnings", N_("核算贡献"), frozenset({Role.STEWARD})),
    Link("/prices", N_("收费标准"), frozenset({Role.OFFICER, Role.MANAGER})),
    Link("/settlement", N_("收益分配"), frozenset({Role.OFFICER, Role.REGULATOR})),
    Link("/organisations", N_("机构"), frozenset({Role.OFFICER, Role.REGULATOR})),
)


class Layout:
    """Templates with everything they may call. One per process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.static = _read_json("manifest.json")
        self.icons = _read_json("icons.json")
        self.pages: frozenset[str] = frozenset()
        self.templates = self._environment()

    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
            language.gettext, _no_plurals, newstyle=True, pgettext=language.pgettext
        )
        zone = self.settings.time_zone
        environment.filters |= {
            "money": formats.money,
            "size": formats.size,
            "number": formats.number,
            "share": formats.share,
            "digest": formats.digest,
            "words": language.in_words,
            "typeset": language.typeset,
            "time": partial(formats.time_tag, zone=zone),
            "day": partial(formats.time_tag, zone=zone, only_day=True),
            "time_utc": partial(formats.time_tag, zone=zone, with_utc=True),
        }
        environment.globals |= {
            "url": self.url,
            "static": self.static_url,
            "icon": self.icon,
            "statuses": STATUSES,
            "meter": charts.meter,
            "fields_of": fields_of,
            "in_words": language.in_words,
            "lang_of": language.lang_of,
            "role_words": ROLE_WORDS,
            "Role": Role,
            "zone": zone,
            "hub_url": self.settings.hub_url or "/",
            "demo": self.settings.demo,
        }
        return environment

    def url(self, path: str, **query: object) -> str:
        """A link to one of our pages. Empty query values are left out."""
        asked = urlencode({name: value for name, value in query.items() if value not in (None, "")})
        return self.settings.portal_prefix + path + (f"?{asked}" if asked else "")

    def static_url(self, name: str) -> str:
        return f"{self.settings.portal_prefix}/static/{self.static[name]}"

    def icon(self, name: str) -> Markup:
        """An inline icon; always beside a word, so hidden from assistive technology."""
        return Markup(f'<svg class="gs-icon" viewBox="0 0 24 24" aria-hidden="true">{self.icons[name]}</svg>')

    def render(self, ctx: Context, template: str, values: Mapping[str, Any]) -> str:
        """A page with the frame's own values: ctx, actor, navigation, nonce, language."""
        actor = ctx.__dict__.get("actor_or_none")
        return self.templates.get_template(template).render(
            ctx=ctx,
            actor=actor,
            lang=ctx.language,
            now=ctx.now,
            remaining=lambda until: formats.remaining(until, ctx.now),
            nonce=ctx.request.state.nonce,
            large=ctx.request.state.large,
            log_writable=actor is None or _log_writable(ctx),
            navigation=self._navigation(actor.roles) if actor else (),
            here=ctx.request.url.path.removeprefix(self.settings.portal_prefix) or "/",
            other_language=str(ctx.request.url.include_query_params(lang="zh" if ctx.language == "en" else "en").query),
            **values,
        )

    def _navigation(self, roles: frozenset[Role]) -> list[Link]:
        return [link for link in NAVIGATION if link.roles & roles and link.path in self.pages]


def _log_writable(ctx: Context) -> bool:
    """Whether acts are possible now: no record, no release. A page is shown all the same."""
    try:
        return is_writable(ctx.session)
    except (GongshuError, SQLAlchemyError):
        return False


def _no_plurals(sentence: str, _plural: str, _count: int) -> str:
    """Chinese has no plural; English sentences are worded for any number."""
    return language.gettext(sentence)


def _read_json(name: str) -> dict[str, str]:
    path = STATIC / name
    if not path.is_file():
        raise Invalid(
            "portal.assets.missing",
            Words("门户的静态文件还没有生成。", "The portal's static files have not been built."),
            Words("运行 npm ci 和 python -m gongshu.portal.assets", "Run npm ci and python -m gongshu.portal.assets"),
        )
    found: dict[str, str] = json.loads(path.read_text())
    return found
