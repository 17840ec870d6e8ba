# SPDX-License-Identifier: GPL-3.0-or-later
"""KEEPALIVED-MIB: virtual and real servers, their counters, and what managers are told of them."""

from __future__ import annotations

from typing import Any, Dict, Optional

import pytest
from vrrp_agent.conf.model import Command, Config, GlobalSettings
from vrrp_agent.conf.parts.balancing import (
    DIRECT,
    TCP,
    TUNNEL,
    UDP,
    Balancing,
    Forwarding,
    Member,
    Persistence,
    RealServer,
    SyncDaemon,
    Timeouts,
    VirtualServer,
)
from vrrp_agent.conf.parts.checks import Connection, HttpCheck, TcpCheck, Timing, Url
from vrrp_agent.snmp import keepalived_services
from vrrp_agent.snmp.facts import ServerChanged
from vrrp_agent.snmp.keepalived_names import CHECK, ROOT
from vrrp_agent.snmp.picture import Picture
from vrrp_agent.snmp.values import Oid, Value, gauge, integer, octets, text

from tests.unit.snmp.pictures import column, packed, row, walk

SECOND_NS = 1_000_000_000
VS = "[198.51.100.10]:tcp:80"
TIMING = Timing(6 * SECOND_NS, 2_500_000_000, 3, 1_500_000_000)
RUN = Command(("/run", "it"))


def server(number: int, **words: Any) -> RealServer:
    address = packed(f"198.18.0.{number}")
    check = TcpCheck(TIMING, Connection(address, 80, 4 * SECOND_NS))
    return RealServer(address, 80, f"[198.18.0.{number}]:tcp:80", **{"checks": (check,), **words})


def service(*servers: RealServer, **words: Any) -> VirtualServer:
    usual: Dict[str, Any] = {
        "name": VS,
        "family": 4,
        "protocol": TCP,
        "members": (Member(4, packed("198.51.100.10"), port=80),),
        "servers": servers or (server(1), server(2)),
    }
    return VirtualServer(**{**usual, **words})


def status(one: VirtualServer, state: str = "up", **servers: Any) -> Dict[str, Any]:
    """As the agent tells it: every server up and checked, with what ``servers`` says by its place."""
    found = []
    for number, real in enumerate(one.servers, 1):
        checks = [{"kind": check.kind, "state": "good"} for check in real.checks]
        usual = {"name": real.name, "state": "up", "weight": real.weight, "connections": {}, "checks": checks}
        found.append({**usual, **servers.get(f"s{number}", {})})
    return {"name": one.name, "family": one.family, "state": state, "servers": found, "connections": {}}


def picture(*services: VirtualServer, known: Optional[Dict[str, Any]] = None, **balancing: Any) -> Picture:
    settings = GlobalSettings(router_id="r1", balancing=Balancing(snmp=True, **balancing))
    found = [known if known is not None else status(one) for one in services]
    statuses = {(one["name"], one["family"]): one for one in found}
    return Picture(Config(settings=settings, services=services), "0.0", "host", {}, services=statuses)


def shown(*services: VirtualServer, **words: Any) -> Dict[Oid, Value]:
    return walk(keepalived_services.tables(picture(*services, **words)), CHECK)


SERVICE, SERVER = (3, 1), (4, 1)


def test_a_service_with_its_address_and_all_that_the_file_says() -> None:
    one = service(
        scheduler="sh",
        flags=("flag-1", "flag-2"),
        persistence=Persistence(300, 24),
        quorum=2,
        hysteresis=1,
        quorum_up=RUN,
        omega=True,
        mail=True,
        snmp_name="web",
    )
    found = row(shown(one), SERVICE, (1,))
    expected = {
        2: 2,  # ip
        5: 1,
        6: packed("198.51.100.10"),
        7: 80,
        8: 1,  # tcp
        9: 8,  # sh
        10: 1,  # nat
        11: 1,  # alive
        13: 1,
        14: 300,
        15: bytes([255, 255, 255, 0]),
        16: 6,
        17: 2,
        18: 2,
        19: 1,
        20: 2,
        21: 2,
        22: 2,
        23: 1,  # met
        24: b"'/run' 'it'",
        26: 1,
        37: 2,
        52: 2,
        53: 1,
        54: 1,
        55: 2,
        56: 1,  # remove
        57: 3,
        58: 1,
        59: 2,
        60: 1,
        61: 1,
        62: 1,
        63: 1,
        64: 6_000_000,
        65: 1_500_000,
        66: 2_500_000,
        67: 4_000_000,
        71: b"web",
        72: b"/run",
    }
    assert found == expected


def test_what_the_servers_do_not_share_is_not_shown_of_their_service() -> None:
    slow = TcpCheck(Timing(9 * SECOND_NS), Connection(packed("198.18.0.2"), 80))
    found = row(shown(service(server(1), server(2, checks=(slow,), weight=5))), SERVICE, (1,))
    assert not {16, 57, 58, 59, 60, 64, 65, 66, 67} & set(found)


def test_a_mark_a_group_and_another_family_name_themselves_otherwise() -> None:
    mark = service(name="FWM 7", protocol=0, members=(Member(4, fwmark=7),))
    six = service(
        name="[web]:0",
        family=6,
        protocol=UDP,
        group="web",
        members=(Member(6, packed("2001:db8::5"), 3, 53), Member(6, fwmark=9)),
        persistence=Persistence(60, 64),
    )
    found = shown(mark, six)
    first, second = row(found, SERVICE, (1,)), row(found, SERVICE, (2,))
    assert {number: first.get(number) for number in (2, 4, 5, 6, 7, 8)} == {
        2: 1,
        4: 7,
        5: 1,
        6: None,
        7: None,
        8: None,
    }
    assert {number: second.get(number) for number in (2, 3, 4, 5, 6, 8, 15, 51)} == {
        2: 3,
        3: b"web",
        4: None,
        5: 2,
        6: None,
        8: 2,
        15: None,
        51: 64,
    }
    assert column(found, 1, 1) == {(2, 1): b"web"}
    assert row(found, (2, 1), (1, 1)) == {2: 1, 3: 9}  # marks come first, as in keepalived
    assert row(found, (2, 1), (1, 2)) == {
        2: 3,
        4: 2,
        6: packed("2001:db8::5"),
        7: packed("2001:db8::7"),
        8: 53,
    }


@pytest.mark.parametrize(
    ("way", "columns"),
    [
        (Forwarding(), {40: 1, 52: None, 53: None, 54: None}),
        (Forwarding(DIRECT), {40: 2, 52: None, 53: None, 54: None}),
        (Forwarding(TUNNEL), {40: 3, 52: 1, 53: None, 54: None}),
        (Forwarding(TUNNEL, "gue", 5555, "csum"), {40: 3, 52: 2, 53: 5555, 54: 2}),
        (Forwarding(TUNNEL, "gre", 0, "remcsum"), {40: 3, 52: 3, 53: None, 54: 3}),
    ],
)
def test_how_packets_get_to_a_server(way: Forwarding, columns: Dict[int, Any]) -> None:
    found = row(shown(service(server(1, forwarding=way), forwarding=way)), SERVER, (1, 1))
    assert {number: found.get(number) for number in columns} == columns
    whole = row(shown(service(server(1), forwarding=way)), SERVICE, (1,))
    assert [whole.get(number) for number in (10, 68, 69, 70)] == list(columns.values())


def test_a_sorry_server_is_the_first_row_and_has_no_state() -> None:
    found = shown(service(server(1), sorry_server=server(9, checks=())))
    sorry, first = row(found, SERVER, (1, 1)), row(found, SERVER, (1, 2))
    assert (sorry[2], sorry[4], sorry.get(6), sorry.get(7)) == (2, packed("198.18.0.9"), None, None)
    assert (first[2], first[4], first[6], first[7]) == (1, packed("198.18.0.1"), 1, 1)


def test_a_server_has_its_state_its_checks_and_its_own_words() -> None:
    url = Url(virtualhost="www.example.org")
    check = HttpCheck(TIMING, Connection(packed("198.18.0.1"), 80), (url,))
    one = service(
        server(
            1,
            checks=(check, check),
            inhibit=True,
            upper_threshold=9,
            notify_down=RUN,
            snmp_name="a",
            alpha=True,
        )
    )
    checks = [{"kind": "HTTP_GET", "state": "bad"}, {"kind": "HTTP_GET", "state": "unknown"}]
    known = status(one, "down", s1={"state": "down", "weight": 0, "checks": checks})
    found = row(shown(one, known=known), SERVER, (1, 1))
    expected = {6: 2, 7: 0, 8: 9, 10: 2, 12: b"'/run' 'it'", 13: 1, 41: b"www.example.org", 42: 1}
    expected.update({43: 3, 44: 1, 45: 2, 46: 6, 47: 1, 51: 5_000_000, 55: b"a", 57: b"/run", 63: 1})
    assert {number: found.get(number) for number in expected} == expected
    assert not {9, 11, 56} & set(found)
    of_service = row(shown(one, known=known), SERVICE, (1,))
    assert (of_service[21], of_service[23]) == (0, 2)


def test_counters_are_there_where_the_kernel_counts() -> None:
    one = service(server(1))
    counters = {
        "connections": 5_000_000_000,
        "packets_in": 7,
        "packets_out": 8,
        "bytes_in": 9,
        "bytes_out": 10,
    }
    known = status(
        one, s1={"connections": {**counters, "active_connections": 3, "persistent_connections": 1}}
    )
    known["connections"] = counters
    found = shown(one, known=known)
    service_row, server_row = row(found, SERVICE, (1,)), row(found, SERVER, (1, 1))
    assert [service_row[number] for number in (28, 29, 30, 31, 38, 39, 40)] == [
        7,
        8,
        9,
        10,
        5_000_000_000,
        7,
        8,
    ]
    assert [server_row[number] for number in (15, 17, 18, 19, 20, 21, 27, 28, 29)] == [
        *(3, 1, 7, 8, 9, 10, 5_000_000_000, 7, 8)
    ]
    assert server_row[14] == 0xFFFFFFFF  # a gauge stays at its end
    without = shown(one)
    assert not [name for name in without if name[:2] == SERVICE and name[2] in (27, 28, 30, 38)]


def test_rows_are_there_before_the_agent_has_told_of_a_service() -> None:
    found = shown(service(), known={"name": "other", "family": 4})
    assert row(found, SERVICE, (1,))[23] == 2
    assert row(found, SERVER, (1, 2))[6] == 2


def test_the_sync_daemon_and_the_timeouts() -> None:
    daemon = SyncDaemon("eth1", "VI_1", 7, 1400, 8848, 3, packed("224.0.0.81"))
    found = shown(sync_daemon=daemon, timeouts=Timeouts(900, 0, 300))
    assert column(found, 6) == {
        (1, 0): 1,
        (2, 0): b"eth1",
        (3, 0): b"VI_1",
        (4, 0): 7,
        (5, 0): 1400,
        (6, 0): 8848,
        (7, 0): 3,
        (8, 0): 1,
        (9, 0): packed("224.0.0.81"),
    }
    assert column(found, 7) == {(1, 0): 900, (3, 0): 300}
    assert column(shown(), 6) == {(1, 0): 2}


# Notifications.


def told(one: VirtualServer, change: ServerChanged) -> Dict[Oid, Value]:
    bindings = keepalived_services.changed(picture(one), one, change)
    return {
        binding.name[len(ROOT) :] if binding.name[: len(ROOT)] == ROOT else (): binding.value
        for binding in bindings
    }


def test_managers_hear_of_a_server_with_keepaliveds_objects() -> None:
    one = service()
    change = ServerChanged(one.key, one.servers[1].name, False, 1, False)
    found = told(one, change)
    assert found.pop(()).data == (*CHECK, 5, 0, 1)
    assert found == {
        (3, 4, 1, 3): integer(1),
        (3, 4, 1, 4): octets(packed("198.18.0.2")),
        (3, 4, 1, 5): gauge(80),
        (3, 4, 1, 6): integer(2),
        (3, 3, 1, 2): integer(2),
        (3, 3, 1, 5): integer(1),
        (3, 3, 1, 6): octets(packed("198.51.100.10")),
        (3, 3, 1, 7): gauge(80),
        (3, 3, 1, 8): integer(1),
        (3, 3, 1, 21): gauge(1),
        (3, 3, 1, 20): gauge(2),
        (1, 2, 0): text("r1"),
    }


@pytest.mark.parametrize(
    ("up", "stopping", "quorum"), [(True, False, 1), (False, False, 2), (False, True, 3)]
)
def test_managers_hear_of_a_quorum(up: bool, stopping: bool, quorum: int) -> None:
    mark = service(name="FWM 7", protocol=0, members=(Member(4, fwmark=7),), quorum=2)
    found = told(mark, ServerChanged(mark.key, "", up, 2, stopping))
    assert found.pop(()).data == (*CHECK, 5, 0, 2)
    assert found == {
        (3, 3, 1, 2): integer(1),
        (3, 3, 1, 4): gauge(7),
        (3, 3, 1, 8): integer(4),
        (3, 3, 1, 23): integer(quorum),
        (3, 3, 1, 22): gauge(2),
        (3, 3, 1, 21): gauge(2),
        (3, 3, 1, 20): gauge(2),
        (1, 2, 0): text("r1"),
    }


def test_nobody_hears_of_a_server_that_a_reload_has_taken_away() -> None:
    one = service()
    gone = ServerChanged(one.key, "[198.18.0.77]:tcp:80", False, 1, False)
    assert keepalived_services.changed(picture(one), one, gone) == ()
