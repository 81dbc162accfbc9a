"""The worked notebooks run in a real sandbox of the live demo; `gongshu sandbox run` keeps its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.parts.live import Live
from tests.parts.places import ROOT

pytestmark = pytest.mark.live

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FIGURES = {
    "01-first-look": ["flights 215941", "JFK|111279", "LGA|104662", "第五条"],
    "02-flows-by-district": ["440103", "440104", "已存为草稿"],
    "03-what-is-refused": ["flights 215941"],
}


def run(live: Live, file: Path, *more: str, name: str = "chen", scenario: str = "tourism-flow") -> tuple[int, str, str]:
    done = live.gongshu(name, "sandbox", "run", "--as", name, "--scenario", scenario, file, *more)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_shows_its_figures(live: Live, notebook: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.ipynb"
    code, out, errors = run(live, notebook, "--save", str(saved))
    assert code == 0, errors[-2000:]
    assert [figure for figure in FIGURES[notebook.stem] if figure not in out] == []
    cells = [cell for cell in json.loads(saved.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)


def test_every_refusal_names_its_clause_in_two_calm_lines(live: Live) -> None:
    code, _, errors = run(live, ROOT / "notebooks" / "03-what-is-refused.ipynb")
    assert code == 0
    assert "Traceback" not in errors and "pyspark" not in errors
    assert re.search(r"aviation\.planes。依据:.*第三条", errors)
    assert re.search(r"sched_dep_time.*第四条", errors)
    # A table that is absent and one that is denied read the same but for the name.
    told = {
        name: re.search(rf"没有 {re.escape(name)}。(依据:\S+ \S+?)。", errors)
        for name in ("aviation.planes", "nowhere.at_all")
    }
    assert all(told.values())
    assert told["aviation.planes"][1] == told["nowhere.at_all"][1]  # type: ignore[index]


def test_exit_codes_are_those_of_the_interface(live: Live, tmp_path: Path) -> None:
    raises, fine, slow, text = (tmp_path / name for name in ("raises.py", "fine.py", "slow.py", "text.txt"))
    raises.write_text("1 / 0")
    fine.write_text("print('out'); import sys; print('err', file=sys.stderr); 1 + 1")
    slow.write_text("import time; time.sleep(60)")
    text.write_text("print(1)")
    assert run(live, fine)[:2] == (0, "out\n2\n")
    assert run(live, raises)[0] == 1
    assert run(live, text)[0] == 2
    refused = run(live, fine, name="zhou", scenario="expired-pilot")
    assert refused[0] == 3 and "条" in refused[2]
    assert run(live, fine, name="zhou", scenario="tourism-flow")[0] == 3
    assert run(live, slow, "--timeout", "8")[0] == 4
