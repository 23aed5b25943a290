"""The rules of the house: who may import whom, how long a file and a function may be, words kept in their place."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "scim_server"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TREES = {file: ast.parse(file.read_text("utf-8")) for file in SOURCES}

STANDARD = {"account"}
"""Layers that import the standard library and themselves alone."""
LAYERS = {
    "account": {"account"},
    "protocol": {"protocol"},
    "idp": {"idp", "protocol"},
    "store": {"store", "protocol", "account"},
    "members": {"members", "account", "protocol"},
    "mail": {"mail", "account"},
    "provisioning": {"provisioning", "members", "account", "protocol", "idp", "store"},
}
"""Which parts of the package each layer may import; web and cli may import all."""
LIBRARIES = {
    "account": set(),
    "protocol": {"scim2_models", "pydantic", "orjson"},
    "idp": {"marshmallow", "scim2_models"},
    "store": {"sqlalchemy", "flask_sqlalchemy", "flask", "alembic", "orjson", "scim2_models"},
    "members": {"scim2_models"},
    "mail": set(),
    "provisioning": {"scim2_models", "sqlalchemy", "orjson", "argon2", "joserfc"},
}


def layer_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every import as ``(module, name)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def length(node: ast.FunctionDef) -> int:
    """Lines of code of a function, its docstring aside."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_imports_only_what_is_below_it(layer: str) -> None:
    standard = __import__("sys").stdlib_module_names
    wrong = []
    for file, tree in TREES.items():
        if layer_of(file) != layer:
            continue
        for module, name in imports(tree):
            first = module.partition(".")[0]
            if first == "scim_server":
                part = (f"{module}.{name}".split(".") + [""])[1]
                if part not in LAYERS[layer]:
                    wrong.append(f"{file.name}: {module}")
            elif first not in standard and first not in LIBRARIES[layer]:
                wrong.append(f"{file.name}: {module}")
    assert not wrong


def test_flask_context_is_used_in_web_alone() -> None:
    context = {"request", "g", "current_app", "session"}
    assert not [
        f"{file}: {name}"
        for file, tree in TREES.items()
        if layer_of(file) != "web"
        for module, name in imports(tree)
        if module == "flask" and name in context
    ]


def test_private_names_of_libraries_are_not_imported() -> None:
    assert not [
        f"{file}: {module}.{name}"
        for file, tree in TREES.items()
        for module, name in imports(tree)
        if not module.startswith(("scim_server", "__")) and (name.startswith("_") or "._" in module)
    ]


def test_commit_appears_once() -> None:
    found = [file for file in SOURCES if re.search(r"\.commit\(", file.read_text("utf-8"))]
    assert found == [PACKAGE / "store" / "database.py"]


def test_store_functions_take_the_account_first() -> None:
    """Functions of the store that run a statement on account data are given the account before anything else (MT-01)."""
    exempt = {"create", "named", "domain_owner", "find", "execute", "all_accounts"}
    wrong = []
    for file in sorted((PACKAGE / "store").glob("*.py")):
        if file.name in ("database.py", "upgrading.py"):
            continue
        for node in TREES[file].body:
            if not isinstance(node, ast.FunctionDef) or node.name in exempt:
                continue
            runs = any(isinstance(call.func, ast.Name) and call.func.id == "execute" for call in _calls(node))
            if runs and (not node.args.args or node.args.args[0].arg != "account_id"):
                wrong.append(f"{file.name}: {node.name}")
    assert not [one for one in wrong if not one.endswith(": _guarded")]


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    yield from (one for one in ast.walk(node) if isinstance(one, ast.Call))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_idps_are_named_in_their_layer_alone(file: Path) -> None:
    """Comments and docstrings may say who sends a shape; the code may not ask who it is."""
    if layer_of(file) in ("idp", "cli", "cli.py"):
        return
    code = ast.unparse(_without_docstrings(TREES[file]))
    assert not re.search(r"\b(entra|okta|onelogin|jumpcloud|authentik|rauthy)\b", code, re.IGNORECASE)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    copy = ast.parse(ast.unparse(tree))
    for node in ast.walk(copy):
        for body in (getattr(node, "body", None),):
            if isinstance(body, list):
                node.body = [
                    one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
                ] or [ast.Pass()]
    return copy


def test_files_are_short() -> None:
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in SOURCES if file.name != "__init__.py"}
    assert {str(file): lines for file, lines in lengths.items() if lines > 300 and "versions" not in file.parts} == {}
    assert median(lengths.values()) <= 160


def test_functions_are_short() -> None:
    sizes = sorted(
        length(node) for file, tree in TREES.items() if "versions" not in file.parts for node in functions(tree)
    )
    assert median(sizes) <= 10
    assert sizes[int(len(sizes) * 0.95)] <= 30
    assert sizes[-1] <= 50


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_public_thing_has_a_docstring(file: Path) -> None:
    if "versions" in file.parts:
        return
    undocumented = [
        node.name
        for node in TREES[file].body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if ast.get_docstring(node) is None
    ]
    assert not undocumented


def test_no_module_has_an_empty_word_for_a_name() -> None:
    assert not [file for file in SOURCES if file.stem in ("utils", "helpers", "common", "misc", "manager", "data")]
