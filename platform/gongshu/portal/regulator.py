"""The log for those who may read it: search, one entry with its proof, receipts, the export.

A regulator sees every private part, an organisation's people those of their own; both leave an entry
of their own when they read. Nothing here changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from gongshu.audit import Event, EventType, Private
from gongshu.audit import receipts as proofs
from gongshu.audit.export import Export, as_tar
from gongshu.audit.health import log_health
from gongshu.audit.reading import (
    Found,
    Search,
    Viewer,
    count_entries,
    find_entry,
    open_parts,
    related_entries,
    search_entries,
)
from gongshu.audit.store import LogStore
from gongshu.clock import to_text
from gongshu.errors import Denied, Invalid, NotFound, Unavailable, Words
from gongshu.identity import Actor, Role, find_actor, organisations, people_of
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx
from gongshu.portal.formats import number
from gongshu.portal.language import _
from gongshu.portal.log_words import OPEN, event_words, part_place, part_words
from gongshu.portal.pages import page_of
from gongshu.settings import StoreSettings

pages = APIRouter()
api = APIRouter()
READERS = frozenset({Role.REGULATOR, Role.MANAGER, Role.ANALYST, Role.STEWARD, Role.CDO})
FILTERS = ("person", "organisation", "scenario", "dataset", "event", "outcome", "from", "to")
EXPORT_SECONDS = 30.0


def viewer_of(actor: Actor) -> Viewer:
    """How much of the log a person reads. Raises Denied for those who have no need of it."""
    if not actor.roles & READERS:
        raise Denied(
            "log.reader",
            Words("审计日志由监管方和当事机构查阅。", "The log is read by regulators and those it speaks of."),
            Words("请联系监管方", "Ask a regulator"),
        )
    return Viewer(actor.organisation, sees_all=actor.has(Role.REGULATOR))


@cache
def _open_store(settings: StoreSettings) -> LogStore:
    return LogStore.open(settings)


def log_store(ctx: Context) -> LogStore:
    if ctx.settings.store is None:
        raise Unavailable("storage")
    return _open_store(ctx.settings.store)


@dataclass(frozen=True)
class Asked:
    """A search as it was typed, and as it is run."""

    typed: Mapping[str, str]
    search: Search


def asked(ctx: Context) -> Asked:
    """The search that the query names. Raises Invalid for a time that is none."""
    typed = {name: ctx.request.query_params.get(name, "").strip()[:120] for name in FILTERS}
    return Asked(
        {**typed, "page": ctx.request.query_params.get("page", "1")},
        Search(
            person=_pseudonym(ctx, typed["person"]),
            organisation=typed["organisation"],
            scenario=typed["scenario"],
            dataset=typed["dataset"],
            event=typed["event"],
            outcome=typed["outcome"],
            since=_moment(ctx, typed["from"]),
            until=_moment(ctx, typed["to"], whole_day=True),
        ),
    )


def _pseudonym(ctx: Context, person: str) -> str:
    """People are looked for by user name; the log knows pseudonyms only."""
    if not person or person.startswith(("p-", "system:")):
        return person
    try:
        return find_actor(ctx.session, person).pseudonym
    except NotFound:
        return f"absent:{person}"


def _moment(ctx: Context, text: str, *, whole_day: bool = False) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(
            "log.search.time",
            Words(f"“{text}”不是日期或时间。", f"“{text}” is no date or time."),
            Words("请写成 2026-11-22 或 2026-11-22T17:30", "Write 2026-11-22 or 2026-11-22T17:30"),
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(ctx.settings.time_zone))
    return moment + timedelta(days=1) if whole_day and len(text) == 10 else moment


def note_reading(ctx: Context, public: dict[str, Any], looked_for: Mapping[str, str] | None = None) -> None:
    """Log that somebody read. Raises Unavailable('log'): what cannot be noted is not read."""
    actor = ctx.actor
    private = {"search": Private(dict(looked_for), (actor.organisation,))} if looked_for is not None else {}
    event = Event(
        EventType.LOG_READ, actor=actor.pseudonym, organisation=actor.organisation, public=public, private=private
    )
    ctx.work.record(event)
    ctx.commit()


def people_by_pseudonym(ctx: Context) -> dict[str, Actor]:
    return {actor.pseudonym: actor for actor in people_of(ctx.session)}


def line_of(found: Found) -> dict[str, Any]:
    """One entry of a list, for the API."""
    said = found.said
    return {
        "index": found.index,
        "id": said["id"],
        "event": said["event"],
        "time": said["time"],
        "actor": said["actor"],
        "organisation": said["organisation"],
        "scenario": said["scenario"],
        "writer": said["writer"],
        "allowed": found.allowed,
        "leaf_hash": found.leaf_hash.hex(),
        "public": said["public"],
    }


def datasets_of(public: Mapping[str, Any]) -> str:
    """The datasets that an entry speaks of, in one line."""
    named = public.get("datasets")
    listed = named if isinstance(named, list) else [public.get("dataset")]
    names = [one.get("dataset") if isinstance(one, dict) else one for one in listed]
    return ", ".join(sorted({name for name in names if isinstance(name, str)}))


def proof_of(ctx: Context, found: Found) -> proofs.Proof | None:
    """The proof against the newest checkpoint; None while that is still to come or the store is away."""
    try:
        return proofs.prove(log_store(ctx), found.index, found.data)
    except Unavailable:
        return None


def proof_facts(proof: proofs.Proof | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {
        "good": proof.good,
        "bytes_match": proof.bytes_match,
        "path_leads": proof.path_leads,
        "signed": proof.signed,
        "leaf_hash": proof.leaf.hex(),
        "path": [step.hex() for step in proof.path],
        "size": proof.checkpoint.size,
        "root": proof.checkpoint.root.hex(),
        "checkpoint": proof.note.decode(),
    }


@todo.facts(Role.REGULATOR)
def log_facts(ctx: Context) -> Iterator[todo.Fact]:
    """What a regulator sees first: how far the log is proven, and what was refused or left open today."""
    midnight = ctx.now.astimezone(ZoneInfo(ctx.settings.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    health = log_health(ctx.session, midnight)
    behind = health.size - health.published
    note = _("还有 %(n)s 条待发布", n=behind) if behind else _("全部已发布")
    yield todo.Fact(_("日志条目总数"), number(health.size), "/log", note)
    if not health.writable:
        yield todo.Fact(_("日志状态"), _("写不进去,平台只能查看"))
    yield todo.Fact(_("今天的拒绝"), number(health.denials), f"/log?outcome=denied&from={midnight:%Y-%m-%d}")
    yield todo.Fact(_("结果未知的语句"), number(health.open_intents), "/log?event=statement.intent")


@pages.get("/log")
def search_page(ctx: Ctx) -> Response:
    viewer, question = viewer_of(ctx.actor), asked(ctx)
    total = count_entries(ctx.session, viewer, question.search)
    page = page_of(question.typed, total)
    found = search_entries(ctx.session, viewer, question.search, offset=page.offset, limit=page.size)
    typed = {name: value for name, value in question.typed.items() if value and name != "page"}
    if typed:
        note_reading(ctx, {"found": total}, typed)
    return ctx.render(
        "regulator/log.html",
        found=found,
        page=page,
        typed=question.typed,
        searched=bool(typed),
        people=people_by_pseudonym(ctx),
        organisations={one.code: Words(one.name_zh, one.name_en) for one in organisations(ctx.session)},
        event_words=event_words,
        datasets_of=datasets_of,
        head=_head(ctx),
    )


def _head(ctx: Context) -> dict[str, Any] | None:
    try:
        checkpoint, _note, signed = proofs.latest_checkpoint(log_store(ctx))
    except Unavailable:
        return None
    return {"size": checkpoint.size, "root": checkpoint.root.hex(), "signed": signed}


@pages.get("/log/{index}")
def entry_page(ctx: Ctx, index: int) -> Response:
    viewer = viewer_of(ctx.actor)
    found = find_entry(ctx.session, viewer, index)
    parts = open_parts(ctx.session, ctx.services.vault, viewer, [index]).get(index, [])
    related = related_entries(ctx.session, viewer, found)
    note_reading(ctx, {"entry": index})
    return ctx.render(
        "regulator/entry.html",
        found=found,
        said=found.said,
        public=found.said["public"],
        parts=sorted(parts, key=lambda part: part_place(part.name)),
        part_words=part_words,
        unfolded=OPEN,
        pretty=_pretty,
        related=related,
        proof=proof_of(ctx, found),
        people=people_by_pseudonym(ctx),
        organisations={one.code: Words(one.name_zh, one.name_en) for one in organisations(ctx.session)},
        event_words=event_words,
        datasets_of=datasets_of,
        neighbours=[i for i in (index - 1, index + 1) if _exists(ctx, viewer, i)],
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def _exists(ctx: Context, viewer: Viewer, index: int) -> bool:
    try:
        find_entry(ctx.session, viewer, index)
    except NotFound:
        return False
    return True


@pages.get("/log/{index}/receipt")
@api.get("/log/{index}/receipt", response_class=PlainTextResponse)
def receipt(ctx: Ctx, index: int) -> Response:
    """The receipt of one entry (C2SP tlog-proof). Raises Unavailable('log') until a checkpoint covers it."""
    found = find_entry(ctx.session, viewer_of(ctx.actor), index)
    proofs.wait_for_checkpoint(log_store(ctx), index + 1, 3.0)
    proof = proofs.prove(log_store(ctx), index, found.data)
    if proof is None or not proof.good:
        raise Unavailable(
            "log",
            Words("这一条的证明不成立,请立即通知监管方。", "This entry's proof does not hold: tell a regulator now."),
        )
    name = f'attachment; filename="{index}.tlog-proof"'
    return PlainTextResponse(proof.receipt(found.data), headers={"Content-Disposition": name})


@api.get("/log")
def search(ctx: Ctx) -> dict[str, Any]:
    """Entries, newest first: ?person=&organisation=&scenario=&dataset=&event=&outcome=&from=&to=&page="""
    viewer, question = viewer_of(ctx.actor), asked(ctx)
    total = count_entries(ctx.session, viewer, question.search)
    page = page_of(question.typed, total)
    found = search_entries(ctx.session, viewer, question.search, offset=page.offset, limit=page.size)
    lines = [line_of(one) for one in found]
    note_reading(ctx, {"found": total}, {n: v for n, v in question.typed.items() if v and n != "page"})
    return {"total": total, "page": page.number, "pages": page.pages, "entries": lines}


@api.get("/log/checkpoint")
def checkpoint(ctx: Ctx) -> dict[str, Any]:
    """The newest published checkpoint and the log's verifier key."""
    viewer_of(ctx.actor)
    head, note, signed = proofs.latest_checkpoint(log_store(ctx))
    key = proofs.read_key(log_store(ctx)).text()
    return {"size": head.size, "root": head.root.hex(), "note": note.decode(), "signed": signed, "key": key}


@api.get("/log/export", response_class=StreamingResponse)
def export(ctx: Ctx) -> Response:
    """The published log as a tar, with the private parts the asker may see; covers all committed before the call."""
    viewer, services = viewer_of(ctx.actor), ctx.services
    actor = ctx.actor
    event = Event(EventType.LOG_EXPORTED, actor=actor.pseudonym, organisation=actor.organisation)
    ctx.work.record(event)
    covered = ctx.commit()[-1].index + 1
    head, note = proofs.wait_for_checkpoint(log_store(ctx), covered, EXPORT_SECONDS)
    exported = Export(services.sessions, log_store(ctx), services.vault, viewer, head, note)
    headers = {"Content-Disposition": f'attachment; filename="gongshu-log-{head.size}.tar"'}
    return StreamingResponse(as_tar(exported.files()), media_type="application/x-tar", headers=headers)


@api.get("/log/{index}")
def entry(ctx: Ctx, index: int) -> dict[str, Any]:
    """One entry with its private parts as the asker may see them, and its proof (null until it is published)."""
    viewer = viewer_of(ctx.actor)
    found = find_entry(ctx.session, viewer, index)
    parts = open_parts(ctx.session, ctx.services.vault, viewer, [index]).get(index, [])
    related = [one.index for one in related_entries(ctx.session, viewer, found)]
    note_reading(ctx, {"entry": index})
    return {
        **line_of(found),
        "entry": found.data.decode(),
        "payloads": {part.name: part.payload if part.state == "shown" else {part.state: True} for part in parts},
        "related": related,
        "proof": proof_facts(proof_of(ctx, found)),
        "read_at": to_text(ctx.now),
    }
