"""Builds the static folder: theme + component files + our own layer, named by their hash.

It decides which files of npm packages reach a browser. It never fetches anything: `npm ci` does, from
package-lock.json. Sources and licences are recorded with their digests in assets.lock.json, which a
test compares, so that an upgrade is a reviewed change.

Use: ``python -m gongshu.portal.assets`` (build) or ``… --lock`` (rewrite assets.lock.json).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = HERE / "look"
STATIC = HERE / "static"
LOCK = SOURCES / "assets.lock.json"
DESIGN = "@digdir/designsystemet-css"
TABLER = "@tabler/icons"
COMPONENTS = [
    "alert",
    "badge",
    "breadcrumbs",
    "button",
    "card",
    "details",
    "dialog",
    "divider",
    "error-summary",
    "field",
    "fieldset",
    "heading",
    "input",
    "label",
    "link",
    "list",
    "pagination",
    "paragraph",
    "search",
    "skip-link",
    "spinner",
    "table",
    "tabs",
    "tag",
    "validation-message",
]
ICONS = [
    "alert-triangle",
    "arrow-right",
    "ban",
    "building",
    "calendar",
    "certificate",
    "check",
    "chevron-left",
    "chevron-right",
    "circle",
    "circle-check",
    "circle-x",
    "clock",
    "coin",
    "database",
    "download",
    "external-link",
    "eye",
    "file-text",
    "filter",
    "flag",
    "help-circle",
    "home",
    "info-circle",
    "key",
    "language",
    "lock",
    "logout",
    "message",
    "plus",
    "printer",
    "receipt",
    "refresh",
    "search",
    "shield-check",
    "signature",
    "stack-2",
    "table",
    "upload",
    "user",
    "users",
    "x",
]


def sources(modules: Path) -> dict[str, Path]:
    """Every file that goes into the static folder, by the name under which the lock records it."""
    found = {f"{DESIGN}/base.css": modules / DESIGN / "dist/src/base.css"}
    found |= {f"{DESIGN}/{name}.css": modules / DESIGN / f"dist/src/{name}.css" for name in COMPONENTS}
    found |= {f"{TABLER}/{name}.svg": modules / TABLER / f"icons/outline/{name}.svg" for name in ICONS}
    return found


def lock_of(modules: Path) -> dict[str, dict[str, str]]:
    """What assets.lock.json should say for the packages now installed."""
    packages = {}
    for package in (DESIGN, TABLER):
        facts = json.loads((modules / package / "package.json").read_text())
        packages[package] = f"{facts['version']} ({facts['license']})"
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sources(modules).items()}
    return {"packages": packages, "sha256": digests}


def build(modules: Path, out: Path = STATIC) -> dict[str, str]:
    """Write the static folder and its manifest. Raises ValueError when a source differs from the lock."""
    if lock_of(modules) != json.loads(LOCK.read_text()):
        raise ValueError("the installed npm packages differ from assets.lock.json: run npm ci, or review and --lock")
    out.mkdir(exist_ok=True)
    _keep_one_generation(out)
    files = {
        "gongshu.css": _stylesheet(modules).encode(),
        "gongshu.js": (SOURCES / "gongshu.js").read_bytes(),
        "favicon.svg": (SOURCES / "favicon.svg").read_bytes(),
    }
    manifest = {}
    for name, data in files.items():
        stem, suffix = name.rsplit(".", 1)
        manifest[name] = f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}.{suffix}"
        (out / manifest[name]).write_bytes(data)
    icons = {name: _inner_svg(modules / TABLER / f"icons/outline/{name}.svg") for name in ICONS}
    (out / "icons.json").write_text(json.dumps(icons, indent=1) + "\n")
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def _keep_one_generation(out: Path) -> None:
    """Take away all but the files of the last build, which a portal that is still running may serve."""
    manifest = out / "manifest.json"
    kept = set(json.loads(manifest.read_text()).values()) if manifest.is_file() else set()
    for old in out.iterdir():
        if old.name not in kept:
            old.unlink()


def _stylesheet(modules: Path) -> str:
    folder = modules / DESIGN / "dist/src"
    parts = ["@layer ds.theme, ds.base, ds.components, gs;", _shrink((SOURCES / "theme/gongshu-theme.css").read_text())]
    parts.append(f"@layer ds.base{{{(folder / 'base.css').read_text()}}}")
    parts += [f"@layer ds.components{{{(folder / f'{name}.css').read_text()}}}" for name in COMPONENTS]
    parts.append(f"@layer gs{{{_shrink((SOURCES / 'gongshu.css').read_text())}}}")
    return "\n".join(parts) + "\n"


def _shrink(css: str) -> str:
    """Drop comments and the white space at line ends; nothing cleverer."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return re.sub(r"\s*\n\s*", "\n", css).strip()


def _inner_svg(path: Path) -> str:
    inner = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", path.read_text(), flags=re.S)
    return re.sub(r"\s*\n\s*", "", inner).replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")


def find_modules() -> Path:
    """The node_modules folder of the checkout this file belongs to."""
    for folder in HERE.parents:
        if (folder / "node_modules" / DESIGN).is_dir():
            return folder / "node_modules"
    raise FileNotFoundError("node_modules with the portal's packages is missing: run npm ci first")


def main(arguments: list[str]) -> int:
    modules = find_modules()
    if arguments == ["--lock"]:
        LOCK.write_text(json.dumps(lock_of(modules), indent=1) + "\n")
    for name, hashed in build(modules).items():
        sys.stdout.write(f"{name} -> static/{hashed}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
