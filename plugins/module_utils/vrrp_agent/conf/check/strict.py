# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words that do not go together with strict_mode or vrrp_strict, and what timer_expired_backup needs.

keepalived resets such words and goes on; so does the agent (``values/strict.py``), and says so here. It
refuses a strict instance without an address, and so does this check. What it does to authentication is
said by ``security.py``, to virtual MACs by ``links.py``.
"""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional

from ..match.judge import TRUE_WORDS
from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.defaults import Defaults, nanoseconds
from ..values.instance import family_of
from ..values.strict import DOWN_TIMER_ADVERTS, OWNER


class _Router(NamedTuple):
    """One instance, and what global_defs says in the end."""

    node: Node
    final: Defaults

    def text(self, name: str) -> str:
        """The first argument of a word."""
        child = self.node.last(name)
        return str(child.args[0]) if child is not None and child.args else ""

    def flag(self, name: str) -> Optional[bool]:
        """A BOOL word; None where it does not stand."""
        child = self.node.last(name)
        return None if child is None else not child.args or child.args[0] in TRUE_WORDS

    @property
    def strict(self) -> bool:
        own = self.flag("strict_mode")
        return self.final.flag("vrrp_strict") if own is None else own

    @property
    def owner(self) -> bool:
        priority = self.text("priority")
        return priority == str(OWNER) if priority else self.text("state") == "MASTER"

    @property
    def version(self) -> str:
        if family_of(self.node) == 6:
            return "3"
        return self.text("version") or self.final.text("vrrp_version", "2")

    def at(self, name: str) -> Node:
        return self.node.last(name) or self.node

    def reset(self, name: str, what: str, hint: str = "take it out") -> Problem:
        """A word that has no effect because of strict mode."""
        return self.at(name).problem(WARNING, f"{self.node.label}: strict mode {what}", hint)


def check_strict(tree: Node) -> List[Problem]:
    """Findings about all instances."""
    final = Defaults()
    for node in tree.all("global_defs"):
        for child in node.children:
            final.words[child.name] = tuple(str(word) for word in child.args)
    problems: List[Problem] = []
    for node in tree.all("vrrp_instance"):
        router = _Router(node, final)
        problems.extend(_timer_expired(router))
        if router.strict:
            problems.extend(_role(router))
            problems.extend(_unicast(router))
            problems.extend(_adverts(router))
            problems.extend(_addresses(router))
    return problems


def _timer_expired(router: _Router) -> Iterator[Problem]:
    if router.node.last("timer_expired_backup") is None:
        return
    preempts = router.node.last("nopreempt") is None or router.owner
    if preempts or (router.text("state") == "MASTER" and not router.strict):
        yield router.at("timer_expired_backup").problem(
            WARNING,
            f"{router.node.label}: timer_expired_backup has no effect on a router that preempts",
            "write 'nopreempt', with 'state BACKUP' and a priority below 255",
        )


def _role(router: _Router) -> Iterator[Problem]:
    state = router.text("state")
    if state and (state == "MASTER") != router.owner:
        fix = "write 'state MASTER'" if router.owner else "write 'state BACKUP', or priority 255"
        yield router.reset("state", f"wants state MASTER with priority 255 only: {state} is ignored", fix)
    delay = router.text("preempt_delay")
    if delay and _seconds(delay):
        yield router.reset("preempt_delay", "knows no preempt_delay: it is ignored")
    adverts = router.text("down_timer_adverts") or router.final.text("vrrp_down_timer_adverts")
    if adverts and adverts != str(DOWN_TIMER_ADVERTS):
        yield router.reset(
            "down_timer_adverts", f"waits for {DOWN_TIMER_ADVERTS} adverts: {adverts} is ignored"
        )
    if router.owner and router.flag("owner_ignore_adverts") is False:
        yield router.reset("owner_ignore_adverts", "makes an owner ignore adverts: off is ignored")


def _unicast(router: _Router) -> Iterator[Problem]:
    if any(router.node.lines("unicast_peer")):
        yield router.reset(
            "unicast_peer",
            "refuses unicast on an interface that can do multicast: the instance will be in FAULT there",
            "take unicast_peer out, or write 'strict_mode off'",
        )


def _adverts(router: _Router) -> Iterator[Problem]:
    for name in ("garp_lower_prio_repeat", "garp_lower_prio_delay"):
        text = router.text(name)
        if text and _seconds(text):
            yield router.reset(name, f"does not announce after a lower priority: {name} is ignored")
    if router.flag("lower_prio_no_advert") is False:
        yield router.reset("lower_prio_no_advert", "does not answer a lower priority: off is ignored")
    if router.flag("higher_prio_send_advert"):
        yield router.reset("higher_prio_send_advert", "gives way without a word: this is ignored")


def _addresses(router: _Router) -> Iterator[Problem]:
    if not any(router.node.lines("virtual_ipaddress")):
        yield router.node.problem(
            ERROR, f"{router.node.label}: strict mode needs a virtual address", "write virtual_ipaddress"
        )
    if router.node.last("no_virtual_ipaddress") is not None:
        yield router.reset("no_virtual_ipaddress", "needs a virtual address: this word is ignored")
    told = [child.name for child in router.node.children if child.name in ("accept", "no_accept")]
    if told[-1:] == ["accept"] and router.version == "2" and not router.owner:
        yield router.reset("accept", "of version 2 does not accept packets to addresses of others")


def _seconds(text: str) -> int:
    try:
        return nanoseconds(text)
    except ValueError:
        return 0  # another check says what is wrong with it
