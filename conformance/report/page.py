"""One HTML page with everything in it: style, script, evidence."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Any

from conformance.report.figures import ORDER
from conformance.report.junit import legal


def as_page(told: Mapping[str, Any]) -> str:
    """The page of a run, from its JSON form."""
    here = files("conformance.report")
    checks = told["checks"]
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"/><title>SCIM conformance</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
            f"<style>{here.joinpath('page.css').read_text('utf-8')}</style></head>\n<body>",
            f"<h1>SCIM conformance</h1>\n<p>{_text(told['baseUrl'])}, {_text(told['begun'])}, {told['seconds']} s</p>",
            _left(told),
            _totals("RFC and identity providers", told["bySuite"], told["totals"]),
            f"<details><summary>Totals per part of the protocol</summary>{_totals('part', told['byArea'])}</details>",
            f"<details><summary>Totals per section</summary>{_totals('section', told['bySection'])}</details>",
            _filters(checks),
            *(_check(one) for one in checks),
            f"<script>{here.joinpath('page.js').read_text('utf-8')}</script>\n</body>\n</html>\n",
        )
    )


def _text(value: object) -> str:
    return escape(legal(str(value)))


def _left(told: Mapping[str, Any]) -> str:
    lines = ["Interrupted: not every check was run."] if told["interrupted"] else []
    lines += [f"Could not be removed: {path}" for path in told["leftBehind"]]
    return "".join(f'<p class="left">{_text(line)}</p>' for line in lines)


def _totals(what: str, parts: Mapping[str, Mapping[str, int]], whole: Mapping[str, int] | None = None) -> str:
    head = "".join(f"<th>{name}</th>" for name in ORDER)
    rows = [*parts.items(), *([("in all", whole)] if whole is not None else [])]
    body = "".join(
        f"<tr><th>{_text(name)}</th>{''.join(f'<td>{counted[one] or str()}</td>' for one in ORDER)}</tr>"
        for name, counted in rows
    )
    return f"<table><thead><tr><th>{what}</th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _filters(checks: Iterable[Mapping[str, Any]]) -> str:
    checks = list(checks)
    choices = {
        "outcome": ORDER,
        "area": dict.fromkeys(one["area"] for one in checks),
        "section": sorted({one["section"] for one in checks}),
        "suite": dict.fromkeys(one["suite"] for one in checks),
        "level": dict.fromkeys(one["level"] for one in checks),
    }
    selects = "".join(
        f'<label>{name} <select data-filter="{name}"><option value="">all</option>'
        + "".join(f"<option>{_text(one)}</option>" for one in options)
        + "</select></label>"
        for name, options in choices.items()
    )
    search = '<label>search <input type="search" id="search"/></label>'
    return f'<form id="filters">{selects}{search}<output id="shown"></output></form>'


def _check(one: Mapping[str, Any]) -> str:
    names = ("outcome", "area", "section", "suite", "level")
    marks = " ".join(f'data-{name}="{_text(one[name])}"' for name in names)
    reason = f'<p class="reason">{_text(one["reason"])}</p>' if one["reason"] else ""
    told = f"{_text(one['level'])}, {_text(one['source'])}, {one['seconds']} s"
    return (
        f'<details class="check" {marks}><summary><span class="outcome">{_text(one["outcome"])}</span> '
        f"<code>{_text(one['id'])}</code> {_text(one['requirement'])}</summary>"
        f'<p class="source">{told}</p>{reason}{"".join(_exchange(each) for each in one["evidence"])}</details>'
    )


def _exchange(each: Mapping[str, Any]) -> str:
    asked = "\n".join([each["request"], *_headers(each["requestHeaders"]), "", each["requestBody"]]).strip()
    status = str(each["status"]) if each["status"] else "no answer"
    answered = "\n".join([status, *_headers(each["headers"]), "", each["body"]]).strip()
    return f'<div class="exchange"><pre>{_text(asked)}</pre><pre>{_text(answered)}</pre></div>'


def _headers(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def written(told: Mapping[str, Any]) -> str:
    """The JSON form as text."""
    return json.dumps(told, indent=1, ensure_ascii=True) + "\n"
