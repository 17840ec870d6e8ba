# SPDX-License-Identifier: GPL-3.0-or-later
"""KEEPALIVED-MIB: its tables for a configuration that has something in each."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from vrrp_agent.snmp import facts, keepalived
from vrrp_agent.snmp.facts import Changed
from vrrp_agent.snmp.keepalived_names import ROOT
from vrrp_agent.snmp.picture import Picture
from vrrp_agent.snmp.values import Oid, Value, integer, text

from tests.unit.conf.texts import instance
from tests.unit.snmp.pictures import column, names, packed, picture, router, row, walk

GLOBAL = """
global_defs {
    router_id r1
    enable_snmp_vrrp
    enable_traps
    dynamic_interfaces
    smtp_alert
    smtp_alert_vrrp off
    notification_email {
        one@example.com
        two@example.com
    }
    notification_email_from me@example.com
    smtp_server 192.0.2.25 587
    script_user root
}
"""
GROUP = """
vrrp_sync_group G1 {
    group {
        VI_2
        VI_1
    }
    notify_master "/bin/m one two"
    sync_group_tracking_weight
    track_interface {
        eth1 weight -5
    }
}
"""
TRACKERS = """
vrrp_script chk {
    script "/bin/check it"
    interval 2
    timeout 3
    weight 5 reverse
    rise 2
    fall 4
}
track_file tf {
    file /run/tf
    weight 2
}
vrrp_track_process tp {
    process nginx
    quorum 2
    weight 3
    delay 1.5
}
"""
STATIC = """
static_ipaddress {
    198.51.100.77/24 dev eth0
}
static_routes {
    203.0.113.0/24 via 198.51.100.5 dev eth0
}
"""
ROUTES = """
version 3
virtual_routes {
    198.18.0.0/16 via 198.51.100.9 dev eth0 metric 7 mtu lock 1400
    198.19.0.0/16 nexthop via 198.51.100.7 dev eth0 weight 3 nexthop via 198.51.100.8 dev eth0
    blackhole 192.0.2.0/24
}
virtual_rules {
    from 198.51.100.60 table 100 priority 500
    to 198.51.101.0/24 iif eth0 table 101 priority 501
}
virtual_ipaddress_excluded {
    198.51.100.52/32 scope link
}
"""
USERS = """
version 3
nopreempt
notify_backup "/bin/b"
notify_fault "/bin/f x"
track_interface {
    eth1 weight 7
}
track_script {
    chk
}
track_file {
    tf weight 4
}
track_process {
    tp
}
"""
ONE, TWO = instance(ROUTES), instance("version 2\nstate MASTER\npriority 120", name="VI_2", vrid=52)
THREE = instance(USERS, name="VI_3", vrid=53, addresses="fe80::53/64")
ALL = GLOBAL + TRACKERS + GROUP + STATIC + ONE + TWO + THREE


def shown(text_of: str = ALL, *routers: Any, **words: Any) -> Dict[Oid, Value]:
    found = picture(text_of, *routers, **words)
    return walk([*keepalived.global_branch(found), *keepalived.tables(found)], ROOT)


def test_the_global_branch() -> None:
    objects = shown()
    assert {name: value.data for name, value in objects.items() if name[0] == 1} == {
        (1, 1, 0): b"vrrp-agent 0.0",
        (1, 2, 0): b"r1",
        (1, 3, 1, 0): 1,
        (1, 3, 2, 0): packed("192.0.2.25"),
        (1, 3, 3, 0): 30,
        (1, 3, 4, 0): b"me@example.com",
        (1, 3, 5, 1, 2, 1): b"one@example.com",
        (1, 3, 5, 1, 2, 2): b"two@example.com",
        (1, 3, 6, 0): 587,
        (1, 3, 7, 0): 1,
        (1, 3, 8, 0): 1,
        (1, 3, 9, 0): 2,
        (1, 3, 10, 0): 3,
        (1, 4, 0): 1,
        (1, 5, 0): 1,
        (1, 6, 0): 2,
        (1, 7, 0): 2,
        (1, 8, 0): b"",
        (1, 9, 0): 2,
        (1, 10, 0): 1,
        (1, 11, 0): 2,
        (1, 12, 0): 2,
    }


def test_sync_groups_and_their_members() -> None:
    objects = shown(groups={"G1": facts.ACTIVE})
    assert row(objects, (2, 1, 1), (1,)) == {
        2: b"G1",
        3: facts.ACTIVE,
        4: 2,
        5: 1,
        6: b"'/bin/m' 'one' 'two'",
        10: 1,
    }
    assert column(objects, 2, 2, 1, 2) == {(1, 1): b"VI_2", (1, 2): b"VI_1"}
    assert column(objects, 2, 14, 1) == {(1, 1, 1): b"eth1", (2, 1, 1): -5, (3, 1, 1): 2}


def test_a_virtual_router_of_version_3() -> None:
    third = router("VI_3", priority=107, state=facts.FAULT, preempt=False)
    found = row(shown(ALL, third), (2, 3, 1), (3,))
    assert found == {
        2: b"VI_3",
        3: 53,
        4: facts.FAULT,
        5: facts.BACKUP,
        6: facts.BACKUP,
        7: 100,
        8: 107,
        9: 2,
        10: b"eth0",
        11: 1,
        12: 100,
        13: 2,
        14: 0,
        15: 0,
        16: 2,
        19: 5,
        20: found[20],
        21: 1,
        23: b"'/bin/b'",
        24: b"'/bin/f' 'x'",
        27: 1,
        28: 2,
        29: 2,
        30: 3,
        33: 2,
        34: 2,
        35: packed("ff02::12"),
        36: 2,
    }


def test_what_differs_in_a_virtual_router_of_version_2() -> None:
    found = row(shown(), (2, 3, 1), (2,))
    assert (found[5], found[12], found[27], found[30]) == (facts.ACTIVE, 1, 0, 2)
    assert found[18] == b"G1"


def test_a_unicast_router_has_no_multicast_address() -> None:
    body = "unicast_src_ip 198.51.100.1\nunicast_peer {\n 198.51.100.2\n}"
    found = row(shown(instance(body)), (2, 3, 1), (1,))
    assert not {34, 35} & set(found)


def test_who_tracks_what_with_which_weight() -> None:
    objects = shown()
    own = {name: value for name, value in column(objects, 2, 4, 1).items() if name[1] == 3}
    assert own == {(1, 3, 1): b"eth1", (2, 3, 1): 7, (3, 3, 1): 2}
    of_group = {name: value for name, value in column(objects, 2, 4, 1).items() if name[1] == 1}
    assert of_group == {(1, 1, 1): b"eth1", (2, 1, 1): -5, (3, 1, 1): 2}, "what its group tracks counts"
    assert column(objects, 2, 5, 1) == {(2, 3, 1): b"chk", (3, 3, 1): 5, (4, 3, 1): 1}
    assert column(objects, 2, 12, 1) == {(2, 3, 1): b"tf", (3, 3, 1): 4, (4, 3, 1): 2}
    assert column(objects, 2, 20, 1) == {(2, 3, 1): b"tp", (3, 3, 1): 3, (4, 3, 1): 2}


def test_what_is_tracked_and_how_it_is() -> None:
    objects = shown(scripts={"chk": facts.SCRIPT_GOOD}, files={"tf": -3}, processes={"tp": (4, True)})
    assert row(objects, (2, 9, 1), (1,)) == {
        2: b"chk",
        3: b"'/bin/check' 'it'",
        4: 2,
        5: 5,
        6: facts.SCRIPT_GOOD,
        7: 2,
        8: 4,
        9: 1,
        10: b"/bin/check",
        11: 2_000_000,
        12: 3_000_000,
    }
    assert row(objects, (2, 13, 1), (1,)) == {2: b"tf", 3: b"/run/tf", 4: -3, 5: 2, 6: 2}
    found = row(objects, (2, 21, 1), (1,))
    assert (found[2], found[3], found[6], found[7]) == (b"tp", b"nginx", 3, 2)
    assert (found[8], found[10], found[11]) == (2, 1_500_000, 1_500_000)
    assert (found[13], found[14]) == (4, 1)


def test_before_anything_is_known_of_a_tracker() -> None:
    objects = shown()
    assert column(objects, 2, 9, 1, 6) == {(1,): facts.SCRIPT_NEW}
    assert column(objects, 2, 13, 1, 4) == {(1,): 0}
    assert column(objects, 2, 21, 1, 14) == {(1,): 2}


def test_addresses_static_ones_first() -> None:
    objects = shown(ALL, router(has_addresses=True, held=(packed("198.51.100.10"),)))
    assert column(objects, 2, 6, 1, 3) == {
        (0, 1): packed("198.51.100.77"),
        (1, 1): packed("198.51.100.10"),
        (1, 2): packed("198.51.100.52"),
        (2, 1): packed("198.51.100.10"),
        (3, 1): packed("fe80::53"),
    }
    assert column(objects, 2, 6, 1, 10) == {(0, 1): 1, (1, 1): 1, (1, 2): 2, (2, 1): 2, (3, 1): 2}
    assert column(objects, 2, 6, 1, 11) == {(0, 1): 2, (1, 1): 1, (1, 2): 2, (2, 1): 1, (3, 1): 1}
    assert column(objects, 2, 6, 1, 6)[(1, 2)] == 2, "link"
    assert (3, 1) not in column(objects, 2, 6, 1, 4), "IPv6 has no broadcast address"


def test_routes_and_their_next_hops() -> None:
    objects = shown(ALL, router(has_addresses=True))
    assert column(objects, 2, 7, 1, 10) == {(0, 1): 1, (1, 1): 1, (1, 2): 2, (1, 3): 3}
    assert column(objects, 2, 7, 1, 14) == {(0, 1): 1, (1, 1): 1, (1, 2): 1, (1, 3): 1}
    first = row(objects, (2, 7, 1), (1, 1))
    assert (first[3], first[4], first[5]) == (packed("198.18.0.0"), 16, packed("198.51.100.9"))
    assert (first[8], first[11], first[12], first[13]) == (7, 2, b"eth0", 254)
    assert (first[22], first[23]) == (1400, 1)
    assert column(objects, 2, 11, 1, 3) == {
        (1, 2, 1): packed("198.51.100.7"),
        (1, 2, 2): packed("198.51.100.8"),
    }
    assert column(objects, 2, 11, 1, 6)[(1, 2, 1)] == 3


def test_rules() -> None:
    objects = shown()
    assert column(objects, 2, 8, 1, 2) == {(1, 1): b"from", (1, 2): b"to"}
    assert column(objects, 2, 8, 1, 24) == {(1, 1): 100, (1, 2): 101}
    assert column(objects, 2, 8, 1, 25) == {(1, 1): 500, (1, 2): 501}
    assert column(objects, 2, 8, 1, 20) == {(1, 2): b"eth0"}
    assert column(objects, 2, 8, 1, 7) == {(1, 1): 2, (1, 2): 2}


@pytest.mark.parametrize("state", [facts.BACKUP, facts.ACTIVE, facts.FAULT, facts.STOPPED, facts.DELETED])
def test_a_change_of_state_is_told_as_keepalived_tells_it(state: int) -> None:
    shot = picture(ALL)
    told = keepalived.instance_changed(shot, shot.config.instances[1], Changed(False, "VI_2", state))
    assert told[0].value.data == (*ROOT, 2, 10, 0, 2)
    assert names(told)[1:] == [
        (*ROOT, 2, 3, 1, 2),
        (*ROOT, 2, 3, 1, 4),
        (*ROOT, 2, 3, 1, 5),
        (*ROOT, 1, 2, 0),
    ]
    assert [one.value for one in told[1:]] == [
        text("VI_2"),
        integer(state),
        integer(facts.ACTIVE),
        text("r1"),
    ]
    told = keepalived.group_changed(shot, Changed(True, "G1", state))
    assert told[0].value.data == (*ROOT, 2, 10, 0, 1)
    assert [one.value for one in told[1:]] == [text("G1"), integer(state), text("r1")]


def test_a_router_that_is_not_known_yet_has_its_row_all_the_same() -> None:
    """Rows are counted: without it those after it would be others for a moment."""
    shot = picture(ALL)
    early = Picture(shot.config, "0.0", "host", {"VI_2": router("VI_2", state=facts.ACTIVE)})
    objects = walk(keepalived.tables(early), ROOT)
    assert column(objects, 2, 3, 1, 2) == {(1,): b"VI_1", (2,): b"VI_2", (3,): b"VI_3"}
    assert column(objects, 2, 3, 1, 4) == {(1,): facts.INIT, (2,): facts.ACTIVE, (3,): facts.INIT}


def test_without_a_router_id_the_host_is_named() -> None:
    assert shown(instance())[(1, 2, 0)] == text("host")
