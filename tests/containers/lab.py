# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of one scenario as hosts that can be hurt, and the witness that tells what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, TypeVar

import yaml

from tests.containers.protocol import master_down_s, skew_s

T = TypeVar("T")
SITE = (
    pathlib.Path(__file__).parents[2] / "build/installed/ansible_collections/linuxha/vrrp/playbooks/site.yml"
)
WITNESS = pathlib.Path(__file__).with_name("witness.py")


def sh(*command: str, check: bool = True, environment: Optional[Dict[str, str]] = None) -> str:
    """Run on this host; the output, or an error that shows it."""
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_until(what: str, check: Callable[[], Optional[T]], timeout_s: float = 20.0) -> T:
    """Poll until check returns something true; an AssertionError names what did not come about."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.02)


class Node:
    """One container."""

    def __init__(self, name: str, variables: Dict[str, Any], priority: int = 0) -> None:
        self.name = name
        self.priority = priority
        self.variables = variables
        self.hostname: str = variables["lab_hostname"]
        self.address: str = variables.get("lab_ip") or variables["lab_inside_ip"]
        self._pid = 0

    def __repr__(self) -> str:
        return self.hostname

    @property
    def pid(self) -> int:
        """The container's first process, by which its network is entered; 0 when it does not run."""
        if not self._pid or not pathlib.Path(f"/proc/{self._pid}").exists():
            self._pid = int(sh("podman", "inspect", "--format", "{{.State.Pid}}", self.name))
        return self._pid

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command inside the container."""
        return sh("podman", "exec", self.name, *command, check=check)

    def ip(self, *arguments: str) -> Any:
        """The answer of iproute2, run in the container's network."""
        out = sh("nsenter", f"--net=/proc/{self.pid}/ns/net", "ip", "-j", *arguments)
        return json.loads(out) if out.strip() else []

    def holds(self, address: str) -> bool:
        return any(
            info.get("local") == address for link in self.ip("addr") for info in link.get("addr_info", ())
        )

    def macs(self) -> List[str]:
        return [link["address"] for link in self.ip("link") if "address" in link]

    @property
    def engine(self) -> str:
        """The unit of the program that speaks VRRP here, as it was rolled out."""
        units = ("vrrp-agent", "keepalived")
        return next(
            (u for u in units if self.run("systemctl", "is-enabled", u, check=False) == "enabled\n"), ""
        )

    def journal(self, lines: int = 60) -> str:
        units = ("-u", "vrrp-agent", "-u", "keepalived")
        return self.run(
            "journalctl", *units, "--no-pager", "-o", "short-precise", "-n", str(lines), check=False
        )

    # What can happen to it

    def crash(self) -> None:
        """The whole host dies at once."""
        sh("podman", "kill", self.name)
        wait_until(
            f"{self} is down",
            lambda: sh("podman", "inspect", "-f", "{{.State.Running}}", self.name) != "true\n",
        )

    def start(self) -> None:
        sh("podman", "start", self.name)

    def pause(self) -> None:
        """Every process stops; the kernel goes on and still answers for the address."""
        sh("podman", "pause", self.name)

    def unpause(self) -> None:
        sh("podman", "unpause", self.name)

    def _cable(self, interface: str) -> str:
        """The far end of an interface, on this host's bridge."""
        peer = self.ip("link", "show", interface)[0]["link_index"]
        return next(
            str(link["ifname"]) for link in json.loads(sh("ip", "-j", "link")) if link["ifindex"] == peer
        )

    def cut_cable(self, interface: str = "eth0") -> None:
        sh("ip", "link", "set", self._cable(interface), "down")

    def mend_cable(self, interface: str = "eth0") -> None:
        sh("ip", "link", "set", self._cable(interface), "up")


@dataclasses.dataclass(frozen=True)
class Report:
    """What the witness saw. Times are seconds of the monotonic clock, outages milliseconds.

    What was done to the group began and was done at these times; its effect set in between them.
    """

    data: Dict[str, Any]
    begun: float
    done: float

    def outage_ms(self, address: str) -> float:
        """The longest silence of the address; infinite when it never answered again."""
        silences = self.data["probes"][address]["silences"]
        return max(
            ((one["end"] - one["start"]) * 1e3 if one["end"] else float("inf") for one in silences),
            default=0.0,
        )

    def lost(self, address: str) -> int:
        """How many probes were never answered."""
        return int(self.data["probes"][address]["lost"])

    def holders(self, address: str, since: float = 0.0) -> List[List[str]]:
        """Every set of holders that a sample taken at that time or later has seen, in order."""
        return [sample["who"][address] for sample in self.data["samples"] if sample["until"] >= since]

    def announced_ms(self, address: str, node: Node) -> float:
        """How long after the event the node first announced the address; infinite when it never did."""
        macs = node.macs()
        return min(
            (
                (seen["at"] - self.done) * 1e3
                for seen in self.data["announcements"]
                if seen["address"] == address and seen["mac"] in macs and seen["at"] >= self.begun
            ),
            default=float("inf"),
        )


class Watch:
    """A running witness."""

    def __init__(self, client: Node, nodes: Sequence[Node], addresses: Sequence[str]) -> None:
        named = [f"--node={node.hostname}={node.pid}" for node in nodes if node.pid]
        self._process = subprocess.Popen(
            [sys.executable, str(WITNESS), f"--client={client.pid}", *named, *addresses],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin and self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        if self._stdout.readline() != "ready\n":
            raise RuntimeError("the witness did not start")
        self._report: Optional[Report] = None
        self._begun = self._done = time.monotonic()

    def event(self, happen: Callable[..., object], *arguments: str) -> None:
        """Do something to the group and keep the time."""
        self._begun = time.monotonic()
        happen(*arguments)
        self._done = time.monotonic()

    def node_is_back(self, node: Node) -> None:
        self._stdin.write(f"node {node.hostname} {node.pid}\n")
        self._stdin.flush()

    @property
    def report(self) -> Report:
        """Ends the watch."""
        if self._report is None:
            self._stdin.close()
            self._report = Report(json.loads(self._stdout.readline()), self._begun, self._done)
            self._process.wait()
        return self._report

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclasses.dataclass(frozen=True)
class Instance:
    """One virtual router of the inventory, as far as a client can tell."""

    name: str
    address: str
    advert_int_s: float
    version: int

    def down_ms(self, successor: Node) -> float:
        """How long the protocol lets that node wait for a silent active router."""
        return 1e3 * master_down_s(successor.priority, self.advert_int_s, self.version)

    def skew_ms(self, successor: Node) -> float:
        """How long the protocol lets that node wait after a farewell."""
        return 1e3 * skew_s(successor.priority, self.advert_int_s, self.version)


class Lab:
    """The hosts of an inventory: nodes in the group `vrrp`, one client."""

    def __init__(self, inventory: pathlib.Path) -> None:
        lab = yaml.safe_load(inventory.read_text())["lab"]
        group = lab["children"]["vrrp"]
        common = {**lab["vars"], **group["vars"]}
        self.inventory = inventory
        self.data: Dict[str, Any] = lab
        self.nodes = [
            Node(name, {**common, **variables}, priority=200 - 10 * position)
            for position, (name, variables) in enumerate(group["hosts"].items())
        ]
        ((name, variables),) = lab["children"]["client"]["hosts"].items()
        self.client = Node(name, {**lab["vars"], **variables})
        self.instances = [
            Instance(
                name,
                words["virtual_ipaddress"][-1].split("/")[0],
                float(words.get("advert_int", 1)),
                int(words.get("version", 2)),
            )
            for name, words in group["vars"]["vrrp_config"]["vrrp_instance"].items()
        ]
        self.addresses = [instance.address for instance in self.instances]

    def holders(self, address: str, among: Optional[Sequence[Node]] = None) -> List[Node]:
        return [node for node in (self.nodes if among is None else among) if node.pid and node.holds(address)]

    @staticmethod
    def status(node: Node) -> Dict[str, Any]:
        """What the agent of a node says."""
        answer: Dict[str, Any] = json.loads(node.run("vrrp-agent", "status", "--json"))
        return answer

    def settle(
        self,
        expected: Optional[Node] = None,
        among: Optional[Sequence[Node]] = None,
        steady_s: float = 0.5,
        timeout_s: float = 25.0,
    ) -> float:
        """Wait until one node alone holds every address, and has done so for `steady_s` at every look.

        That node is `expected` when one is named. `among` leaves out nodes that cannot be asked to let go.
        Returns when the steady time began, on the monotonic clock.
        """
        who: Optional[List[List[Node]]] = None
        since = 0.0

        def steady() -> bool:
            nonlocal who, since
            seen = [self.holders(address, among) for address in self.addresses]
            now = time.monotonic()
            if seen != who:
                who, since = seen, now
            right = all(len(nodes) == 1 and nodes == seen[0] for nodes in seen)
            return right and expected in (None, seen[0][0]) and now - since >= steady_s

        try:
            wait_until("one steady holder", steady, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; wanted {expected or 'any node'}, and last saw {who}") from None
        return since

    def roll_out(self, *arguments: str) -> Dict[str, int]:
        """Run the site playbook; how many tasks changed each host. Raises RuntimeError with its output."""
        out = sh(
            *(sys.executable, "-m", "ansible", "playbook", "-i", str(self.inventory), *arguments, str(SITE)),
            environment={"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"},
        )
        recap = re.findall(r"^(\S+) +: .*changed=(\d+) ", out, re.MULTILINE)
        return {host: int(changed) for host, changed in recap}

    def ad_hoc(self, node: Node, module: str, **arguments: Any) -> bool:
        """Run a module of ours on a node; did it change anything? Raises RuntimeError with its output."""
        out = sh(
            *(sys.executable, "-m", "ansible", "adhoc", "-i", str(self.inventory), node.name),
            *("-m", f"linuxha.vrrp.{module}", "-a", json.dumps(arguments)),
            environment={"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"},
        )
        return " | CHANGED" in out

    @contextlib.contextmanager
    def watch(self, *others: str) -> Iterator[Watch]:
        """The witness looks at every virtual address, and pings ``others`` too."""
        seen = Watch(self.client, self.nodes, [*self.addresses, *others])
        try:
            yield seen
        finally:
            seen.close()
