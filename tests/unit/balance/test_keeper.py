# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a kernel that refuses, forgets, and is changed by others."""

from __future__ import annotations

from typing import Dict, Tuple

import pytest
from vrrp_agent.balance.backend import (
    DestinationKey,
    DestinationWords,
    Placed,
    ServiceKey,
    ServiceWords,
    Table,
)
from vrrp_agent.balance.keeper import TableKeeper, refused_of
from vrrp_agent.conf.parts.balancing import Forwarding
from vrrp_agent.loop.log import Log

from tests.unit.balance.farm import MemoryBackend, copied


class Lines(Log):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def write(self, level: int, text: str) -> None:
        self.lines.append(text)


WEB, TLS, MARK = (
    ServiceKey(4, 6, b"\xc6\x33\x64\x0a", 80, 0),
    ServiceKey(4, 6, b"\xc6\x33\x64\x0a", 443, 0),
    ServiceKey(4, 0, b"", 0, 7),
)


def server(number: int) -> DestinationKey:
    return DestinationKey(bytes([198, 18, 0, number]), 80)


def table(**weights: Dict[int, int]) -> Table:
    keys = {"web": WEB, "tls": TLS, "mark": MARK}
    return {
        keys[name]: Placed(
            ServiceWords("rr"),
            {server(number): DestinationWords(weight, Forwarding()) for number, weight in servers.items()},
        )
        for name, servers in weights.items()
    }


def keeper(name: str = "ipvs") -> Tuple[TableKeeper, MemoryBackend, Lines]:
    backend, log = MemoryBackend(name), Lines()
    return TableKeeper(backend, log), backend, log


def test_the_table_becomes_what_is_wanted_and_only_there() -> None:
    one, backend, _log = keeper()
    one.reach(table(web={1: 1, 2: 1}, tls={1: 1}), [WEB, TLS])
    before = len(backend.changes)
    one.reach(table(web={2: 3}), [WEB])
    assert backend.table == one.believed == table(web={2: 3}, tls={1: 1})
    assert {change.service for change in backend.changes[before:]} == {WEB}


def test_what_a_predecessor_left_is_adopted_and_strangers_are_left_alone() -> None:
    one, backend, _log = keeper()
    backend.table = table(web={1: 1}, mark={9: 1})
    assert one.adopt([WEB, TLS]) == 1
    one.reach(table(web={1: 1, 2: 1}), [WEB, TLS])
    assert [(change.what, change.destination) for change in backend.changes] == [("add", server(2))]
    one.clear()
    assert backend.table == table(mark={9: 1})


def test_in_a_table_of_our_own_nothing_is_a_stranger() -> None:
    one, backend, _log = keeper("nftables")
    backend.table = table(web={1: 1}, mark={9: 1})
    one.adopt([WEB])
    one.look(table(web={1: 1}))
    assert backend.table == table(web={1: 1})


def test_a_refused_step_is_said_once_shown_and_tried_again() -> None:
    one, backend, log = keeper()
    backend.refused[(WEB, server(2))] = "invalid argument"
    wanted = table(web={1: 1, 2: 1})
    one.reach(wanted, [WEB])
    assert backend.table == table(web={1: 1})
    assert refused_of(one, [WEB]) == ["add [198.18.0.2]:80 to [198.51.100.10]:tcp:80: invalid argument"]
    assert refused_of(one, [TLS]) == refused_of(None, [WEB]) == []
    one.look(wanted)
    one.look(wanted)
    assert len([line for line in log.lines if "refuses" in line]) == 1
    del backend.refused[(WEB, server(2))]
    one.look(wanted)
    assert backend.table == wanted
    assert refused_of(one, [WEB]) == []


def test_a_refused_service_comes_with_its_servers_when_the_kernel_takes_it() -> None:
    one, backend, _log = keeper()
    backend.refused[(WEB, None)] = "no such scheduler"
    wanted = table(web={1: 1}, tls={1: 1})
    one.reach(wanted, [WEB, TLS])
    assert backend.table == one.believed == table(tls={1: 1})
    backend.refused.clear()
    one.look(wanted)
    assert backend.table == wanted
    assert one.refused == {}


def test_a_refused_step_that_nobody_wants_any_more_is_forgotten() -> None:
    one, backend, _log = keeper()
    backend.refused[(WEB, server(2))] = "invalid argument"
    one.reach(table(web={1: 1, 2: 1}), [WEB])
    one.reach(table(web={1: 1}), [WEB])
    assert one.refused == {}


@pytest.mark.parametrize("left", [{}, {"web": {1: 1}}, {"web": {1: 9, 2: 1, 3: 1}}])
def test_what_somebody_else_changes_is_put_back(left: Dict[str, Dict[int, int]]) -> None:
    one, backend, log = keeper()
    wanted = table(web={1: 1, 2: 1})
    one.reach(wanted, [WEB])
    backend.table = table(**left)
    one.look(wanted)
    assert backend.table == wanted
    assert [line for line in log.lines if "somebody else" in line]
    said = len(log.lines)
    one.look(wanted)
    assert len(log.lines) == said


def test_a_table_that_is_as_it_should_be_is_read_and_not_written() -> None:
    one, backend, log = keeper()
    wanted = table(web={1: 1})
    one.reach(wanted, [WEB])
    before = list(backend.changes)
    one.look(copied(wanted))
    assert backend.changes == before
    assert log.lines == []


def test_a_kernel_that_forgets_a_step_is_not_asked_for_ever() -> None:
    one, backend, log = keeper()
    backend.forgets.add((WEB, server(2)))
    wanted = table(web={1: 1, 2: 1})
    one.reach(wanted, [WEB])
    one.look(wanted)
    before, said = len(backend.changes), len(log.lines)
    one.look(wanted)
    one.look(wanted)
    assert (len(backend.changes), len(log.lines)) == (before, said)
    assert "does not keep it" in log.lines[-1]
