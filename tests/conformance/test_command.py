"""The command: its exit statuses, its reports, what it never tells."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from conformance import cli
from conformance.evidence import redacted
from conformance.transport import Request, Response, Unanswered
from tests.web.conftest import Api

from .mutations import Mutation, mutated, status

ONLY = ["--only", "CRT-01,CRT-04,DSC-26,AUT-06,ROB-10,IDP-entra-user-with-flag"]
SOUND = Mutation("sound", "")
APPLICATION: list[Any] = []


def factory() -> Any:
    """What --app names in these tests."""
    return APPLICATION[-1]


@pytest.fixture
def command(provider: Api, tmp_path: Path) -> Any:
    """Run the command in process against an account, with a defect or without."""

    def run(*arguments: str, defect: Mutation = SOUND) -> int:
        APPLICATION.append(mutated(provider.app, defect))
        given = ["--app", f"{__name__}:factory", "--token", str(provider.token), "--domain", provider.domain]
        return cli.main([*given, "--report", str(tmp_path), *arguments])

    return run


def test_reports_tell_all_but_the_token(
    command: Any, provider: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*ONLY) == 0
    printed = capsys.readouterr()
    files = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    assert set(files) == {"report.html", "report.json", "junit.xml"}
    for text in (printed.out, printed.err, *files.values()):
        for near in (provider.token, provider.token[:-1], provider.token.swapcase()):
            assert near not in text
    told = json.loads(files["report.json"])
    assert told["totals"] == {"passed": 5, "failed": 0, "warning": 0, "note": 0, "not applicable": 1}
    assert told["byArea"]["Create"]["passed"] == 2
    assert told["bySuite"]["entra"]["passed"] == 1
    assert told["checks"][0]["evidence"]
    assert "5 passed, 1 not applicable" in printed.out


def test_page_is_one_well_formed_file(command: Any, tmp_path: Path) -> None:
    command(*ONLY)
    text = (tmp_path / "report.html").read_text("utf-8")
    page = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    for element in page.iter():
        assert element.tag not in ("link", "img", "iframe", "object")
        assert not {"src", "href", "srcset", "action", "onclick"} & set(element.attrib)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", text)
    assert len(page.findall(".//details[@class='check']")) == 6
    assert {one.get("data-filter") for one in page.iter("select")} == {
        "outcome", "area", "section", "suite", "level",
    }  # fmt: skip
    assert page.find(".//input[@type='search']") is not None


def test_failed_requirement_fails_the_command(command: Any, tmp_path: Path) -> None:
    assert command(*ONLY, defect=Mutation("conflict is 400", "", spoil=status(409, 400))) == 1
    suite = ElementTree.fromstring((tmp_path / "junit.xml").read_text("utf-8"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "2", "1")
    (failure, _) = suite.findall(".//failure")
    assert "answered 400, expected 409" in str(failure.get("message"))


def test_unmet_policy_is_a_note(command: Any, tmp_path: Path) -> None:
    """What another correct server may decide differently fails nobody."""
    defect = Mutation("groups may share a name", "", spoil=status(409, 201, "POST", "/Groups"))
    assert command("--only", "GRP-12", defect=defect) == 0
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["totals"]["note"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["http://127.0.0.1:9/scim/v2", "--timeout", "2"],
        ["ftp://example.com"],
        [],
        ["--app", "no_such_module:app"],
        ["http://127.0.0.1:9", "--only", "NOTHING-1"],
    ],
)
def test_unusable_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*arguments, "--token", "secret"]) == 2
    assert "secret" not in "".join(capsys.readouterr())


def test_wrong_token_is_two(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--token", "wrong") == 2
    assert "refuses the token" in capsys.readouterr().err


def test_unknown_option_is_two() -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--nonsense"])
    assert end.value.code == 2


def test_list_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list", "--only", "ME"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["ME-01", "ME-02"]


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"null", b'{"Resources": 5, "totalResults": "x"}', b"\xff"])
def test_nonsense_is_a_failure_and_no_crash(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check runs to its end against a server that answers everything with the same nonsense."""

    def nonsense(request: Request) -> Response:
        if request.method == "TRACE":
            raise Unanswered("no answer")
        return Response(200, (("Content-Type", "text/html"),), answer)

    monkeypatch.setattr(cli, "over_http", lambda base_url, timeout: nonsense)
    assert cli.main(["http://server.example/scim/v2", "--token", "secret"]) == 1


def test_credentials_are_hidden() -> None:
    text = "Bearer abcdefghij, basic QWxhZGRpbjpvcGVu, ?access_token=abcdefghij&x=1, the token s3cret-token"
    assert redacted(text, "s3cret-token") == (
        "Bearer [redacted], basic [redacted], ?access_token= [redacted]&x=1, the token [redacted]"
    )
