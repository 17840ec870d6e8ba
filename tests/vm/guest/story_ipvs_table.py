# SPDX-License-Identifier: GPL-3.0-or-later
"""The IPVS back end and the kernel's own table: what is applied is read back word for word."""

from __future__ import annotations

import itertools
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

sys.path.append(str(pathlib.Path("vrrp-agent").resolve()))  # pyroute2 is in there

from vrrp_agent.balance.backend import (
    Change,
    DestinationKey,
    DestinationWords,
    Placed,
    ServiceKey,
    ServiceWords,
    Table,
)
from vrrp_agent.balance.choose import choose
from vrrp_agent.balance.difference import difference
from vrrp_agent.balance.ipvs import IpvsBackend
from vrrp_agent.conf.parts.balancing import (
    DIRECT,
    GRE,
    GUE,
    IPIP,
    NAT,
    SCTP,
    TCP,
    TUNNEL,
    UDP,
    Balancing,
    Forwarding,
    Persistence,
    SyncDaemon,
    Timeouts,
)

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf")
RR = ServiceWords("rr")
PLAIN = DestinationWords(1, Forwarding(NAT))
FULL = {4: 32, 6: 128}


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def service(number: int = 1, family: int = 4, protocol: int = TCP, port: int = 80) -> ServiceKey:
    address = f"198.51.100.{number}" if family == 4 else f"2001:db8::{number:x}"
    return ServiceKey(family, protocol, packed(address), port, 0)


def mark(number: int, family: int = 4) -> ServiceKey:
    return ServiceKey(family, 0, b"", 0, number)


def server(number: int = 1, family: int = 4, port: int = 80) -> DestinationKey:
    return DestinationKey(packed(f"198.18.0.{number}" if family == 4 else f"2001:db8:1::{number:x}"), port)


def saved(*options: str) -> list[str]:
    found = subprocess.run(["ipvsadm", "-Sn", *options], capture_output=True, text=True, check=True)
    return sorted(found.stdout.splitlines())


@pytest.fixture
def backend() -> Iterator[IpvsBackend]:
    choice = choose(Balancing(backend="ipvs"))
    assert choice.backend is not None, choice.problem
    assert isinstance(choice.backend, IpvsBackend)
    choice.backend.flush()
    yield choice.backend
    for sends in (True, False):
        choice.backend.stop_sync(sends)
    choice.backend.flush()
    choice.backend.close()


def place(backend: IpvsBackend, table: Table) -> None:
    """Make the kernel's table this one, and see that it is."""
    refusals = backend.apply(difference(backend.read(), table))
    assert refusals == []
    found = backend.read()
    assert found == table, saved()
    assert difference(found, table) == [], "a successor would have something to mend"


def test_every_scheduler_is_loaded_and_read_back(backend: IpvsBackend) -> None:
    table = {
        service(number): Placed(ServiceWords(scheduler), {server(): PLAIN})
        for number, scheduler in enumerate(SCHEDULERS, 1)
    }
    place(backend, table)
    assert {line.split()[-1] for line in saved() if line.startswith("-A")} == set(SCHEDULERS)


def test_a_missing_scheduler_is_named_with_its_module_and_the_rest_goes_on(backend: IpvsBackend) -> None:
    changes = [
        Change("add", service(1), ServiceWords("twos")),  # Linux 6.1 has no such scheduler
        Change("add", service(1), destination=server(), destination_words=PLAIN),
        Change("add", service(2), RR),
    ]
    refusals = backend.apply(changes)
    assert [refusal.change for refusal in refusals] == changes[:2]
    assert "modprobe ip_vs_twos" in refusals[0].why, refusals
    assert "its service is not there" in refusals[1].why, refusals
    assert list(backend.read()) == [service(2)]


def test_every_flag_and_protocol_of_both_families(backend: IpvsBackend) -> None:
    words = ("flag-1", "flag-2", "flag-3")
    sets = [flags for size in range(4) for flags in itertools.combinations(words, size)]
    table: Table = {}
    for family, protocol in itertools.product((4, 6), (TCP, UDP, SCTP)):
        for number, flags in enumerate(sets, 1):
            one = ServiceWords("mh", (*flags, "ops") if protocol == UDP else flags)
            table[service(number, family, protocol)] = Placed(one, {server(1, family): PLAIN})
    place(backend, table)
    assert "-A -u 198.51.100.2:80 -s mh -o -b mh-fallback" in saved()


def test_marks_of_both_families(backend: IpvsBackend) -> None:
    table = {
        mark(7): Placed(RR, {server(1, port=0): DestinationWords(1, Forwarding(DIRECT))}),
        mark(7, 6): Placed(RR, {server(1, 6, 0): DestinationWords(2, Forwarding(DIRECT))}),
        mark(0xFFFFFFFF): Placed(RR, {server(2): PLAIN}),
    }
    place(backend, table)


def test_persistence_of_both_families(backend: IpvsBackend) -> None:
    table: Table = {
        service(1): Placed(ServiceWords("rr", (), Persistence(360, 32)), {}),
        service(2): Placed(ServiceWords("rr", (), Persistence(1, 24)), {}),
        service(3, 6): Placed(ServiceWords("rr", (), Persistence(360, 128)), {}),
        service(4, 6): Placed(ServiceWords("rr", (), Persistence(86400, 48)), {}),
        service(5, port=0): Placed(ServiceWords("rr", (), Persistence(50, 1)), {server(port=0): PLAIN}),
        service(6, protocol=UDP, port=5060): Placed(ServiceWords("rr", (), Persistence(60, 32, "sip")), {}),
        service(7, protocol=UDP, port=5060): Placed(
            ServiceWords("rr", ("ops",), Persistence(60, 32, "sip")), {}
        ),
    }
    place(backend, table)
    assert "-A -t 198.51.100.2:80 -s rr -p 1 -M 255.255.255.0" in saved()
    # Each word of it goes away and comes back in place.
    place(
        backend,
        {key: Placed(RR if key.port == 80 else one.words, one.destinations) for key, one in table.items()},
    )
    place(backend, table)


def test_every_method_and_tunnel(backend: IpvsBackend) -> None:
    ways = [Forwarding(NAT), Forwarding(DIRECT), Forwarding(TUNNEL, IPIP)]
    ways += [Forwarding(TUNNEL, GUE, 6080, checksum) for checksum in ("nocsum", "csum", "remcsum")]
    ways += [Forwarding(TUNNEL, GRE, 0, checksum) for checksum in ("nocsum", "csum")]
    table: Table = {}
    for family in (4, 6):
        servers = {server(number, family): DestinationWords(1, way) for number, way in enumerate(ways, 1)}
        table[service(1, family)] = Placed(RR, servers)
    place(backend, table)
    lines = saved()
    assert (
        "-a -t 198.51.100.1:80 -r 198.18.0.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum" in lines
    )
    assert "-a -t 198.51.100.1:80 -r 198.18.0.8:80 -i -w 1 --tun-type gre --tun-csum" in lines
    # In place: the same servers with the methods turned round.
    for key, one in table.items():
        turned = dict(zip(one.destinations, reversed(one.destinations.values())))
        table[key] = one._replace(destinations=turned)
    place(backend, table)


def test_a_tunnel_leads_to_the_other_family(backend: IpvsBackend) -> None:
    through = DestinationWords(1, Forwarding(TUNNEL))
    place(
        backend,
        {
            service(1, 4): Placed(RR, {server(1, 6): through, server(2, 4): through}),
            service(1, 6): Placed(RR, {server(1, 4): through}),
        },
    )
    (refusal,) = backend.apply(
        [Change("add", service(1, 4), destination=server(9, 6), destination_words=PLAIN)]
    )
    assert "TUN" in refusal.why, refusal


def test_weights_and_thresholds_change_in_place(backend: IpvsBackend) -> None:
    place(backend, {service(): Placed(RR, {server(): DestinationWords(65535, Forwarding(), 100, 50)})})
    place(backend, {service(): Placed(RR, {server(): DestinationWords(0, Forwarding(), 7, 0)})})
    bad = DestinationWords(1, Forwarding(), 5, 6)
    (refusal,) = backend.apply([Change("set", service(), destination=server(), destination_words=bad)])
    assert "connection limits" in refusal.why, refusal
    words = ["ipvsadm", "-Ln", "--thresholds"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    assert shown.split()[1:4] == ["198.18.0.1:80", "7", "0"], shown


def test_a_table_that_others_have_changed_is_taken_as_it_is(backend: IpvsBackend) -> None:
    place(backend, {service(1): Placed(RR, {server(1): PLAIN})})
    heavy = PLAIN._replace(weight=9)
    changes = [
        Change("add", service(1), ServiceWords("wrr")),
        Change("add", service(1), destination=server(1), destination_words=heavy),
        Change("set", service(1), destination=server(2), destination_words=heavy),
        Change("set", service(2), RR),
        Change("remove", service(2), destination=server(7)),
        Change("remove", service(3)),
    ]
    assert backend.apply(changes) == []
    expected = {
        service(1): Placed(ServiceWords("wrr"), {server(1): heavy, server(2): heavy}),
        service(2): Placed(RR, {}),
    }
    assert backend.read() == expected


def test_time_limits_are_set_and_given_back(backend: IpvsBackend) -> None:
    def limits() -> str:
        return subprocess.run(["ipvsadm", "-L", "--timeout"], capture_output=True, text=True).stdout.strip()

    before = limits()
    backend.set_timeouts(Timeouts(1000, 0, 77))
    tcp, fin, udp = before.split()[-3:]
    assert limits().split()[-3:] == ["1000", fin, "77"], before
    backend.set_timeouts(Timeouts(0, 5, 0))
    assert limits().split()[-3:] == [tcp, "5", udp], before
    backend.set_timeouts(Timeouts())
    assert limits() == before


def test_sync_daemons_start_stop_and_say_what_they_do(backend: IpvsBackend) -> None:
    assert backend.sync_daemons() == {}
    subprocess.run(["ip", "link", "add", "sync0", "type", "dummy"], check=True)
    try:
        subprocess.run(["ip", "link", "set", "sync0", "up", "multicast", "on"], check=True)
        subprocess.run(["ip", "address", "add", "198.18.9.1/24", "dev", "sync0"], check=True)
        wanted = SyncDaemon("sync0", "", 9, 1400, 8849, 3, packed("224.0.0.82"))
        backend.start_sync(wanted, True)
        backend.start_sync(SyncDaemon("sync0", "", 9), False)
        found = backend.sync_daemons()
        assert found[True] == wanted, found
        assert (found[False].interface, found[False].sync_id, found[False].port) == ("sync0", 9, 8848), found
        backend.start_sync(wanted, True)  # it runs already: no harm
        backend.stop_sync(True)
        assert set(backend.sync_daemons()) == {False}
        backend.stop_sync(False)
        backend.stop_sync(False)
        assert backend.sync_daemons() == {}
        backend.start_sync(SyncDaemon("sync0", "", 9, group=packed("ff02::82")), True)
        assert backend.sync_daemons()[True].group == packed("ff02::82")
        with pytest.raises(Exception, match="nowhere"):
            backend.start_sync(SyncDaemon("nowhere", "", 9), False)
    finally:
        for sends in (True, False):
            backend.stop_sync(sends)
        subprocess.run(["ip", "link", "del", "sync0"], check=True)


def test_flush_empties_the_table(backend: IpvsBackend) -> None:
    place(backend, {service(): Placed(RR, {server(): PLAIN}), mark(3): Placed(RR, {})})
    backend.flush()
    assert backend.read() == {} and saved() == []


def test_the_table_of_a_namespace_is_its_own(backend: IpvsBackend) -> None:
    subprocess.run(["ip", "netns", "add", "apart"], check=True)
    try:
        choice = choose(Balancing(backend="ipvs", namespace="apart"))
        assert choice.backend is not None, choice.problem
        assert choice.backend.apply([Change("add", service(), RR)]) == []
        assert backend.read() == {}
        assert list(choice.backend.read()) == [service()]
        here = pathlib.Path("/proc/self/ns/net").readlink()
        assert here == pathlib.Path("/proc/1/ns/net").readlink(), "this process has come back"
        choice.backend.close()
    finally:
        subprocess.run(["ip", "netns", "del", "apart"], check=True)
    choice = choose(Balancing(backend="ipvs", namespace="apart"))
    assert choice.backend is None and "ip netns add apart" in choice.problem, choice


def test_a_thousand_servers_are_placed_and_read_at_once(backend: IpvsBackend) -> None:
    servers = {server(one, port=port): PLAIN for one in range(1, 101) for port in range(80, 90)}
    table = {service(one): Placed(RR, servers) for one in range(1, 2)}
    start = time.monotonic()
    place(backend, table)
    print(f"placed and read three times in {time.monotonic() - start:.2f} s")
    assert backend.apply(difference(backend.read(), table)) == []
