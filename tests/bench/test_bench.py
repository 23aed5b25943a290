"""The benchmark runs and checks its answers; how fast anything is does not matter here."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_small_run_measures_every_scenario_with_no_wrong_answer(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    options = ["--users", "20", "--seconds", "0.2", "--rounds", "1", "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text("utf-8"))
    assert set(found["scenarios"]) == {"get", "lookup", "page", "patch", "post"}
    assert found["wrong_total"] == 0
    for scenario in found["scenarios"].values():
        assert scenario["floor"]["requests"] > 0
        assert scenario["ours"]["requests"] > 0
