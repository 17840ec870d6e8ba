# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One virtual server: which real servers are used, at which weight, and is the service up. Pure.

Events come in with the wall time, actions go out; nothing here knows a clock, a socket or a log. Rules:
keepalived/check/ipwrapper.c and check_api.c, held in docs/load-balancing.md.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from ..conf.parts.balancing import RealServer, VirtualServer
from ..loop.events import CHECKED, DOWN, SERVER, SERVICE, UP
from ..loop.results import CheckKey, CheckResult
from . import words
from .actions import Action, Entry, Known, Note, Pool, ServerKey, SetPool, Tell
from .quorum import Quorum, is_up, quorum_of
from .server import Finding, ServerState, begin, carry_over

_WORDS = {True: UP, False: DOWN}


class Decision:
    """The state of one virtual server. Each event gives the actions that follow from it, in their order."""

    def __init__(
        self,
        service: VirtualServer,
        results: Mapping[CheckKey, CheckResult],
        now_s: float,
        init_notifies: bool,
    ) -> None:
        """``results``: what checks have found so far. ``init_notifies``: rs_init_notifies."""
        self.service = service
        self.quorum: Quorum = quorum_of(service)
        self.init_notifies = init_notifies
        self.servers: Dict[ServerKey, ServerState] = {
            server.key: begin(service.key, server, results, now_s) for server in service.servers
        }
        self.up = False
        self.since_s = now_s
        self.reason = ""
        self._pool: Pool = {}

    @property
    def weight(self) -> int:
        """That of all servers that are up."""
        return sum(state.weight for state in self.servers.values() if state.up)

    @property
    def servers_up(self) -> int:
        """How many servers are up."""
        return sum(state.up for state in self.servers.values())

    @property
    def sorry(self) -> bool:
        """True while the sorry server takes the place of all others."""
        return self.service.sorry_server is not None and not self.up

    @property
    def pool(self) -> Pool:
        """What the kernel is to know now."""
        pool: Pool = {}
        for key, state in self.servers.items():
            if state.up and not self.sorry:
                pool[key] = Entry(state.config, state.weight)
            elif state.config.inhibit:
                pool[key] = Entry(state.config, 0)
        sorry = self.service.sorry_server
        if sorry is not None and self.sorry:
            pool[sorry.key] = Entry(sorry, sorry.weight)
        elif sorry is not None and sorry.inhibit:
            pool.setdefault(sorry.key, Entry(sorry, 0))
        return pool

    @property
    def known(self) -> Known:
        """For a successor of this process."""
        return Known(self.up, {key: state.up for key, state in self.servers.items()})

    # Events.

    def begin(self, now_s: float, known: Optional[Known] = None) -> Tuple[Action, ...]:
        """The service is new here. ``known`` has been told of already, so that only what differs is told."""
        told: List[Action] = []
        if known is not None:
            self.up = known.up
            for key, state in self.servers.items():
                state.told = known.servers.get(key)
                if state.told is not None and state.told is not state.up:
                    told.append(self._tell_server(state, "found by its checks meanwhile", ""))
        elif self.init_notifies:
            told += self._first_words(self.servers.values())
        told += self._settle(now_s, "the service begins", first=True, fresh=known is None)
        return (*self._pool_news(), *told)

    def take(self, result: CheckResult, now_s: float) -> Tuple[Action, ...]:
        """A check has run. One of a server or check that is not here changes nothing."""
        finding = self._finding(result.key)
        if finding is None:
            return ()
        state = self.servers[result.key.server]
        unknown, was_bad, weight = finding.good is None, finding.bad, state.weight
        finding.take(result)
        told: List[Action] = []
        text = "" if result.good is None else words.of_check(finding.check.kind, result.good)
        if state.good is not state.up:
            told.append(self._turn(state, now_s, finding.reason, text))
        elif finding.bad is not was_bad:
            told.append(self._tell(state, CHECKED, _WORDS[state.up], finding.reason, text))
        elif unknown and finding.good is False and state.told is None:
            told.append(self._tell_server(state, finding.reason, "", previous=""))  # alpha: not come up
        if not state.up:
            state.reason = state.why()
        if state.weight != weight:
            told.insert(0, Note(f"{self._full_name(state.config)}: weight {weight} -> {state.weight}"))
        told += self._settle(now_s, finding.reason)
        return (*self._pool_news(), *told)

    def change(
        self,
        service: VirtualServer,
        results: Mapping[CheckKey, CheckResult],
        now_s: float,
        init_notifies: bool = False,
    ) -> Tuple[Action, ...]:
        """A reload has kept the service: servers and checks that are the same keep their states."""
        told: List[Action] = []
        self.init_notifies = init_notifies
        wanted = {server.key: server for server in service.servers}
        for key in [key for key in self.servers if key not in wanted]:
            state = self.servers.pop(key)
            if state.up:
                state.up = False
                told.append(self._tell_server(state, "removed from the configuration", words.REMOVING))
        self.service, self.quorum = service, quorum_of(service)
        kept, self.servers = self.servers, {}
        fresh: List[ServerState] = []
        for key, server in wanted.items():
            if key in kept:
                self.servers[key] = kept[key]
                carry_over(kept[key], service.key, server, results)
            else:
                self.servers[key] = begin(service.key, server, results, now_s)
                fresh.append(self.servers[key])
        for state in self.servers.values():
            if state.good is not state.up:
                told.append(self._turn(state, now_s, state.why() or "its checks have changed", ""))
        if init_notifies:
            told += self._first_words(fresh)
        told += self._settle(now_s, "the configuration has changed", first=True)
        return (*self._pool_news(), *told)

    def end(self) -> Tuple[Action, ...]:
        """A reload has removed the service."""
        told = self._all_down("removed from the configuration", words.REMOVING)
        if self.up:
            self.up = False
            threshold = self.quorum.lost_below
            text = words.of_quorum(False, *self.quorum, threshold, 0, False)
            told.append(self._tell_service("removed from the configuration", text))
        self._pool = {}
        return (SetPool({}), *told)

    def stop(self, with_servers: bool) -> Tuple[Action, ...]:
        """The agent ends. Only ``omega`` lets scripts, pipes and mails know; SNMP always hears of it.

        ``with_servers`` is False with lvs_flush_on_stop: then keepalived says nothing of servers.
        """
        quiet = not self.service.omega
        told: List[Action] = []
        if with_servers:
            told = self._all_down("the agent stops", words.SHUTTING_DOWN, stopping=True, quiet=quiet)
        self.up = False
        tell = self._tell_service("the agent stops", words.SHUTTING_DOWN)
        told.append(tell._replace(stopping=True, quiet=quiet))
        self._pool = {}
        return (SetPool({}), *told)

    # Parts.

    def _finding(self, key: CheckKey) -> Optional[Finding]:
        state = self.servers.get(key.server)
        if state is None or key.service != self.service.key or not 0 <= key.number < len(state.findings):
            return None
        return state.findings[key.number]

    def _turn(self, state: ServerState, now_s: float, reason: str, text: str) -> Tell:
        state.up, state.since_s, state.reason = state.good, now_s, reason
        return self._tell_server(state, reason, text)

    def _first_words(self, states: Iterable[ServerState]) -> List[Action]:
        """rs_init_notifies: a server that begins as up is told of; one that does not is told of later."""
        return [self._tell_server(state, "begins as up", "", previous="") for state in states if state.up]

    def _settle(self, now_s: float, reason: str, first: bool = False, fresh: bool = False) -> List[Action]:
        """Is the service up now? ``fresh``: nothing has been told of it yet."""
        weight = self.weight
        up = is_up(self.up, weight, self.quorum)
        if up is self.up and not (fresh and self.sorry):
            return []
        threshold = self.quorum.lost_below if self.up and not up else self.quorum.gained_at
        text = words.of_quorum(up, *self.quorum, threshold, weight, first)
        sign = ">=" if up else "<"
        self.up, self.since_s = up, now_s
        self.reason = f"weight {weight} {sign} {max(threshold, 1)} ({reason})"
        return [self._tell_service(self.reason, text, first=fresh)]

    def _pool_news(self) -> Tuple[Action, ...]:
        pool = self.pool
        if pool == self._pool:
            return ()
        self._pool = pool
        return (SetPool(pool),)

    def _all_down(self, reason: str, text: str, stopping: bool = False, quiet: bool = False) -> List[Action]:
        told: List[Action] = []
        for state in self.servers.values():
            if state.up:
                state.up = False
                tell = self._tell_server(state, reason, text)
                told.append(tell._replace(stopping=stopping, quiet=quiet))
        return told

    def _tell_server(
        self, state: ServerState, reason: str, text: str, previous: Optional[str] = None
    ) -> Tell:
        """``previous`` is the other state unless another one is given."""
        state.told = state.up
        before = _WORDS[not state.up] if previous is None else previous
        return self._tell(state, _WORDS[state.up], before, reason, text)

    def _tell_service(self, reason: str, text: str, first: bool = False) -> Tell:
        previous = "" if first else _WORDS[not self.up]
        count = self.servers_up
        return Tell(SERVICE, self.service.name, _WORDS[self.up], previous, reason, text, count)

    def _tell(self, state: ServerState, event: str, previous: str, reason: str, text: str) -> Tell:
        return Tell(SERVER, self._full_name(state.config), event, previous, reason, text, self.servers_up)

    def _full_name(self, server: RealServer) -> str:
        """As pipes name it: the server, then its service."""
        return f"{server.name} {self.service.name}"
