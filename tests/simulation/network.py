# SPDX-License-Identifier: GPL-3.0-or-later
"""A network of virtual routers in one process: fake clock, packets that are late or lost, hosts that die.

One heap of events drives everything, so a minute of the protocol takes a millisecond. Each host has a
clock of its own that began at another time, as machines have. Nothing is random but through ``seed``.
"""

from __future__ import annotations

import heapq
import random
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from vrrp_agent.election.actions import Actions, AddAddresses, RemoveAddresses, SendAdvert, StateChanged
from vrrp_agent.election.router import VirtualRouter
from vrrp_agent.election.settings import RouterSettings, State
from vrrp_agent.election.timers import NEVER, down_interval_ns

SECOND = 1_000_000_000
MS = 1_000_000


class Packet(NamedTuple):
    """What an advert tells."""

    priority: int
    source: bytes
    interval_ns: int


class Host:
    """One machine with one virtual router."""

    def __init__(self, settings: RouterSettings, clock_offset_ns: int) -> None:
        self.settings = settings
        self.clock_offset_ns = clock_offset_ns
        self.router: Optional[VirtualRouter] = None
        """None while the machine is dead."""
        self.segment = 0
        self.link = 0
        """Which of several networks it is on; they never hear each other."""
        self.frozen = False
        self.inbox: List[Packet] = []
        self.holds_addresses = False
        self.wake_at_ns = NEVER
        self.adverts_sent = 0
        self.last_advert_ns = 0

    def __repr__(self) -> str:
        return ".".join([str(byte) for byte in self.settings.source])

    @property
    def state(self) -> Optional[State]:
        return self.router.state if self.router else None

    @property
    def down_interval_ns(self) -> int:
        """How long this host waits for an active router with its own interval."""
        chosen = self.settings
        return down_interval_ns(
            chosen.version, chosen.priority, chosen.advert_int_ns, chosen.down_timer_adverts
        )


class Change(NamedTuple):
    """Who holds the addresses from ``at_ns`` on."""

    at_ns: int
    holders: Tuple[Host, ...]


class Network:
    """Hosts on one link that can be cut into segments."""

    def __init__(
        self, *, delay_ns: Tuple[int, int] = (0, 0), loss: float = 0.0, late_ns: int = 0, seed: int = 0
    ) -> None:
        """Packets take ``delay_ns`` (least, most), wake-ups come up to ``late_ns`` late."""
        self.now = 0
        self.hosts: List[Host] = []
        self.delay_ns = delay_ns
        self.loss = loss
        self.late_ns = late_ns
        self.changes: List[Change] = [Change(0, ())]
        self.transitions: List[Tuple[int, Host, State, State]] = []
        self.events = 0
        self._random = random.Random(seed)
        self._heap: List[Tuple[int, int, Callable[..., None], Tuple[Any, ...]]] = []
        self._serial = 0

    # What the test does to the network

    def add(self, priority: int, number: int = 0, **changes: Any) -> Host:
        """A dead host with address 192.0.2.``number`` (default: in the order of their coming)."""
        source = bytes((192, 0, 2, number or len(self.hosts) + 1))
        values = {"version": 3, "advert_int_ns": SECOND, **changes}
        host = Host(
            RouterSettings(priority=priority, source=source, **values), self._random.randrange(1 << 50)
        )
        self.hosts.append(host)
        return host

    def start(self, *hosts: Host) -> None:
        """The machines come up."""
        for host in hosts:
            host.router = VirtualRouter(host.settings)
            self._did(host, host.router.start(self._clock(host)))

    def crash(self, host: Host) -> None:
        """The machine is gone, without a word."""
        host.router = None
        host.frozen = False
        host.inbox.clear()
        host.holds_addresses = False
        self._note_holders()

    def stop(self, host: Host) -> None:
        """The machine is shut down in order."""
        assert host.router is not None
        self._did(host, host.router.stop(self._clock(host)))
        self.crash(host)

    def set_faults(self, host: Host, *faults: str) -> None:
        """The machine notices that something is missing, or that all is well."""
        assert host.router is not None
        self._did(host, host.router.set_faults(faults, self._clock(host)))

    def freeze(self, host: Host, span_ns: int) -> None:
        """The machine does nothing for a while; what it is sent waits in its socket."""
        host.frozen = True
        self._at(self.now + span_ns, self._thaw, host, host.router)

    def cut(self, *segments: Iterable[Host]) -> None:
        """Only hosts of one segment hear each other; the hosts not named are one more segment."""
        for host in self.hosts:
            host.segment = 0
        for number, segment in enumerate(segments, 1):
            for host in segment:
                host.segment = number

    def heal(self) -> None:
        self.cut()

    def run_for(self, span_ns: int) -> None:
        """Let time pass."""
        end = self.now + span_ns
        while self._heap and self._heap[0][0] <= end:
            at, _serial, work, arguments = heapq.heappop(self._heap)
            self.now = at
            self.events += 1
            work(*arguments)
        self.now = end

    def run_until(self, reached: Callable[[], bool], limit_ns: int) -> int:
        """Let time pass until ``reached``; how long that took. Fails after ``limit_ns``."""
        begin = self.now
        while not reached():
            assert self._heap and self._heap[0][0] <= begin + limit_ns, f"not reached in {limit_ns / 1e9} s"
            at, _serial, work, arguments = heapq.heappop(self._heap)
            self.now = at
            self.events += 1
            work(*arguments)
        return self.now - begin

    # What the test looks at

    @property
    def alive(self) -> List[Host]:
        return [host for host in self.hosts if host.router is not None]

    def holders(self, segment: Optional[int] = None) -> List[Host]:
        """Who has the addresses, in one segment or anywhere."""
        return [host for host in self.hosts if host.holds_addresses and segment in (None, host.segment)]

    def segments(self) -> Dict[int, List[Host]]:
        """Living hosts by segment."""
        found: Dict[int, List[Host]] = {}
        for host in self.alive:
            found.setdefault(host.segment, []).append(host)
        return found

    def spans(self, begin_ns: int, odd: Callable[[Sequence[Host]], bool]) -> List[int]:
        """Lengths of the times since ``begin_ns`` in which the holders were ``odd``."""
        lengths = []
        since: Optional[int] = None
        for at, holders in [*self.changes, Change(self.now, ())]:
            if since is not None and at > begin_ns:
                lengths.append(at - max(since, begin_ns))
            since = at if odd(holders) else None
        return [length for length in lengths if length]

    # How it works

    def _at(self, when: int, work: Callable[..., None], *arguments: Any) -> None:
        self._serial += 1
        heapq.heappush(self._heap, (when, self._serial, work, arguments))

    def _clock(self, host: Host) -> int:
        return self.now + host.clock_offset_ns

    def _did(self, host: Host, actions: Actions) -> None:
        """Do what a router asked for, and see to it that it is woken again."""
        for action in actions:
            if isinstance(action, SendAdvert):
                self._send(host, action.priority)
            elif isinstance(action, AddAddresses):
                host.holds_addresses = True
                self._note_holders()
            elif isinstance(action, RemoveAddresses):
                host.holds_addresses = False
                self._note_holders()
            elif isinstance(action, StateChanged):
                self.transitions.append((self.now, host, action.old, action.new))
        self._arm(host)

    def _send(self, host: Host, priority: int) -> None:
        host.adverts_sent += 1
        host.last_advert_ns = self.now
        packet = Packet(priority, host.settings.source, host.settings.advert_int_ns)
        for other in self.hosts:
            if other is host or other.router is None:
                continue
            if other.segment != host.segment or other.link != host.link:
                continue
            if self.loss and self._random.random() < self.loss:
                continue
            self._at(self.now + self._random.randint(*self.delay_ns), self._arrive, host, other, packet)

    def _arrive(self, sender: Host, host: Host, packet: Packet) -> None:
        if host.router is None or host.segment != sender.segment:
            return
        if host.frozen:
            host.inbox.append(packet)
            return
        self._did(host, host.router.receive(*packet, self._clock(host)))

    def _arm(self, host: Host) -> None:
        """One wake-up waits in the heap for each host; only an earlier deadline needs another."""
        router = host.router
        if router is None or router.deadline is None:
            return
        at = router.deadline - host.clock_offset_ns
        if at < host.wake_at_ns:
            host.wake_at_ns = at
            late = self._random.randint(0, self.late_ns) if self.late_ns else 0
            self._at(max(at, self.now) + late, self._wake, host, at)

    def _wake(self, host: Host, at: int) -> None:
        if at != host.wake_at_ns:
            return  # an earlier one has taken its place
        host.wake_at_ns = NEVER
        router = host.router
        if router is None or host.frozen:
            return
        now = self._clock(host)
        if router.deadline is not None and router.deadline <= now:
            self._did(host, router.timer(now))
        else:
            self._arm(host)

    def _thaw(self, host: Host, router: VirtualRouter) -> None:
        if host.router is not router:
            return  # it died in its sleep
        host.frozen = False
        for packet in host.inbox:  # the loop reads its sockets before it looks at its timers
            self._did(host, router.receive(*packet, self._clock(host)))
        host.inbox.clear()
        host.wake_at_ns = NEVER
        self._arm(host)

    def _note_holders(self) -> None:
        self.changes.append(Change(self.now, tuple(self.holders())))


def best(hosts: Iterable[Host]) -> Host:
    """Who should have the addresses: the highest priority, then the highest address."""
    return max(hosts, key=lambda host: (host.settings.priority, host.settings.source))


def none(holders: Sequence[Host]) -> bool:
    """For ``spans``: nobody answers."""
    return not holders


def several(holders: Sequence[Host]) -> bool:
    """For ``spans``: more than one answers."""
    return len(holders) > 1


def holder_changes(network: Network, begin_ns: int) -> List[Set[Host]]:
    """The different sets of holders since ``begin_ns``."""
    return [set(change.holders) for change in network.changes if change.at_ns > begin_ns]
