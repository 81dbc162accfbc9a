"""Writes docs/api.md from the OpenAPI description of the JSON API, so that the page cannot drift from the routes.

Use: ``python -m gongshu.portal.api_docs`` from the checkout; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI

from gongshu.portal.app import MODULES, find_module

PREFIX = "/api/v1"
HEAD = """# The JSON API

Generated from OpenAPI by `python -m gongshu.portal.api_docs`; the document itself is served at
`<portal>/api/v1/openapi.json`. Call it as a person with `gongshu api --as NAME METHOD PATH [JSON]`.

- Paths begin with `/api/v1` and are the page's own path. A person's browser session (cookie) is needed, except
  where a sandbox's token is (`/sandbox…`). Unsafe methods need `Sec-Fetch-Site: same-origin` or our `Origin`.
- Errors have one envelope: `{"code", "message": {"zh", "en"}, "next_step": {"zh", "en"} | null, "request_id",
  "details"?}` with status 401, 403, 404 (absent and another company's read the same), 409, 413, 422 or 503.
  Wrong fields stand in `details.fields`.
- Times are UTC, money is integer fen, sizes are bytes.
"""


def describe_api() -> dict[str, Any]:
    """The OpenAPI document of all API routers, without a running portal."""
    app = FastAPI(title="Gongshu", version="1")
    for name in MODULES:
        api = getattr(find_module(name), "api", None)
        if isinstance(api, APIRouter):
            app.include_router(api, prefix=PREFIX, tags=[name])
    return app.openapi()


def page() -> str:
    """docs/api.md as text."""
    document = describe_api()
    schemas = document.get("components", {}).get("schemas", {})
    lines = [HEAD]
    for name in MODULES:
        found = list(_routes(document, name))
        if found:
            lines.append(f"\n## {name.removesuffix('_api').replace('_', ' ')}\n")
        for method, path, route in found:
            lines += _route(method, path, route, schemas)
    return "\n".join(lines).rstrip() + "\n"


def _routes(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            if tag in route.get("tags", []):
                yield method.upper(), path, route


def _route(method: str, path: str, route: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    text = " ".join(str(route.get("description") or route.get("summary") or "").split())
    lines = [f"### `{method} {path}`", "", text, ""]
    query = [f"`{one['name']}`" for one in route.get("parameters", []) if one["in"] == "query"]
    if query:
        lines += [f"Query: {', '.join(query)}.", ""]
    for kind, content in route.get("requestBody", {}).get("content", {}).items():
        schema = _resolve(content["schema"], schemas)
        name = "Body" if kind == "application/json" else f"Body ({kind})"
        lines += [f"{name}: {_fields(schema, schemas)}", ""]
    return lines


def _resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found = schemas[schema["$ref"].rsplit("/", 1)[1]]
        assert isinstance(found, dict)
        return found
    return schema


def _fields(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> str:
    """The fields of an object on one line; optional ones are marked ?."""
    required = set(schema.get("required", []))
    parts = []
    for name, one in schema.get("properties", {}).items():
        mark = "" if name in required else "?"
        parts.append(f"`{name}`{mark} {_kind(one, schemas, depth)}".rstrip())
    return "{" + ", ".join(parts) + "}" if parts else _kind(schema, schemas, depth)


def _kind(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> str:
    schema = _resolve(schema, schemas)
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if options:
        return " or ".join(_kind(one, schemas, depth) for one in options)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}), schemas, depth)}]"
    if "properties" in schema and depth < 3:
        return _fields(schema, schemas, depth + 1)
    return str(schema.get("format") or schema.get("type") or "JSON")


def main() -> int:
    target = Path(__file__).resolve().parents[3] / "docs" / "api.md"
    target.write_text(page())
    sys.stdout.write(f"{target.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
