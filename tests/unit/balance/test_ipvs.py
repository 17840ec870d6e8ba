# SPDX-License-Identifier: GPL-3.0-or-later
"""The back end on IPVS: what is applied is read back, and errors say what to do."""

from __future__ import annotations

import errno
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.balance.backend import (
    Change,
    Counters,
    DestinationKey,
    DestinationWords,
    Placed,
    ServiceKey,
    ServiceWords,
    Table,
)
from vrrp_agent.balance.difference import difference
from vrrp_agent.balance.ipvs import IpvsBackend
from vrrp_agent.conf.parts.balancing import (
    DIRECT,
    GRE,
    GUE,
    NAT,
    SCTP,
    TCP,
    TUNNEL,
    UDP,
    Forwarding,
    Persistence,
    SyncDaemon,
    Timeouts,
)
from vrrp_agent.kernel.errors import KernelError, MissingPrivilege
from vrrp_agent.kernel.ipvs import Ipvs
from vrrp_agent.kernel.ipvs_messages import Usage

from tests.unit.balance.ip_vs import IpVs

WEB = ServiceKey(4, TCP, b"\xc6\x33\x64\x01", 80, 0)
SERVER = DestinationKey(b"\xc6\x12\x00\x01", 80)
PLAIN = DestinationWords(1, Forwarding())
RR = ServiceWords("rr")


def backend_of(kernel: IpVs) -> IpvsBackend:
    return IpvsBackend(cast(Ipvs, kernel))


addresses = {4: st.binary(min_size=4, max_size=4), 6: st.binary(min_size=16, max_size=16)}
ports = st.integers(0, 65535)
ways = st.one_of(
    st.sampled_from([Forwarding(NAT), Forwarding(DIRECT), Forwarding(TUNNEL)]),
    st.builds(
        Forwarding,
        st.just(TUNNEL),
        st.just(GUE),
        st.integers(1, 65535),
        st.sampled_from(["nocsum", "csum", "remcsum"]),
    ),
    st.builds(Forwarding, st.just(TUNNEL), st.just(GRE), st.just(0), st.sampled_from(["nocsum", "csum"])),
)


@st.composite
def entries(draw: Any) -> Any:
    family = draw(st.sampled_from([4, 6]))
    if draw(st.booleans()):
        key = ServiceKey(family, 0, b"", 0, draw(st.integers(1, 0xFFFFFFFF)))
    else:
        protocol = draw(st.sampled_from([TCP, UDP, SCTP]))
        key = ServiceKey(family, protocol, draw(addresses[family]), draw(ports), 0)
    flags = draw(st.sets(st.sampled_from(["ops", "flag-1", "flag-2", "flag-3"])))
    lasting = st.builds(
        Persistence,
        st.integers(1, 86400 * 31),
        st.integers(1, 32 if family == 4 else 128),
        st.sampled_from(["", "sip"]),
    )
    words = ServiceWords(draw(st.sampled_from(["rr", "mh"])), tuple(sorted(flags)), draw(st.none() | lasting))
    destinations = {}
    for _number in range(draw(st.integers(0, 3))):
        way = draw(ways)
        there = draw(st.sampled_from([4, 6])) if way.method == TUNNEL else family
        upper = draw(st.integers(0, 0xFFFFFFFF))
        destinations[DestinationKey(draw(addresses[there]), draw(ports))] = DestinationWords(
            draw(st.integers(0, 65535)), way, upper, draw(st.integers(0, upper))
        )
    return key, Placed(words, destinations)


tables = st.lists(entries(), max_size=4).map(dict)


@given(tables, tables)
def test_what_is_applied_is_read_back_and_a_reload_reaches_every_other_table(old: Table, new: Table) -> None:
    backend = backend_of(IpVs())
    assert backend.apply(difference({}, old)) == []
    assert backend.read() == old
    assert difference(backend.read(), old) == [], "a successor has nothing to mend"
    assert backend.apply(difference(old, new)) == []
    assert backend.read() == new


def test_a_refused_step_is_told_and_the_others_are_taken() -> None:
    backend = backend_of(IpVs())
    good, bad = WEB._replace(port=81), WEB
    changes = [
        Change("add", bad, ServiceWords("twos")),
        Change("add", bad, destination=SERVER, destination_words=PLAIN),
        Change("add", good, RR),
        Change("add", good, destination=SERVER, destination_words=PLAIN._replace(weight=70000)),
        Change("add", good, destination=DestinationKey(bytes(16), 80), destination_words=PLAIN),
        Change("add", good, destination=SERVER, destination_words=PLAIN),
    ]
    refusals = backend.apply(changes)
    assert [changes.index(refusal.change) for refusal in refusals] == [0, 1, 3, 4]
    for refusal, text in zip(refusals, ("modprobe ip_vs_twos", "service is not there", "weight", "TUN")):
        assert text in refusal.why
    assert backend.read() == {good: Placed(RR, {SERVER: PLAIN})}


def test_a_missing_engine_is_named_beside_the_scheduler() -> None:
    words = ServiceWords("twos", (), Persistence(360, 32, "sip"))
    (refusal,) = backend_of(IpVs()).apply([Change("add", WEB, words)])
    assert "modprobe ip_vs_pe_sip" in refusal.why


def test_a_step_that_cannot_be_said_is_refused_alone() -> None:
    backend = backend_of(IpVs())
    strange = PLAIN._replace(weight=1 << 40)
    refusals = backend.apply(
        [
            Change("add", WEB, RR),
            Change("add", WEB, destination=SERVER, destination_words=strange),
            Change("add", WEB, destination=SERVER._replace(port=81), destination_words=PLAIN),
        ]
    )
    assert len(refusals) == 1 and refusals[0].change.destination_words == strange
    assert list(backend.read()[WEB].destinations) == [SERVER._replace(port=81)]


def test_a_table_that_others_changed_meanwhile_is_no_error() -> None:
    kernel = IpVs()
    backend = backend_of(kernel)
    backend.apply(difference({}, {WEB: Placed(RR, {SERVER: PLAIN})}))
    heavy, other = PLAIN._replace(weight=9), SERVER._replace(port=81)
    missing = WEB._replace(port=443)
    changes = [
        Change("add", WEB, ServiceWords("wrr")),
        Change("add", WEB, destination=SERVER, destination_words=heavy),
        Change("set", WEB, destination=other, destination_words=PLAIN),
        Change("set", missing, RR),
        Change("remove", missing, destination=SERVER),
        Change("remove", WEB._replace(port=1)),
    ]
    assert backend.apply(changes) == []
    assert backend.read() == {
        WEB: Placed(ServiceWords("wrr"), {SERVER: heavy, other: PLAIN}),
        missing: Placed(RR, {}),
    }


def test_hashed_is_no_word_for_ip_vs() -> None:
    """The kernel does not hash a service that comes with the flag: it would never be found again."""
    backend = backend_of(IpVs())
    words = ServiceWords("mh", ("flag-1", "hashed"))
    assert backend.fitted(words) == ServiceWords("mh", ("flag-1",))
    assert backend.fitted(RR) is RR
    backend.apply([Change("add", WEB, words)])
    assert backend.read()[WEB].words == backend.fitted(words)


def test_time_limits_go_back_to_what_they_were() -> None:
    kernel = IpVs()
    backend = backend_of(kernel)
    backend.set_timeouts(Timeouts())
    assert kernel.calls == [], "without the word nothing is touched"
    backend.set_timeouts(Timeouts(1000, 0, 77))
    assert kernel.limits == (1000, 120, 77)
    backend.set_timeouts(Timeouts(0, 5, 0))
    assert kernel.limits == (900, 5, 300)
    backend.set_timeouts(Timeouts())
    assert kernel.limits == (900, 120, 300)


def test_sync_daemons_start_once_and_stop_without_harm() -> None:
    backend = backend_of(IpVs())
    wanted = SyncDaemon("eth0", "VI_1", 7, 1400, 8849, 3, bytes(16))
    backend.start_sync(wanted, True)
    backend.start_sync(wanted, True)
    backend.start_sync(SyncDaemon("eth0", "", 7), False)
    found = backend.sync_daemons()
    assert found[True] == SyncDaemon("eth0", "", 7, 1400, 8849, 3, bytes(16))
    assert found[False].port == 8848
    backend.stop_sync(True)
    backend.stop_sync(True)
    assert set(backend.sync_daemons()) == {False}
    with pytest.raises(KernelError, match="nowhere") as error:
        backend.start_sync(SyncDaemon("nowhere", ""), True)
    assert error.value.hint == "name an interface that exists"


def test_what_concerns_the_whole_table_is_an_error() -> None:
    kernel = IpVs()
    backend = backend_of(kernel)
    backend.apply([Change("add", WEB, RR)])
    backend.flush()
    assert backend.read() == {}
    kernel.refuse_all = errno.EPERM
    with pytest.raises(MissingPrivilege, match="emptying"):
        backend.flush()
    (refusal,) = backend.apply([Change("add", WEB, RR)])
    assert "CAP_NET_ADMIN" in refusal.why


def test_connections_of_a_service_are_those_of_its_servers() -> None:
    kernel = IpVs()
    backend = backend_of(kernel)
    both = {SERVER: PLAIN, SERVER._replace(port=81): PLAIN}
    backend.apply(difference({}, {WEB: Placed(RR, both)}))
    kernel.usage = Usage(1, 2, 3, 4, 5, 6, 7, 8)
    counted = backend.counters()[WEB]
    assert counted.destinations[SERVER] == Counters(1, 2, 3, 4, 5, 6, 7, 8)
    assert counted.service == Counters(2, 4, 6, 4, 5, 6, 7, 8)
