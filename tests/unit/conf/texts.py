# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations in memory, for the tests of the language."""

from __future__ import annotations

import fnmatch
import textwrap
from typing import Dict, List, Mapping, Optional, Set, Tuple, Union

from vrrp_agent.conf.load import Loaded, load
from vrrp_agent.conf.model import Config, Instance
from vrrp_agent.conf.problem import Problem
from vrrp_agent.conf.tree import Node
from vrrp_agent.conf.words import Section

MAIN = "/etc/keepalived/keepalived.conf"


class Files:
    """A reader whose files are given as a mapping."""

    def __init__(
        self,
        files: Mapping[str, Union[str, bytes]],
        directories: Tuple[str, ...] = (),
        executable: Tuple[str, ...] = (),
        unreadable: Tuple[str, ...] = (),
    ) -> None:
        self._files: Dict[str, bytes] = {
            path: content if isinstance(content, bytes) else content.encode()
            for path, content in files.items()
        }
        self._directories = directories
        self._executable = executable
        self._unreadable = unreadable
        self.read_paths: List[str] = []

    def kind(self, path: str) -> str:
        if path.rstrip("/") in self._directories:
            return "directory"
        return "file" if path in self._files else "missing"

    def is_executable(self, path: str) -> bool:
        return path in self._executable

    def read(self, path: str, limit: int) -> bytes:
        if path in self._unreadable:
            raise PermissionError(13, "Permission denied")
        self.read_paths.append(path)
        return self._files[path][:limit]

    def glob(self, pattern: str) -> List[str]:
        # backwards, as nobody promised an order
        return [
            path
            for path in reversed((*self._files, *self._directories))
            if fnmatch.fnmatchcase(path, pattern) and path.count("/") == pattern.count("/")
        ]

    def absolute(self, path: str) -> str:
        return path


def load_text(
    text: Union[str, bytes],
    files: Optional[Mapping[str, str]] = None,
    *,
    config_id: Optional[str] = None,
    lenient: bool = False,
    unsupported: Optional[str] = None,
    environment: Optional[Mapping[str, str]] = None,
    sections: Optional[Mapping[str, Section]] = None,
    for_keepalived: bool = False,
) -> Loaded:
    """Loads a text as the main file, with other files beside it."""
    if isinstance(text, str):
        text = textwrap.dedent(text)
    reader = Files({MAIN: text, **(files or {})})
    return load(
        MAIN,
        reader=reader,
        config_id=config_id,
        lenient=lenient,
        unsupported=unsupported,
        environment=environment or {},
        sections=sections,
        for_keepalived=for_keepalived,
    )


def config_of(text: str, **options: object) -> Config:
    """The values of a text that has no errors."""
    loaded = load_text(text, **options)  # type: ignore[arg-type]
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


def tree_of(text: str, **options: object) -> Node:
    """The tree of a text that has no errors in its structure."""
    loaded = load_text(text, **options)  # type: ignore[arg-type]
    errors = [str(problem) for problem in loaded.parsed.problems if problem.severity == "error"]
    assert not errors, errors
    return loaded.parsed.tree


def lines_of(text: str, block: str = "virtual_ipaddress", **options: object) -> List[str]:
    """The lines of one block, wherever it stands, as plain text."""
    found: List[str] = []
    todo = [tree_of(text, unsupported="", **options)]
    while todo:
        node = todo.pop(0)
        if node.keyword == block:
            found.extend(" ".join(line.args) for line in node.children)
        todo.extend(node.children)
    return found


def the_problem(text: Union[str, bytes], **options: object) -> Problem:
    """The one and only problem of a text."""
    problems = load_text(text, **options).problems  # type: ignore[arg-type]
    assert len(problems) == 1, [f"{problem} ({problem.hint})" for problem in problems]
    return problems[0]


def where(problem: Problem) -> Tuple[int, int]:
    """Line and column."""
    return problem.line, problem.column


def messages(text: str, **options: object) -> Set[str]:
    """What is said about a text."""
    return {problem.message for problem in load_text(text, **options).problems}  # type: ignore[arg-type]


def instance(
    body: str = "",
    *,
    name: str = "VI_1",
    addresses: str = "198.51.100.10/24",
    interface: str = "eth0",
    vrid: int = 51,
) -> str:
    """An instance that is right, with more words in it. The first of them stands on line 7."""
    return "\n".join(
        (
            f"vrrp_instance {name} {{",
            f"    interface {interface}",
            f"    virtual_router_id {vrid}",
            "    virtual_ipaddress {",
            *(f"        {address}" for address in addresses.split(",")),
            "    }",
            textwrap.indent(textwrap.dedent(body), "    ").rstrip(),
            "}",
            "",
        )
    )


def the_instance(body: str = "", **options: object) -> Instance:
    """The values of an instance with more words in it."""
    config = config_of(instance(body, **options))  # type: ignore[arg-type]
    return config.instances[0]
