"""Texts that a standard has a form for."""

import pytest

from scim_server.protocol.formats import countries, is_country, is_language_list, is_locale, is_time, runs_script


def test_countries_are_those_of_iso_3166() -> None:
    assert len(countries()) >= 249
    assert all(len(one) == 2 and one.isalpha() and one.isupper() for one in countries())
    assert [one for one in ("CA", "us", "XX", "USA", "Narnia", "", "UK", "EU", " CA") if is_country(one)] == [
        "CA",
        "us",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "en", "en-US", "en_US", "fr-CA", "zh-Hant-TW", "zh_Hant_TW", "es-419", "sl-rozaj-biske", "de-CH-1901",
        "zh-cmn-Hans-CN", "hy-Latn-IT-arevela", "de-DE-u-co-phonebk", "en-a-bbb-x-a-ccc", "x-whatever", "i-klingon",
        "en-GB-oed", "art-lojban", "FR", "gsw", "tlh",
    ],
)  # fmt: skip
def test_locale_is_a_language_tag(text: str) -> None:
    assert is_locale(text)


@pytest.mark.parametrize(
    "text",
    ["", "e", "english please", "en-", "-US", "en--US", "en-USA1234567", "1", "fr,en", "en.UTF-8", "en-US\n", "a-DE"],
)
def test_text_that_is_no_language_tag_is_no_locale(text: str) -> None:
    assert not is_locale(text)


@pytest.mark.parametrize(
    "text", ["fr", "fr-CA", "*", "fr-CA, en;q=0.8, *;q=0.1", "da, en-gb;q=0.8,en ; q=0.7", "en;q=1.000", "en;Q=0"]
)
def test_languages_are_a_list_as_in_the_header(text: str) -> None:
    assert is_language_list(text)


@pytest.mark.parametrize(
    "text", ["", "fr_CA", "fr,", ",fr", "en;q=2", "en;q=0.1234", "en;q", "french language", "en\n"]
)
def test_text_of_another_form_is_no_list_of_languages(text: str) -> None:
    assert not is_language_list(text)


def test_time_has_a_date_a_time_and_seconds() -> None:
    """EXT-07."""
    for text in ("2026-01-31T08:00:00Z", "2024-02-29T23:59:59.1234567+05:30", "2026-01-31T08:00:00"):
        assert is_time(text)
    for text in (
        "2026-01-31", "08:00:00", "2026-02-31T08:00:00Z", "2026-01-31 08:00:00Z", "20260131T080000Z", "2026-W05-6T08:00",
        "2026-01-31T08", "2026-01-31T08:00Z", "2026-01-31T08:00:60Z", "2026-01-31T08:00:00+0530", "", "now",
        "２０２６-01-31T08:00:00Z",
    ):  # fmt: skip
        assert not is_time(text), text


@pytest.mark.parametrize(
    "address",
    ["javascript:x", "JavaScript:x", " javascript:x", "java\tscript:x", "j\na\rvascript:x", "\x01javascript:x", "data:,x",
     "vbscript:x", "javascript\t:x"],
)  # fmt: skip
def test_address_that_runs_is_told_from_one_that_is_fetched(address: str) -> None:
    assert runs_script(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://x.example/javascript:x",
        "/photos/1",
        "../p",
        "photo.png",
        "?javascript:x",
        "mailto:a@b.example",
        "urn:x:y",
        "",
    ],
)
def test_address_of_a_page_is_no_script(address: str) -> None:
    assert not runs_script(address)
