"""The bundle of rules: the same files give the same bytes, and its revision is the digest of its content.

It decides under which revision a decision is logged; a bundle is archived under that revision before
anybody relies on it, so that every decision can be evaluated again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from gongshu.errors import Invalid, Words

ROOTS = ("gongshu", "system")
MANIFEST = ".manifest"
MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """revision: sha256 over the names and digests of its files. data: the .tar.gz that OPA loads."""

    revision: str
    data: bytes


def policies_dir() -> Path:
    """Where the checkout keeps its rules."""
    return Path(__file__).resolve().parents[3] / "policies"


def build_bundle(directory: Path | None = None) -> Bundle:
    """Build the bundle from a policies directory; tests and schemas stay out. Raises Invalid without rules."""
    root = directory or policies_dir()
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for name in ROOTS
        for path in sorted((root / name).rglob("*"))
        if path.is_file() and (path.suffix == ".rego" or path.name == "data.json") and not path.stem.endswith("_test")
    }
    if not any(name.endswith(".rego") for name in files):
        raise Invalid("policy.bundle.empty", Words(f"{root} 里没有策略规则", f"There are no rules in {root}"))
    revision = _digest(files)
    manifest = json.dumps({"revision": revision, "rego_version": 1, "roots": list(ROOTS)}, sort_keys=True).encode()
    return Bundle(revision, _pack({MANIFEST: manifest, **files}))


def content_revision(data: bytes) -> str:
    """Recompute the revision from a bundle's files, trusting nothing that its manifest says."""
    files = _unpack(data)
    files.pop(MANIFEST, None)
    return _digest(files)


def read_bundle(path: Path) -> Bundle:
    """Read a built bundle. Raises Invalid when its content is not what its manifest says."""
    data = path.read_bytes()
    said = json.loads(_unpack(data)[MANIFEST])["revision"]
    found = content_revision(data)
    if said != found:
        raise Invalid(
            "policy.bundle.altered",
            Words("策略包内容与其版本摘要不符", "The bundle's content does not match its revision"),
            Words("用 gongshu policy bundle 重新生成", "Build it again with gongshu policy bundle"),
        )
    return Bundle(found, data)


def write_bundle(directory: Path | None, out: Path) -> Bundle:
    """Write the bundle beside its final place and move it there, so that no reader sees half of it."""
    bundle = build_bundle(directory)
    out.parent.mkdir(parents=True, exist_ok=True)
    half = out.with_name(out.name + ".part")
    half.write_bytes(bundle.data)
    half.replace(out)
    return bundle


def _digest(files: dict[str, bytes]) -> str:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _pack(files: dict[str, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(data), 0o644, 0
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def _unpack(data: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None or member.size > MAX_FILE_BYTES or member.name in files:
                raise Invalid("policy.bundle.form", Words("策略包格式不对", "The bundle is malformed"))
            files[member.name] = content.read()
    return files
