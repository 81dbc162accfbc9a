"""`gongshu api`: what is sent, what is printed, and the exit code of document 10."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from gongshu.cli.api import read_request, show


def test_json_may_be_written_out_or_come_from_a_file(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"a": "列"}', encoding="utf-8")
    with ExitStack() as opened:
        for given in ('{"a": "列"}', f"@{body}"):
            assert read_request(opened, "post", "/api/v1/x", given, [], "liang") == {"json": {"a": "列"}}
        assert read_request(opened, "GET", "/api/v1/x", None, [], "liang") == {}


def test_files_make_it_multipart_and_json_becomes_fields(tmp_path: Path) -> None:
    data = tmp_path / "stays.csv"
    data.write_text("a\n1\n")
    with ExitStack() as opened:
        sent = read_request(opened, "POST", "/api/v1/datasets", '{"meta": {"a": 1}}', [f"file={data}"], "luo")
        assert sent["data"] == {"meta": '{"a": 1}'}
        assert sent["files"]["file"][0] == "stays.csv"


@pytest.mark.parametrize(
    ("method", "path", "body", "files", "name"),
    [
        ("GET", "/api/v2/x", None, [], "liang"),
        ("GET", "http://elsewhere/api/v1/", None, [], "liang"),
        ("FETCH", "/api/v1/x", None, [], "liang"),
        ("GET", "/api/v1/x", None, [], ""),
        ("POST", "/api/v1/x", "{", [], "liang"),
        ("POST", "/api/v1/x", None, ["file"], "liang"),
        ("POST", "/api/v1/x", "@/absent", [], "liang"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(
    method: str, path: str, body: str | None, files: list[str], name: str
) -> None:
    with ExitStack() as opened, pytest.raises((ValueError, OSError)):
        read_request(opened, method, path, body, files, name)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (201, 0), (403, 4), (422, 4), (500, 5), (503, 5)])
def test_exit_code_follows_the_status(
    status: int, code: int, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert show(httpx.Response(status, content=b'{"a":1}'), None) == code
    assert capfdbinary.readouterr().out == b'%d\n{"a":1}\n' % status


def test_binary_goes_to_the_file_only_when_it_succeeded(tmp_path: Path) -> None:
    target = tmp_path / "item"
    show(httpx.Response(404, content=b"{}"), target)
    assert not target.exists()
    show(httpx.Response(200, content=b"\x00\x01"), target)
    assert target.read_bytes() == b"\x00\x01"
