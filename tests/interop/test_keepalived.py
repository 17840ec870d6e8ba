# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent beside the keepalived of Debian 11, 12 and 13 in one group, each way round.

The agent runs in the root of the same Debian, so the Python of that release is proven as well.
``VRRP_INTEROP_AGENT=keepalived`` puts a second keepalived in its place, to tell a fault of the lab from
one of the agent.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import List, Tuple, Type

import pytest

from tests.lab import config
from tests.lab.engines import Agent, Engine, Keepalived
from tests.lab.lan import VIP4, VIP6, VIP6_LINK_LOCAL, Lan
from tests.lab.plugin import MakeLan, debian_root
from tests.lab.roots import RELEASES, Root
from tests.lab.shell import stays, wait_until

WATCH_ADVERTS = 3
GRACE_S = 8.0
"""For a program to start: a Python that meets the code for the first time compiles it."""
ROLES = ("agent-active", "keepalived-active")


@dataclass(frozen=True)
class Case:
    """One cell of the matrix."""

    version: int
    family: int
    unicast: bool
    lines: Tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        return f"v{self.version}-ipv{self.family}-{'unicast' if self.unicast else 'multicast'}{self.name}"

    @property
    def advert_int_s(self) -> float:
        """Version 2 knows whole seconds only."""
        return 1.0 if self.version == 2 else 0.2

    @property
    def addresses(self) -> Tuple[str, ...]:
        """The virtual addresses."""
        return (VIP4,) if self.family == 4 else (VIP6_LINK_LOCAL, VIP6)


CASES = [
    Case(version, family, unicast)
    for version, family in ((2, 4), (3, 4), (3, 6))
    for unicast in (False, True)
]
PASS = Case(2, 4, False, ("authentication {", "    auth_type PASS", "    auth_pass s3cret", "}"), "-pass")
HEADERS = [
    Case(2, 4, unicast, ("authentication {", "    auth_type AH", "    auth_pass s3cret", "}"), "-ah")
    for unicast in (False, True)
]
MESSAGE_ONLY = Case(3, 4, False, ("v3_checksum_as_v2",), "-checksum_as_v2")


class Pair:
    """Two engines in one group: ``first`` has the higher priority."""

    def __init__(self, lan: Lan, case: Case, root: Root, role: str) -> None:
        self.lan, self.case = lan, case
        agent: Type[Engine] = Keepalived if os.environ.get("VRRP_INTEROP_AGENT") == "keepalived" else Agent
        kinds: List[Type[Engine]] = [agent, Keepalived]
        if role == "keepalived-active":
            kinds.reverse()
        nodes = (lan.a, lan.b)
        self.engines: List[Engine] = []
        for kind, node, peer, priority in zip(kinds, nodes, nodes[::-1], (200, 100)):
            text = config.instance(
                version=case.version,
                family=case.family,
                priority=priority,
                advert_int=case.advert_int_s,
                unicast=(node, peer) if case.unicast else None,
                lines=case.lines,
            )
            self.engines.append(kind(node, config.file(node, text), root))
        self.first, self.second = self.engines

    def start(self) -> None:
        """Start both, the backup first."""
        self.second.start()
        self.first.start()

    def down_s(self, priority: int) -> float:
        """How long the backup of that priority waits for a silent active router."""
        return config.down_interval_s(priority, self.case.advert_int_s, self.case.version)

    def wait_for_holder(self, engine: Engine, timeout_s: float) -> None:
        """Wait until this engine, and nobody else, holds the addresses."""
        wait_until(
            f"{engine.kind} on {engine.node.name} to be the only holder of {self.case.addresses}",
            lambda: self.lan.holders(*self.case.addresses) == (engine.node.name,),
            timeout_s,
            0.05,
        )

    def watch(self, active: Engine, backup: Engine) -> None:
        """While some adverts pass, one engine speaks and holds the addresses, and the other is silent."""
        since_ns = time.time_ns()
        stays(
            f"{backup.kind} on {backup.node.name} holds nothing while {active.kind} is active",
            lambda: backup.node.holds_none(*self.case.addresses) and active.node.holds(*self.case.addresses),
            WATCH_ADVERTS * self.case.advert_int_s,
            0.05,
        )
        seen = self.lan.wire.wait_for_adverts(active.node.name, WATCH_ADVERTS - 1, since_ns=since_ns)
        assert self.lan.wire.senders(since_ns=since_ns) == (active.node.name,)
        peer = backup.node.unicast_address(self.case.family)
        group = "224.0.0.18" if self.case.family == 4 else "ff02::12"
        assert {one.advert.destination for one in seen} == {peer if self.case.unicast else group}
        assert {one.advert.addresses for one in seen} == {self.case.addresses}
        for engine, state in ((active, "active"), (backup, "backup")):
            if isinstance(engine, Agent) and engine.running:
                engine.wait_for_state(state)


def relay_race(pair: Pair) -> None:
    """The first becomes active, is stopped in order, comes back and preempts."""
    pair.start()
    pair.wait_for_holder(pair.first, pair.down_s(200) + GRACE_S)
    pair.watch(pair.first, pair.second)

    stopped_ns = pair.first.stop()
    pair.lan.wire.wait_for_adverts(pair.first.node.name, since_ns=stopped_ns, priority=0)
    pair.wait_for_holder(pair.second, config.skew_s(100, pair.case.advert_int_s, pair.case.version) + GRACE_S)
    pair.watch(pair.second, pair.first)

    pair.first.start()
    pair.wait_for_holder(pair.first, pair.down_s(200) + GRACE_S)
    pair.watch(pair.first, pair.second)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("debian", RELEASES)
def test_agent_and_keepalived_share_a_group(make_lan: MakeLan, debian: str, case: Case, role: str) -> None:
    relay_race(Pair(make_lan("a", "b"), case, debian_root(debian), role))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("debian", RELEASES)
def test_agent_and_keepalived_agree_on_a_password(make_lan: MakeLan, debian: str, role: str) -> None:
    pair = Pair(make_lan("a", "b"), PASS, debian_root(debian), role)
    relay_race(pair)
    seen = {(one.advert.auth_type, one.advert.auth_data) for one in pair.lan.wire.adverts()}
    assert seen == {(1, b"s3cret\0\0")}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("case", HEADERS, ids=str)
@pytest.mark.parametrize("debian", RELEASES)
def test_agent_and_keepalived_agree_on_authentication_headers(
    make_lan: MakeLan, debian: str, case: Case, role: str
) -> None:
    pair = Pair(make_lan("a", "b"), case, debian_root(debian), role)
    relay_race(pair)
    seen = {(one.advert.auth_type, one.advert.auth_data) for one in pair.lan.wire.adverts()}
    assert seen == {(2, bytes(8))}
    for engine in pair.engines:
        if isinstance(engine, Agent) and engine.running:
            assert engine.instance()["counters"]["discards"] == {}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("debian", ["trixie"])  # the word came with keepalived 2.3
def test_agent_and_keepalived_agree_on_the_checksum_without_pseudo_header(
    make_lan: MakeLan, debian: str, role: str
) -> None:
    pair = Pair(make_lan("a", "b"), MESSAGE_ONLY, debian_root(debian), role)
    relay_race(pair)
    assert {one.advert.checksum_form for one in pair.lan.wire.adverts()} == {"message"}
