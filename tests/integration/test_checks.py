# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of real servers: when they ask, from where, what they find, and what a reload leaves alone.

D is the director, S has the servers. Times come from the switch: a check is seen when its first packet is.
"""

from __future__ import annotations

import contextlib
import datetime
import socket
import threading
import time
from typing import Any, Iterator, List, Sequence

import pytest

from tests.lab import config
from tests.lab.engines import Agent
from tests.lab.lan import Lan, Node
from tests.lab.namespace import inside
from tests.lab.plugin import MakeLan
from tests.lab.services import (
    PACE,
    ROUND_S,
    SOON_S,
    Asked,
    Listener,
    asked,
    check,
    director,
    known,
    real_server,
    service,
    tcp,
    virtual_server,
)
from tests.lab.shell import run, stays, wait_until

RETRY_S, RETRIES = 0.15, 2
LATE_MS = 15.0
TCP = config.block("TCP_CHECK", ["connect_timeout 1", f"retry {RETRIES}", f"delay_before_retry {RETRY_S}"])


def offsets_s(moments: Sequence[Asked]) -> List[float]:
    return [(one.at_ns - moments[0].at_ns) / 1e9 for one in moments]


def are_about(lan: Lan, offsets: Sequence[float], wanted: Sequence[float], since_ns: int) -> bool:
    """True when tries came when they should, as far as this machine let anybody be on time.

    What one is late by is made up for by the next one, so each is held against the first.
    """
    late_s = (LATE_MS + 3 * lan.stalls.worst_ms(since_ns)) / 1e3
    pairs = list(zip(offsets, wanted))
    return len(pairs) == len(wanted) and all(abs(seen - right) <= late_s for seen, right in pairs)


def logged_ns(agent: Agent, text: str) -> int:
    """When the first line with this text was written."""
    line = next(line for line in agent.log().splitlines() if text in line)
    moment = datetime.datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S.%f")
    return int(moment.timestamp() * 1e9)


def test_a_server_that_goes_and_comes_again_counts_after_its_retries(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    server, port = lan.s.ipv4, 8001
    agent = director(lan, virtual_server(real_server(server, TCP, port=port), lines=PACE))
    with Listener(lan.s, port) as listener:
        agent.start()
        known(agent, server, "good", port=port)
        begin_ns = time.time_ns()
        wait_until("two more tries", lambda: len(asked(lan.wire, lan.d, port=port, since_ns=begin_ns)) > 2)
        closed_ns = time.time_ns()
        listener.close()
        agent.wait_for_log(f"bad after {RETRIES + 1} tries (connection refused)")
        wait_until("two tries more", lambda: len(asked(lan.wire, lan.d, port=port, since_ns=closed_ns)) > 5)
        listener.open()
        known(agent, server, "good", port=port)
    before = offsets_s(asked(lan.wire, lan.d, port=port, since_ns=begin_ns))
    assert are_about(lan, before, [0, ROUND_S], begin_ns), before
    tries = asked(lan.wire, lan.d, port=port, since_ns=closed_ns)
    bad_ns = logged_ns(agent, "bad after") + int(5e6)
    if sum(one.at_ns <= bad_ns for one in tries) == RETRIES + 2:
        del tries[0]  # it was accepted at the last moment
    assert sum(one.at_ns <= bad_ns for one in tries) == RETRIES + 1
    last_s = RETRIES * RETRY_S
    wanted = [*(n * RETRY_S for n in range(RETRIES + 1)), last_s + ROUND_S, last_s + 2 * ROUND_S]
    assert are_about(lan, offsets_s(tries), wanted, closed_ns), f"{offsets_s(tries)}, wanted {wanted}"
    assert agent.log().count(": good (connected)") == 2, "one good try is enough"
    agent.stop()


def test_each_failure_has_its_reason(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    agent = director(
        lan,
        virtual_server(
            real_server(
                lan.s.ipv4, tcp("connect_port 8001"), tcp("connect_port 8002", "connect_timeout 0.3")
            ),
            real_server("198.18.0.1", tcp()),
            real_server("198.18.1.1", tcp(), tcp("connect_ip 198.51.100.11", "bindto 198.51.100.77")),
            lines=PACE,
        ),
    )
    run("ip", "netns", "exec", lan.s.namespace, "nft", "-f", "-", stdin=DROP)
    lan.d.ip("route", "add", "unreachable", "198.18.0.0/24")
    agent.start()
    known(agent, lan.s.ipv4, "bad", 0, "connection refused")
    known(agent, lan.s.ipv4, "bad", 1, "timed out")
    known(agent, "198.18.0.1", "bad", 0, "host unreachable")
    known(agent, "198.18.1.1", "bad", 0, "network unreachable")
    agent.wait_for_log("cannot be made: bindto 198.51.100.77")
    assert check(agent, "198.18.1.1", 1)["state"] == "unknown", "what this host cannot ask says nothing"
    agent.stop()


DROP = """table inet silence {
  chain input { type filter hook input priority 0; tcp dport 8002 drop; }
}
"""


@pytest.fixture(name="udp")
def make_udp() -> Iterator[Any]:
    """Call it with a node, a port and an answer: a UDP server that answers, or keeps silent with None."""
    sockets: List[socket.socket] = []

    def serve(node: Node, port: int, answer: Any) -> None:
        made = inside(node.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.bind((node.ipv4, port))
        sockets.append(made)

        def work() -> None:
            with contextlib.suppress(OSError):
                while True:
                    _data, peer = made.recvfrom(2048)
                    if answer is not None:
                        made.sendto(answer, peer)

        threading.Thread(target=work, daemon=True).start()

    yield serve
    for one in sockets:
        one.close()


def test_datagrams_and_pings_find_out_who_is_there(make_lan: MakeLan, udp: Any) -> None:
    lan = make_lan("d", "s")
    udp(lan.s, 5001, None)
    udp(lan.s, 5002, b"\x12\x34yes")

    def datagram(port: int, *lines: str) -> str:
        return config.block("UDP_CHECK", [f"connect_port {port}", "connect_timeout 0.3", "retry 0", *lines])

    ping = config.block("PING_CHECK", ["connect_timeout 1", "retry 0"])
    ping6 = config.block("PING_CHECK", ["connect_timeout 1", "retry 0", f"connect_ip {lan.s.ipv6}"])
    here = config.block(
        "PING_CHECK", ["connect_timeout 1", "retry 0", f"connect_ip {lan.s.link_local}", "bind_if eth0"]
    )
    agent = director(
        lan,
        virtual_server(
            real_server(
                lan.s.ipv4,
                *(datagram(5001), datagram(5003), datagram(5001, "require_reply")),
                *(datagram(5002, "require_reply 12 3X"), datagram(5002, "require_reply 1234 00")),
                *(ping, ping6, here),
            ),
            real_server("198.51.100.99", config.block("PING_CHECK", ["connect_timeout 0.3", "retry 0"])),
            lines=PACE,
        ),
    )
    agent.start()
    known(agent, lan.s.ipv4, "good", 0, "no error within 0.3 s")
    known(agent, lan.s.ipv4, "bad", 1, "connection refused")
    known(agent, lan.s.ipv4, "bad", 2, "no answer within 0.3 s")
    known(agent, lan.s.ipv4, "good", 3, "answered")
    known(agent, lan.s.ipv4, "bad", 4, "byte 3 of the answer")
    for number in (5, 6, 7):
        known(agent, lan.s.ipv4, "good", number, "answered")
    known(agent, "198.51.100.99", "bad", 0, "timed out")
    lan.s.ip("address", "del", f"{lan.s.ipv4}/24", "dev", "eth0")
    known(agent, lan.s.ipv4, "bad", 5)
    stays("the ping by IPv6 good", lambda: check(agent, lan.s.ipv4, 6)["state"] == "good", 2 * ROUND_S)
    agent.stop()


def test_a_check_goes_from_where_it_is_told_to(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    lan.d.ip("address", "add", "198.51.100.60/24", "dev", "eth0")
    lan.d.ip("rule", "add", "fwmark", "7", "unreachable")
    words = ("connect_port 8001", "bindto 198.51.100.60", "bind_port 4000", "bind_if eth0")
    agent = director(
        lan,
        virtual_server(
            real_server(lan.s.ipv4, tcp(*words), tcp("connect_port 8001", "fwmark 7")),
            lines=PACE,
        ),
    )
    with Listener(lan.s, 8001):
        agent.start()
        known(agent, lan.s.ipv4, "good", 0)
        known(agent, lan.s.ipv4, "bad", 1, "unreachable")
        begin_ns = time.time_ns()
        wait_until("three tries", lambda: len(asked(lan.wire, lan.d, port=8001, since_ns=begin_ns)) > 3)
        known(agent, lan.s.ipv4, "good", 0)
    seen = asked(lan.wire, lan.d, port=8001)
    assert {(one.source, one.source_port) for one in seen} == {("198.51.100.60", 4000)}
    agent.stop()


def test_a_service_whose_address_is_elsewhere_asks_nothing(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    away = "198.51.100.200"
    resting = virtual_server(
        real_server(lan.s.ipv4, tcp("connect_port 8001")), address=away, lines=(*PACE, "ha_suspend")
    )
    other = virtual_server(real_server(lan.s.ipv4, tcp("connect_port 8002")), lines=PACE)
    agent = director(lan, resting, other)
    with Listener(lan.s, 8001), Listener(lan.s, 8002):
        agent.start()
        known(agent, lan.s.ipv4, "good")
        assert not asked(lan.wire, lan.d, port=8001)
        lan.d.ip("address", "add", f"{away}/24", "dev", "eth0")
        known(agent, lan.s.ipv4, "good", address=away)
        lan.d.ip("address", "del", f"{away}/24", "dev", "eth0")
        agent.wait_for_log(f"checks of [{away}]:tcp:80 rest")
        wait_until("quiet", lambda: not recent(lan, 8001, 2 * ROUND_S), SOON_S)
        assert recent(lan, 8002, SOON_S)
        assert service(agent, away)["suspended"]
        agent.reload(agent.config.replace("ha_suspend", ""))
        wait_until("tries again", lambda: recent(lan, 8001, ROUND_S), SOON_S)
    agent.stop()


def recent(lan: Lan, port: int, seconds: float) -> List[Asked]:
    return asked(lan.wire, lan.d, port=port, since_ns=time.time_ns() - int(seconds * 1e9))


def test_a_reload_leaves_unchanged_checks_alone_and_states_as_they_are(make_lan: MakeLan) -> None:
    lan = make_lan("d", "s")
    round_s = 0.8
    lines = (f"delay_loop {round_s}", "warmup 0.1")
    staying = real_server(lan.s.ipv4, tcp("connect_port 8001"))
    dead = real_server("198.51.100.99", tcp("connect_port 8009", "connect_timeout 0.2"))
    agent = director(lan, virtual_server(staying, dead, lines=lines))
    with Listener(lan.s, 8001):
        agent.start()
        known(agent, lan.s.ipv4, "good")
        known(agent, "198.51.100.99", "bad")
        slow = real_server("198.51.100.99", tcp("connect_port 8010", "connect_timeout 5"))
        since = known(agent, "198.51.100.99", "bad")["since"]
        before = agent.log()
        new = real_server(lan.d.ipv4, tcp())
        text = config.file(lan.d, config.instance(), virtual_server(new, slow, staying, lines=lines))
        begin_ns = agent.reload(text)
        known(agent, lan.d.ipv4, "bad")
        one = check(agent, "198.51.100.99")
        assert (one["state"], one["since"]) == ("bad", since), (
            "other words, and the same state until it is known"
        )
        wait_until("three tries more", lambda: len(asked(lan.wire, lan.d, port=8001, since_ns=begin_ns)) > 3)
    tries = [
        one for one in asked(lan.wire, lan.d, port=8001) if one.at_ns > begin_ns - int(1.2 * round_s * 1e9)
    ]
    wanted = [number * round_s for number in range(4)]
    assert are_about(lan, offsets_s(tries), wanted, begin_ns), f"{offsets_s(tries)}, wanted {wanted}"
    assert "good (connected)" not in agent.log()[len(before) :]
    assert "real server" not in "\n".join(
        line for line in agent.log()[len(before) :].splitlines() if lan.d.ipv4 not in line
    ), "nobody has come or gone but for the new one"
    agent.stop()
