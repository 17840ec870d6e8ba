# SPDX-License-Identifier: GPL-3.0-or-later
"""VRRP-MIB (RFC 2787) and VRRPV3-MIB (RFC 6527): which routers they show, and what of them."""

from __future__ import annotations

import pytest
from vrrp_agent.snmp import facts, rfc2787, rfc6527, values
from vrrp_agent.snmp.facts import BadAdvert, Changed
from vrrp_agent.snmp.values import Binding, integer, octets

from tests.unit.conf.texts import instance
from tests.unit.snmp.pictures import ETH0, column, names, packed, picture, router, row, walk

V2 = instance(
    "version 2\npriority 120\nadvert_int 2\nauthentication {\n auth_type PASS\n auth_pass x\n}", vrid=51
)
V3 = instance("version 3\nadvert_int 0.5\nnopreempt", name="VI_2", vrid=52, addresses="198.51.100.20/24")
V6 = instance("version 3", name="VI_3", vrid=53, addresses="fe80::53/64,2001:db8::53/64")
EMPTY = """
vrrp_instance VI_4 {
    interface eth0
    virtual_router_id 54
    version 3
    virtual_ipaddress_excluded {
        198.51.100.40
    }
}
"""
ALL = V2 + V3 + V6 + EMPTY
ACTIVE = {"state": facts.ACTIVE, "wanted": facts.ACTIVE, "active_source": packed("198.51.100.1")}


def test_rfc_2787_shows_routers_of_version_2_with_an_address() -> None:
    objects = walk(rfc2787.tables(picture(ALL)), rfc2787.ROOT)
    assert set(column(objects, 1, 3, 1, 3)) == {(2, 51)}
    assert set(column(objects, 1, 4, 1, 2)) == {(2, 51, 198, 51, 100, 10)}
    assert column(objects, 1, 1) == {(0,): 2}, "vrrpNodeVersion"


def test_rfc_6527_shows_routers_of_both_versions_as_keepalived_does() -> None:
    objects = walk(rfc6527.tables(picture(ALL)), rfc6527.ROOT)
    assert set(column(objects, 1, 1, 1, 1, 6)) == {(2, 51, 1), (2, 52, 1), (2, 53, 2)}


def test_the_index_of_an_address_begins_with_its_length() -> None:
    """RFC 6527: the address is not IMPLIED, so RFC 2578 7.7 puts its length first."""
    objects = walk(rfc6527.tables(picture(V3 + V6)), rfc6527.ROOT)
    assert list(column(objects, 1, 1, 2, 1, 2)) == [
        (2, 52, 1, 4, 198, 51, 100, 20),
        (2, 53, 2, 16, *packed("2001:db8::53")),
        (2, 53, 2, 16, *packed("fe80::53")),
    ]


def test_a_row_of_rfc_2787() -> None:
    objects = walk(rfc2787.tables(picture(V2, router(priority=120, base_priority=120))), rfc2787.ROOT)
    assert row(objects, (1, 3, 1), (2, 51)) == {
        2: ETH0.mac,
        3: 2,  # backup
        4: 1,  # up
        5: 120,
        6: 1,
        7: packed("198.51.100.2"),
        8: packed("198.51.100.1"),
        9: 2,  # simple text password
        10: b"",  # never shown
        11: 2,
        12: 1,
        13: 9000,  # the master is up for 100 s, the router since 10 s
        14: 1,
        15: 1,
    }


def test_a_row_of_rfc_6527() -> None:
    active = router("VI_2", **ACTIVE, preempt=False, reason=facts.PREEMPTED)
    objects = walk(rfc6527.tables(picture(V3, active)), rfc6527.ROOT)
    assert row(objects, (1, 1, 1, 1), (2, 52, 1)) == {
        3: packed("198.51.100.1"),
        4: packed("198.51.100.1"),
        5: ETH0.mac,
        6: 3,
        7: 100,
        8: 1,
        9: 50,
        10: 2,
        11: 1,
        12: 1000,
        13: 1,
    }
    assert row(objects, (1, 2, 5, 1), (2, 52, 1))[2] == facts.PREEMPTED
    assert row(objects, (1, 2, 5, 1), (2, 52, 1))[13] == 500


@pytest.mark.parametrize("state", [facts.INIT, facts.FAULT])
def test_a_router_that_does_not_take_part_is_in_initialize(state: int) -> None:
    objects = walk(rfc6527.tables(picture(V3, router("VI_2", state=state, began_ns=0))), rfc6527.ROOT)
    assert column(objects, 1, 1, 1, 1, 6) == {(2, 52, 1): 1}
    assert column(objects, 1, 1, 1, 1, 12) == {(2, 52, 1): 0}


def test_without_an_active_router_its_address_is_of_zeros() -> None:
    lonely = [router(name, active_source=b"") for name in ("VI_1", "VI_3")]
    assert column(walk(rfc2787.tables(picture(V2, *lonely)), rfc2787.ROOT), 1, 3, 1, 7) == {(2, 51): bytes(4)}
    objects = walk(rfc6527.tables(picture(V6, *lonely)), rfc6527.ROOT)
    assert column(objects, 1, 1, 1, 1, 3) == {(2, 53, 2): bytes(16)}


COUNTED = [
    # counter or reason of a discard, column of RFC 2787 or None, column of RFC 6527 or None
    ("became_active", 1, 1),
    ("adverts_received", 2, 3),
    ("interval_mismatch", 3, None),
    ("interval_mismatches", None, 4),
    ("interval_zero", 3, 4),
    ("auth_failure", 4, None),
    ("ttl", 5, 5),
    ("priority_zero_received", 6, 7),
    ("priority_zero_sent", 7, 8),
    ("type", 8, 9),
    ("addr_list_mismatches", 9, 10),
    ("auth_type_unknown", 10, None),
    ("auth_type_mismatch", 11, None),
    ("length", 12, 11),
    ("count_zero", 12, 11),
]


@pytest.mark.parametrize("name, old, new", COUNTED)
def test_one_packet_moves_one_counter_by_one(name: str, old: int, new: int) -> None:
    """R-N04."""
    for text, who, mib, entry, index, number in (
        (V2, "VI_1", rfc2787, (2, 4, 1), (2, 51), old),
        (V3, "VI_2", rfc6527, (1, 2, 5, 1), (2, 52, 1), new),
    ):
        clean = walk(mib.tables(picture(text)), mib.ROOT)
        moved = router(who, counters={name: 1}, discards={name: 1})
        objects = walk(mib.tables(picture(text, moved)), mib.ROOT)
        changed = {place: value.data for place, value in objects.items() if clean[place] != value}
        assert changed == ({(*entry, number, *index): 1} if number is not None else {})


@pytest.mark.parametrize(
    "reason, place",
    [("checksum", 1), ("version", 2), ("version_mismatch", 2), ("unknown_vrid", 3), ("vrid_zero", 3)],
)
def test_errors_of_the_whole_host_are_counted_with_and_without_a_router(reason: str, place: int) -> None:
    shot = picture(V2 + V3, router("VI_1", discards={reason: 2}), router("VI_2", discards={reason: 3}))
    shot.taken.discards[reason] = 10
    assert column(walk(rfc2787.tables(shot), rfc2787.ROOT), 2, place) == {(0,): 12}
    assert column(walk(rfc6527.tables(shot), rfc6527.ROOT), 1, 2, place) == {(0,): 15}


def test_new_master_is_told_of_a_transition_to_active_and_of_no_other() -> None:
    """R-N01: the address is the router's own."""
    shot = picture(ALL)
    two, three = shot.config.instances[0], shot.config.instances[1]
    change = Changed(False, "VI_1", facts.ACTIVE, 2, packed("198.51.100.1"), facts.NO_RESPONSE)
    told = rfc2787.new_master(two, change)
    assert told[0].value.data == (*rfc2787.ROOT, 0, 1)
    assert told[1] == Binding((*rfc2787.ROOT, 1, 3, 1, 7, 2, 51), values.ip_address(packed("198.51.100.1")))
    told = rfc6527.new_master(three, change)
    assert told[0].value.data == (*rfc6527.ROOT, 0, 1)
    assert told[1:] == (
        Binding((*rfc6527.ROOT, 1, 1, 1, 1, 3, 2, 52, 1), octets(packed("198.51.100.1"))),
        Binding((*rfc6527.ROOT, 1, 2, 5, 1, 2, 2, 52, 1), integer(facts.NO_RESPONSE)),
    )
    assert rfc2787.new_master(three, change) == ()
    assert rfc6527.new_master(shot.config.instances[3], change) == (), (
        "a router without an address has no row"
    )
    for state in (facts.INIT, facts.BACKUP, facts.FAULT, facts.STOPPED):
        assert rfc2787.new_master(two, change._replace(state=state)) == ()
        assert rfc6527.new_master(three, change._replace(state=state)) == ()


def test_errors_of_adverts_are_told_with_their_kind() -> None:
    bad = BadAdvert(2, 51, 4, 2, packed("198.51.100.9"), facts.NO_ERROR, facts.AUTH_FAILURE)
    told = rfc2787.auth_failure(bad)
    assert names(told)[1:] == [(*rfc2787.ROOT, 1, 5, 2, 51), (*rfc2787.ROOT, 1, 6, 2, 51)]
    assert [one.value.data for one in told[1:]] == [packed("198.51.100.9"), facts.AUTH_FAILURE]
    assert rfc6527.protocol_error(bad) == ()
    worse = BadAdvert(2, 52, 6, 3, packed("fe80::9"), facts.TTL_ERROR)
    assert rfc2787.auth_failure(worse) == ()
    told = rfc6527.protocol_error(worse)
    assert told[0].value.data == (*rfc6527.ROOT, 0, 2)
    assert told[1] == Binding((*rfc6527.ROOT, 1, 2, 5, 1, 6, 2, 52, 2), integer(facts.TTL_ERROR))
