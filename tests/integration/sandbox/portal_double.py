"""A double of the portal for the sandbox's tests: everybody with the password may log in, one scenario may start.

Usage: portal_double.py FOLDER PORT PASSWORD. It writes every report to FOLDER/events.jsonl and closes what
FOLDER/closed.json names.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

FOLDER, PORT, PASSWORD = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
ALLOWED = {"tourism-flow", "business-climate"}


async def login(request: web.Request) -> web.Response:
    asked = await request.json()
    if asked["password"] != PASSWORD:
        return refusal(401, "identity.login.refused", "用户名或密码不对。")
    return web.json_response({"name": asked["name"], "organisation": "operator-a", "roles": [], "language": "zh"})


async def spawn(request: web.Request) -> web.Response:
    scenario = (await request.json())["scenario"]
    if scenario == "expired-pilot":
        return refusal(403, "authorization.term.over", "授权期限已过。", "第九条")
    if scenario not in ALLOWED:
        return refusal(404, "authorization.absent", "没有这个应用场景。")
    end = datetime.now(UTC) + timedelta(days=300)
    return web.json_response({
        "scenario": scenario,
        "title": {"zh": "全域旅游客流分析", "en": "Tourism flows"},
        "purpose": "分析示范市的客流",
        "agreement": "示数授〔2026〕1号",
        "ends_at": end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "quota": {"billable_bytes_per_day": 2 << 30, "statements_per_day": 5000},
    })  # fmt: skip


def refusal(status: int, code: str, zh: str, clause: str = "") -> web.Response:
    step = {"zh": "请联系本单位运营负责人。", "en": "Ask your manager."}
    body = {"code": code, "message": {"zh": zh, "en": "Refused."}, "next_step": step, "details": {"clause": clause}}
    return web.json_response(body, status=status)


async def sandboxes(request: web.Request) -> web.Response:
    file = FOLDER / "closed.json"
    return web.json_response({"closed": json.loads(file.read_text()) if file.exists() else []})


async def event(request: web.Request) -> web.Response:
    with (FOLDER / "events.jsonl").open("a") as file:
        file.write(json.dumps(await request.json()) + "\n")
    return web.json_response({"index": 0})


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"path": request.path_qs, "authorization": request.headers.get("Authorization", "")})


async def main() -> None:
    inside = web.Application()
    inside.add_routes([
        web.post("/internal/login", login),
        web.post("/internal/spawn", spawn),
        web.post("/internal/sandboxes", sandboxes),
        web.post("/internal/event", event),
    ])  # fmt: skip
    public = web.Application()
    public.router.add_route("*", "/{path:.*}", echo)
    for app, site in ((inside, None), (public, PORT)):
        runner = web.AppRunner(app)
        await runner.setup()
        socket = str(FOLDER / "internal" / "portal.sock")
        await (web.UnixSite(runner, socket) if site is None else web.TCPSite(runner, "127.0.0.1", site)).start()
    await asyncio.Event().wait()


asyncio.run(main())
