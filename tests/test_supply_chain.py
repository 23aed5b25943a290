"""What `.ci/` does beside lint and tests: it finds secrets and vulnerabilities, and says of what a release consists."""

import json
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scim_server.store.tokens import CLIENT_SECRET, REFRESH, TOKEN, new_secret

ROOT = Path(__file__).resolve().parent.parent
LOCK = {one["name"]: one for one in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]}
UV = os.environ.get("UV") or shutil.which(str(ROOT / ".uv" / "bin" / "uv")) or shutil.which("uv") or ""
pytestmark = pytest.mark.skipif(not UV, reason="uv is not there")


def ci(script: str, *arguments: object, timeout: int = 120) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".ci" / script), *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | {"UV": UV}, capture_output=True, text=True, timeout=timeout, check=False
    )


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", [TOKEN, CLIENT_SECRET, REFRESH])
def test_secret_of_this_server_is_found(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"Here it is: {new_secret(prefix)}.\n")
    done = ci("secrets", file)
    assert done.returncode != 0
    assert "scim-server token" in done.stdout


def test_keys_of_others_are_found_and_examples_are_not(tmp_path: Path) -> None:
    for number, text in enumerate(
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "ghp_" + "a1B2" * 9, "https://ava:" + "d0nt-t3ll@scim.example")
    ):
        file = tmp_path / f"{number}.txt"
        file.write_text(f"x = '{text}'\n")
        assert ci("secrets", file).returncode != 0, text
    file = tmp_path / "example.md"
    file.write_text("postgresql://scim:secret@db.example.com/scim, `Authorization: Bearer scim_...`\n")
    assert ci("secrets", file).returncode == 0


def test_scanner_looks_for_what_the_guide_tells() -> None:
    guide = (ROOT / "docs" / "authentication.md").read_text("utf-8")
    (told,) = re.findall(r"find leaked ones by `([^`]+)`", guide)
    assert f'r"{told}"' in (ROOT / ".ci" / "scim_tokens.py").read_text("utf-8")


# -- vulnerabilities --------------------------------------------------------------------------------------------------


@contextmanager
def service(vulnerable: str | None, status: int = 200) -> Iterator[str]:
    """A service that knows a vulnerability of one package or of none; gives its URL."""
    details = {"id": "X-1", "modified": "2026-01-01T00:00:00Z", "summary": "an invented weakness"}

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            found = [one["package"]["name"] == vulnerable for one in asked]
            self._say({"results": [{"vulns": [details]} if one else {} for one in found]})

        def do_GET(self) -> None:
            affected = {"package": {"ecosystem": "PyPI", "name": vulnerable}, "ranges": []}
            self._say({**details, "published": details["modified"], "affected": [affected]})

        def _say(self, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_known_vulnerability_fails() -> None:
    with service("flask") as url:
        done = ci("audit", "--service-url", url)
    assert done.returncode == 1, done
    assert "an invented weakness" in done.stdout
    with service(None) as url:
        done = ci("audit", "--service-url", url)
    assert done.returncode == 0, done
    assert "NOT audited" not in done.stdout


def test_service_that_cannot_be_asked_is_told_and_fails_nothing() -> None:
    with service("flask", status=500) as url:
        broken = ci("audit", "--service-url", url)
    gone = ci("audit", "--service-url", url)
    assert [one.returncode for one in (broken, gone)] == [0, 0]
    assert all("Dependencies were NOT audited" in one.stdout for one in (broken, gone))
    assert ci("audit", "--no-such-option").returncode == 2


def test_ci_looks_for_both() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert {".ci/secrets", ".ci/audit"} <= set(lines)
    for script in ("run", "secrets", "audit", "release"):
        assert os.access(ROOT / ".ci" / script, os.X_OK)


# -- release ----------------------------------------------------------------------------------------------------------


def runtime() -> dict[str, str]:
    """All that the server needs to run, as the lock file has it, on whatever platform."""
    found: set[str] = set()
    waiting = [(one["name"], one.get("extra", ())) for one in LOCK["scim-server"]["dependencies"]]
    while waiting:
        name, extras = waiting.pop()
        needed = [*LOCK[name].get("dependencies", ())]
        for extra in extras:
            needed += LOCK[name].get("optional-dependencies", {}).get(extra, ())
        if name not in found or extras:
            found.add(name)
            waiting += [(one["name"], one.get("extra", ())) for one in needed]
    return {name: LOCK[name]["version"] for name in found}


def test_release_lists_all_that_it_runs_on_and_nothing_else(tmp_path: Path) -> None:
    """CycloneDX, by name, version and hash; no dependency of development among them."""
    done = ci("release", tmp_path)
    assert done.returncode == 0, done.stderr
    (wheel,), (source,), (listed,) = (list(tmp_path.glob(one)) for one in ("*.whl", "*.tar.gz", "*.cdx.json"))
    sbom = json.loads(listed.read_text("utf-8"))
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    about = sbom["metadata"]["component"]
    assert (about["name"], about["version"]) == ("scim-server", LOCK["scim-server"]["version"])
    told = {one["name"]: one["version"] for one in sbom["components"]}
    assert told == runtime()
    assert {"flask", "authlib", "granian", "psycopg-binary", "cffi"} <= set(told)
    assert not {"pytest", "ruff", "mypy", "webtest", "detect-secrets"} & set(told)
    assert all(one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" for one in sbom["components"])
    sums = dict(reversed(line.split("  ")) for line in (tmp_path / "SHA256SUMS").read_text().splitlines())
    assert sums.keys() == {wheel.name, source.name, listed.name}
    names = zipfile.ZipFile(wheel).namelist()
    assert "scim_server/cli/__init__.py" in names
    assert not [name for name in names if name.startswith(("tests/", ".ci/", "bench/"))]
