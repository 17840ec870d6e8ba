# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent and IPVS with real traffic: HTTP by every way, reloads, a crash, and its end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from guest.farm import INSIDE, OUTSIDE, SERVERS, Farm, run, until, within

WEB, ECHO = 80, 7000
FOREIGN = "-A -t 203.0.113.9:99 -s rr"

SERVER = """
import socket, threading

def echo(connection):
    with connection:
        while data := connection.recv(100):
            connection.sendall(b"NAME " + data)

def web(connection):
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nNAME")

def listen(port, serve):
    listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

threading.Thread(target=listen, args=(7000, echo), daemon=True).start()
listen(80, web)
"""


def service(
    where: str, *words: str, kind: str = "NAT", servers: tuple[str, ...] = tuple(SERVERS.values())
) -> str:
    lines = [f"virtual_server {where} {{", "lb_algo rr", f"lb_kind {kind}", "protocol TCP", *words]
    port = where.split()[-1] if where.split()[-1].isdigit() else str(WEB)
    for server in servers:
        address, _space, rest = server.partition(" ")
        lines += [f"real_server {address} {port} {{", rest, "}"]
    return "\n".join([*lines, "}", ""])


class Director:
    """One director with the virtual addresses on it; its configuration is changed by reloads."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm

    def run(self, *parts: str) -> None:
        self.farm.agent("da", "\n".join(parts))

    def reload(self, *parts: str) -> None:
        (self.farm.room / "da.conf").write_text("\n".join(parts))
        self.farm.programs["da"].send_signal(signal.SIGHUP)

    def table(self) -> list[str]:
        return sorted(within("da", "ipvsadm", "-Sn").splitlines())

    def reaches(self, *expected: str) -> None:
        until("the table", lambda: self.table() == sorted(expected), 20, self.farm.evidence)

    def connections(self, spot: str) -> int:
        """How many the kernel has counted for a service since it was made."""
        for line in within("da", "ipvsadm", "-Ln", "--stats", "--exact").splitlines():
            if spot in line:
                return int(line.split()[2])
        raise AssertionError(f"{spot} is not there\n{self.farm.evidence()}")


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with Farm(tmp_path_factory.mktemp("farm")) as made:
        for name in SERVERS:
            made.start(name, name, sys.executable, "-c", SERVER.replace("NAME", name))
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


@pytest.fixture
def director(farm: Farm) -> Iterator[Director]:
    yield Director(farm)
    if "da" in farm.programs:
        farm.kill("da", signal.SIGTERM)
    within("da", "ipvsadm", "-C")


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
    """Looks at the table all the time, as fast as the kernel gives it."""

    def __init__(self, *lines: str) -> None:
        self.missing: list[str] = []
        self.looks = 0
        self._lines = lines
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            found = within("da", "ipvsadm", "-Sn", check=False).splitlines()
            self.looks += 1
            self.missing += [line for line in self._lines if line not in found]


def test_http_reaches_both_servers_by_nat_and_the_end_takes_only_its_own_away(director: Director) -> None:
    within("da", "ipvsadm", *FOREIGN.split())
    director.run(
        service(f"{OUTSIDE} {WEB}"), service("2001:db8::100 80", servers=("2001:db8:1::11", "2001:db8:1::12"))
    )
    lines = [
        f"-A -t {OUTSIDE}:80 -s rr",
        *(f"-a -t {OUTSIDE}:80 -r {one}:80 -m -w 1" for one in SERVERS.values()),
    ]
    six = ["-A -t [2001:db8::100]:80 -s rr"]
    six += [f"-a -t [2001:db8::100]:80 -r [2001:db8:1::{one}]:80 -m -w 1" for one in (11, 12)]
    director.reaches(*lines, *six, FOREIGN)
    assert both(f"http://{OUTSIDE}/") == set(SERVERS), director.farm.evidence()
    assert both("http://[2001:db8::100]/") == set(SERVERS), director.farm.evidence()
    director.farm.kill("da", signal.SIGTERM)
    assert director.table() == [FOREIGN], director.farm.evidence()


def test_a_reload_changes_what_differs_and_open_connections_live_on(director: Director) -> None:
    first, second = SERVERS.values()
    director.run(service(f"{OUTSIDE} {ECHO}"), service(f"{OUTSIDE} {WEB}"))
    until("both services", lambda: len(director.table()) == 6, 20, director.farm.evidence)
    talk = Talk(OUTSIDE, ECHO)
    try:
        server = talk.say("hello").split()[0]
        assert server in SERVERS, server
        assert both(f"http://{OUTSIDE}/") == set(SERVERS)
        kept, other = (first, second) if SERVERS[server] == first else (second, first)
        keeps = f"-a -t {OUTSIDE}:{ECHO} -r {kept}:{ECHO} -m -w 1"
        with Watch(f"-A -t {OUTSIDE}:{WEB} -s rr", keeps) as watch:
            # Another scheduler, another weight, a server less, one more service; the web is as it was.
            director.reload(
                service(f"{OUTSIDE} {ECHO}", "lb_algo wrr", servers=(kept,)).replace("lb_algo rr\n", ""),
                service(f"{OUTSIDE} {WEB}"),
                service(f"{OUTSIDE} 81", servers=(f"{other} weight 7",)),
            )
            director.reaches(
                f"-A -t {OUTSIDE}:{ECHO} -s wrr",
                keeps,
                f"-A -t {OUTSIDE}:{WEB} -s rr",
                *(f"-a -t {OUTSIDE}:{WEB} -r {one}:{WEB} -m -w 1" for one in SERVERS.values()),
                f"-A -t {OUTSIDE}:81 -s rr",
                f"-a -t {OUTSIDE}:81 -r {other}:81 -m -w 7",
            )
        assert watch.looks and watch.missing == [], watch.missing
        assert talk.say("still there") == f"{server} still there", director.farm.evidence()
        assert director.connections(f"{OUTSIDE}:{WEB}") == 4, "the kernel counts on"
    finally:
        talk.end()


def test_a_killed_agent_leaves_all_as_it_is_and_the_next_one_takes_it_over(director: Director) -> None:
    config = service(f"{OUTSIDE} {ECHO}"), service(f"{OUTSIDE} {WEB}")
    director.run(*config)
    until("both services", lambda: len(director.table()) == 6, 20, director.farm.evidence)
    before = director.table()
    talk = Talk(OUTSIDE, ECHO)
    try:
        server = talk.say("hello").split()[0]
        assert both(f"http://{OUTSIDE}/") == set(SERVERS)
        with Watch(*before) as watch:
            director.farm.kill("da", signal.SIGKILL)
            assert talk.say("without an agent") == f"{server} without an agent"
            director.run(*config)
            until(
                "the next one has taken them over",
                lambda: "in the ipvs table already" in director.farm.log("da"),
                30,
                director.farm.evidence,
            )
            time.sleep(1)  # whatever it might do wrong it would do now
        assert watch.looks > 3 and watch.missing == [], watch.missing
        assert director.table() == before
        assert director.connections(f"{OUTSIDE}:{WEB}") == 4, "the kernel counts on"
        assert talk.say("still there") == f"{server} still there", director.farm.evidence()
    finally:
        talk.end()
    # What the file has lost while nobody ran goes; what it has won comes.
    director.farm.kill("da", signal.SIGKILL)
    director.run(config[1], service(f"{OUTSIDE} 82"))
    expected = [line for line in before if f":{WEB} " in f"{line} "]
    expected += [line.replace(f":{WEB}", ":82") for line in expected]
    until(
        "the new file is in force", lambda: set(expected) <= set(director.table()), 30, director.farm.evidence
    )


def test_http_by_direct_routing_and_by_tunnels(director: Director) -> None:
    """The answers go straight to the client: from the virtual address, and not through the director."""
    within("s1", "modprobe", "ipip", check=False)
    for line in (
        "-n switch link add s1-direct up type veth peer name direct netns s1",
        "-n switch link set s1-direct master outside",
        "-n s1 link set direct up",
        "-n s1 address add 198.51.100.21/24 dev direct",
        "-n s1 address add 198.51.100.100/32 dev lo",
        "-n s1 link set tunl0 up",
    ):
        run("ip", *line.split())
    for name in (
        "all.arp_ignore=1",
        "all.arp_announce=2",
        "all.rp_filter=0",
        "tunl0.rp_filter=0",
        "direct.rp_filter=0",
    ):
        within("s1", "sysctl", "-qw", f"net.ipv4.conf.{name}")
    director.run(service(f"{OUTSIDE} {WEB}", kind="DR", servers=("198.51.100.21",)))
    until("the service", lambda: len(director.table()) == 2, 20, director.farm.evidence)
    assert fetch(f"http://{OUTSIDE}/") == "s1", director.farm.evidence()
    director.reload(service(f"{OUTSIDE} {WEB}", kind="TUN", servers=(SERVERS["s1"],)))
    director.reaches(
        f"-A -t {OUTSIDE}:80 -s rr", f"-a -t {OUTSIDE}:80 -r {SERVERS['s1']}:80 -i -w 1 --tun-type ipip"
    )
    assert fetch(f"http://{OUTSIDE}/") == "s1", director.farm.evidence()
    run("ip", "-n", "s1", "address", "del", "198.51.100.100/32", "dev", "lo")
    run("ip", "-n", "switch", "link", "del", "s1-direct")


def test_a_group_is_one_service_by_its_mark(director: Director) -> None:
    group = f"virtual_server_group web {{\n{OUTSIDE} {WEB}\n198.51.100.101 {WEB}\n}}\n"
    words = "global_defs {\nnftables_ipvs marks\n}\n"
    body = service("group web").replace(f" {WEB} {{", f" {WEB} {{")
    director.run(words, group, body)
    marks = ["-A -f 1000 -s rr", *(f"-a -f 1000 -r {one}:{WEB} -m -w 1" for one in SERVERS.values())]
    director.reaches(*marks)
    for address in (OUTSIDE, "198.51.100.101"):
        assert both(f"http://{address}/") == set(SERVERS), director.farm.evidence()
    assert fetch("http://198.51.100.1/").startswith("curl"), "no member of the group"
    # A killed agent's marks are taken over; without the word each address has its service again.
    director.farm.kill("da", signal.SIGKILL)
    director.run(words, group, body)
    until(
        "taken over",
        lambda: "in the ipvs table already" in director.farm.log("da"),
        30,
        director.farm.evidence,
    )
    assert director.connections("FWM  1000") == 8
    director.reload(group, body)
    until("a service for each address", lambda: len(director.table()) == 6, 20, director.farm.evidence)
    assert "table ip marks" not in within("da", "nft", "list", "tables")


def test_lvs_flush_empties_the_table_at_the_start_and_at_the_stop(director: Director) -> None:
    within("da", "ipvsadm", *FOREIGN.split())
    director.run(
        "global_defs {\nlvs_flush\nlvs_flush_on_stop\nlvs_timeouts tcp 1000 tcpfin 10 udp 77\n}\n",
        service(f"{OUTSIDE} {WEB}", servers=(SERVERS["s1"],)),
    )
    director.reaches(f"-A -t {OUTSIDE}:80 -s rr", f"-a -t {OUTSIDE}:80 -r {SERVERS['s1']}:80 -m -w 1")
    limits = within("da", "ipvsadm", "-L", "--timeout")
    assert limits.split()[-3:] == ["1000", "10", "77"], limits
    within("da", "ipvsadm", *FOREIGN.split())
    director.farm.kill("da", signal.SIGTERM)
    assert director.table() == []
    limits = within("da", "ipvsadm", "-L", "--timeout")
    assert limits.split()[-3:] == ["900", "120", "300"], limits


def test_services_live_in_the_namespace_that_the_file_names(director: Director) -> None:
    config = "net_namespace_ipvs db\n" + service(f"{OUTSIDE} {WEB}")
    director.run(config)
    until(
        "the service is there",
        lambda: f"-t {OUTSIDE}:80" in within("db", "ipvsadm", "-Sn"),
        20,
        director.farm.evidence,
    )
    assert director.table() == []
    director.farm.kill("da", signal.SIGTERM)
    assert within("db", "ipvsadm", "-Sn") == ""


def test_somebody_elses_change_of_a_service_is_mended(director: Director) -> None:
    director.run(service(f"{OUTSIDE} {WEB}"))
    until("the service", lambda: len(director.table()) == 3, 20, director.farm.evidence)
    before = director.table()
    within("da", "ipvsadm", "-d", "-t", f"{OUTSIDE}:80", "-r", f"{SERVERS['s1']}:80")
    director.farm.programs["da"].send_signal(
        signal.SIGHUP
    )  # a reload looks at once; else it is done within 30 s
    until("it is put back", lambda: director.table() == before, 40, director.farm.evidence)
