# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent and IPVS with real traffic: HTTP by every way, reloads, a crash, and its end."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

import pytest

sys.path.append(str(pathlib.Path("vrrp-agent").resolve()))  # pyroute2 is in there

from guest.farm import (
    ECHO_PORT,
    INSIDE,
    OUTSIDE,
    SERVERS,
    WEB_PORT,
    Farm,
    run,
    server_program,
    until,
    within,
)
from vrrp_agent.balance.backend import DestinationKey, ServiceKey
from vrrp_agent.balance.choose import choose
from vrrp_agent.conf.parts.balancing import TCP, Balancing

FOREIGN = "-A -t 198.51.100.9:99 -s rr"


def service(
    where: str, kind: str = "NAT", algorithm: str = "rr", servers: Sequence[str] = tuple(SERVERS.values())
) -> str:
    """A virtual_server without checks; a server is its address and further words."""
    lines = [f"virtual_server {where} {{", f"lb_algo {algorithm}", f"lb_kind {kind}", "protocol TCP"]
    port = where.split()[-1] if where.split()[-1].isdigit() else str(WEB_PORT)
    for server in servers:
        address, _space, rest = server.partition(" ")
        lines += [f"real_server {address} {port} {{", rest, "}"]
    return "\n".join([*lines, "}", ""])


class Director:
    """The director da with the virtual addresses on it. The agent goes from story to story by reloads."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm

    def use(self, *parts: str) -> None:
        """This is the configuration now."""
        if "da" not in self.farm.programs:
            self.farm.agent("da", "\n".join(parts))
            return
        (self.farm.room / "da.conf").write_text("\n".join(parts))
        self.farm.programs["da"].send_signal(signal.SIGHUP)

    def end(self) -> None:
        """An orderly stop, unless it has ended already."""
        if "da" in self.farm.programs:
            self.farm.kill("da", signal.SIGTERM)

    def kill_balancer(self) -> None:
        """Kill the process of the agent that changes IPVS, and nothing else."""
        parent = self.farm.programs["da"].pid
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            name, _state, of = path.read_text().partition("(")[2].replace(")", "").split()[:3]
            if name == "vrrp-balance" and int(of) == parent:
                os.kill(int(path.parent.name), signal.SIGKILL)
                return
        raise AssertionError(self.farm.evidence())

    def table(self) -> list[str]:
        """What the agent has there."""
        return sorted(line for line in within("da", "ipvsadm", "-Sn").splitlines() if line != FOREIGN)

    def reaches(self, *expected: str) -> None:
        """The table becomes this, and nobody else's service is touched."""
        until("the table", lambda: self.table() == sorted(expected), 30, self.farm.evidence)
        assert FOREIGN in within("da", "ipvsadm", "-Sn").splitlines(), self.farm.evidence()

    def counted(self, spot: str, least: int) -> int:
        """How many connections a service has had since it was made. The kernel adds them up every 2 s."""
        until("the count", lambda: self._connections(spot) >= least, 10, self.farm.evidence)
        return self._connections(spot)

    def _connections(self, spot: str) -> int:
        for line in within("da", "ipvsadm", "-Ln", "--stats", "--exact").splitlines():
            if spot in line:
                return int(line.split()[-5])
        raise AssertionError(f"{spot} is not there\n{self.farm.evidence()}")


def entry(where: str, *servers: str, words: str = "-s rr", way: str = "-m -w 1") -> list[str]:
    """A service and its servers as ipvsadm says them."""
    return [f"-A {where} {words}", *(f"-a {where} -r {server} {way}" for server in servers)]


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with Farm(tmp_path_factory.mktemp("farm")) as made:
        for name in SERVERS:
            made.start(name, name, sys.executable, "-c", server_program(name))
        for line in (
            f"-n da address add {OUTSIDE}/24 dev outside",
            "-n da address add 198.51.100.101/24 dev outside",
            f"-n da address add {INSIDE}/24 dev inside",
            "-n da -6 address add 2001:db8::100/64 dev outside nodad",
            "-n da -6 address add 2001:db8:1::100/64 dev inside nodad",
            "-n client -6 address add 2001:db8::10/64 dev outside nodad",
        ):
            run("ip", *line.split())
        within("da", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        for number, name in enumerate(SERVERS, 11):
            run(
                "ip", "-n", name, "-6", "address", "add", f"2001:db8:1::{number}/64", "dev", "inside", "nodad"
            )
            run("ip", "-n", name, "-6", "route", "add", "default", "via", "2001:db8:1::100")
        yield made


@pytest.fixture(scope="module")
def director(farm: Farm) -> Director:
    within("da", "ipvsadm", *FOREIGN.split())
    return Director(farm)


def fetch(url: str) -> str:
    """What a new request is answered."""
    return within("client", "curl", "-gsS", "-m", "5", url, check=False).strip()


def both(url: str) -> set[str]:
    """Who answers four requests."""
    return {fetch(url) for _turn in range(4)}


class Talk:
    """One connection of the client that stays open: curl has no part in it."""

    CODE = """
import socket, sys
connection = socket.create_connection(("{}", {}), timeout=10)
for line in sys.stdin:
    connection.sendall(line.encode())
    print(connection.recv(200).decode(), end="", flush=True)
"""

    def __init__(self, address: str, port: int) -> None:
        code = self.CODE.format(address, port)
        words = ("ip", "netns", "exec", "client", sys.executable, "-c", code)
        self._program = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def say(self, word: str) -> str:
        assert self._program.stdin is not None and self._program.stdout is not None
        self._program.stdin.write(f"{word}\n")
        self._program.stdin.flush()
        return self._program.stdout.readline().strip()

    def end(self) -> None:
        self._program.kill()
        self._program.communicate()


class Watch:
    """Looks at the table of the director all the time: what is in it now must stay."""

    def __init__(self, port: int = 0, gone: str = "") -> None:
        """The server ``gone`` of the service with ``port`` may go."""
        self.missing: set[tuple[ServiceKey, DestinationKey | None]] = set()
        self.looks = 0
        choice = choose(Balancing(backend="ipvs", namespace="da"))
        assert choice.backend is not None, choice.problem
        self._backend = choice.backend
        may_go = DestinationKey(socket.inet_aton(gone), port) if gone else None
        self._spots = {spot for spot in self._read() if may_go is None or spot[1] != may_go}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._backend.close()

    def _read(self) -> set[tuple[ServiceKey, DestinationKey | None]]:
        table = self._backend.read()
        found = {(key, one) for key, entry in table.items() for one in entry.destinations}
        return {*found, *((key, None) for key in table)}

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self.missing |= self._spots - self._read()
            self.looks += 1


WEB_SERVERS = [f"{address}:{WEB_PORT}" for address in SERVERS.values()]
ECHO_SERVERS = [f"{address}:{ECHO_PORT}" for address in SERVERS.values()]


def test_http_reaches_both_servers_by_nat(director: Director) -> None:
    six = ("2001:db8:1::11", "2001:db8:1::12")
    director.use(service(f"{OUTSIDE} {WEB_PORT}"), service("2001:db8::100 80", servers=six))
    director.reaches(
        *entry(f"-t {OUTSIDE}:80", *WEB_SERVERS),
        *entry("-t [2001:db8::100]:80", *(f"[{address}]:80" for address in six)),
    )
    assert both(f"http://{OUTSIDE}/") == set(SERVERS), director.farm.evidence()
    assert both("http://[2001:db8::100]/") == set(SERVERS), director.farm.evidence()
    director.counted(f"{OUTSIDE}:{WEB_PORT}", 4)
    choice = choose(Balancing(backend="ipvs", namespace="da"))
    assert choice.backend is not None, choice.problem
    web = choice.backend.counters()[ServiceKey(4, TCP, bytes((198, 51, 100, 100)), WEB_PORT, 0)]
    choice.backend.close()
    assert web.service.connections == 4 and len(web.destinations) == 2, web
    assert [one.connections for one in web.destinations.values()] == [2, 2], web
    assert all((one.packets_in or 0) >= 8 and one.bytes_out for one in web.destinations.values()), web


def test_a_reload_changes_what_differs_and_open_connections_live_on(director: Director) -> None:
    director.use(service(f"{OUTSIDE} {ECHO_PORT}"), service(f"{OUTSIDE} {WEB_PORT}"))
    web = entry(f"-t {OUTSIDE}:{WEB_PORT}", *WEB_SERVERS)
    director.reaches(*entry(f"-t {OUTSIDE}:{ECHO_PORT}", *ECHO_SERVERS), *web)
    talk = Talk(OUTSIDE, ECHO_PORT)
    try:
        server = talk.say("hello").split()[0]
        assert server in SERVERS, server
        assert both(f"http://{OUTSIDE}/") == set(SERVERS)
        counted = director.counted(f"{OUTSIDE}:{WEB_PORT}", 4)
        kept = SERVERS[server]
        (other,) = set(SERVERS.values()) - {kept}
        with Watch(ECHO_PORT, other) as watch:
            # Another scheduler, a server less, one more service; the web is as it was.
            director.use(
                service(f"{OUTSIDE} {ECHO_PORT}", algorithm="wrr", servers=(kept,)),
                service(f"{OUTSIDE} {WEB_PORT}"),
                service(f"{OUTSIDE} 81", servers=(f"{other} weight 7",)),
            )
            director.reaches(
                *entry(f"-t {OUTSIDE}:{ECHO_PORT}", f"{kept}:{ECHO_PORT}", words="-s wrr"),
                *web,
                *entry(f"-t {OUTSIDE}:81", f"{other}:81", way="-m -w 7"),
            )
        assert watch.looks > 3 and not watch.missing, watch.missing
        assert talk.say("still there") == f"{server} still there", director.farm.evidence()
        assert director.counted(f"{OUTSIDE}:{WEB_PORT}", 4) >= counted, "the kernel counts on"
    finally:
        talk.end()


def test_http_by_direct_routing_and_by_a_tunnel(director: Director) -> None:
    """The answers go straight to the client: from the virtual address, and not through the director."""
    run("modprobe", "ipip")
    for line in (
        "-n switch link add s1-direct up type veth peer name direct netns s1",
        "-n switch link set s1-direct master outside",
        "-n s1 link set direct up",
        "-n s1 address add 198.51.100.21/24 dev direct",
        f"-n s1 address add {OUTSIDE}/32 dev lo",
        "-n s1 link set tunl0 up",
    ):
        run("ip", *line.split())
    names = (
        "all.arp_ignore=1",
        "all.arp_announce=2",
        *(f"{one}.rp_filter=0" for one in ("all", "tunl0", "direct")),
    )
    within("s1", "sysctl", "-qw", *(f"net.ipv4.conf.{name}" for name in names))
    director.use(service(f"{OUTSIDE} {WEB_PORT}", kind="DR", servers=("198.51.100.21",)))
    director.reaches(*entry(f"-t {OUTSIDE}:80", "198.51.100.21:80", way="-g -w 1"))
    assert fetch(f"http://{OUTSIDE}/") == "s1", director.farm.evidence()
    director.use(service(f"{OUTSIDE} {WEB_PORT}", kind="TUN", servers=(SERVERS["s1"],)))
    director.reaches(*entry(f"-t {OUTSIDE}:80", WEB_SERVERS[0], way="-i -w 1 --tun-type ipip"))
    assert fetch(f"http://{OUTSIDE}/") == "s1", director.farm.evidence()
    run("ip", "-n", "s1", "address", "del", f"{OUTSIDE}/32", "dev", "lo")
    run("ip", "-n", "switch", "link", "del", "s1-direct")


MARKS = "global_defs {\nnftables_ipvs marks\n}\n"
GROUP = f"virtual_server_group web {{\n{OUTSIDE} {WEB_PORT}\n198.51.100.101 {WEB_PORT}\n}}\n" + service(
    "group web"
)


def test_a_group_is_one_service_by_its_mark(director: Director) -> None:
    director.use(MARKS, GROUP)
    director.reaches(*entry("-f 1000", *WEB_SERVERS))
    until(
        "its table",
        lambda: "table ip marks" in within("da", "nft", "list", "tables"),
        10,
        director.farm.evidence,
    )
    for address in (OUTSIDE, "198.51.100.101"):
        assert both(f"http://{address}/") == set(SERVERS), director.farm.evidence()
    assert fetch("http://198.51.100.1/").startswith("curl"), "no member of the group"
    director.use(GROUP)
    addresses = [f"-t {address}:80" for address in (OUTSIDE, "198.51.100.101")]
    director.reaches(*(line for where in addresses for line in entry(where, *WEB_SERVERS)))
    assert "table ip marks" not in within("da", "nft", "list", "tables")


def test_a_killed_agent_leaves_all_as_it_is_and_the_next_one_takes_it_over(director: Director) -> None:
    config = MARKS, service(f"{OUTSIDE} {ECHO_PORT}"), GROUP
    director.use(*config)
    expected = [*entry(f"-t {OUTSIDE}:{ECHO_PORT}", *ECHO_SERVERS), *entry("-f 1000", *WEB_SERVERS)]
    director.reaches(*expected)
    until("the marks", lambda: fetch(f"http://{OUTSIDE}/") in SERVERS, 10, director.farm.evidence)
    talk = Talk(OUTSIDE, ECHO_PORT)
    try:
        server = talk.say("hello").split()[0]
        counted = director.counted("FWM  1000", 1)
        with Watch() as watch:
            director.farm.kill("da", signal.SIGKILL)
            assert talk.say("without an agent") == f"{server} without an agent"
            director.use(*config)
            taken = "2 services are in the ipvs table already"
            until("they are taken over", lambda: taken in director.farm.log("da"), 40, director.farm.evidence)
            director.kill_balancer()
            taken = f"{taken}.*{taken}"
            until(
                "taken over by a new process",
                lambda: bool(re.search(taken, director.farm.log("da"), re.DOTALL)),
                20,
                director.farm.evidence,
            )
            # Whatever the new one does wrong it would have done before it answers a reload.
            director.use(*config, service(f"{OUTSIDE} 82", servers=(SERVERS["s1"],)))
            director.reaches(*expected, *entry(f"-t {OUTSIDE}:82", f"{SERVERS['s1']}:82"))
        assert watch.looks > 3 and not watch.missing, watch.missing
        assert director.counted("FWM  1000", 1) >= counted, "the kernel counts on"
        assert fetch(f"http://{OUTSIDE}/") in SERVERS, director.farm.evidence()
        assert talk.say("still there") == f"{server} still there", director.farm.evidence()
    finally:
        talk.end()
    director.end()
    director.reaches()
    assert "table ip marks" not in within("da", "nft", "list", "tables")


def test_flush_and_time_limits_hold_in_the_namespace_that_the_file_names(director: Director) -> None:
    def limits() -> list[str]:
        return within("db", "ipvsadm", "-L", "--timeout").split()[-3:]

    director.end()
    before = limits()
    within("db", "ipvsadm", *FOREIGN.split())
    words = "lvs_flush", "lvs_flush_on_stop", "lvs_timeouts tcp 1000 tcpfin 10 udp 77"
    config = service(f"{OUTSIDE} {WEB_PORT}", servers=(SERVERS["s1"],))
    director.use("net_namespace_ipvs db", "global_defs {", *words, "}", config)
    expected = sorted(entry(f"-t {OUTSIDE}:80", WEB_SERVERS[0]))
    found = lambda: sorted(within("db", "ipvsadm", "-Sn").splitlines())  # noqa: E731
    until("the service", lambda: found() == expected, 30, director.farm.evidence)
    until("the limits", lambda: limits() == ["1000", "10", "77"], 10, director.farm.evidence)
    assert director.table() == [], "the agent's own namespace is left alone"
    within("db", "ipvsadm", *FOREIGN.split())
    director.end()
    assert found() == []
    assert limits() == before
    director.reaches()
