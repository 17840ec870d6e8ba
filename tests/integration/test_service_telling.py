# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told of virtual and real servers: scripts, pipes, mails, SNMP and people, to the end.

D balances among servers on T. They are checked once a second; a server comes and goes with its listening
socket.
"""

from __future__ import annotations

import re
import socket
from typing import Any, Dict, Iterator, List, Optional, Sequence

import pytest
from vrrp_agent.cli.status import NoAnswer

from tests.lab import config
from tests.lab import snmp as net_snmp
from tests.lab.engines import Agent
from tests.lab.lan import VIP4, Lan
from tests.lab.namespace import open_socket
from tests.lab.plugin import MakeLan
from tests.lab.records import PipeReader
from tests.lab.relay import Relay
from tests.lab.shell import wait_until
from tests.lab.snmp import KEEPALIVED, NetSnmp

LONG_S = 25
PORTS = (8081, 8082)
VS = f"[{VIP4}]:tcp:80"
CHECK = f"{KEEPALIVED}.3"
SERVER_CHANGE, QUORUM_CHANGE = f"{CHECK}.5.0.1", f"{CHECK}.5.0.2"
_SCRIPT = """#!/bin/sh
printf '%s|%s|%s|%s|%s|%s\\n' "$*" "$VRRP_KIND" "$VRRP_NAME" "$VRRP_SERVICE" "$VRRP_EVENT" \\
    "$VRRP_PREVIOUS" >> {record}
"""


class Story:
    """D with one virtual server, and the servers on T."""

    def __init__(self, lan: Lan) -> None:
        self.lan, self.d, self.t = lan, lan.d, lan.t
        self.agent = Agent(self.d, "")
        self.pipe, self.all_pipe = lan.scratch / "lvs", lan.scratch / "all"
        self.script = lan.scratch / "note.sh"
        self.record = lan.scratch / "note.record"
        self.script.write_text(_SCRIPT.format(record=self.record))
        self.script.chmod(0o755)
        self.listeners: Dict[int, socket.socket] = {}

    def rs(self, port: int) -> str:
        """The name of a server in keepalived's words."""
        return f"[{self.t.ipv4}]:tcp:{port}"

    def write(self, *more: str, service: config.Lines = (), ports: Sequence[int] = PORTS) -> None:
        """The file: scripts for everything, and what the story adds. Without ports there is no service."""
        globals_ = [
            "script_user root",
            f"lvs_notify_fifo {self.pipe}",
            f"notify_fifo {self.all_pipe}",
            "agent_balance_backend nftables",
            *more,
        ]
        servers = [config.block(f"real_server {self.t.ipv4} {port}", self._server(port)) for port in ports]
        rows = [
            "delay_loop 1",
            "lb_algo rr",
            "lb_kind NAT",
            "protocol TCP",
            f'quorum_up "{self.script} quorum up"',
            f'quorum_down "{self.script} quorum down"',
            *([service] if isinstance(service, str) else service),
            *servers,
        ]
        blocks = [config.block(f"virtual_server {VIP4} 80", rows)] if ports else []
        self.agent.write(config.file(self.d, *blocks, global_lines=globals_))

    def _server(self, port: int) -> List[str]:
        tcp = config.block("TCP_CHECK", ["connect_timeout 1", "warmup 0", "retry 0"])
        return [
            f'notify_up "{self.script} up {port}"',
            f'notify_down "{self.script} down {port}"',
            tcp,
        ]

    def up(self, port: int) -> None:
        """This server answers from now on."""
        listener = open_socket(self.t.namespace, socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.t.ipv4, port))
        listener.listen(64)
        self.listeners[port] = listener

    def down(self, port: int) -> None:
        """And no more."""
        self.listeners.pop(port).close()

    def calls(self) -> List[List[str]]:
        """How scripts were called: arguments, kind, name, service, event, state before."""
        if not self.record.exists():
            return []
        return [line.split("|") for line in self.record.read_text().splitlines()]

    def wait_for_call(self, arguments: str) -> List[str]:
        """The last call with these arguments."""

        def found() -> Optional[List[str]]:
            return next((call for call in reversed(self.calls()) if call[0] == arguments), None)

        call = wait_until(f"a script called with {arguments!r}", found, LONG_S)
        assert call is not None
        return call

    def service(self) -> Dict[str, Any]:
        """What status says of the service; empty while it says nothing."""
        try:
            services = self.agent.status()["services"]
        except NoAnswer:
            return {}
        return services[0] if services else {}

    def wait_for_states(self, state: str, *servers: str) -> None:
        """Wait until status shows these states of the service and its servers."""

        def reached() -> bool:
            shown = self.service()
            return bool(shown) and (shown["state"], *[one["state"] for one in shown["servers"]]) == (
                state,
                *servers,
            )

        wait_until(f"the service to be {state} and its servers {servers}", reached, LONG_S)

    def close(self) -> None:
        for listener in self.listeners.values():
            listener.close()


@pytest.fixture
def story(make_lan: MakeLan) -> Iterator[Story]:
    found = Story(make_lan("d", "t"))
    yield found
    found.close()


def test_a_day_of_a_service_in_scripts_and_pipes(story: Story) -> None:
    """A server goes and comes, all go, the agent ends: keepalived's lines byte for byte, calls in order."""
    first, second = (f"RS {story.rs(port)} {VS}" for port in PORTS)
    story.write(service="omega")
    for port in PORTS:
        story.up(port)
    with PipeReader(story.pipe) as pipe, PipeReader(story.all_pipe) as every:
        story.agent.start()
        wait_until("the service to be told of", lambda: pipe.data, LONG_S)
        story.wait_for_states("up", "up", "up")
        wait_until("both servers to be checked", lambda: checked(story) == ["good", "good"], LONG_S)
        story.down(8081)
        story.wait_for_call("down 8081")
        story.up(8081)
        story.wait_for_call("up 8081")
        story.down(8081)
        wait_until("it to be down again", lambda: pipe.data.count(f"{first} DOWN".encode()) == 2, LONG_S)
        story.down(8082)
        story.wait_for_call("quorum down")
        story.up(8082)
        wait_until("the quorum to be back", lambda: pipe.data.count(f"VS {VS} UP".encode()) == 2, LONG_S)
        story.agent.stop()
        lines = [
            *(f"VS {VS} UP", f"{first} DOWN", f"{first} UP", f"{first} DOWN"),
            *(f"{second} DOWN", f"VS {VS} DOWN", f"{second} UP", f"VS {VS} UP"),
            *(f"{second} DOWN", f"VS {VS} DOWN"),  # omega, at the end
        ]
        data = "".join(f"{line}\n" for line in lines).encode()
        wait_until("the last lines", lambda: len(pipe.data) >= len(data) and len(every.data) >= len(data))
        assert pipe.data == every.data == data
    calls = [call[0] for call in story.calls()]
    of_quorum = [one for one in calls if one.startswith("quorum")]
    assert of_quorum == ["quorum up", "quorum down", "quorum up", "quorum down"]
    assert [one for one in calls if one.endswith("8081")] == ["down 8081", "up 8081", "down 8081"]
    assert [one for one in calls if one.endswith("8082")] == ["down 8082", "up 8082", "down 8082"]
    assert ["down 8081", "RS", story.rs(8081), VS, "DOWN", "UP"] in [
        [*call[:5], "UP"] for call in story.calls()
    ]
    assert ["quorum down", "VS", VS, "", "DOWN", "UP"] in story.calls()


def checked(story: Story) -> List[str]:
    """What the checks have found, server by server."""
    return [one["checks"][0]["state"] for one in story.service().get("servers", [])]


def test_a_reload_tells_of_what_it_takes_away(story: Story) -> None:
    """By the words that are gone, and with none about what stays."""
    story.write()
    for port in PORTS:
        story.up(port)
    with PipeReader(story.pipe) as pipe:
        story.agent.start()
        story.wait_for_states("up", "up", "up")
        wait_until("the service to be told of", lambda: pipe.data, LONG_S)
        story.write(ports=PORTS[:1])
        story.agent.reload()
        story.wait_for_call("down 8082")
        story.write(ports=())
        story.agent.reload()
        story.wait_for_call("quorum down")
        story.wait_for_call("down 8081")
        assert [line.rpartition(" ")[2] for line in pipe.lines()] == ["UP", "DOWN", "DOWN", "DOWN"]
    assert sorted(call[0] for call in story.calls()) == ["down 8081", "down 8082", "quorum down", "quorum up"]


def test_first_states_are_told_to_the_program_of_the_pipe_too(story: Story) -> None:
    """rs_init_notifies, and lvs_notify_fifo_script: the program gets the path of the pipe."""
    heard, reader = story.lan.scratch / "heard", story.lan.scratch / "reader.sh"
    reader.write_text(f'#!/bin/sh\nexec cat "$1" >>{heard}\n')
    reader.chmod(0o755)
    story.write("rs_init_notifies", f"lvs_notify_fifo_script {reader}")
    for port in PORTS:
        story.up(port)
    story.agent.start()
    lines = [f"RS {story.rs(port)} {VS} UP" for port in PORTS] + [f"VS {VS} UP"]
    wait_until("all lines", lambda: heard.exists() and heard.read_text().splitlines() == lines, LONG_S)
    for arguments in ("up 8081", "up 8082", "quorum up"):
        assert story.wait_for_call(arguments)[-1] == "INIT"


def test_without_omega_nobody_is_told_of_the_end(story: Story) -> None:
    story.write()
    for port in PORTS:
        story.up(port)
    with PipeReader(story.pipe) as pipe:
        story.agent.start()
        story.wait_for_states("up", "up", "up")
        wait_until("the service to be told of", lambda: pipe.data, LONG_S)
        story.agent.stop()
    assert b"DOWN" not in pipe.data
    assert not [call for call in story.calls() if "down" in call[0]]


def test_mails_say_which_check_and_which_quorum(story: Story) -> None:
    mail = (
        config.block("notification_email", ["ops@example.org"]),
        "notification_email_from ha@example.org",
        f"smtp_server {story.t.ipv4}",
    )
    story.write(*mail, service=["smtp_alert", "omega"])
    story.up(8081)
    story.up(8082)
    one, two = (f"[d] Realserver {story.rs(port)} of virtual server {VS} - " for port in PORTS)
    service = f"[d] Virtualserver {VS} - "
    with Relay(story.t) as relay:
        story.agent.start()
        wait_until("the first mail", lambda: len(relay.mails) == 1, LONG_S)
        wait_until("both servers to be checked", lambda: checked(story) == ["good", "good"], LONG_S)
        story.down(8081)
        wait_until("the second", lambda: len(relay.mails) == 2, LONG_S)
        story.down(8082)
        wait_until("two more", lambda: len(relay.mails) == 4, LONG_S)
        story.up(8081)
        wait_until("and two more", lambda: len(relay.mails) == 6, LONG_S)
        story.agent.stop()
    found = [(mail.subject, mail.text.splitlines()[0]) for mail in relay.mails]
    assert found == [
        (f"{service}UP", "=> Starting with quorum up 1+0=1 <= 2 <="),
        (f"{one}DOWN", "=> TCP CHECK failed on service <="),
        (f"{two}DOWN", "=> TCP CHECK failed on service <="),
        (f"{service}DOWN", "=> Lost quorum 1+0=1 <= 0 <="),
        (f"{one}UP", "=> TCP CHECK succeed on service <="),
        (f"{service}UP", "=> Gained quorum 1+0=1 <= 1 <="),
        (f"{one}DOWN", "=> Shutting down <="),
        (f"{service}DOWN", "=> Shutting down <="),
    ]
    assert "refused" in relay.mails[1].text, "ours: what the check found"


def test_a_manager_sees_services_and_hears_of_them(story: Story) -> None:
    lacking = net_snmp.missing()
    if lacking:
        pytest.skip(f"SNMP stories need the programs {lacking}")
    snmp = NetSnmp(story.d)
    story.write("enable_snmp_checker", "enable_traps", snmp.words, service="snmp_name web")
    for port in PORTS:
        story.up(port)
    snmp.start()
    story.agent.start()
    snmp.wait_for(f"{CHECK}.4.1.6.1.2", "1", LONG_S)
    snmp.wait_for(f"{CHECK}.3.1.21.1", "2", LONG_S)
    walk = snmp.walk(CHECK)
    assert bytes.fromhex(walk["3.1.6.1"][1]) == socket.inet_aton(VIP4)
    assert (walk["3.1.9.1"], walk["3.1.23.1"]) == (("INTEGER", "1"), ("INTEGER", "1"))
    assert bytes.fromhex(walk["3.1.71.1"][1]) == b"web"
    assert [walk[f"4.1.5.1.{number}"] for number in (1, 2)] == [("Gauge32", str(port)) for port in PORTS]
    assert bytes.fromhex(snmp.walk(f"{KEEPALIVED}.1")["2.0"][1]) == b"d"
    wait_until("both servers to be checked", lambda: checked(story) == ["good", "good"], LONG_S)
    assert snmp.set(f"{CHECK}.4.1.7.1.2", "i", "5") == ""
    snmp.wait_for(f"{CHECK}.4.1.7.1.2", "5", LONG_S)
    assert story.service()["servers"][1]["weight"] == 5
    assert "notWritable" in snmp.set(f"{CHECK}.4.1.6.1.2", "i", "2")
    for port in PORTS:
        story.down(port)
    snmp.wait_for(f"{CHECK}.3.1.23.1", "2", LONG_S)
    assert snmp.get(f"{CHECK}.4.1.13.1.1") == "1", "failed checks"
    story.agent.stop()
    wait_until("the end to be told of", lambda: len(snmp.traps(QUORUM_CHANGE)) == 3, LONG_S)
    assert [trap[f"{CHECK}.3.1.23"][1] for trap in snmp.traps(QUORUM_CHANGE)] == ["1", "2", "3"]
    assert [trap[f"{CHECK}.4.1.6"][1] for trap in snmp.traps(SERVER_CHANGE)] == ["2", "2"]


def test_status_says_it_to_people(story: Story) -> None:
    story.write(service=["quorum 2", f"sorry_server {story.t.ipv4} 9"])
    story.up(8081)
    story.agent.start()
    story.wait_for_states("down", "up", "down")
    wait_until("the check's time", lambda: story.service()["servers"][0]["checks"][0]["took_s"], LONG_S)
    text = story.agent.ask("status", "--runtime-dir", str(story.agent.runtime)).stdout
    assert re.search(rf"^{re.escape(VS)}: down since \S+, rr, NAT, by nftables$", text, re.MULTILINE), text
    assert re.search(
        r"^  server    \S+:8081  weight 1  up .* TCP_CHECK good \(.*\d ms\)$", text, re.MULTILINE
    ), text
    assert re.search(
        r"^  server    \S+:8082  weight .*  down .* TCP_CHECK bad \(.*refused.*\) since", text, re.MULTILINE
    ), text
    assert re.search(rf"^  sorry     \[{re.escape(story.t.ipv4)}\]:tcp:9  used$", text, re.MULTILINE), text
