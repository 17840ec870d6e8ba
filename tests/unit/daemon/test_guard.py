# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed adverts: who is believed, what a replay gets, and how keys are changed while everybody listens."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.model import AuthHmac, HmacKey, Instance, UnicastPeer
from vrrp_agent.daemon.hearing.guard import (
    HeaderGuard,
    Proof,
    TrailerGuard,
    default_window_ns,
    guard_for,
)
from vrrp_agent.wire import ah, hmac_trailer, ip
from vrrp_agent.wire.advert import GROUP_IPV4, GROUP_IPV6
from vrrp_agent.wire.discard import Discard

from tests.unit.daemon.host import packed
from tests.unit.daemon.make import OURS, PEER, PEER6, SECOND, instance, message
from tests.unit.daemon.stage import Stage

OLD, NEW = HmacKey(1, b"o" * 32), HmacKey(2, b"n" * 32)
OTHER = HmacKey(1, b"x" * 32)
PASSWORD = b"s3cret\0\0"


def with_hmac(*keys: HmacKey, active: int = 1, **words: Any) -> AuthHmac:
    return AuthHmac(keys or (OLD,), active, **words)


def signed(
    hmac: Optional[AuthHmac] = None, source: str = PEER, at_ns: Optional[int] = None, **words: Any
) -> bytes:
    """A datagram of a peer, with a trailer."""
    return ip.build_ipv4(packed(source), GROUP_IPV4, signed_message(hmac, source, at_ns, **words))


def signed_message(
    hmac: Optional[AuthHmac] = None, source: str = PEER, at_ns: Optional[int] = None, **words: Any
) -> bytes:
    body = message(source, GROUP_IPV4, **words)
    moment = at_ns if at_ns is not None else time.time_ns()
    guard = TrailerGuard(instance(auth_hmac=hmac or with_hmac()), lambda: moment)
    return body + guard.sign(guard.begin(body, packed(source)))


def sealed(sequence: int, password: bytes = PASSWORD, spi: str = PEER, **words: Any) -> bytes:
    """A datagram of a peer, inside an authentication header."""
    words = {"version": 2, "auth_type": 2, **words}
    body = message(PEER, GROUP_IPV4, **words)
    payload = ah.blank_header(packed(spi)) + body
    blank = ip.build_ipv4(packed(PEER), GROUP_IPV4, payload, protocol=ah.PROTOCOL)
    return ah.seal(blank, ah.make_key(password), sequence, 7, unicast=False)


def with_header(**words: Any) -> Instance:
    return instance(version=2, auth_password=PASSWORD, auth_header=True, **words)


def heard(stage: Stage) -> Tuple[int, Dict[str, int]]:
    """How many adverts counted, and why the others did not."""
    counters = stage.one()["counters"]
    return counters["adverts_received"], counters["discards"]


def hear_headers(stage: Stage, *datagrams: bytes) -> None:
    stage.socket(protocol=ah.PROTOCOL).put(*datagrams)
    stage.wait(0.001)


# -- auth_hmac: what comes in


def test_a_signed_advert_is_believed_once(stage: Stage) -> None:
    stage.apply(instance(auth_hmac=with_hmac()))
    datagram = signed()
    stage.hear(datagram, datagram, datagram)
    assert heard(stage) == (1, {"auth_ext_replay": 2})


def test_no_short_cut_lets_a_replay_in(stage: Stage) -> None:
    """Other datagrams that come again go straight to their election; signed ones never do."""
    stage.apply(instance(auth_hmac=with_hmac(anti_replay="monotonic", mode="permissive")))
    now = time.time_ns()
    first, second = signed(at_ns=now), signed(at_ns=now + SECOND)
    stage.hear(first, second, first, second, first)
    assert heard(stage) == (2, {"auth_ext_replay": 3})


@pytest.mark.parametrize(("make", "reason"), [
    (lambda: ip.build_ipv4(packed(PEER), GROUP_IPV4, message()), "auth_ext_missing"),
    (lambda: signed(with_hmac(OTHER)), "auth_ext_invalid_hmac"),
    (lambda: signed(with_hmac(NEW, active=2)), "auth_ext_unknown_key"),
    (lambda: ip.build_ipv4(packed(PEER), GROUP_IPV4, message() + bytes(28)), "auth_ext_malformed"),
    (lambda: signed(at_ns=time.time_ns() - 3600 * SECOND), "auth_ext_stale"),
    (lambda: signed(at_ns=time.time_ns() + 3600 * SECOND), "auth_ext_stale"),
    (lambda: ip.build_ipv4(packed(PEER), GROUP_IPV4, message() + bytes(27)), "length"),
], ids=["missing", "other_key", "unknown_key", "malformed", "old", "of_tomorrow", "short"])  # fmt: skip
def test_what_is_not_believed_is_counted_by_its_reason(
    stage: Stage, make: Callable[[], bytes], reason: str
) -> None:
    stage.apply(instance(auth_hmac=with_hmac()))
    stage.hear(make())
    assert heard(stage) == (0, {reason: 1})


def test_a_trailer_where_none_is_configured_is_28_bytes_too_many(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(signed())
    assert heard(stage) == (0, {"length": 1})


def test_without_a_window_an_old_advert_is_believed_when_it_is_new(stage: Stage) -> None:
    stage.apply(instance(auth_hmac=with_hmac(anti_replay="monotonic")))
    old, older = time.time_ns() - 3600 * SECOND, time.time_ns() - 7200 * SECOND
    stage.hear(signed(at_ns=old), signed(at_ns=older))
    assert heard(stage) == (1, {"auth_ext_replay": 1})


@pytest.mark.parametrize("mode", ["permissive", "receive-only"])
def test_while_a_group_is_changed_over_adverts_without_a_trailer_are_believed(
    stage: Stage, mode: str
) -> None:
    stage.apply(instance(auth_hmac=with_hmac(mode=mode)))
    plain = ip.build_ipv4(packed(PEER), GROUP_IPV4, message())
    stage.hear(plain, plain, signed(), signed(with_hmac(OTHER)))
    assert heard(stage) == (3, {"auth_ext_invalid_hmac": 1}), "but a wrong trailer is not"
    assert stage.one()["counters"]["adverts_unsigned"] == 2
    warned = [line for _level, line in stage.log.lines if "does not sign its adverts" in line]
    assert len(warned) == (1 if mode == "permissive" else 0), "once everybody should"


def test_a_clock_that_drifts_is_warned_of_before_it_is_too_far(stage: Stage) -> None:
    stage.apply(instance(auth_hmac=with_hmac(time_window_ns=10 * SECOND)))
    stage.hear(signed(at_ns=time.time_ns() - 7 * SECOND))
    assert heard(stage) == (1, {})
    assert [line for _level, line in stage.log.lines if "its clock differs from ours by -7 s" in line]


def test_a_unicast_sender_must_be_a_peer(stage: Stage) -> None:
    peers = (UnicastPeer(packed("198.51.100.3")),)
    stage.apply(instance(auth_hmac=with_hmac(), unicast_peers=peers))
    payload = signed_message()
    # the checksum of version 3 names the destination
    body = message(PEER, packed(OURS))
    guard = TrailerGuard(instance(auth_hmac=with_hmac()), time.time_ns)
    payload = body + guard.sign(guard.begin(body, packed(PEER)))
    stage.hear(ip.build_ipv4(packed(PEER), packed(OURS), payload))
    assert heard(stage) == (0, {"unknown_peer": 1})


def test_a_reload_does_not_forget_what_was_heard(stage: Stage) -> None:
    stage.apply(instance(auth_hmac=with_hmac()))
    datagram = signed()
    stage.hear(datagram)
    stage.apply(instance(auth_hmac=with_hmac(OLD, NEW), priority=50))
    stage.hear(datagram)
    assert heard(stage) == (1, {"auth_ext_replay": 1})


# -- auth_hmac: what goes out


@pytest.mark.parametrize("family", [4, 6])
def test_each_advert_is_signed_anew_and_peers_believe_it(stage: Stage, family: int) -> None:
    ours = instance(auth_hmac=with_hmac(), family=family)
    stage.start_active(ours)
    stage.wait(3.2)
    sent = [datagram for datagram, _destination in stage.socket(family).sent]
    assert len(sent) == len(set(sent)) >= 3
    peer = TrailerGuard(ours, time.time_ns)
    for datagram in sent:
        inside = (ip.parse_ipv4 if family == 4 else ip.parse_ipv6)(datagram)
        body, trailer = hmac_trailer.split(inside.payload, len(inside.source))
        assert peer.refusal(body, inside.source, Proof(trailer=trailer)) is None


def test_all_the_copies_of_an_advert_carry_one_trailer(stage: Stage) -> None:
    """They have one number; the copy for another peer is no new advert."""
    peers = (UnicastPeer(packed(PEER)), UnicastPeer(packed("198.51.100.3")))
    stage.start_active(instance(auth_hmac=with_hmac(), unicast_peers=peers))
    stage.wait(1.1)
    (first, to_first), (second, to_second) = stage.socket().sent[:2]
    assert (to_first, to_second) == ((packed(PEER),), (packed("198.51.100.3"),))
    assert first[-28:] == second[-28:]


def test_receive_only_signs_nothing(stage: Stage) -> None:
    stage.start_active(instance(auth_hmac=with_hmac(mode="receive-only")))
    stage.wait(1.1)
    assert {len(datagram) for datagram, _destination in stage.socket().sent} == {20 + 12}


def test_an_advert_with_its_trailer_fits_the_link(stage: Stage) -> None:
    many = tuple(f"198.18.{number // 250}.{number % 250 + 1}/32" for number in range(255))
    stage.host.links[2] = replace(stage.host.links[2], mtu=1000)
    stage.agent._news.list_everything()
    stage.start_active(instance("VI_1", *many, auth_hmac=with_hmac()))
    stage.wait(1.1)
    longest = max(len(datagram) for datagram, _destination in stage.socket().sent)
    assert 996 < longest <= 1000


# -- the three sweeps of a rotation


class Member:
    """A router of a group: its guard as sender and receiver."""

    def __init__(self, number: int) -> None:
        self.source = packed(f"198.51.100.{number}")
        self.guard = TrailerGuard(instance(auth_hmac=with_hmac(OLD)), time.time_ns)

    def reload(self, hmac: AuthHmac) -> None:
        self.guard.configure(instance(auth_hmac=hmac))

    def say(self) -> Tuple[bytes, bytes]:
        body = message("198.51.100.9", GROUP_IPV4)
        return body, self.guard.sign(self.guard.begin(body, self.source))


SWEEPS = (with_hmac(OLD, NEW, active=1), with_hmac(OLD, NEW, active=2), with_hmac(NEW, active=2))


@given(st.tuples(*[st.permutations(range(4))] * 3))
def test_keys_are_changed_in_three_sweeps_and_no_advert_is_refused(orders: Sequence[List[int]]) -> None:
    """In whatever order the hosts are reloaded: a sweep begins when the one before is done."""
    members = [Member(number) for number in range(1, 5)]
    for hmac, order in zip(SWEEPS, orders):
        for number in order:
            members[number].reload(hmac)
            everybody_believes_everybody(members)
    body, trailer = Member(7).say()
    refusal = members[0].guard.refusal(body, packed("198.51.100.7"), Proof(trailer=trailer))
    assert refusal is not None and refusal[0] is Discard.AUTH_EXT_UNKNOWN_KEY, "the old key is worth nothing"


@given(st.tuples(*[st.permutations(range(4))] * 2))
def test_a_group_is_changed_over_to_signed_adverts_and_no_advert_is_refused(
    orders: Sequence[List[int]],
) -> None:
    """receive-only everywhere, then permissive, then enforce."""
    members = [Member(number) for number in range(1, 5)]
    for member in members:
        member.reload(with_hmac(mode="receive-only"))
    for mode, order in zip(("permissive", "enforce"), orders):
        for number in order:
            members[number].reload(with_hmac(mode=mode))
            everybody_believes_everybody(members)


def everybody_believes_everybody(members: Sequence[Member]) -> None:
    for sender in members:
        body, trailer = message("198.51.100.9", GROUP_IPV4), b""
        if sender.guard.signs:
            body, trailer = sender.say()
        for receiver in members:
            if receiver is not sender:
                assert receiver.guard.refusal(body, sender.source, Proof(trailer=trailer)) is None


# -- AH


def test_an_advert_inside_a_header_is_believed_once(stage: Stage) -> None:
    stage.apply(with_header())
    datagram = sealed(5)
    hear_headers(stage, datagram, datagram, sealed(4), sealed(6))
    assert heard(stage) == (2, {"auth_failure": 2})
    assert stage.one()["active_router"] == {"address": PEER, "priority": 200}


@pytest.mark.parametrize("words", [{"password": b"other\0\0\0"}, {"spi": "198.51.100.3"}])
def test_a_wrong_header_is_an_authentication_failure(stage: Stage, words: Dict[str, Any]) -> None:
    """The SPI is the source address, as keepalived has it."""
    stage.apply(with_header())
    hear_headers(stage, sealed(5, **words))
    assert heard(stage) == (0, {"auth_failure": 1})


def test_a_plain_advert_is_not_believed_where_a_header_is_wanted(stage: Stage) -> None:
    stage.apply(with_header())
    body = message(version=2, auth_type=1, auth_data=PASSWORD)
    stage.hear(ip.build_ipv4(packed(PEER), GROUP_IPV4, body))
    assert heard(stage) == (0, {"auth_type_mismatch": 1})


def test_a_header_is_not_believed_where_a_password_is_wanted(stage: Stage) -> None:
    stage.apply(
        with_header(), instance("VI_2", "198.51.100.200/24", version=2, vrid=20, auth_password=PASSWORD)
    )
    hear_headers(stage, sealed(5, vrid=20))
    assert stage.one("VI_2")["counters"]["discards"] == {"auth_type_mismatch": 1}


def test_other_traffic_of_the_protocol_is_passed_over(stage: Stage) -> None:
    stage.apply(with_header())
    tcp = ip.build_ipv4(packed(PEER), packed(OURS), b"\6\4" + sealed(5)[22:], protocol=ah.PROTOCOL)
    hear_headers(stage, tcp, ip.build_ipv4(packed(PEER), packed(OURS), b"short", protocol=ah.PROTOCOL))
    assert heard(stage) == (0, {})


def test_a_backup_that_takes_over_goes_on_with_the_numbers_it_heard(stage: Stage) -> None:
    stage.apply(with_header())
    hear_headers(stage, sealed(4_000_000_000))
    stage.wait(5)
    assert stage.one()["state"] == "active"
    numbers = [ah.parse(ip.parse_ipv4(one).payload).sequence for one, _to in stage.socket().sent]
    assert numbers[:2] == [4_000_000_001, 4_000_000_002]


def test_a_header_is_made_anew_for_each_advert_and_never_without_an_identification(stage: Stage) -> None:
    """The kernel would fill one in, and the integrity value would be wrong."""
    stage.start_active(with_header())
    stage.wait(3.2)
    sent = [datagram for datagram, _to in stage.socket().sent]
    assert len(sent) >= 3
    key = ah.make_key(PASSWORD)
    for datagram in sent:
        assert datagram[9] == ah.PROTOCOL and datagram[4:6] != b"\0\0"
        assert ah.genuine(datagram, key, unicast=False)


def test_the_socket_for_headers_is_there_only_while_somebody_needs_it(stage: Stage) -> None:
    stage.apply(with_header())
    sock = stage.socket(protocol=ah.PROTOCOL)
    assert sock.groups == [GROUP_IPV4]
    stage.apply(instance())
    assert sock.closed


def test_a_reload_keeps_the_counter_of_a_header() -> None:
    guard = guard_for(with_header(), None, lambda: 0)
    assert isinstance(guard, HeaderGuard)
    guard.begin_advert()
    same = guard_for(replace(with_header(), priority=7), guard, lambda: 0)
    assert same is guard
    assert guard.begin_advert()[0] == 2


# -- and both


def test_without_protection_there_is_no_guard() -> None:
    assert guard_for(instance(version=2, auth_password=PASSWORD), None) is None


@pytest.mark.parametrize(("interval_ns", "window_s"), [
    (SECOND // 10, 5), (SECOND, 5), (2 * SECOND, 6), (2 * SECOND - 1, 5), (255 * SECOND, 300),
])  # fmt: skip
def test_the_window_follows_the_advert_interval(interval_ns: int, window_s: int) -> None:
    assert default_window_ns(interval_ns) == window_s * SECOND


def test_secrets_are_not_in_what_is_shown(stage: Stage) -> None:
    stage.apply(instance(auth_hmac=with_hmac(HmacKey(1, b"0123456789" * 4))), with_header(vrid=11))
    shown = f"{stage.lines_of_status()} {stage.log.lines} {stage.agent.config!r}"
    assert "0123456789" not in shown and "s3cret" not in shown


def test_ipv6_is_checked_with_its_trailer(stage: Stage) -> None:
    from vrrp_agent.kernel.advert_socket import Received
    from vrrp_agent.wire.advert import PROTOCOL
    from vrrp_agent.wire.checksum import internet_checksum, pseudo_header

    stage.apply(instance(auth_hmac=with_hmac(), family=6))
    body = message(PEER6, GROUP_IPV6)
    guard = TrailerGuard(instance(auth_hmac=with_hmac()), time.time_ns)
    payload = body + guard.sign(guard.begin(body, packed(PEER6)))
    pseudo = pseudo_header(packed(PEER6), GROUP_IPV6, PROTOCOL, len(payload))
    total = internet_checksum(pseudo + payload[:6] + b"\0\0" + payload[8:])
    right = payload[:6] + total.to_bytes(2, "big") + payload[8:]
    stage.hear(Received(packed(PEER6), GROUP_IPV6, 255, payload), family=6)
    stage.hear(Received(packed(PEER6), GROUP_IPV6, 255, right), family=6)
    assert heard(stage) == (1, {"checksum": 1})
