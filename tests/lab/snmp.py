# SPDX-License-Identifier: GPL-3.0-or-later
"""net-snmp on a node: the master that the agent speaks with, a manager that asks, and one that hears news."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from typing import Dict, List, Optional, Tuple

from .lan import Node
from .shell import run, wait_until

KEEPALIVED, RFC2787, RFC6527 = ".1.3.6.1.4.1.9586.100.5", ".1.3.6.1.2.1.68", ".1.3.6.1.2.1.207"
_PROGRAMS = ("snmpd", "snmptrapd", "snmpwalk", "snmpbulkwalk", "snmpget", "snmpset")
_TRAP_OID = ".1.3.6.1.6.3.1.1.4.1.0"
_OBJECT = re.compile(r"(\.[0-9.]+) = (?:([A-Za-z0-9-]+): ?)?(.*)", re.DOTALL)

Object = Tuple[str, str]
"""Type and value, as net-snmp writes them; strings in hexadecimal digits."""


def missing() -> str:
    """The programs that are not here, or nothing."""
    return ", ".join(program for program in _PROGRAMS if shutil.which(program) is None)


class NetSnmp:
    """snmpd and snmptrapd with files and sockets of their own; nothing of the host's is touched."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.directory = node.lan.scratch / f"{node.name}-snmp"
        self.directory.mkdir()
        self.socket = self.directory / "agentx"
        self._where = f"{node.ipv4}:161"
        self._processes: Dict[str, subprocess.Popen[bytes]] = {}
        (self.directory / "snmpd.conf").write_text(
            f"agentAddress udp:{self._where}\nrocommunity public\nrwcommunity private\nmaster agentx\n"
            f"agentXSocket {self.socket},tcp:{node.ipv4}:705\ntrap2sink {node.ipv4}:162 public\n"
        )
        (self.directory / "snmptrapd.conf").write_text("disableAuthorization yes\n")
        node.lan.witnesses.append(self)

    @property
    def words(self) -> str:
        """The word of global_defs that leads here."""
        return f"snmp_socket unix:{self.socket}"

    @property
    def words_by_tcp(self) -> str:
        """The same over TCP: for programs that do not see the socket, as their root is another one."""
        return f"snmp_socket tcp:{self.node.ipv4}:705"

    def start(self) -> None:
        """Start both."""
        self.hear_traps()
        self.start_master()

    def hear_traps(self) -> None:
        """Start snmptrapd, and wait until it listens."""
        file = self.directory / "snmptrapd.conf"
        words = ["-f", "-C", "-c", str(file), "-On", "-Lf", str(self.directory / "traps")]
        self._run("snmptrapd", *words, f"udp:{self.node.ipv4}:162")
        self._wait_for_port(162)

    def start_master(self) -> None:
        """Start snmpd, and wait until it answers."""
        file = self.directory / "snmpd.conf"
        self._run("snmpd", "-f", "-C", "-c", str(file), "-I", "-smux", "-Lf", str(self.directory / "log"))
        self._wait_for_port(161)
        wait_until("snmpd to answer", lambda: self.walk(".1.3.6.1.2.1.1.3"), 15)

    def _run(self, program: str, *words: str) -> None:
        log = (self.directory / f"{program}.out").open("ab")
        with log:
            self._processes[program] = self.node.popen(
                [program, *words],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "SNMP_PERSISTENT_DIR": str(self.directory / "kept"), "MIBS": ""},
            )

    def _wait_for_port(self, port: int) -> None:
        def listens() -> bool:
            return f":{port} " in run("ip", "netns", "exec", self.node.namespace, "ss", "-Hlun")

        wait_until(f"port {port} of {self.node.name} to be open", listens, 15)

    def pause_master(self) -> None:
        """SIGSTOP: snmpd has its sockets, and does nothing."""
        os.kill(self._processes["snmpd"].pid, signal.SIGSTOP)

    def resume_master(self) -> None:
        """It goes on where it was."""
        os.kill(self._processes["snmpd"].pid, signal.SIGCONT)

    def kill_master(self) -> None:
        """SIGKILL, without a word to its sub-agents."""
        process = self._processes.pop("snmpd")
        process.kill()
        process.wait(10)

    # What a manager asks.

    def call(self, program: str, *words: str, community: str = "public") -> subprocess.CompletedProcess[str]:
        """Run one of the tools of net-snmp against this master."""
        head = ["ip", "netns", "exec", self.node.namespace, program, "-v2c", "-c", community]
        return subprocess.run(
            [*head, "-Onxe", "-t", "3", "-r", "0", self._where, *words],
            capture_output=True,
            text=True,
            env={**os.environ, "MIBS": ""},
            timeout=60,
            check=False,
        )

    def walk(self, root: str, program: str = "snmpwalk") -> Dict[str, Object]:
        """All objects below ``root``, by the rest of their names. Empty where there are none."""
        found: Dict[str, Object] = {}
        for text in re.split(r"\n(?=\.)", self.call(program, root).stdout.strip()):
            parsed = _parse(text)
            if parsed is not None and parsed[0].startswith(root + "."):
                found[parsed[0][len(root) + 1 :]] = parsed[1]
        return found

    def get(self, name: str) -> str:
        """One object's value; raises AssertionError when there is none."""
        done = self.call("snmpget", name)
        parsed = _parse(done.stdout.strip())
        assert parsed is not None, f"{name}: {done.stdout}{done.stderr}"
        return parsed[1][1]

    def set(self, name: str, kind: str, value: str) -> str:
        """Set one object; what net-snmp says about it when it is refused, or nothing."""
        done = self.call("snmpset", name, kind, value, community="private")
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def wait_for(self, name: str, value: str, timeout_s: float = 15) -> None:
        """Ask until the object has this value."""

        def reached() -> bool:
            parsed = _parse(self.call("snmpget", name).stdout.strip())
            return parsed is not None and parsed[1][1] == value

        wait_until(f"{name} to be {value}", reached, timeout_s, 0.1)

    # What a manager hears.

    def traps(self, name: str = "") -> List[Dict[str, Object]]:
        """The notifications that have come, oldest first; only those called ``name`` when it is given."""
        file = self.directory / "traps"
        lines = file.read_text(errors="replace").splitlines() if file.exists() else []
        found = []
        for line in lines:
            objects = [_parse(part.strip()) for part in line.split("\t")]
            trap = {one[0]: one[1] for one in objects if one is not None}
            if _TRAP_OID in trap and (not name or trap[_TRAP_OID][1] == name):
                del trap[_TRAP_OID]
                found.append(trap)
        return found

    def wait_for_traps(self, name: str, number: int = 1, timeout_s: float = 15) -> List[Dict[str, Object]]:
        """Wait until so many notifications of this name have come."""
        wait_until(f"{number} notifications {name}", lambda: len(self.traps(name)) >= number, timeout_s, 0.05)
        return self.traps(name)

    def evidence(self) -> str:
        """What both have written."""
        parts = [f"=== net-snmp on {self.node.name}"]
        for name in ("log", "traps", "snmpd.out", "snmptrapd.out"):
            file = self.directory / name
            if file.exists():
                tail = file.read_text(errors="replace").splitlines()[-30:]
                parts.append(f"--- {name}\n" + "\n".join(tail))
        return "\n".join(parts)


def _parse(text: str) -> Optional[Tuple[str, Object]]:
    found = _OBJECT.fullmatch(text.strip())
    if found is None:
        return None
    name, kind, value = found.groups()
    value = " ".join(value.split())
    if kind == "Hex-STRING":
        value = value.replace(" ", "").lower()
    if kind is None and value != '""':
        return None  # No Such Object, No more variables
    return name, (kind or "STRING", value.strip('"'))
