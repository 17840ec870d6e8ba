# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words of virtual_server and real_server, each alone: what the grammar table cannot say of them."""

from __future__ import annotations

from typing import Iterator, Optional

from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.block import text
from .checker_words import check_checker
from .commands import check_commands

_COMMANDS = ("quorum_up", "quorum_down", "notify_up", "notify_down", "misc_path")
_ENGINE_LENGTH = 15
_ENGINE = "sip"
_HASHING = {"sh-port": "sh", "sh-fallback": "sh", "mh-port": "mh", "mh-fallback": "mh"}


def check_block(service: Node) -> Iterator[Problem]:
    """Findings about one virtual_server and what stands in it."""
    yield from check_commands(service, _COMMANDS)
    yield from _scheduler(service)
    yield from _engine(service)
    if service.last("sorry_server") is None:
        for name in ("sorry_server_inhibit", "sorry_server_lvs_method"):
            found = service.last(name)
            if found is not None:
                yield found.problem(WARNING, f"{name} does nothing without sorry_server", "take it out")
    hashed = service.last("hashed")
    if hashed is not None:
        yield hashed.problem(
            WARNING, "'hashed' does nothing: the kernel sets that flag itself", "take it out"
        )
    if not any(service.all("real_server")):
        message = f"{title(service)} has no real_server"
        hint = "write 'real_server ADDRESS PORT { ... }' in it; a sorry_server alone is not enough"
        yield service.missing("real_server", message, hint)
    for server in service.all("real_server"):
        yield from check_commands(server, _COMMANDS)
        for checker in server.children:
            yield from check_commands(checker, _COMMANDS)
            yield from check_checker(checker)


def title(node: Node) -> str:
    """A block as one would name it."""
    return " ".join((node.keyword, *node.args))


def _scheduler(service: Node) -> Iterator[Problem]:
    scheduler = text(service, "lb_algo") or "wlc"
    for node in service.children:
        owner = _HASHING.get(node.name)
        if owner is not None and owner != scheduler:
            message = f"'{node.keyword}' belongs to the scheduler {owner}, and lb_algo is {scheduler}"
            other = node.name.replace(owner, scheduler, 1)
            hint = f"write {other}" if other in _HASHING else f"write lb_algo {owner}, or take it out"
            yield node.problem(ERROR, message, hint)


def _engine(service: Node) -> Iterator[Problem]:
    node = service.last("persistence_engine")
    name: Optional[str] = text(service, "persistence_engine")
    if node is None or name is None:
        return
    if len(name.encode("utf-8", "replace")) > _ENGINE_LENGTH:
        message = f"'{name}' is longer than {_ENGINE_LENGTH} bytes, the limit of the kernel"
        yield node.problem(ERROR, message, f"write {_ENGINE}", node.args[0])
    elif name != _ENGINE:
        message = f"no kernel of today has the persistence engine '{name}'"
        yield node.problem(WARNING, message, f"write {_ENGINE}", node.args[0])
    if service.last("persistence_timeout") is None and service.last("persistence_granularity") is None:
        message = "persistence_engine does nothing without persistence_timeout"
        yield node.problem(WARNING, message, "write persistence_timeout too, or take it out")
