# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent: wires kernel, elections and control together, and answers to what happens to the host."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from ..conf.model import Config, Instance
from ..kernel.addresses import list_addresses
from ..kernel.advert_socket import AdvertSocket
from ..kernel.errors import KernelError
from ..kernel.frame_socket import FrameSocket
from ..kernel.links import list_links
from ..kernel.monitor import Monitor
from ..kernel.netlink import RouteSocket
from . import status
from .announcer import Announcer
from .hands import Services
from .health import judge
from .interfaces import Interfaces
from .live import Live
from .log import Log
from .loop import Loop
from .memory import Memory, boot_id, recall
from .prepared import placed
from .receiver import Receiver
from .statics import Statics

Key = Tuple[str, int, int]
MEMORY_NAME = "memory"


class MissingInterface(KernelError):
    """The configuration needs an interface that is not there, and does not say that it may come later."""

    def __init__(self, names: List[str]) -> None:
        plural = "s do not exist" if len(names) > 1 else " does not exist"
        super().__init__(
            f"interface{plural}: {', '.join(names)}" if len(names) > 1 else f"interface {names[0]}{plural}",
            "correct the name, or write dynamic_interfaces in global_defs if it may come later",
        )


class Agent:
    """One configuration at work. Raises KernelError (MissingPrivilege and others) when it cannot begin."""

    def __init__(self, loop: Loop, log: Log, runtime_dir: str, version: str, config_path: str) -> None:
        self.loop = loop
        self.log = log
        self.config = Config()
        self._version = version
        self._config_path = config_path
        self._started_wall_s = time.time()
        self._lives: Dict[Key, Live] = {}
        self._receivers: Dict[Tuple[str, int], Receiver] = {}
        self._virtual: Set[bytes] = set()
        self._interfaces = Interfaces()
        self._route = RouteSocket()
        self._monitor = Monitor()
        self._announcer = Announcer(loop, FrameSocket(), log.warning)
        self._statics = Statics(self._route, self._interfaces, log)
        memory_path = os.path.join(runtime_dir, MEMORY_NAME)
        self._recalled = recall(memory_path, boot_id())
        self._memory = Memory(memory_path, boot_id())
        self._services = Services(
            loop, log, self._interfaces, self._route, self._announcer, self._memory
        )
        self._list_everything()
        loop.add_reader(self._monitor.fileno(), self._hear_kernel)

    # Configurations.

    def check_interfaces(self, config: Config) -> None:
        """Raises MissingInterface for interfaces that are not there and may not come later."""
        if config.settings.dynamic_interfaces:
            return
        missing: List[str] = []
        for instance in config.instances:
            names = [instance.interface] + [device for _address, device in placed(instance)]
            names += [tracked.name for tracked in instance.track_interfaces]
            missing += [name for name in names if self._interfaces.get(name) is None]
        missing += [
            address.device
            for address in config.static_addresses
            if address.device and self._interfaces.get(address.device) is None
        ]
        if missing:
            raise MissingInterface(sorted(set(missing)))

    def apply(self, config: Config) -> None:
        """Make ``config`` the one at work: begin, change and end what differs, leave the rest alone."""
        now = self.loop.clock()
        before, self.config = self.config, config
        self._virtual = {
            address.packed for instance in config.instances for address, _device in placed(instance)
        }
        self._statics.apply(config)
        wanted = config.by_key
        for key in [key for key in self._lives if key not in wanted]:
            live = self._lives.pop(key)
            live.end(now)
            self.log.notice(f"{live.instance.name}: removed from the configuration")
        old = before.by_key
        changed = [i for i in config.instances if i.key in self._lives and old[i.key] != i]
        new = [i for i in config.instances if i.key not in self._lives]
        delay_ns = config.settings.startup_delay_ns if not before.instances else 0
        for instance in new:
            self._lives[instance.key] = Live(instance, self._services, delay_ns)
        self._lay_out_memory()
        for instance in changed:  # first everything that goes: an address may move between instances
            self._lives[instance.key].hands.release(instance)
        for instance in changed:
            self._change(self._lives[instance.key], instance, now)
        self._match_receivers(before)
        for instance in new:
            self._begin(self._lives[instance.key], now)

    def stop(self) -> None:
        """Leave in order: resign, give addresses back, take static items away."""
        now = self.loop.clock()
        for live in self._lives.values():
            live.end(now)
        self._statics.remove_all()
        self._memory.forget()
        self.close()

    def close(self) -> None:
        """Give descriptors back."""
        for receiver in self._receivers.values():
            receiver.close()
        self._receivers = {}
        self.loop.remove_reader(self._monitor.fileno())
        self._monitor.close()
        self._route.close()

    def answer(self, request: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        """The control socket's handler."""
        if request.get("command") != "status":
            raise ValueError(f"unknown command {request.get('command')!r}; known: status")
        return self._status()

    def _status(self) -> Iterator[Dict[str, Any]]:
        lives = list(self._lives.values())
        yield status.head(self._version, self._started_wall_s, self._config_path, len(lives))
        for live in lives:
            yield {"instance": status.instance_status(live, self.loop.clock())}
        for (name, family), receiver in sorted(self._receivers.items()):
            yield {"interface": {"name": name, "family": family, "discards": dict(receiver.discards)}}

    # The life of one instance.

    def _begin(self, live: Live, now: int) -> None:
        instance = live.instance
        live.use_socket(self._socket_for(instance))
        live.take_verdict(judge(instance, self._interfaces, self._virtual), now)
        resume = self._may_resume(live, now)
        if not resume and not live.owner:
            left = live.hands.clear_leftovers()
            if left:
                names = ", ".join(left)
                self.log.notice(f"{instance.name}: removed addresses left by a predecessor: {names}")
        live.begin(now, resume=resume)

    def _may_resume(self, live: Live, now: int) -> bool:
        """True when a killed predecessor spoke so recently that no backup can have taken over.

        A backup waits for down_timer_adverts intervals and its skew (RFC 9568 6.1) after the last
        advert; within the intervals alone the addresses are still ours.
        """
        instance = live.instance
        last_ns = self._recalled.pop(instance.key, 0)
        spoken = 0 < last_ns <= now and now - last_ns < instance.down_timer_adverts * instance.advert_int_ns
        return spoken and not live.verdict.faults and live.hands.all_held()

    def _change(self, live: Live, instance: Instance, now: int) -> None:
        verdict = judge(instance, self._interfaces, self._virtual)
        live.change(instance, self._socket_for(instance), verdict, now)
        self.log.notice(f"{instance.name}: settings changed")

    def _lay_out_memory(self) -> None:
        before = self._memory.problem
        self._memory.lay_out(list(self._lives))
        if self._memory.problem and self._memory.problem != before:
            self.log.warning(f"{self._memory.problem}; a killed agent will have to start anew")
        for live in self._lives.values():
            live.hands.use_memory()

    # Sockets.

    def _match_receivers(self, before: Config) -> None:
        """Close what nobody uses, and tell every receiver whom it serves now."""
        by_place: Dict[Tuple[str, int], List[Live]] = {}
        for live in self._lives.values():
            by_place.setdefault((live.instance.interface, live.instance.family), []).append(live)
        for place in [place for place in self._receivers if place not in by_place]:
            self._receivers.pop(place).close()
        for place, receiver in self._receivers.items():
            receiver.serve(by_place[place], self.config.settings.log_unknown_vrids)

    def _socket_for(self, instance: Instance) -> Optional[AdvertSocket]:
        """The socket for an instance, opened when it is the first; None while there is no interface."""
        link = self._interfaces.get(instance.interface)
        if link is None:
            return None
        place = (instance.interface, instance.family)
        receiver = self._receivers.get(place)
        if receiver is not None and receiver.socket.index != link.index:
            receiver.close()
            receiver = None
        if receiver is None:
            opened = AdvertSocket(instance.family, instance.interface, link.index)
            log_unknown = self.config.settings.log_unknown_vrids
            self._receivers[place] = receiver = Receiver(opened, self.loop, self.log, log_unknown)
        if not instance.unicast:
            receiver.socket.join(instance.multicast_group)
        same = [live for live in self._lives.values() if self._place(live) == place]
        receiver.serve(same, self.config.settings.log_unknown_vrids)
        return receiver.socket

    @staticmethod
    def _place(live: Live) -> Tuple[str, int]:
        return (live.instance.interface, live.instance.family)

    # What happens to the host.

    def _list_everything(self) -> None:
        self._interfaces.replace(list_links(self._route), list_addresses(self._route))

    def _hear_kernel(self) -> None:
        events = self._monitor.read()
        if events is None:
            self.log.warning("the kernel reported more changes than could be read; listing everything again")
            self._list_everything()
            self._host_changed({name for live in self._lives.values() for name in live.devices})
            return
        names = self._interfaces.apply(events, self._virtual)
        if names:
            self._host_changed(names)

    def _host_changed(self, names: Set[str]) -> None:
        now = self.loop.clock()
        for live in self._lives.values():
            if live.devices.isdisjoint(names):
                continue
            if live.instance.interface in names:
                self._renew_socket(live)
            live.take_verdict(judge(live.instance, self._interfaces, self._virtual), now)
        self._statics.interfaces_changed(names)

    def _renew_socket(self, live: Live) -> None:
        """The interface may have come, gone, or come back as another one under the same name."""
        link = self._interfaces.get(live.instance.interface)
        index = live.socket.index if live.socket is not None else None
        if (link.index if link is not None else None) == index:
            return
        try:
            live.use_socket(self._socket_for(live.instance))
        except KernelError as error:
            live.use_socket(None)
            self.log.error(f"{live.instance.name}: {error}")
