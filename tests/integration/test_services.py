# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers of a whole agent: real servers come and go, files and processes change, directors fall."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

import pytest

from tests.lab import config
from tests.lab.engines import Agent
from tests.lab.lan import VIP4, Lan, Node, batch
from tests.lab.namespace import open_socket
from tests.lab.plugin import MakeLan
from tests.lab.shell import run, stays, wait_until

SOON_S = 20
"""A generous time for something that should happen within a second or two; the machine may be busy."""
INSIDE = "198.18.0.254"
"""Where real servers send their answers: it moves with the virtual address."""
NAME = f"[{VIP4}]:tcp:80"
ADVERT_S = 0.2
TABLE = "vrrp_agent_balance"


class Web:
    """A web server on a node: it says its name, and keeps a connection open as long as the client does."""

    def __init__(self, node: Node, address: str) -> None:
        self.node, self.address, self.name = node, address, node.name
        self._open: List[socket.socket] = []
        self._listener: Optional[socket.socket] = None

    def start(self) -> None:
        listener = open_socket(self.node.namespace, socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, 80))
        listener.listen(100)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Connections that are open go on."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def close(self) -> None:
        self.stop()
        for one in self._open:
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                one, _source = listener.accept()
            except OSError:
                return
            self._open.append(one)
            threading.Thread(target=self._talk, args=(one,), daemon=True).start()

    def _talk(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while one.recv(4096):
                body = self.name.encode()
                one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Visit:
    """A client's connection."""

    def __init__(self, node: Node, timeout_s: float = 3) -> None:
        self._socket = open_socket(node.namespace, socket.AF_INET, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect((VIP4, 80))
        except OSError:
            self._socket.close()
            raise

    def ask(self) -> str:
        """Who answers."""
        self._socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        answer = self._socket.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 200"), answer
        return answer.rpartition("\n")[2]

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *rest: object) -> None:
        self.close()


def ask(node: Node, timeout_s: float = 3) -> str:
    """One request on a connection of its own; what went wrong in words, if anything did."""
    try:
        with Visit(node, timeout_s) as visit:
            return visit.ask()
    except OSError as error:
        return f"failed: {error}"


class Crowd(threading.Thread):
    """Asks all the time, and keeps who answered or what went wrong, and when."""

    def __init__(self, node: Node) -> None:
        super().__init__(daemon=True)
        self._node, self._ends = node, False
        self.answers: List[Tuple[float, float, str]] = []
        self.start()

    def run(self) -> None:
        while not self._ends:
            began = time.monotonic()
            answer = ask(self._node, 1.0)
            self.answers.append((began, time.monotonic(), answer))
            time.sleep(0.01)

    def stop(self) -> List[str]:
        self._ends = True
        self.join(10)
        return [answer for _began, _ended, answer in self.answers]

    def wait_for_answers_after(self, moment_s: float, number: int = 20) -> None:
        """So many requests that began later have been answered."""

        def enough() -> bool:
            later = [answer for began, _ended, answer in list(self.answers) if began > moment_s]
            return sum(not answer.startswith("failed") for answer in later) >= number

        wait_until(f"{number} answers after the event", enough, SOON_S, 0.05)

    def gap_s(self) -> float:
        """The longest time without a good answer."""
        good = [ended for _began, ended, answer in self.answers if not answer.startswith("failed")]
        return max((later - earlier for earlier, later in zip(good, good[1:])), default=0.0)


class Site:
    """A client, directors d and t, and web servers s1, s2 and s3 behind them."""

    def __init__(self, lan: Lan) -> None:
        self.lan, self.client = lan, lan.client
        self.web: Dict[str, Web] = {}
        for number, name in enumerate(("s1", "s2", "s3"), 1):
            node, address = lan.nodes[name], f"198.18.0.{number}"
            batch(
                node.namespace,
                f"addr del {node.ipv4}/24 dev eth0",
                f"addr add {address}/24 dev eth0",
                f"route add default via {INSIDE}",
            )
            node.sysctl("net.ipv4.conf.all.accept_redirects=0", "net.ipv4.conf.eth0.accept_redirects=0")
            self.web[name] = Web(node, address)
            self.web[name].start()
        for number, node in enumerate(self.directors, 250):
            batch(node.namespace, f"addr add 198.18.0.{number}/24 dev eth0")
            node.sysctl(
                "net.ipv4.ip_forward=1",
                "net.ipv4.conf.all.send_redirects=0",
                "net.ipv4.conf.eth0.send_redirects=0",
            )
        self.client.sysctl("net.ipv4.conf.all.accept_redirects=0", "net.ipv4.conf.eth0.accept_redirects=0")

    @property
    def directors(self) -> List[Node]:
        return [node for name, node in self.lan.nodes.items() if name in ("d", "t")]

    def close(self) -> None:
        for web in self.web.values():
            web.close()

    def answers(self, times: int = 8) -> List[str]:
        """Who answers so many requests, each name once."""
        return sorted({ask(self.client) for _time in range(times)})

    def wait_for_answers(self, *names: str) -> None:
        wait_until(f"answers of {names}", lambda: self.answers() == sorted(names), SOON_S, 0.1)


def real(number: int, *words: str) -> str:
    check = config.block("TCP_CHECK", ["connect_timeout 1", "retry 0", "delay_loop 0.2", "warmup 0.1"])
    return config.block(f"real_server 198.18.0.{number} 80", [*words, check])


def virtual(*parts: str, sched: str = "rr", address: str = f"{VIP4} 80") -> str:
    words = [f"lvs_sched {sched}", "lvs_method NAT", "protocol TCP", *parts]
    return config.block(f"virtual_server {address}", words)


def text(node: Node, *parts: str, priority: int = 100, global_lines: config.Lines = ()) -> str:
    addresses = [f"{VIP4}/24", f"{INSIDE}/24"]
    instance = config.instance(priority=priority, advert_int=ADVERT_S, addresses=addresses)
    lines = [global_lines] if isinstance(global_lines, str) else list(global_lines)
    return config.file(node, instance, *parts, global_lines=["agent_balance_backend nftables", *lines])


def begun(node: Node, *parts: str, priority: int = 100) -> Agent:
    agent = Agent(node, text(node, *parts, priority=priority))
    agent.start()
    return agent


def service(agent: Agent, name: str = NAME) -> Dict[str, Any]:
    found = [one for one in agent.status()["services"] if one["name"] == name]
    assert len(found) == 1, f"{name} is {len(found)} times in {agent.status()['services']}"
    return dict(found[0])


def server(agent: Agent, number: int) -> Dict[str, Any]:
    (found,) = [one for one in service(agent)["servers"] if one["name"] == f"[198.18.0.{number}]:tcp:80"]
    return dict(found)


def wait_for_server(agent: Agent, number: int, state: str) -> None:
    def reached() -> bool:
        with contextlib.suppress(AssertionError):  # it may not be in status yet
            return bool(server(agent, number)["state"] == state)
        return False

    wait_until(f"server {number} {state}", reached, SOON_S, 0.1)


def process(agent: Agent, name: str) -> Optional[int]:
    """A process of the agent by its name."""
    for entry in run("pgrep", "-P", str(agent.pid), check=False).split():
        with contextlib.suppress(OSError), open(f"/proc/{entry}/comm") as file:
            if file.read().strip() == f"vrrp-{name}":
                return int(entry)
    return None


def tables(node: Node) -> str:
    return run("ip", "netns", "exec", node.namespace, "nft", "list", "tables")


@pytest.fixture(name="site")
def make_site(make_lan: MakeLan) -> Iterator[Site]:
    site = Site(make_lan("client", "d", "s1", "s2", "s3"))
    yield site
    site.close()


@pytest.fixture(name="pair")
def make_pair(make_lan: MakeLan) -> Iterator[Site]:
    site = Site(make_lan("client", "d", "t", "s1", "s2", "s3"))
    yield site
    site.close()


# One director.


def test_servers_fail_and_recover_and_the_sorry_server_takes_their_place(site: Site) -> None:
    agent = begun(site.lan.d, virtual(real(1, "weight 3"), real(2), "sorry_server 198.18.0.3 80"))
    site.wait_for_answers("s1", "s2")
    seen = service(agent)
    assert (seen["state"], seen["weight"], seen["sorry"]) == ("up", 4, False)
    site.web["s1"].stop()
    site.wait_for_answers("s2")
    wait_for_server(agent, 1, "down")
    failed = server(agent, 1)
    assert not failed["in_table"]
    assert failed["checks"][0]["state"] == "bad"
    assert "refused" in failed["checks"][0]["why"]
    assert "refused" in failed["reason"]
    site.web["s2"].stop()
    site.wait_for_answers("s3")
    wait_until("the sorry server in status", lambda: service(agent)["sorry"], SOON_S)
    assert service(agent)["state"] == "down"
    site.web["s1"].start()
    site.wait_for_answers("s1")
    site.web["s2"].start()
    site.wait_for_answers("s1", "s2")
    wait_until("the sorry server to be gone", lambda: not service(agent)["sorry"], SOON_S)
    wait_until("counters", lambda: service(agent)["connections"].get("connections", 0) > 10, SOON_S)
    log = agent.log()
    assert f"real server [198.18.0.1]:tcp:80 {NAME}: DOWN" in log
    assert f"virtual server {NAME}: DOWN" in log


def test_a_reload_touches_only_what_has_changed(site: Site) -> None:
    d = site.lan.d
    agent = begun(d, virtual(real(1), real(2)))
    site.wait_for_answers("s1", "s2")
    wait_for_server(agent, 1, "up")
    since = server(agent, 1)["since"]
    visits = [Visit(site.client) for _number in range(4)]
    before = [visit.ask() for visit in visits]
    assert sorted(set(before)) == ["s1", "s2"]
    site.web["s2"].stop()
    site.wait_for_answers("s1")
    wait_for_server(agent, 2, "down")
    agent.reload(text(d, virtual(real(1), real(2), real(3, "weight 2"))))
    site.wait_for_answers("s1", "s3")
    assert server(agent, 2)["state"] == "down", "what checks have found holds over a reload"
    assert server(agent, 1)["since"] == since
    assert [visit.ask() for visit, name in zip(visits, before) if name == "s1"] == ["s1"] * before.count("s1")
    pid = process(agent, "balance")
    agent.reload(text(d, virtual(real(3))))
    site.wait_for_answers("s3")
    assert process(agent, "balance") == pid
    agent.reload(text(d))
    wait_until("the service to go", lambda: TABLE not in tables(d), SOON_S)
    wait_until("the process to go", lambda: process(agent, "balance") is None, SOON_S)
    wait_until("the checks to go", lambda: process(agent, "check") is None, SOON_S)
    assert agent.status()["services"] == []
    agent.reload(text(d, virtual(real(1))))
    site.wait_for_answers("s1")
    for visit in visits:
        visit.close()


def test_an_agent_without_virtual_servers_has_no_process_for_them(site: Site) -> None:
    agent = begun(site.lan.d)
    agent.wait_for_state("active")
    assert process(agent, "balance") is None
    assert process(agent, "check") is None
    assert "balancing" not in agent.status()
    assert TABLE not in tables(site.lan.d)


def test_services_go_on_while_the_process_that_balances_is_killed_and_returns(site: Site) -> None:
    agent = begun(site.lan.d, virtual(real(1), real(2)))
    site.wait_for_answers("s1", "s2")
    site.web["s2"].stop()
    site.wait_for_answers("s1")
    wait_for_server(agent, 2, "down")
    told = agent.log().count(f"virtual server {NAME}")
    crowd = Crowd(site.client)
    pid = process(agent, "balance")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    agent.wait_for_log("services are in the nftables table already", SOON_S)
    wait_until("another process", lambda: process(agent, "balance") not in (None, pid), SOON_S)
    stays("s1 to answer", lambda: ask(site.client) == "s1", 1)
    answers = crowd.stop()
    assert set(answers) == {"s1"}
    assert agent.status()["balancing"]["restarts"] == 1
    assert agent.log().count(f"virtual server {NAME}") == told, "nothing has changed, so nothing is told"
    site.web["s2"].start()
    site.wait_for_answers("s1", "s2")


def test_a_killed_agent_leaves_services_for_its_successor(site: Site) -> None:
    agent = begun(site.lan.d, virtual(real(1), real(2)))
    site.wait_for_answers("s1", "s2")
    site.web["s2"].stop()
    site.wait_for_answers("s1")
    wait_for_server(agent, 2, "down")
    with Visit(site.client) as visit:
        assert visit.ask() == "s1"
        agent.kill()
        assert TABLE in tables(site.lan.d)
        assert visit.ask() == "s1"
        crowd = Crowd(site.client)
        agent.start()
        agent.wait_for_log("services are in the nftables table already", SOON_S)
        agent.wait_for_state("active", timeout_s=SOON_S)
        site.wait_for_answers("s1")
        assert visit.ask() == "s1", "the connection has lived through it"
    answers = [one for one in crowd.stop() if not one.startswith("failed")]
    assert set(answers) == {"s1"}, "the dead server has not come back on the way"


def test_a_killed_agent_whose_file_was_emptied_leaves_nothing_after_the_next_start(site: Site) -> None:
    agent = begun(site.lan.d, virtual(real(1), real(2)))
    site.wait_for_answers("s1", "s2")
    agent.kill()
    assert TABLE in tables(site.lan.d)
    agent.write(text(site.lan.d))
    agent.start()
    wait_until("the services to go", lambda: TABLE not in tables(site.lan.d), SOON_S)
    wait_until("the process to go", lambda: process(agent, "balance") is None, SOON_S)
    agent.stop(SOON_S)


def test_an_orderly_stop_leaves_nothing(site: Site) -> None:
    agent = begun(site.lan.d, virtual(real(1), real(2)))
    site.wait_for_answers("s1", "s2")
    agent.stop(SOON_S)
    assert TABLE not in tables(site.lan.d)
    assert agent.process is not None
    assert agent.process.returncode == 0


def test_an_orderly_stop_leaves_nothing_where_the_process_that_balances_has_just_died(site: Site) -> None:
    agent = begun(site.lan.d, virtual(real(1), real(2)))
    site.wait_for_answers("s1", "s2")
    first = process(agent, "balance")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until("another process", lambda: process(agent, "balance") not in (None, first), SOON_S)
    second = process(agent, "balance")
    assert second is not None
    os.kill(second, signal.SIGKILL)
    agent.stop(SOON_S)
    assert TABLE not in tables(site.lan.d)


# Two directors.


def test_the_service_moves_with_its_address(pair: Site) -> None:
    lan = pair.lan
    parts = virtual(real(1), real(2))
    first = begun(lan.d, parts, priority=150)
    first.wait_for_state("active")
    second = begun(lan.t, parts, priority=100)
    second.wait_for_state("backup")
    pair.wait_for_answers("s1", "s2")
    wait_for_server(second, 1, "up")

    crowd = Crowd(pair.client)
    wait_until("answers", lambda: len(crowd.answers) > 20, SOON_S)
    moment_s = time.monotonic()
    first.stop(SOON_S)
    second.wait_for_state("active")
    crowd.wait_for_answers_after(moment_s)
    answers = crowd.stop()
    refused = [one for one in answers if "refused" in one]
    assert refused == [], "addresses go before services do"
    assert crowd.gap_s() < 4, f"no answer for {crowd.gap_s():.2f} s after an orderly stop"

    first.start()
    first.wait_for_state("active", timeout_s=SOON_S)
    pair.wait_for_answers("s1", "s2")
    crowd = Crowd(pair.client)
    wait_until("answers", lambda: len(crowd.answers) > 20, SOON_S)
    moment_s = time.monotonic()
    lan.d.pull_cable()
    first.kill()
    second.wait_for_state("active", timeout_s=SOON_S)
    crowd.wait_for_answers_after(moment_s)
    crowd.stop()
    down_s = config.down_interval_s(100, ADVERT_S)
    assert crowd.gap_s() > down_s / 2, "the director has fallen"
    # A request that falls into the gap waits for its own second, and for a retransmission of its SYN.
    assert crowd.gap_s() < down_s + 4, f"no answer for {crowd.gap_s():.2f} s, {down_s:.2f} s is the takeover"


def test_with_ha_suspend_only_the_director_that_has_the_address_asks(pair: Site) -> None:
    lan = pair.lan
    parts = virtual(real(1), real(2), "ha_suspend")
    first = begun(lan.d, parts, priority=150)
    first.wait_for_state("active")
    second = begun(lan.t, parts, priority=100)
    second.wait_for_state("backup")
    pair.wait_for_answers("s1", "s2")
    wait_for_server(second, 1, "up")
    assert service(second)["suspended"]
    assert not service(first)["suspended"]
    pair.web["s2"].stop()
    wait_for_server(first, 2, "down")
    stays("what is not asked to stay as it was", lambda: server(second, 2)["state"] == "up", 1)
    first.stop(SOON_S)
    second.wait_for_state("active")
    wait_for_server(second, 2, "down")
    assert not service(second)["suspended"]
    pair.wait_for_answers("s1")
