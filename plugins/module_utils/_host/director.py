# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host with virtual servers needs of its kernel: forwarding, and modules. Private to the collection.

Only ever turned on. What was on before stays on, and what another file of the host says is not looked at:
a host may forward for reasons of its own.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Iterator, List, Optional, Tuple

from ..vrrp_agent.conf.model import Config
from ..vrrp_agent.conf.parts.balancing import NAT, RealServer, VirtualServer
from . import files
from .engines import AGENT
from .host import Host, HostError

SYSCTL_PATH = "/etc/sysctl.d/99-vrrp-director.conf"
"""Behind ``99-sysctl.conf``, which is /etc/sysctl.conf by another name."""
MODULES_PATH = "/etc/modules-load.d/vrrp-director.conf"
FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
HEADING = "# Written by the Ansible collection linuxha.vrrp; a change made here is lost with its next run.\n"


@dataclass(frozen=True)
class Needs:
    """What a configuration asks of the kernel."""

    families: Tuple[int, ...] = ()
    """Those in which packets are forwarded to real servers and back."""
    modules: Tuple[str, ...] = ()
    """Useful where the host has them; never required."""

    @property
    def keys(self) -> Tuple[str, ...]:
        """The sysctls that have to be 1."""
        return tuple(FORWARDING[family] for family in self.families)


@dataclass(frozen=True)
class Settings:
    """The two files (None: not there), as they are or as they should be."""

    sysctls: Optional[str] = None
    modules: Optional[str] = None


@dataclass(frozen=True)
class FoundSettings:
    """What a host has of it."""

    files: Settings = field(default_factory=Settings)
    off: Tuple[str, ...] = ()
    """The sysctls of FORWARDING that are not on now."""


def needs(config: Config, engine: str) -> Needs:
    """What the virtual servers of a configuration need.

    NAT goes through the director both ways, so the host must forward. DR and TUN leave the kernel where they
    came in: nothing is forwarded. ip_vs asks for the module of a scheduler by itself when it is used first;
    loaded with the host, none of it depends on that moment.
    """
    families = {service.family for service in config.services for way in _ways(service) if way == NAT}
    modules: Tuple[str, ...] = ()
    if config.services and not (engine == AGENT and config.settings.balancing.backend == "nftables"):
        schedulers = {f"ip_vs_{service.scheduler}" for service in config.services}
        modules = ("ip_vs", *sorted(schedulers))
    return Needs(tuple(sorted(families)), modules)


def _ways(service: VirtualServer) -> Iterator[str]:
    servers: List[RealServer] = [*service.servers]
    if service.sorry_server is not None:
        servers.append(service.sorry_server)
    return (server.forwarding.method for server in servers)


def wanted(host: Host, needed: Needs) -> Settings:
    """The files that a host should have; of the modules those that its kernel knows."""
    known = [name for name in needed.modules if host.run(["modprobe", "--dry-run", "--quiet", name]).rc == 0]
    return Settings(
        _text(
            "Virtual servers with NAT are reached through this host.", [f"{key} = 1" for key in needed.keys]
        ),
        _text("Virtual servers on IPVS.", known),
    )


def _text(why: str, lines: List[str]) -> Optional[str]:
    return "".join((HEADING, f"# {why}\n", *(f"{line}\n" for line in lines))) if lines else None


def survey(host: Host) -> FoundSettings:
    """Look, and change nothing. Raises HostError when a file cannot be read."""
    return FoundSettings(
        Settings(files.read_text(host, SYSCTL_PATH), files.read_text(host, MODULES_PATH)),
        tuple(key for key in FORWARDING.values() if (_now(host, key) or "").strip() == "0"),
    )


def require(host: Host, needed: Needs, found: FoundSettings) -> None:
    """Turning IPv6 forwarding on must not cost the host its default route.

    Where the kernel itself hears router advertisements (accept_ra is 1), it forgets their routes then. Where
    NetworkManager or systemd-networkd does (0), or with 2, they stay.
    Raises HostError, which names the interfaces.
    """
    if 6 not in needed.families or FORWARDING[6] not in found.off:
        return
    lost = [
        name
        for name in _devices_of_advertised_routes(host)
        if (_now(host, f"net.ipv6.conf.{name}.accept_ra") or "").strip() == "1"
    ]
    if lost:
        raise HostError(
            f"nothing was changed: virtual servers with NAT need {FORWARDING[6]}, and with it this host "
            "would lose the default route that it has from router advertisements. First set "
            f"net.ipv6.conf.{lost[0]}.accept_ra = 2 in a file of /etc/sysctl.d, or write a static route"
        )


def doubts(host: Host, needed: Needs) -> List[str]:
    """What the host lacks so that some of its virtual servers can serve nobody."""
    return [
        f"{key} does not exist: IPv{family} is off on this host, and its virtual servers with NAT serve "
        "nobody. Turn it on (ipv6.disable on the kernel's command line, or the module ipv6)"
        for family, key in FORWARDING.items()
        if family in needed.families and _now(host, key) is None
    ]


def require_ipvs(host: Host, config: Config, engine: str) -> None:
    """keepalived ends, VRRP and all, where its checker finds no ip_vs. Raises HostError."""
    if engine == AGENT or not config.services or os.path.exists(host.path("/proc/net/ip_vs")):
        return
    if host.run(["modprobe", "--dry-run", "--quiet", "ip_vs"]).rc != 0:
        raise HostError(
            "nothing was changed: keepalived serves virtual servers with ip_vs, which the kernel of this "
            "host does not have, and would end, with its VRRP. Install the modules of the kernel "
            "(in a container, load ip_vs outside), or take vrrp_engine: agent, which can do it with nftables"
        )


def _devices_of_advertised_routes(host: Host) -> List[str]:
    """The interfaces of default routes from router advertisements."""
    listing = host.must_run(["ip", "-6", "-json", "route", "show", "default"], "listing the default routes")
    try:
        routes = [one for one in json.loads(listing.stdout or "[]") if one.get("protocol") == "ra"]
    except ValueError as error:
        raise HostError(f"listing the default routes failed: ip printed no JSON: {error}") from error
    hops = [hop for route in routes for hop in (route, *route.get("nexthops", ()))]
    return sorted({str(hop["dev"]) for hop in hops if "dev" in hop})


def turn_on(host: Host, keys: Tuple[str, ...]) -> None:
    """Set sysctls to 1 now. Raises HostError."""
    for key in keys:
        try:
            with open(_file(host, key), "w", encoding="ascii") as stream:
                stream.write("1\n")
        except OSError as error:
            raise HostError(
                f"{key} cannot be set to 1: {error.strerror or error}. In a container, whoever starts it has "
                "to set it, or to give it a /proc/sys that can be written"
            ) from error


def load(host: Host, text: str) -> str:
    """Load the modules of the file now; what went wrong, as a warning, or nothing."""
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    done = host.run(["modprobe", "--all", "--quiet", *names])
    return (
        "modprobe {} failed, and IPVS may be missing: {}".format(
            " ".join(names), done.stderr.strip() or f"exit status {done.rc}"
        )
        if done.rc
        else ""
    )


def put(host: Host, path: str, text: Optional[str]) -> None:
    """Write a file of settings, or remove it. Raises HostError."""
    if text is None:
        files.remove(host, path)
    else:
        files.write_text(host, path, text, 0o644)


def _now(host: Host, key: str) -> Optional[str]:
    try:
        return files.read_text(host, _place(key))
    except HostError:
        return None


def _file(host: Host, key: str) -> str:
    return host.path(_place(key))


def _place(key: str) -> str:
    """Where a sysctl is. The name of an interface, between the last two dots, may have dots of its own."""
    head, _dot, rest = key.partition(".conf.")
    if not rest:
        return "/proc/sys/" + key.replace(".", "/")
    name, _dot, last = rest.rpartition(".")
    return "/proc/sys/{}/conf/{}/{}".format(head.replace(".", "/"), name, last)
