# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house that no reader should have to check: who may import whom, and what stays pure."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

AGENT = pathlib.Path(__file__).parents[2] / "plugins" / "module_utils" / "vrrp_agent"

LAYERS = (
    "wire",
    "conf",
    "election",
    "kernel",
    "loop",
    "track",
    "check",
    "notify",
    "balance",
    "snmp",
    "daemon",
    "cli",
)
"""From the ground up: a layer imports from itself and from those before it."""

SIDES = {"track", "check", "notify", "balance", "snmp"}
"""Slow work, each in a process of its own: none of them knows the others."""

PURE = ("wire", "conf", "election")
PURE_FILES = tuple(
    f"balance/{name}.py"
    for name in (
        "actions",
        "decision",
        "describe",
        "difference",
        "expand",
        "quorum",
        "rows",
        "server",
        "services",
        "words",
    )
)
"""Who decides which real server is used: as pure as the election, though beside what is not."""
PURE_NEIGHBOURS = {"balance.backend", "loop.events", "loop.results"}
"""Values that they share with others: no clock, loop or log in them either."""
NOT_PURE = {"asyncio", "logging", "select", "selectors", "subprocess", "threading", "time"}
"""Modules with a clock, a loop or a log in them."""

FILES = sorted(AGENT.rglob("*.py"))


def imports(path: pathlib.Path) -> Iterator[tuple[str, str]]:
    """(layer, module) of every import in a file; the layer is empty for modules outside the agent."""
    package = path.relative_to(AGENT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield "", alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                yield "", (node.module or "").split(".")[0]
                continue
            base = package[: len(package) - node.level + 1]
            for name in [alias.name for alias in node.names] if not node.module else [""]:
                full = (*base, *(node.module or name).split("."))
                yield (full[0] if full[0] in LAYERS else "root"), ".".join(full)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(AGENT)))
def test_a_layer_imports_only_what_stands_below_it(path: pathlib.Path) -> None:
    layer = path.relative_to(AGENT).parts[0]
    if layer not in LAYERS:
        return
    strangers = SIDES - {layer} if layer in SIDES else set()
    allowed = [name for name in LAYERS[: LAYERS.index(layer) + 1] if name not in strangers]
    for target, module in imports(path):
        assert target in ("", "root", *allowed), f"{layer} stands below {target}, but imports {module}"


@pytest.mark.parametrize("layer", PURE)
def test_pure_layers_have_no_clock_no_loop_and_no_log(layer: str) -> None:
    for path in sorted((AGENT / layer).rglob("*.py")):
        used = {module for target, module in imports(path) if not target}
        assert not used & NOT_PURE, f"{path.name} imports {sorted(used & NOT_PURE)}"


@pytest.mark.parametrize("name", PURE_FILES)
def test_decisions_about_servers_are_pure(name: str) -> None:
    path = AGENT / name
    allowed = {file[: -len(".py")].replace("/", ".") for file in PURE_FILES} | PURE_NEIGHBOURS
    for target, module in imports(path):
        if not target:
            assert module not in NOT_PURE, f"{name} imports {module}"
        elif target not in PURE:
            assert module in allowed, f"{name} imports {module}"
    assert "socket.socket(" not in path.read_text()


@pytest.mark.parametrize("name", sorted(PURE_NEIGHBOURS))
def test_values_that_decisions_share_with_others_are_pure_too(name: str) -> None:
    used = set(imports(AGENT / (name.replace(".", "/") + ".py")))
    assert not {module for target, module in used if not target} & NOT_PURE
    assert {target for target, _module in used} <= {"", *PURE}


def test_sockets_in_pure_layers_are_for_writing_addresses_only() -> None:
    for layer in PURE:
        for path in sorted((AGENT / layer).rglob("*.py")):
            text = path.read_text()
            assert "socket.socket(" not in text, path
            assert "print(" not in text, path


def test_pyroute2_is_imported_in_one_file_of_kernel() -> None:
    call = 'import_module("pyroute2'
    users = {path.relative_to(AGENT).as_posix() for path in FILES if call in path.read_text()}
    assert users == {"kernel/messages.py"}
    for path in FILES:
        assert ("", "pyroute2") not in set(imports(path)), path


def test_packages_have_empty_init_files() -> None:
    inits = [path for path in FILES if path.name == "__init__.py"]
    assert len(inits) > len(LAYERS)
    assert [path for path in inits if path.read_text()] == []


def test_files_stay_short() -> None:
    """One idea a file. Tables of the grammar are data and may be longer."""
    long = {
        path.relative_to(AGENT).as_posix(): lines
        for path in FILES
        if (lines := len(path.read_text().splitlines())) > 450
    }
    assert long == {}
