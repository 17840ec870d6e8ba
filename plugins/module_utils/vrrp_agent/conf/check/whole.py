# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks a tree against the grammar table and against itself, without privileges or the target host."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from ..match.fit import Fit, Option, fit_keyword, fit_line
from ..problem import ERROR, WARNING, Problem
from ..tree import Node, Word
from ..values.names import Names
from ..values.settings import name_directories
from ..words import Arg, Keyword, Section, Shape
from .balancing import check_balancing
from .groups import check_groups
from .instances import check_instances, check_places
from .lines import check_line
from .links import check_links
from .settings import check_settings
from .snmp import check_snmp
from .strict import check_strict
from .telling import check_telling
from .tracking import check_tracking

MAX_PROBLEMS = 200

ONE_NAME_ONCE = frozenset(
    (
        "vrrp_instance",
        "vrrp_sync_group",
        "vrrp_script",
        "vrrp_track_process",
        "track_file",
        "bfd_instance",
        "track_group",
        "virtual_server_group",
    )
)
"""Blocks of which no two may have one name."""


class _Reference(NamedTuple):
    node: Node
    word: Word
    section: str
    """The kind of block that the word names."""


def check(
    tree: Node, sections: Mapping[str, Section], names: Names, unsupported: str = ERROR
) -> List[Problem]:
    """All findings about a tree. ``unsupported`` is the severity of a word that the agent does not do yet:
    error, warning, or empty when another program will read the file."""
    names.look_in(*name_directories(tree))
    checker = _Checker(sections, names, unsupported)
    checker.block(tree, sections["root"], True)
    checker.references()
    complete = checker.complete
    checker.problems.extend(check_instances(tree, sections))
    if unsupported:
        checker.problems.extend(check_places(tree))
    checker.problems.extend(check_groups(tree))
    checker.problems.extend(check_tracking(tree))
    checker.problems.extend(check_strict(tree))
    checker.problems.extend(check_settings(tree))
    checker.problems.extend(check_links(tree, sections, names))
    checker.problems.extend(check_snmp(tree))
    checker.problems.extend(check_telling(tree))
    if complete:  # values are made of blocks of which every error is known
        checker.problems.extend(check_balancing(tree, sections, checker.problems, bool(unsupported)))
    return checker.problems


class _Checker:
    def __init__(self, sections: Mapping[str, Section], names: Names, unsupported: str) -> None:
        self.problems: List[Problem] = []
        """At most MAX_PROBLEMS of each severity."""
        self._noted: Dict[str, int] = {}
        self._sections = sections
        self._names = names
        self._unsupported = unsupported
        self._labels: Dict[str, Dict[str, Node]] = {}
        self._references: List[_Reference] = []

    @property
    def complete(self) -> bool:
        """True when every error has been kept."""
        return self._noted.get(ERROR, 0) <= MAX_PROBLEMS

    def _note(self, node: Node, severity: str, message: str, hint: str, word: Optional[Word] = None) -> None:
        self._noted[severity] = self._noted.get(severity, 0) + 1
        if self._noted[severity] <= MAX_PROBLEMS:
            self.problems.append(node.problem(severity, message, hint, word))

    def block(self, node: Node, section: Section, done: bool) -> None:
        """Checks what stands in a block. ``done`` is False inside a block that the agent does not do yet."""
        if section.shape is Shape.LINES:
            for line in node.children:
                self._line(line, section, done)
            return
        seen: Dict[str, Node] = {}
        for child in node.children:
            keyword = section.index.get(child.keyword)
            if keyword is not None:
                self._keyword(child, keyword, seen, done)
        for keyword in section.keywords:
            if keyword.required and keyword.name not in seen:
                title = " ".join((node.keyword, *node.args))
                form = " ".join((keyword.name, *(arg.name for arg in keyword.args)))
                form += " { ... }" if keyword.block else ""
                message = f"{title}: {keyword.name} is missing"
                self.problems.append(node.missing(keyword.name, message, f"write '{form}' in it"))

    def _keyword(self, node: Node, keyword: Keyword, seen: Dict[str, Node], done: bool) -> None:
        if keyword.removed:
            self._note(
                node,
                ERROR,
                f"keepalived no longer knows '{keyword.name}'",
                f"write {keyword.deprecated}" if keyword.deprecated else keyword.meaning,
            )
            return
        if keyword.deprecated:
            self._note(node, WARNING, f"'{keyword.name}' is an old word", f"write {keyword.deprecated}")
        supported = keyword.supported
        if done and not supported:
            self._not_yet(node, keyword.name)
        inner = self._sections.get(keyword.block) if keyword.block else None
        first = seen.get(node.name)
        if (
            first is not None
            and not keyword.repeatable
            and not (inner is not None and inner.shape is Shape.LINES)
        ):
            self._note(
                node,
                WARNING,
                f"'{node.keyword}' is given again: {_which(keyword)} one counts",
                f"take one of them out; the first is {_place(first)}",
            )
        seen[node.name] = node
        fit = fit_keyword(keyword, node.args, self._sections)
        self._flaw(node, keyword, fit)
        self._arguments(node, keyword, fit, done and supported)
        if inner is not None:
            self._label(node)
            self.block(node, inner, done and supported)

    def _flaw(self, node: Node, keyword: Keyword, fit: Fit) -> None:
        if fit.flaw is None:
            return
        message, hint = fit.flaw.message, fit.flaw.hint
        if keyword.secret:
            message, hint = _without_secret(keyword, fit)
        elif fit.flaw.word is None:
            message = f"{keyword.name}: {message}"
        self._note(node, ERROR, message, hint, fit.flaw.word)

    def _arguments(self, node: Node, keyword: Keyword, fit: Fit, done: bool) -> None:
        """Names that must exist, choices and options that the agent does not do yet."""
        for args in (keyword.args, *keyword.forms):
            self._names_and_choices(node, args, fit, done)
        for option in fit.options:
            self._option(node, option, done)

    def _names_and_choices(self, node: Node, args: Tuple[Arg, ...], fit: Fit, done: bool) -> None:
        for arg in args:
            for word in fit.values.get(arg.name, ()):
                if arg.refers_to:
                    self._references.append(_Reference(node, word, arg.refers_to))
                if done and word in arg.not_yet:
                    self._not_yet(node, f"{node.keyword} {word}".strip(), word)

    def _option(self, node: Node, option: Option, done: bool) -> None:
        supported = option.keyword.supported or not done
        if not supported:
            self._not_yet(node, option.word, option.word)
        if option.keyword.deprecated:
            self._note(
                node,
                WARNING,
                f"'{option.word}' is an old word",
                f"write {option.keyword.deprecated}",
                option.word,
            )
        self._names_and_choices(node, option.keyword.args, option.fit, done and supported)
        for inner in option.fit.options:
            self._option(node, inner, done and supported)

    def _not_yet(self, node: Node, what: str, word: Optional[Word] = None) -> None:
        if self._unsupported:
            lenient = self._unsupported != ERROR
            hint = "it has no effect" if lenient else "take it out, or use --lenient to go on without it"
            self._note(node, self._unsupported, f"'{what}' is not supported yet", hint, word)

    def _line(self, node: Node, section: Section, done: bool) -> None:
        fit = fit_line(section, node.args, self._sections)
        if fit.flaw is not None:
            self._note(node, ERROR, fit.flaw.message, fit.flaw.hint, fit.flaw.word)
        self._names_and_choices(node, section.item, fit, done)
        given: Set[str] = set()
        for option in fit.options:
            name = option.keyword.alias_of or option.keyword.name
            if name in given and not option.keyword.repeatable:
                self._note(
                    node,
                    WARNING,
                    f"'{option.word}' is given again: this one counts",
                    "take one of them out",
                    option.word,
                )
            given.add(name)
            self._option(node, option, done)
        if fit.flaw is None:
            for severity, message, hint, word in check_line(section, fit, self._names):
                self._note(node, severity, message, hint, word)

    def _label(self, node: Node) -> None:
        if not node.args:
            return
        labels = self._labels.setdefault(node.name, {})
        first = labels.get(node.label)
        if first is not None and node.name in ONE_NAME_ONCE:
            self._note(
                node,
                ERROR,
                f"there is a {node.keyword} {node.label} already",
                f"the first is {_place(first)}; give this one another name",
                node.args[0],
            )
        labels.setdefault(node.label, node)

    def references(self) -> None:
        """Reports names of blocks that do not exist. Call it after all blocks are checked."""
        from ..match.lookup import nearest

        for node, word, section in self._references:
            known = self._labels.get(section, {})
            if word in known:
                continue
            near = nearest(word, list(known))
            hint = f"did you mean '{near}'?" if near else f"write a block '{section} {word} {{ ... }}'"
            self._note(node, ERROR, f"there is no {section} '{word}'", hint, word)


def _without_secret(keyword: Keyword, fit: Fit) -> Tuple[str, str]:
    """A secret never shows up in a message."""
    if fit.flaw is None:
        return "", ""
    limit = next((arg.max_length for arg in keyword.args if arg.max_length is not None), None)
    if fit.flaw.word is None:
        return f"{keyword.name}: {fit.flaw.message}", fit.flaw.hint
    if limit is not None and len(fit.flaw.word.encode("utf-8", "replace")) > limit:
        return (
            f"{keyword.name} is longer than {limit} bytes: keepalived cuts it to {limit}",
            f"write at most {limit} bytes",
        )
    return (
        f"{keyword.name} does not fit",
        f'write {" ".join(arg.name for arg in keyword.args)}; blanks need ""',
    )


def _which(keyword: Keyword) -> str:
    return "the first" if keyword.first_counts else "this"


def _place(node: Node) -> str:
    return f"at {node.path}" if node.path else f"on line {node.line}"


def prune(tree: Node, sections: Mapping[str, Section]) -> Tuple[Node, Tuple[str, ...]]:
    """The tree without the words that the agent does not do yet, and what they were (for --lenient)."""
    gone: List[str] = []
    children = tuple(_pruned(tree, sections["root"], sections, gone))
    return Node(tree.keyword, tree.args, children, tree.name, tree.file), tuple(dict.fromkeys(gone))


def _pruned(node: Node, section: Section, sections: Mapping[str, Section], gone: List[str]) -> Iterator[Node]:
    for child in node.children:
        if section.shape is Shape.LINES:
            fit = fit_line(section, child.args, sections)
            bad = [option.word for option in fit.options if not option.keyword.supported]
            if bad:
                gone.extend(str(word) for word in bad)
                child = _without_options(child, fit)
            yield child
            continue
        keyword = section.index.get(child.keyword)
        if keyword is None or not keyword.supported or _not_yet_choice(child, keyword, sections):
            gone.append(child.keyword)
            continue
        if keyword.block:
            inner = tuple(_pruned(child, sections[keyword.block], sections, gone))
            child = Node(
                child.keyword,
                child.args,
                inner,
                child.name,
                child.file,
                child.line,
                child.column,
                child.via,
                child.path,
            )
        yield child


def _not_yet_choice(node: Node, keyword: Keyword, sections: Mapping[str, Section]) -> bool:
    fit = fit_keyword(keyword, node.args, sections)
    return any(word in arg.not_yet for arg in keyword.args for word in fit.values.get(arg.name, ()))


def _without_options(node: Node, fit: Fit) -> Node:
    """The line without the options that are not supported, and their arguments."""
    words: List[Word] = []
    skipping = False
    starts = {id(option.word): option.keyword.supported for option in fit.options}
    for word in node.args:
        if id(word) in starts:
            skipping = not starts[id(word)]
        if not skipping:
            words.append(word)
    return Node(
        node.keyword, tuple(words), (), node.name, node.file, node.line, node.column, node.via, node.path
    )
