# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The virtual links of this host: made when a configuration wants them, kept, made again, removed.

A link is marked with the runtime directory of its agent (``ip link`` shows it as alias), so that the
process after a killed one knows its predecessor's links: those it wants go on with their addresses, the
others are removed.
"""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import AbstractSet, Callable, Dict, List, Sequence, Tuple

from ...conf.model import Address, Config, Instance, VirtualLink
from ...conf.parts.link_names import candidates, links_of, name_links
from ...conf.parts.links import IPVLAN, MACVLAN
from ...kernel import sysctl
from ...kernel import virtual_links as requests
from ...kernel.addresses import add_request
from ...kernel.aside import submit_aside
from ...kernel.errors import KernelError
from ...kernel.links import ARPHRD_ETHER, IFF_UP, MACVLAN_PRIVATE, Link, LinkEvent, list_links
from ...kernel.netlink import RouteSocket
from ...kernel.nftables import NftSocket
from ...loop.log import Log
from .firewall import FirewallTables
from .interfaces import Interfaces

SYSCTLS_NAME = "sysctls"
_LINK_SETTINGS = {"arp_ignore": 1, "arp_announce": 2, "accept_local": 1, "rp_filter": 0}
"""What an IPv4 link needs: it answers ARP for its own addresses only and always with its own MAC, and takes
packets whose way back is the base interface. keepalived's, and arp_announce."""
_LINK_SETTINGS_6 = {"arp_ignore": 1}
_BASE_SETTINGS = {"arp_ignore": "1", "arp_filter": "1", "arp_announce": "2"}
"""What keeps the physical MAC out of ARP for a virtual address (RFC 9568 8.1.2)."""
_QUIET_IPV6 = {"accept_ra": "0", "autoconf": "0", "router_solicitations": "0"}
"""A virtual MAC is no ground for addresses of the host (RFC 9568 7.4)."""
_NAMES_TRIED = 8


class VirtualLinks:
    """All virtual links that the configuration at work wants."""

    def __init__(
        self,
        route: RouteSocket,
        interfaces: Interfaces,
        log: Log,
        runtime_dir: str,
        open_firewall: Callable[[], NftSocket],
    ) -> None:
        self.firewall = FirewallTables(interfaces, log, open_firewall)
        self._route = route
        self._interfaces = interfaces
        self._log = log
        self._mark = f"vrrp-agent {os.path.abspath(runtime_dir)}"
        self._sysctls = sysctl.Sysctls(os.path.join(runtime_dir, SYSCTLS_NAME))
        self._wanted: Dict[str, VirtualLink] = {}
        self._quiet_groups = False
        self._problems: Dict[str, str] = {}
        self._in_the_way: Dict[str, List[Link]] = {}
        """Links that are to be removed before one of this name can be made."""

    def named(self, config: Config) -> Config:
        """The configuration with names that suit this host: those of links that stand, else free ones."""
        if not any(links_of(instance) for instance in config.instances):
            return config
        taken = {link.name for link in self._interfaces if link.alias != self._mark}
        return replace(config, instances=name_links(config.instances, taken, self._standing))

    def apply(self, config: Config, holding: Sequence[Instance]) -> None:
        """Make what ``config`` wants and what is not there. What cannot be made is a ``problem``.

        ``holding``: instances that hold their addresses; packets to their links go on coming in.
        """
        links = [link for instance in config.instances for link in links_of(instance)]
        self._wanted = {link.name: link for link in links}
        self._quiet_groups = not config.settings.firewall.local_igmp
        self._make_missing()
        self._tune()
        self.firewall.apply(config, {link.name for instance in holding for link in links_of(instance)})

    def remove_unused(self) -> None:
        """Remove links of ours, or of a killed predecessor, that nobody wants any more, or in the way.

        Only now: an instance that is given up has said farewell by its link. What is still leaving is asked
        for once more.
        """
        self._clear_away(self._interfaces.leaving)

    def _clear_away(self, more: Sequence[Link] = ()) -> None:
        blocking = {link.index for links in self._in_the_way.values() for link in links}
        gone = [
            link
            for link in self._interfaces
            if link.index in blocking or (link.alias == self._mark and link.name not in self._wanted)
        ]
        if gone:
            names = ", ".join(link.name for link in gone)
            self._log.notice(f"virtual link {names} is not wanted any more, and is removed")
        batch = [requests.delete_request(link.index) for link in [*more, *gone]]
        for link in gone:
            self._interfaces.let_go(link)
        if batch and not submit_aside(batch):
            self._route.submit(batch)

    def remove_all(self) -> None:
        """The agent ends: its links go, and the host's settings come back."""
        self._wanted = {}
        self.firewall.remove()
        ours = [link for link in self._interfaces if link.alias == self._mark]
        self._remove([*self._interfaces.leaving, *ours])
        self._sysctls.give_back()

    def interfaces_changed(self, names: AbstractSet[str], make: Callable[[], None]) -> AbstractSet[str]:
        """Make again what was deleted, or what waited for its base; the names of links that are affected.

        ``make`` applies the configuration at work anew.
        """
        touched = [
            link
            for link in self._wanted.values()
            if link.name in names or link.base in names or link.name in self._in_the_way
        ]
        if not touched:
            return frozenset()
        make()
        self._clear_away()
        self._follow_vrf(touched)
        return {link.name for link in touched}

    def problem(self, instance: Instance) -> str:
        """Why the instance cannot work with its virtual links; empty when there is nothing to say."""
        for link in links_of(instance):
            problem = self._problems.get(link.name)
            if problem:
                return problem
            if link.name in self._in_the_way:
                continue
            found = self._interfaces.get(link.name)
            if found is None and self._interfaces.get(link.base) is not None:
                return f"the virtual link {link.name} does not exist"
            if found is not None and not found.flags & IFF_UP and instance.track_primary:
                return f"the virtual link {link.name} is down"
        return ""

    def waiting(self, instance: Instance) -> Tuple[str, ...]:
        """What the instance waits for: removals that go before its links, a matter of milliseconds."""
        names = [link.name for link in links_of(instance) if link.name in self._in_the_way]
        return tuple(f"the virtual link {name} can be made when another one is removed" for name in names)

    # One link.

    def _standing(self, link: VirtualLink) -> str:
        """keepalived: a private macvlan on the same base with the right MAC is taken as it is."""
        base = self._interfaces.get(link.base)
        if base is None:
            return ""
        names: Tuple[str, ...] = ()
        if link.kind == IPVLAN:  # all have the MAC of the base
            every = candidates(link)
            names = tuple(name for name, _number in zip(every, range(_NAMES_TRIED)))
        for found in self._interfaces:
            if self._fits(found, link, base) and (not names or found.name in names):
                return found.name
        return ""

    @staticmethod
    def _fits(found: Link, link: VirtualLink, base: Link) -> bool:
        if found.kind != link.kind or found.parent != base.index:
            return False
        return link.kind == IPVLAN or (found.mac == link.mac and found.mode == MACVLAN_PRIVATE)

    def _make_missing(self) -> None:
        self._problems = {}
        self._in_the_way = {}
        missing: List[VirtualLink] = []
        ready: List[VirtualLink] = []
        for link in self._wanted.values():
            base = self._interfaces.get(link.base)
            if base is None:
                continue
            if base.hardware != ARPHRD_ETHER:
                self._problems[link.name] = f"no virtual link on {link.base}: it is no Ethernet interface"
                continue
            found = self._interfaces.get(link.name)
            if found is not None and self._fits(found, link, base):
                if found.alias != self._mark:
                    self._log.notice(f"virtual link {link.name} is there already, and is used")
                    ready.append(link)
            elif found is not None and found.kind not in (MACVLAN, IPVLAN):
                self._problems[link.name] = (
                    f"cannot make the virtual link {link.name}: there is an interface of that name"
                )
            elif found is None and self._rename(link, base):
                ready.append(link)
            else:
                blocking = self._blocking(link, base)
                if blocking:
                    self._in_the_way[link.name] = blocking
                else:
                    missing.append(link)
        self._configure(ready + self._create(missing))

    def _rename(self, link: VirtualLink, base: Link) -> bool:
        """A link of ours that is right but for its name gets that of ``link``; False when there is none.

        Linux before 6.2 renames no link that is up.
        """
        if any(one.name == link.name for one in self._interfaces.leaving):
            return False
        for found in self._interfaces:
            known = found.alias == self._mark and found.name not in self._wanted
            if link.kind == MACVLAN and known and self._fits(found, link, base):
                if self._route.submit([requests.rename_request(found.index, link.name)]):
                    return False
                self._interfaces.apply([LinkEvent(replace(found, name=link.name))], ())
                self._log.notice(f"the virtual link {found.name} is {link.name} now")
                return True
        return False

    def _blocking(self, link: VirtualLink, base: Link) -> List[Link]:
        """What has the name, or is ours and has the MAC on the same interface; also when it is leaving."""
        leaving = self._interfaces.leaving
        ours = [one for one in self._interfaces if one.alias == self._mark and one.name not in self._wanted]
        found = self._interfaces.get(link.name)
        blocking = [found] if found is not None else []
        blocking += [one for one in leaving if one.name == link.name]
        for one in ours + leaving:
            same = one.kind == link.kind == MACVLAN and one.mac == link.mac
            if one not in blocking and one.parent == base.index and (same or one.kind != link.kind):
                blocking.append(one)
        return blocking

    def _create(self, links: List[VirtualLink]) -> List[VirtualLink]:
        batch: List[bytes] = []
        for number, link in enumerate(links):
            base = self._interfaces.get(link.base)
            if base is not None:
                master = base.master if self._vrf_of(base) else 0
                batch.append(requests.create_request(link, replace(base, master=master), number))
        if not batch:
            return []
        refused = {refusal.sequence: refusal.errno for refusal in self._route.submit(batch)}
        for number, reason in refused.items():
            link = links[number]
            text = f"cannot make the virtual link {link.name} ({link.kind}) on {link.base}: {_why(reason)}"
            self._problems[link.name] = text
            self._log.error(text)
        self._look_again(links)
        made = [link for number, link in enumerate(links) if number not in refused]
        for link in made:
            self._log.notice(f"made the virtual link {link.name} on {link.base}")
        return [link for link in made if self._interfaces.get(link.name) is not None]

    def _look_again(self, links: List[VirtualLink]) -> None:
        """What was asked for is there once the kernel has answered; its news come later.

        Of other links nothing is taken in: whoever has to do with them hears of changes by the news.
        """
        names = {link.name for link in links}
        try:
            events = [LinkEvent(link) for link in list_links(self._route) if link.name in names]
        except KernelError as error:
            self._log.error(f"{error}; new virtual links are used when the kernel tells of them")
            return
        self._interfaces.apply(list(events), ())

    def _configure(self, links: List[VirtualLink]) -> None:
        batch: List[bytes] = []
        for link in links:
            found = self._interfaces.get(link.name)
            base = self._interfaces.get(link.base)
            if found is None or base is None:
                continue
            self._configure_ipv6(link)
            settings = _LINK_SETTINGS if link.family == 4 else _LINK_SETTINGS_6
            batch.append(requests.mark_request(found.index, self._mark))
            batch.append(requests.configure_request(found.index, {**settings, "promote_secondaries": 1}))
            if link.family == 6 or link.both_families:
                batch.append(requests.no_address_request(found.index))
            batch.append(requests.up_request(found.index))
            if link.address is not None:
                batch.append(add_request(_address_of(link), found.index))
            if link.report_to_base:
                batch.append(requests.group_request(base.index, base.group))
        if not batch:
            return
        for refusal in self._route.submit(batch):
            self._log.error(f"a virtual link is not as it should be: {os.strerror(refusal.errno)}")
        self._look_again(links)
        for link in links:
            self._forward_as_base(link)

    def _configure_ipv6(self, link: VirtualLink) -> None:
        """An IPv4 link has no IPv6, and no link makes addresses of its own."""
        where = f"net/ipv6/conf/{link.name}/"
        off = link.family == 4 and not link.both_families
        values = {"disable_ipv6": "1" if off else "0", **({} if off else _QUIET_IPV6)}
        for name, value in values.items():
            if sysctl.read(where + name) not in ("", value):
                sysctl.write(where + name, value)

    def _forward_as_base(self, link: VirtualLink) -> None:
        """Packets to the virtual MAC are routed where the base interface routes (RFC 9568 6.4.3)."""
        for family in ("ipv4", "ipv6"):
            base = sysctl.read(f"net/{family}/conf/{link.base}/forwarding")
            own = f"net/{family}/conf/{link.name}/forwarding"
            if base == "1" and sysctl.read(own) == "0":
                sysctl.write(own, base)

    def _remove(self, links: List[Link]) -> None:
        if not links:
            return
        wanted_base = {link.index for link in links}
        self._route.submit([requests.delete_request(index) for index in sorted(wanted_base)])
        self._interfaces.apply([LinkEvent(link, removed=True) for link in links], ())
        self._log.notice(f"removed the virtual link {', '.join(link.name for link in links)}")

    def _vrf_of(self, base: Link) -> bool:
        master = self._interfaces.by_index(base.master) if base.master else None
        return master is not None and master.kind == "vrf"

    def _follow_vrf(self, links: List[VirtualLink]) -> None:
        """A base interface that moves to another VRF takes its links along (keepalived)."""
        for link in links:
            base, found = self._interfaces.get(link.base), self._interfaces.get(link.name)
            if base is None or found is None:
                continue
            wanted = base.master if self._vrf_of(base) else 0
            if found.master != wanted:
                self._route.submit([requests.master_request(found.index, wanted)])

    # The host's settings.

    def _tune(self) -> None:
        values: Dict[str, str] = {}
        bases = {link.base for link in self._wanted.values() if link.kind == MACVLAN and link.family == 4}
        for base in sorted(bases):
            for name, value in _BASE_SETTINGS.items():
                values[f"net/ipv4/conf/{base}/{name}"] = value
        if bases:
            values.update(self._loose_rp_filter())
        if self._quiet_groups and self._wanted:
            values["net/ipv4/igmp_link_local_mcast_reports"] = "0"
        for problem in self._sysctls.want(values):
            self._log.warning(problem)

    def _loose_rp_filter(self) -> Dict[str, str]:
        """The filter of ``all`` counts for every interface, also for ours: let each have it on its own.

        keepalived does the same: nothing changes for the other interfaces.
        """
        general = "net/ipv4/conf/all/rp_filter"
        strict = self._sysctls.original(general)
        if strict in ("", "0"):
            return {}
        values = {general: "0"}
        names = [link.name for link in self._interfaces if link.name not in self._wanted]
        for name in ["default", *names]:
            one = f"net/ipv4/conf/{name}/rp_filter"
            if self._sysctls.original(one) < strict:
                values[one] = strict
        return values


def _address_of(link: VirtualLink) -> Address:
    return Address(link.address or b"", link.address_prefix_length)


def _why(number: int) -> str:
    reason = os.strerror(number)
    if number == errno.EOPNOTSUPP:
        return f"{reason} (does this kernel have macvlan and ipvlan?)"
    if number == errno.EBUSY:
        return f"{reason} (does the interface belong to a bridge, or carry links of the other kind?)"
    return reason
