"""The report's page in a real browser: it needs nothing but itself."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from conformance import cli
from tests.web.conftest import Api

from .mutations import Mutation, mutated, status

SERVED: list[Any] = []
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ALONE = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def factory() -> Any:
    """What --app names here."""
    return SERVED[-1]


@pytest.fixture
def browser() -> Iterator[Any]:
    """The machine's Chromium, which .ci/run installs."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=found, args=ALONE) as chromium:
        yield chromium


@pytest.fixture
def report(provider: Api, tmp_path: Path) -> str:
    """The address of the page of a run against an account whose creates answer 200."""
    SERVED.append(mutated(provider.app, Mutation("create answers 200", "CRT-01", spoil=status(201, 200))))
    given = ["--app", f"{__name__}:factory", "--token", str(provider.token), "--domain", provider.domain]
    assert cli.main([*given, "--report", str(tmp_path), "--only", "CRT,DSC,IDP-okta,IDP-entra"]) == 1
    return (tmp_path / "report.html").as_uri()


def shown(page: Page) -> list[str]:
    """The outcomes of the checks that are to be seen."""
    return [one.inner_text() for one in page.locator(".check:visible .outcome").all()]


def test_page_is_filtered_and_searched_without_a_request_or_an_error(browser: Any, report: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(report)
    everything = shown(page)
    assert {"passed", "failed"} <= set(everything)
    assert page.locator("#shown").inner_text() == f"{len(everything)} of {len(everything)}"

    page.select_option("[data-filter=outcome]", "failed")
    assert set(shown(page)) == {"failed"}
    first = page.locator(".check:visible").first
    assert not first.locator("pre").first.is_visible()
    first.locator("summary").click()
    assert first.locator("pre").first.inner_text().startswith(("POST", "GET"))
    assert first.locator(".reason").is_visible()

    page.select_option("[data-filter=outcome]", "")
    page.select_option("[data-filter=suite]", "okta")
    assert 0 < len(shown(page)) < len(everything)
    page.select_option("[data-filter=suite]", "")
    page.fill("#search", "CRT-01")
    assert page.locator(".check:visible code").all_inner_texts()[0] == "CRT-01"
    page.fill("#search", "nothing has these words")
    assert (shown(page), page.locator("#shown").inner_text()) == ([], f"0 of {len(everything)}")
    assert (asked, told) == ([report], [])
