# SPDX-License-Identifier: GPL-3.0-or-later
"""Which adverts may drive the election: the receive checks that need the configuration (K-02)."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from vrrp_agent.conf import model
from vrrp_agent.election.admit import Admission, Observation
from vrrp_agent.wire.advert import Advert
from vrrp_agent.wire.discard import Discard

from tests.unit.election.bench import HERE, HIGHER, LOWER, SECOND

GROUP = bytes((224, 0, 0, 18))
GROUP6 = bytes.fromhex("ff020000000000000000000000000012")
LINK_LOCAL = bytes.fromhex("fe800000000000000000000000000011")
VIP = bytes((192, 0, 2, 1))
VIP2 = bytes((192, 0, 2, 2))
PASSWORD = b"secret\0\0"


def admission(**changes: Any) -> Admission:
    values = {
        "name": "V",
        "interface": "eth0",
        "vrid": 10,
        "family": 4,
        "version": 3,
        "addresses": (model.Address(VIP, 24),),
    }
    return Admission(model.Instance(**{**values, **changes}))


def unicast(**changes: Any) -> Admission:
    return admission(unicast_peers=(model.UnicastPeer(HIGHER), model.UnicastPeer(LOWER)), **changes)


def advert(**changes: Any) -> Advert:
    values = {"version": 3, "vrid": 10, "priority": 200, "interval_ns": SECOND, "addresses": (VIP,)}
    return Advert(**{**values, **changes})


def verdict(
    checks: Admission,
    heard: Advert,
    source: bytes = HIGHER,
    destination: bytes = GROUP,
    ttl: Optional[int] = 255,
    priority: int = 100,
) -> Optional[Discard]:
    return checks.check(heard, source, destination, ttl, own_source=HERE, effective_priority=priority)


def test_a_proper_advert_is_admitted_and_shows_nothing_odd() -> None:
    checks = admission()
    assert verdict(checks, advert()) is None
    assert checks.observe(advert()) == ()


@pytest.mark.parametrize("ttl", [0, 1, 64, 254])
def test_multicast_must_come_from_this_link(ttl: int) -> None:
    """R-L03."""
    assert verdict(admission(), advert(), ttl=ttl) is Discard.TTL
    assert verdict(admission(), advert(), ttl=None) is None


def test_the_hop_limit_counts_the_same() -> None:
    """R-L05."""
    checks = admission(family=6, addresses=(model.Address(LINK_LOCAL, 64),))
    assert verdict(checks, advert(), source=LINK_LOCAL, destination=GROUP6, ttl=254) is Discard.TTL
    assert verdict(checks, advert(), source=LINK_LOCAL, destination=GROUP6) is None


@pytest.mark.parametrize("ttl", [1, 64, 255, None])
def test_unicast_may_come_through_routers(ttl: Optional[int]) -> None:
    """K-08."""
    assert verdict(unicast(), advert(), destination=HERE, ttl=ttl) is None


def test_only_the_configured_version_is_heard() -> None:
    """R-P01, R-V03."""
    assert verdict(admission(version=2), advert(version=3)) is Discard.VERSION_MISMATCH
    assert verdict(admission(version=3), advert(version=2)) is Discard.VERSION_MISMATCH


def test_a_packet_of_the_other_family_is_not_ours() -> None:
    assert verdict(admission(), advert(), source=LINK_LOCAL, destination=GROUP6) is Discard.FAMILY


@pytest.mark.parametrize(
    ("password", "auth_type", "auth_data", "expected"),
    [
        (b"", 0, b"", None),
        (b"", 1, PASSWORD, Discard.AUTH_TYPE_MISMATCH),
        (b"", 2, b"", Discard.AUTH_TYPE_MISMATCH),
        (b"", 254, b"", Discard.AUTH_TYPE_UNKNOWN),
        (PASSWORD, 0, b"", Discard.AUTH_TYPE_MISMATCH),
        (PASSWORD, 1, PASSWORD, None),
        (PASSWORD, 1, b"secreT\0\0", Discard.AUTH_FAILURE),
        (PASSWORD, 1, b"\0" * 8, Discard.AUTH_FAILURE),
        (PASSWORD, 254, PASSWORD, Discard.AUTH_TYPE_UNKNOWN),
    ],
)
def test_authentication_of_version_2(
    password: bytes, auth_type: int, auth_data: bytes, expected: Optional[Discard]
) -> None:
    """R-V06, K-03."""
    heard = advert(version=2, auth_type=auth_type, auth_data=auth_data)
    assert verdict(admission(version=2, auth_password=password), heard) is expected


@pytest.mark.parametrize(("auth_type", "expected"), [
    (0, Discard.AUTH_TYPE_MISMATCH),
    (1, Discard.AUTH_TYPE_MISMATCH),
    (2, None),
    (254, Discard.AUTH_TYPE_UNKNOWN),
])  # fmt: skip
def test_inside_an_authentication_header_the_type_is_2_and_no_password_is_there(
    auth_type: int, expected: Optional[Discard]
) -> None:
    """RFC 2338 5.3.6.3. What the header itself says is verified elsewhere."""
    ours = admission(version=2, auth_password=PASSWORD, auth_header=True)
    assert verdict(ours, advert(version=2, auth_type=auth_type, auth_data=b"")) is expected


def test_another_interval_is_a_discard_in_version_2_and_an_observation_in_version_3() -> None:
    """R-V09, R-X09."""
    assert (
        verdict(admission(version=2), advert(version=2, interval_ns=2 * SECOND)) is Discard.INTERVAL_MISMATCH
    )
    checks = admission()
    heard = advert(interval_ns=3 * SECOND)
    assert verdict(checks, heard) is None
    assert checks.observe(heard) == (Observation.INTERVAL_DIFFERS,)


def test_multicast_and_unicast_are_not_mixed() -> None:
    assert verdict(admission(), advert(), destination=HERE) is Discard.UNEXPECTED_UNICAST
    assert verdict(unicast(), advert(), destination=GROUP) is Discard.UNEXPECTED_MULTICAST


def test_own_adverts_are_told_first() -> None:
    """R-X12."""
    assert verdict(admission(), advert(version=2), source=HERE, ttl=3) is Discard.OWN_ADVERT


def test_an_unknown_own_address_matches_nobody() -> None:
    assert admission().check(advert(), HIGHER, GROUP, 255) is None


def test_a_deaf_owner_hears_nobody_while_it_is_255() -> None:
    """R-X05, R-V12."""
    deaf = admission(priority=255, owner_ignore_adverts=True)
    assert verdict(deaf, advert(), priority=255) is Discard.OWNER
    assert verdict(deaf, advert(), priority=254) is None
    assert verdict(admission(priority=255), advert(), priority=255) is None


def test_strangers_are_refused_where_sources_are_checked() -> None:
    """K-08: check_unicast_src."""
    stranger = bytes((192, 0, 2, 77))
    assert verdict(unicast(), advert(), source=stranger, destination=HERE) is None
    checked = unicast(check_unicast_src=True)
    assert verdict(checked, advert(), source=stranger, destination=HERE) is Discard.UNKNOWN_PEER
    assert verdict(checked, advert(), source=LOWER, destination=HERE) is None


def test_a_ttl_limit_of_one_peer_switches_the_check_on_for_all() -> None:
    checks = admission(
        unicast_peers=(model.UnicastPeer(HIGHER, min_ttl=250, max_ttl=254), model.UnicastPeer(LOWER))
    )
    results = [verdict(checks, advert(), destination=HERE, ttl=ttl) for ttl in (249, 250, 254, 255, None)]
    assert results == [Discard.TTL, None, None, Discard.TTL, None]
    assert verdict(checks, advert(), source=LOWER, destination=HERE, ttl=1) is None
    assert verdict(checks, advert(), source=VIP, destination=HERE) is Discard.UNKNOWN_PEER


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("addresses", [(VIP2,), (VIP, VIP2), (VIP2, VIP2, VIP2)])
def test_other_addresses_are_observed_and_never_a_discard(version: int, addresses: Any) -> None:
    """R-X10, R-X11; R-V13: keepalived does not drop in version 2 either."""
    checks = admission(version=version)
    heard = advert(version=version, addresses=addresses)
    assert verdict(checks, heard) is None
    assert checks.observe(heard) == (Observation.ADDRESS_LIST_DIFFERS,)


def test_the_order_of_addresses_does_not_matter_but_a_repeated_one_does() -> None:
    checks = admission(addresses=(model.Address(VIP, 24), model.Address(VIP2, 24)))
    assert checks.observe(advert(addresses=(VIP2, VIP))) == ()
    assert checks.observe(advert(addresses=(VIP, VIP))) == (Observation.ADDRESS_LIST_DIFFERS,)


def test_skip_check_adv_addr_looks_at_the_list_of_a_new_router_only() -> None:
    checks = admission(skip_check_adv_addr=True)
    assert checks.observe(advert(addresses=(VIP2,))) == (Observation.ADDRESS_LIST_DIFFERS,)
    assert checks.observe(advert(addresses=(VIP2,)), same_router=True) == ()
    assert checks.observe(advert(addresses=(VIP, VIP2)), same_router=True) == (
        Observation.ADDRESS_LIST_DIFFERS,
    )


def test_the_checks_come_in_keepalived_order() -> None:
    """K-02: of a packet with every fault the first is told; with each repair the next."""
    deaf = {"priority": 255, "owner_ignore_adverts": True, "version": 2, "auth_password": PASSWORD}
    checks = admission(**deaf)
    wrong: Any = {"version": 3, "auth_type": 0, "interval_ns": 2 * SECOND}
    expected = []
    for repair in (
        {},
        {"version": 2},
        {"auth_type": 1, "auth_data": b"no"},
        {"auth_data": PASSWORD},
        {"interval_ns": SECOND},
    ):
        wrong.update(repair)
        expected.append(verdict(checks, advert(**wrong), destination=HERE, priority=255))
    assert verdict(checks, advert(**wrong), destination=HERE, ttl=1) is Discard.TTL
    expected.append(verdict(checks, advert(**wrong), priority=255))
    expected.append(verdict(checks, advert(**wrong), priority=254))
    assert expected == [
        Discard.VERSION_MISMATCH,
        Discard.AUTH_TYPE_MISMATCH,
        Discard.AUTH_FAILURE,
        Discard.INTERVAL_MISMATCH,
        Discard.UNEXPECTED_UNICAST,
        Discard.OWNER,
        None,
    ]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Discard.TTL, "TTL 64 from 192.0.2.11, 255 expected"),
        (Discard.VERSION_MISMATCH, "version 3 from 192.0.2.11, ours is 2"),
        (Discard.AUTH_FAILURE, "wrong password from 192.0.2.11"),
        (
            Discard.INTERVAL_MISMATCH,
            "advert_int 1.000 s from 192.0.2.11, ours is 1.000 s; version 2 wants them equal",
        ),
        (Discard.CHECKSUM, "checksum from 192.0.2.11"),
    ],
)
def test_a_discard_is_told_with_its_evidence_and_without_the_password(reason: Discard, text: str) -> None:
    checks = admission(version=2, auth_password=PASSWORD)
    assert checks.evidence(reason, advert(), HIGHER, GROUP, 64) == text
    for every in Discard:
        line = checks.evidence(every, advert(), HIGHER, GROUP, 64)
        assert "192.0.2.11" in line
        assert "secret" not in line


def test_differences_are_told_with_both_sides() -> None:
    checks = admission()
    heard = advert(addresses=(VIP2,), interval_ns=3 * SECOND)
    assert checks.difference(Observation.ADDRESS_LIST_DIFFERS, heard, HIGHER) == (
        "192.0.2.11 has other addresses: only here 192.0.2.1; only there 192.0.2.2"
    )
    assert checks.difference(Observation.INTERVAL_DIFFERS, heard, HIGHER) == (
        "192.0.2.11 advertises every 3.000 s, our advert_int is 1.000 s"
    )
