# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From YAML words and raw text to a checked keepalived.conf: all that modules ask of the language.

Private to the collection. Pure but for ``include`` in raw text, which is read where this runs.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..vrrp_agent.conf.agreement import distrust
from ..vrrp_agent.conf.check.foreign import check_for_keepalived
from ..vrrp_agent.conf.check.whole import check, prune
from ..vrrp_agent.conf.grammar.index import SECTIONS
from ..vrrp_agent.conf.masking import MASK
from ..vrrp_agent.conf.model import Config, Instance
from ..vrrp_agent.conf.problem import ERROR, has_errors, in_order
from ..vrrp_agent.conf.problem import Problem as LanguageProblem
from ..vrrp_agent.conf.text.parse import parse_file
from ..vrrp_agent.conf.text.preprocess import Options
from ..vrrp_agent.conf.text.render import render
from ..vrrp_agent.conf.text.source import FILE, FileReader
from ..vrrp_agent.conf.tree import Node
from ..vrrp_agent.conf.values.names import Names
from ..vrrp_agent.conf.values.whole import build
from ..vrrp_agent.conf.yaml.form import from_yaml
from . import secrets
from .engines import AGENT
from .host import HostError

RAW = "raw"
"""What the raw text is called in messages, instead of a file name."""
RAW_HEADING = "\n# From here on as it was given in raw text.\n"
UNKNOWN_NAME = 250
HEADING = (
    "# Written by the Ansible collection linuxha.vrrp; a change made here is lost with its next run.\n\n"
)


@dataclass(frozen=True)
class Problem:
    """Something wrong with a configuration, in the words of who wrote it."""

    severity: str
    message: str
    hint: str = ""
    path: str = ""
    """Where in the YAML data, such as ``vrrp_instance.WEB.priority``."""
    raw_line: int = 0
    """The line of the raw text, from 1."""

    @property
    def place(self) -> str:
        """``config.vrrp_instance.WEB.priority`` or ``raw line 3``."""
        return (
            f"{RAW} line {self.raw_line}" if self.raw_line else ".".join(filter(None, ("config", self.path)))
        )


@dataclass(frozen=True)
class Composition:
    """A keepalived.conf that is not yet a file."""

    text: str = ""
    problems: Tuple[Problem, ...] = ()
    meaning: Optional[Config] = None
    """None when there is an error."""
    instances: Tuple[str, ...] = ()
    addresses: Tuple[str, ...] = ()
    """Every virtual address, without its prefix."""

    @property
    def errors(self) -> List[Problem]:
        """The problems that forbid its use."""
        return [problem for problem in self.problems if problem.severity == ERROR]


EMPTY = Composition()


class _Text(FileReader):
    """A file reader with one more file: the raw text."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._data = text.encode("utf-8", "surrogateescape")

    def kind(self, path: str) -> str:
        """See Reader."""
        return FILE if path == self._name else super().kind(path)

    def is_executable(self, path: str) -> bool:
        """See Reader."""
        return path != self._name and super().is_executable(path)

    def read(self, path: str, limit: int) -> bytes:
        """See Reader."""
        return self._data[:limit] if path == self._name else super().read(path, limit)


class _TextElsewhere(_Text):
    """The same where the host's files are not at hand: whatever the text includes counts as empty."""

    def kind(self, path: str) -> str:
        """See Reader."""
        return FILE

    def is_executable(self, path: str) -> bool:
        """See Reader."""
        return False

    def read(self, path: str, limit: int) -> bytes:
        """See Reader."""
        return super().read(path, limit) if path == self._name else b""

    def glob(self, pattern: str) -> List[str]:
        """See Reader."""
        return []


class _NamesElsewhere(Names):
    """Routing tables and the like have names that only the host knows: any will do."""

    def number(self, kind: str, text: str) -> Optional[int]:
        """See Names."""
        known = super().number(kind, text)
        return UNKNOWN_NAME if known is None else known


def compose(
    config: Mapping[str, Any], raw: str, engine: str, config_id: str, elsewhere: bool = False
) -> Composition:
    """Check a configuration and write it down. Never raises for what a user wrote: see ``errors``.

    ``config_id`` is what ``@ID`` lines of the raw text are compared with: the host name to the first dot.
    With ``elsewhere`` this is not the host: what only its files can tell is taken to be right.
    """
    tree, found = from_yaml(config, SECTIONS)
    problems: List[LanguageProblem] = list(found)
    reader = _TextElsewhere(RAW, raw) if elsewhere else _Text(RAW, raw)
    names = _NamesElsewhere(FileReader()) if elsewhere else Names(reader)
    children = tree.children
    if raw.strip():
        parsed = parse_file(RAW, reader, Options(config_id=config_id), SECTIONS)
        problems.extend(parsed.problems)
        children += parsed.tree.children
    whole = Node("", children=children)
    spoiled = {problem.path for problem in found}
    problems.extend(
        problem
        for problem in check(whole, SECTIONS, names, ERROR if engine == AGENT else "")
        if not problem.path or problem.path not in spoiled  # what follows from a problem is no news
    )
    if engine != AGENT:
        problems.extend(check_for_keepalived(whole, SECTIONS))
    meaning = None
    if not has_errors(problems):
        kept, ignored = prune(whole, SECTIONS)
        meaning = build(kept, SECTIONS, names, ignored)
    text = HEADING + render(tree, SECTIONS)
    if raw.strip():
        text += RAW_HEADING + raw.rstrip("\n") + "\n"
    hidden = [secret for secret in secrets.words_of(text) if len(secret) > 2]
    declared = _declared(whole)
    return Composition(
        text,
        tuple(_told(problem, hidden) for problem in in_order(problems)),
        meaning,
        tuple(name for name, _addresses in declared),
        _addresses_of(declared),
    )


def _told(problem: LanguageProblem, hidden: Sequence[str]) -> Problem:
    message, hint = problem.message, problem.hint
    for secret in hidden:
        message, hint = message.replace(secret, MASK), hint.replace(secret, MASK)
    hint = hint.replace("use --lenient to go on without it", "let keepalived run it (engine: keepalived)")
    return Problem(problem.severity, message, hint, problem.path, 0 if problem.path else problem.line)


def report(composed: Composition) -> Dict[str, Any]:
    """The problems as a module returns them: what is only doubtful as warnings.

    Raises HostError when there are errors.
    """
    told = [
        {"path": one.place, "severity": one.severity, "message": one.message, "hint": one.hint}
        for one in composed.problems
    ]
    if composed.errors:
        texts = [
            "{}: {}{}".format(one.place, one.message, f" ({one.hint})" if one.hint else "")
            for one in composed.errors
        ]
        raise HostError(
            "the configuration has errors, and nothing was changed: " + "; ".join(texts), problems=told
        )
    result: Dict[str, Any] = {}
    if told:
        result["problems"] = told
        result["warnings"] = ["{}: {}".format(one["path"], one["message"]) for one in told]
    return result


def instances_in(text: str) -> Tuple[Tuple[str, Tuple[str, ...]], ...]:
    """The instances of a keepalived.conf and their virtual addresses, as far as it can be read."""
    return (
        _declared(parse_file(RAW, _Text(RAW, text), Options(lenient=True), SECTIONS).tree)
        if text.strip()
        else ()
    )


def addresses_in(text: str) -> Tuple[str, ...]:
    """Every virtual address of a keepalived.conf, without its prefix."""
    return _addresses_of(instances_in(text))


def estranged(before: str, after: Optional[Config]) -> List[str]:
    """Which changes keep a host with the new file and one with the old file from hearing each other.

    ``before`` is the text of the old file. Between the first host of a run and the last, two would be active.
    """
    if not before.strip() or after is None:
        return []
    reader = _Text(RAW, before)
    tree, _ignored = prune(parse_file(RAW, reader, Options(lenient=True), SECTIONS).tree, SECTIONS)
    if has_errors(check(tree, SECTIONS, Names(reader), "")):
        return []
    old = {one.name: one for one in build(tree, SECTIONS, Names(reader)).instances}
    told = []
    for new in after.instances:
        was = old.get(new.name)
        changed = [what for what, read in HEARING if was is not None and read(was) != read(new)]
        if was is not None and (distrust(was, new) or distrust(new, was)):
            signed = was.auth_hmac is not None or new.auth_hmac is not None
            changed.append("auth_hmac" if signed else "the password")
        if changed:
            told.append(
                f"{new.name}: {' and '.join(changed)} changes. Hosts with the old file and with the new one "
                "do not hear each other: until the last host has it, two are active"
            )
    return told


HEARING: Tuple[Tuple[str, Callable[[Instance], object]], ...] = (
    ("virtual_router_id", lambda one: one.vrid),
    ("version", lambda one: one.version),
    ("advert_int", lambda one: one.advert_int_ns if one.version == 2 else 0),
    ("multicast or unicast", lambda one: one.unicast),
    ("the multicast group", lambda one: b"" if one.unicast else one.multicast_group),
)

Declared = Tuple[Tuple[str, Tuple[str, ...]], ...]


def _addresses_of(declared: Declared) -> Tuple[str, ...]:
    return tuple(dict.fromkeys(address for _name, mine in declared for address in mine))


def _declared(tree: Node) -> Declared:
    return tuple(
        (
            instance.label,
            tuple(
                address
                for block in ("virtual_ipaddress", "virtual_ipaddress_excluded")
                for line in instance.lines(block)
                for address in [_plain(line)]
                if address
            ),
        )
        for instance in tree.all("vrrp_instance")
    )


def _plain(line: Node) -> str:
    for word in line.args:
        try:
            return str(ipaddress.ip_interface(str(word)).ip)
        except ValueError:
            continue
    return ""
