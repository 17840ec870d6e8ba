# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent: wires kernel, elections and control together, and answers to what happens to the host."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import AbstractSet, Any, Callable, Dict, Iterator, List, NamedTuple, Set, Tuple

from ..balance.notebook import NAME as PLACED_NAME
from ..check.notebook import NAME as CHECKS_NAME
from ..conf.model import Config, Instance
from ..conf.parts.link_names import links_of
from ..kernel import messages
from ..kernel.addresses import check_privilege
from ..kernel.advert_socket import AdvertSocket
from ..kernel.errors import KernelError
from ..kernel.frame_socket import FrameSocket
from ..kernel.link_socket import LinkSocket
from ..kernel.monitor import Monitor
from ..kernel.netlink import RouteSocket
from ..kernel.nftables import NftSocket
from ..loop.events import DELETED, Happening
from ..loop.log import Log
from ..loop.loop import Loop
from ..track.messages import Key as TrackerKey
from ..track.notebook import NAME as READINGS_NAME
from . import status
from .announcer import Announcer
from .dumps import writing as dumps
from .dumps.scene import Scene
from .fitting import fit_adverts
from .groups import Groups, companions
from .hands import Services
from .hearing.buffers import size_netlink
from .hearing.receivers import OpenLink, OpenSocket, Receivers
from .host.health import Verdict, judge
from .host.interfaces import Interfaces
from .host.losses import Losses, groups_to_follow
from .host.news import Concerned, Consequences, News
from .host.promotion import Promotion
from .host.statics import Statics
from .host.virtual_links import VirtualLinks
from .live import Live
from .memory import NOT_RECALLED, Memory, boot_id, recall, spoke_lately
from .patience import Patience
from .prepared import Place, essence, placed
from .sides.services import VirtualServers
from .sides.snmp import SnmpAgent, Sources
from .sides.telling import Teller, states
from .sides.trackers import Trackers
from .ways import way_devices, ways_of

Key = Tuple[str, int, int]
MEMORY_NAME = "memory"
PROMOTION_NAME = "promote_secondaries"


class MissingInterface(KernelError):
    """The configuration needs an interface that is not there, and does not say that it may come later."""

    def __init__(self, names: List[str]) -> None:
        plural = "s do not exist" if len(names) > 1 else " does not exist"
        super().__init__(
            f"interface{plural}: {', '.join(names)}" if len(names) > 1 else f"interface {names[0]}{plural}",
            "correct the name, or write dynamic_interfaces in global_defs if it may come later",
        )


class Host(NamedTuple):
    """What an agent has of the kernel."""

    route: RouteSocket
    monitor: Monitor
    frames: FrameSocket
    open_socket: OpenSocket
    open_link: OpenLink = LinkSocket
    open_firewall: Callable[[], NftSocket] = NftSocket


class Difference(NamedTuple):
    """Virtual routers that a new configuration ends, changes and begins."""

    removed: List[Key]
    changed: List[Instance]
    new: List[Instance]


def this_host() -> Host:
    """The host that this process runs on. Raises KernelError, mostly MissingPrivilege or MissingLibrary."""
    messages.preload()
    frames = FrameSocket()
    route = RouteSocket()
    check_privilege(route)
    return Host(route, Monitor(), frames, AdvertSocket)


class Agent:
    """One configuration at work. Raises KernelError when the host cannot be listed."""

    def __init__(
        self, loop: Loop, log: Log, runtime_dir: str, version: str, config_path: str, host: Host
    ) -> None:
        self.loop = loop
        self.log = log
        self.config = Config()
        self._version = version
        self._config_path = config_path
        self._started_wall_s = time.time()
        self._lives: Dict[Key, Live] = {}
        self._virtual: Set[bytes] = set()
        self._interfaces = Interfaces()
        self._route, self._monitor, self._frames = host.route, host.monitor, host.frames
        sockets = (host.open_socket, host.open_link)
        self._receivers = Receivers(loop, log, self._interfaces, *sockets)
        self._announcer = Announcer(loop, host.frames, log)
        self._statics = Statics(self._route, self._interfaces, log)
        self._losses = Losses(self._interfaces, self._route, self._statics, log)
        self._promotion = Promotion(os.path.join(runtime_dir, PROMOTION_NAME), log)
        memory_path = os.path.join(runtime_dir, MEMORY_NAME)
        notes = (os.path.join(runtime_dir, READINGS_NAME), boot_id().decode())
        self._recalled = recall(memory_path, boot_id())
        self._ended = False
        """Sockets are given back; what processes beside the agent say while they end comes too late."""
        self._memory = Memory(memory_path, boot_id())
        self._links = VirtualLinks(self._route, self._interfaces, log, runtime_dir, host.open_firewall)
        shared = (self._interfaces, self._route, self._announcer, self._memory, self._links.firewall)
        self._services = Services(loop, log, *shared, tell=self._tell)
        self._groups = Groups(log, self._tell)
        self._trackers = Trackers(loop, log, self._trackers_changed, self._interfaces, notes)
        self._patience = Patience()
        self._teller = Teller(loop, log)
        check_notes = (os.path.join(runtime_dir, CHECKS_NAME), notes[1])
        placed_path = os.path.join(runtime_dir, PLACED_NAME)
        self._virtual_servers = VirtualServers(
            loop, log, self._interfaces, self._lives, self._tell, check_notes, placed_path
        )
        things = (self._lives, self._groups, self._interfaces, self._receivers, self._trackers)
        sources = Sources(*things, adjust=self.adjust, virtual_servers=self._virtual_servers)
        self._snmp = SnmpAgent(loop, log, version, sources)
        concerned = Concerned(
            *(self._interfaces, self._receivers, self._links),
            *(self._losses, self._statics, self._promotion),
        )
        then = Consequences(
            *(self._take_verdict, lambda: self._make_links(self.config), self._serve),
            together=self._groups.together,
            begin_postponed=self._begin_postponed,
            addresses_changed=self._virtual_servers.addresses_changed,
        )
        self._news = News(loop, log, self._route, self._monitor, self._lives, concerned, then)

    # Configurations.

    def check_interfaces(self, config: Config) -> None:
        """Raises MissingInterface for interfaces that are not there and may not come later."""
        if config.settings.dynamic_interfaces:
            return
        missing: List[str] = []
        for instance in config.instances:
            names = [instance.interface] + [device for _address, device in placed(instance)]
            names += [tracked.name for tracked in instance.track_interfaces] + way_devices(ways_of(instance))
            made = {link.name: link.base for link in links_of(instance)}
            names = [made.get(name, name) for name in names]
            missing += [name for name in names if self._interfaces.get(name) is None]
        missing += [
            address.device
            for address in config.static_addresses
            if address.device and self._interfaces.get(address.device) is None
        ]
        if missing:
            raise MissingInterface(sorted(set(missing)))

    def apply(self, config: Config) -> None:
        """Make ``config`` the one at work: begin, change and end what differs, leave the rest alone.

        Raises KernelError when a socket cannot be opened; nothing has changed then.
        """
        now = self.loop.clock()
        config, cuts = fit_adverts(self._links.named(config), self._interfaces)
        for line in cuts:
            self.log.warning(line)
        difference = self._difference(config)
        self._make_room(config, difference)
        first, delay_ns = not self.config.instances, self._patience.left_ns(config.settings, now)
        size_netlink(self._route, self._monitor, self.config.settings, config.settings)
        self.config = config
        self._groups.suspend()
        self._spread(config, difference.new, now)
        self._give_up(difference, now)
        self._teller.apply(config)  # what goes is told of by its own words, all else by the new ones
        self._snmp.apply(config)
        for instance in difference.new:
            self._lives[instance.key] = Live(instance, self._services, delay_ns)
        self._losses.arrange(config, self._lives.values())
        self._lay_out_memory()
        for instance in difference.changed:
            self._change(self._lives[instance.key], instance, now)
        self._serve()
        self._links.remove_unused()
        self._begin_all(difference.new, first, now)
        self._virtual_servers.apply(config)
        if not first:
            self._teller.repeat(states(self._groups, self._lives.values()))

    def _difference(self, config: Config) -> Difference:
        """What ``config`` has other than what is at work."""
        old, wanted = self.config.by_key, config.by_key
        return Difference(
            [key for key in self._lives if key not in wanted],
            [one for one in config.instances if one.key in self._lives and old[one.key] != one],
            [one for one in config.instances if one.key not in self._lives],
        )

    def _make_room(self, config: Config, difference: Difference) -> None:
        """Links and sockets: the one part that can fail, so it comes first and can be taken back."""
        self._make_links(config)
        try:
            self._receivers.open_for([*difference.changed, *difference.new])
        except KernelError:
            self._make_links(self.config)
            self._links.remove_unused()
            raise

    def _spread(self, config: Config, new: List[Instance], now: int) -> None:
        """All that serves the virtual routers learns what ``config`` says."""
        self._announcer.use_groups(config.garp_groups)
        self._virtual = {
            address.packed for instance in config.instances for address, _device in placed(instance)
        }
        self._news.watch_for(self._virtual)
        self._news.damper.use(config.link_delays)
        go_on = any(spoke_lately(i, self._recalled.get(i.key, NOT_RECALLED).moment_ns, now) for i in new)
        self._trackers.apply(config, go_on)
        problem = self._monitor.follow(groups_to_follow(config))
        if problem:
            self.log.warning(problem)
        self._promotion.apply(config.instances)
        self._statics.apply(config)

    def _begin_all(self, new: List[Instance], first: bool, now: int) -> None:
        """Every new virtual router takes part, and groups are what the file says."""
        for instance in new:
            self._prepare(self._lives[instance.key], now)
        self._groups.arrange(self.config.groups, self._lives.values(), now)
        for instance in new:
            self._begin(self._lives[instance.key], now)
        self._recalled.clear()
        if not first:
            self._judge_all(now)  # what is virtual has changed, and with it what may be a source
        self._groups.settle(now)
        self._begin_postponed(now)

    def _make_links(self, config: Config) -> None:
        """Virtual links and rules for ``config``; those of active routers are left as they are."""
        lives = self._lives
        holding = [i for i in config.instances if i.key in lives and lives[i.key].hands.holds_addresses]
        self._links.apply(config, holding)

    def adjust(self, name: str, changes: Dict[str, Any]) -> str:
        """Change settings of one instance until the next reload. Returns what is in the way, or nothing."""
        if self._ended:
            return "the agent is stopping"
        for old in self.config.instances:
            if old.name == name:
                new = replace(old, **changes)
                instances = tuple(new if one is old else one for one in self.config.instances)
                self.config = replace(self.config, instances=instances)
                self._make_links(self.config)
                self._change(self._lives[new.key], new, self.loop.clock())
                return ""
        return f"there is no instance {name}"

    def _give_up(self, difference: Difference, now: int) -> None:
        """First everything that goes; what moves from one instance to another stays where it is."""
        staying: Set[Place] = set()
        if difference.removed or difference.changed:
            staying = {
                essence(place)
                for instance in self.config.instances
                if instance.key in self._lives and self._lives[instance.key].hands.holds_addresses
                for place in placed(instance)
            }
        for key in difference.removed:
            live = self._lives.pop(key)
            live.hands.spare(staying)
            live.end(now, DELETED)
            self.log.notice(f"{live.instance.name}: removed from the configuration")
        for instance in difference.changed:
            self._lives[instance.key].hands.release(staying)

    def stop(self) -> None:
        """Leave in order: resign, give addresses back, take static items away."""
        now = self.loop.clock()
        self._groups.suspend()
        for live in self._lives.values():
            live.end(now)
        self._groups.end()
        self._statics.remove_all()
        self._promotion.give_back()
        self._receivers.close()  # the groups are left while disable_local_igmp still holds
        self._links.remove_all()
        self._memory.forget()
        self.close()
        patience_ns = self.config.settings.operations.child_wait_ns
        self._trackers.stop(patience_ns)
        self._virtual_servers.stop(patience_ns)
        self._snmp.stop(patience_ns)
        self._teller.stop(patience_ns)

    def close(self) -> None:
        """Give descriptors back."""
        self._ended = True
        self._news.damper.use(())
        self._receivers.close()
        self._news.close()
        self._route.close()
        self._frames.close()
        self._memory.close()

    def answer(self, request: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        """The control socket's handler."""
        if request.get("command") == "dump":
            return dumps.answer(request, self.scene())
        if request.get("command") != "status":
            raise ValueError(f"unknown command {request.get('command')!r}; known: dump, status")
        return self._status()

    def scene(self) -> Scene:
        """What there is at this moment, for a dump."""
        groups = {group.sync.name: group.sync.state for group in self._groups}
        lives = list(self._lives.values())
        return Scene(self.config, lives, self.loop.clock(), time.time(), self._trackers.readings, groups)

    def _status(self) -> Iterator[Dict[str, Any]]:
        lives = list(self._lives.values())
        yield status.head(self._version, self._started_wall_s, self._config_path, len(lives))
        for live in lives:
            yield {"instance": status.instance_status(live, self.loop.clock())}
        for group in self._groups:
            yield {"group": status.group_status(group)}
        for name, found in (("telling", self._teller.status()), ("snmp", self._snmp.status())):
            if found is not None:
                yield {name: found}
        yield from self._virtual_servers.status()
        for key in sorted(self._trackers.readings):
            yield {"tracker": status.tracker_status(self._trackers, key)}
        for (name, family), receiver in list(self._receivers):
            yield {"interface": {"name": name, "family": family, "discards": dict(receiver.discards)}}

    # The life of one instance.

    def _prepare(self, live: Live, now: int) -> None:
        live.use_socket(self._receivers.socket(live.instance))
        live.take_verdict(self._judge(live.instance), now)

    def _begin(self, live: Live, now: int) -> None:
        instance = live.instance
        recalled = self._recalled.get(instance.key, NOT_RECALLED)
        if live.owner and (recalled.own or not recalled.moment_ns):
            live.hands.keep_own()
        resume = all(self._may_resume(one, now) for one in companions(live))
        live.postponed = not resume and live.must_wait
        if not resume and not live.owner:
            left = live.hands.clear_leftovers()
            if left:
                names = ", ".join(left)
                self.log.notice(f"{instance.name}: removed addresses left by a predecessor: {names}")
        if live.postponed:
            waiting = ", ".join(live.verdict.waiting) or "its sync group waits"
            self.log.info(f"{instance.name}: not begun yet: {waiting}")
        else:
            live.begin(now, resume=resume)

    def _trackers_changed(self, keys: AbstractSet[TrackerKey]) -> None:
        if self._ended:
            return
        now = self.loop.clock()
        links = self._trackers.links_among(keys)
        if links:
            self._news.damper.look(links)
            self._news.changed(links, set())
        with self._groups.together(now):
            for live in self._lives.values():
                if not live.trackers.isdisjoint(keys):
                    self._take_verdict(live, now)
        self._begin_postponed(now)

    def _begin_postponed(self, now: int) -> None:
        ready = [live for live in self._lives.values() if live.postponed and not live.must_wait]
        if ready:
            self._groups.arrange(self.config.groups, self._lives.values(), now)
            for live in ready:
                live.begin(now)
            self._groups.settle(now)

    def _may_resume(self, live: Live, now: int) -> bool:
        """True when a killed predecessor spoke so recently that no backup can have taken over."""
        last_ns = self._recalled.get(live.instance.key, NOT_RECALLED).moment_ns
        spoken = spoke_lately(live.instance, last_ns, now)
        return spoken and not live.verdict.faults and live.hands.all_held()

    def _change(self, live: Live, instance: Instance, now: int) -> None:
        live.change(instance, self._receivers.socket(instance), self._judge(instance), now)
        self.log.notice(f"{instance.name}: settings changed")

    def _judge(self, instance: Instance) -> Verdict:
        verdict = judge(instance, self._interfaces, self._virtual, self._trackers.readings)
        problems = (self._receivers.problem(instance), self._links.problem(instance))
        faults = (*verdict.faults, *filter(None, problems))
        return verdict._replace(faults=faults, waiting=verdict.waiting + self._links.waiting(instance))

    def _judge_all(self, now: int) -> None:
        for live in self._lives.values():
            self._take_verdict(live, now)

    def _take_verdict(self, live: Live, now: int) -> None:
        source = live.verdict.source
        live.take_verdict(self._judge(live.instance), now)
        if live.verdict.source != source:
            self._receivers.forget_known(live.instance)

    def _lay_out_memory(self) -> None:
        before = self._memory.problem
        self._memory.lay_out(list(self._lives))
        if self._memory.problem and self._memory.problem != before:
            self.log.warning(f"{self._memory.problem}; a killed agent will have to start anew")
        for live in self._lives.values():
            live.hands.use_memory()

    def _serve(self) -> None:
        self._receivers.serve(self._lives.values(), self.config.settings.log_unknown_vrids)

    def _tell(self, happening: Happening) -> None:
        """Pass on what has happened to a virtual router or a group."""
        self._virtual_servers.happened(happening)
        self._teller.tell(happening)
        self._snmp.tell(happening)
