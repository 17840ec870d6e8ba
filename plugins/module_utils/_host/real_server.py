# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host needs to be a real server: small parts, done and undone. Pure. Private to the collection.

All of it is in one systemd unit of type oneshot, which calls ``ip`` at boot and undoes everything when it is
stopped. So it does not matter which program manages the network of the host.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Tuple

NAME = "vrrp-real-server.service"
PATH = "/etc/systemd/system/vrrp-real-server.service"
WANTED = f"/etc/systemd/system/multi-user.target.wants/{NAME}"
"""The link by which it starts with the host."""
DIRECT, TUNNEL, NAT = "DR", "TUN", "NAT"
METHODS = (DIRECT, TUNNEL, NAT)
IPIP, GRE, GUE = "ipip", "gre", "gue"
TUNNELS = (IPIP, GRE, GUE)
SIT = "rs-sit"
"""The link for IPv6 in IPv4; the others carry IPv4."""
HALVES = {4: ("0.0.0.0/1", "128.0.0.0/1"), 6: ("::/1", "8000::/1")}
"""Together, all destinations of a family."""
_BEFORE = "/run/vrrp-real-server"
"""What the host had before, to be put back by the stop. systemd removes it with the unit's stop."""
_SETTINGS = "Settings="


@dataclass(frozen=True)
class Settings:
    """What the host is to be like, in the words of the module."""

    method: str
    addresses: Tuple[str, ...] = ()
    """Virtual addresses, without a prefix. Of DR and TUN."""
    interface: str = ""
    """Where clients or the director are; empty means everywhere. Of NAT for a link-local gateway only."""
    address: str = ""
    """This host's own address, at which tunnels end. Of TUN."""
    tunnel: str = IPIP
    tunnel_port: int = 0
    """Of gue."""
    tunnel_checksum: bool = False
    """Of gre: the director sends checksums."""
    gateway: str = ""
    """The way back through the directors. Of NAT."""


@dataclass(frozen=True)
class Part:
    """One thing that is done at the start, and undone at the stop. Both may be done twice."""

    what: str
    do: str
    undo: str
    address: str = ""
    """The virtual address that is there when it is done."""
    sysctl: Tuple[str, str] = ("", "")
    """The file below /proc/sys and its value when it is done."""
    link: str = ""
    """The link that is there when it is done."""
    on: str = ""
    """The link that it is a part of, and goes with."""
    gateway: str = ""
    route: str = ""
    """What leads through the gateway when it is done."""


def problems(settings: Settings) -> List[str]:
    """What is wrong with the settings, each with what to write instead."""
    wrong = []
    if settings.method in (DIRECT, TUNNEL) and not settings.addresses:
        wrong.append(
            f"{settings.method} needs addresses: write the virtual addresses, as the directors have them"
        )
    for text in settings.addresses:
        if _parsed(text) is None:
            wrong.append(f"addresses: {text} is no address: write it without a prefix")
    if settings.method == TUNNEL:
        if _parsed(settings.address) is None:
            wrong.append(
                "TUN needs address, this host's own one as real_server names it"
                + (f": {settings.address} is none" if settings.address else "")
            )
        if settings.tunnel == GUE and not 0 < settings.tunnel_port < 65536:
            wrong.append("gue needs tunnel_port, the port of lvs_method, from 1 to 65535")
    if settings.interface and not re.fullmatch(r"[\w.:@-]{1,15}", settings.interface):
        wrong.append(f"interface: {settings.interface} is no name of an interface")
    if _link_local(settings.gateway) and not settings.interface:
        wrong.append(
            f"gateway: {settings.gateway} is on every link: name the link of the directors as interface"
        )
    if any("%" in text for text in (*settings.addresses, settings.address, settings.gateway)):
        wrong.append("no address takes a link behind %: write the link as interface")
    if settings.gateway and settings.method != NAT:
        wrong.append("gateway is for NAT: with DR and TUN answers do not go through the directors")
    if settings.gateway and _parsed(settings.gateway) is None:
        wrong.append(f"gateway: {settings.gateway} is no address")
    return wrong


def _parsed(text: str) -> Any:
    """The address, or None. What stands behind % may be anything, and none of it may get into a command."""
    if "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _link_local(text: str) -> bool:
    address = _parsed(text)
    return address is not None and address.version == 6 and address.is_link_local


def _family(text: str) -> int:
    return 6 if ":" in text else 4


def parts(settings: Settings) -> Tuple[Part, ...]:
    """In the order in which they are done; undone in the opposite one.

    The host must be silent about a virtual address before it has it (DR): first sysctls, then addresses.
    """
    if settings.method == NAT:
        return _way_back(settings.gateway, settings.interface) if settings.gateway else ()
    made: List[Part] = []
    if any(_family(one) == 4 for one in settings.addresses):
        made.extend(_silence(settings.interface or "all"))
    if settings.method == TUNNEL:
        made.extend(_tunnel(settings))
    ends = next((part.link for part in made if part.link and part.link != SIT), "")
    for one in settings.addresses:
        made.append(_virtual(str(ipaddress.ip_address(one)), ends if _family(one) == 4 and ends else "lo"))
    return tuple(made)


def _silence(interface: str) -> List[Part]:
    """ARP is answered for addresses of the link that is asked on only, and asks with such an address only.

    IPv6 needs neither: neighbours are told of a link's own addresses only.
    """
    return [
        _lent(f"net/ipv4/conf/{interface}/{name}", value)
        for name, value in (("arp_ignore", "1"), ("arp_announce", "2"))
    ]


def _lent(path: str, value: str) -> Part:
    """A sysctl for as long as the unit runs; what it was before is kept and put back."""
    file, kept = f"/proc/sys/{path}", "{}/{}".format(_BEFORE, path.replace("/", "+"))
    return Part(
        f"{path} is {value}",
        f"test -e {kept} || cat {file} >{kept}; echo {value} >{file}",
        f"test ! -e {kept} || cat {kept} >{file}; rm -f {kept}",
        sysctl=(path, value),
    )


def _virtual(address: str, link: str) -> Part:
    """On lo, where only the host itself sees it. IPv6: never the source of the host's own connections.

    IPv4 in a tunnel: on the link of the tunnel. The kernel drops what arrives on a link without an address
    when rp_filter is on, be it the loose one.
    """
    bits, more = (32, "") if _family(address) == 4 else (128, " nodad preferred_lft 0")
    return Part(
        f"{address} on {link}",
        f"ip address replace {address}/{bits} dev {link}{more}",
        f"ip address delete {address}/{bits} dev {link} 2>/dev/null || true",
        address,
        on=link,
    )


def _tunnel(settings: Settings) -> List[Part]:
    """Where tunnels end. Their links have the loose rp_filter: the strict one would drop what arrives."""
    own = str(ipaddress.ip_address(settings.address))
    outer, inner = _family(own), sorted({_family(one) for one in settings.addresses})
    made = []
    if settings.tunnel == GUE:
        family = " -6" if outer == 6 else ""
        port = f"port {settings.tunnel_port} gue{family}"
        made.append(
            Part(
                f"gue at port {settings.tunnel_port}",
                # The kernel does not load it by itself.
                f"modprobe -qa fou{' fou6' if outer == 6 else ''}; "
                f"ip fou add {port} 2>/dev/null || ip fou show | grep -qw {settings.tunnel_port}",
                f"ip fou del {port} 2>/dev/null || true",
            )
        )
    for link, kind in _links(settings, outer, inner):
        made.append(
            Part(
                f"{link} at {own}",
                f"ip link delete {link} 2>/dev/null; ip link add {link} type {kind} && ip link set {link} up",
                f"ip link delete {link} 2>/dev/null || true",
                link=link,
            )
        )
        if 4 in inner and link != SIT:
            path = f"net/ipv4/conf/{link}/rp_filter"
            made.append(
                Part(f"{path} is 2", f"echo 2 >/proc/sys/{path}", "true", sysctl=(path, "2"), on=link)
            )
    return made


def _links(settings: Settings, outer: int, inner: List[int]) -> List[Tuple[str, str]]:
    """The links of a kind of tunnel, by name, as ``ip link add type`` makes them."""
    own = f"local {ipaddress.ip_address(settings.address)}"
    if settings.tunnel == GRE:
        checked = " icsum" if settings.tunnel_checksum else ""
        return [("rs-gre", ("gre " if outer == 4 else "ip6gre ") + own + checked)]
    if outer == 6:
        return [("rs-ip6", f"ip6tnl {own} mode any")]
    kinds = {4: ("rs-ipip", f"ipip {own}"), 6: (SIT, f"sit {own}")}
    return [kinds[family] for family in inner]


def _way_back(gateway: str, interface: str) -> Tuple[Part, ...]:
    """Two routes to all destinations, each to one half: both go before any default one.

    So the default routes of the host, whoever made them, stay where they are and need not be put back. IPv6
    tells two routes to one place apart by their metrics: ours is 1, beside whatever is there.
    """
    text = str(ipaddress.ip_address(gateway))
    family = _family(text)
    ip, more = f"ip -{family} route", " metric 1" if family == 6 else ""
    link = interface if _link_local(text) else ""
    if link:
        more = f" dev {link}{more}"
    made = []
    for half in HALVES[family]:
        here = f"{ip} show exact {half} via {text}{more} | grep -q ."
        route = f"{half} via {text}{more}"
        made.append(
            Part(
                f"{half} by {text}",
                f"{here} || {ip} add {route}",
                f"! {here} || {ip} delete {route}",
                gateway=text,
                route=half,
                on=link,
            )
        )
    return tuple(made)


def unit_text(settings: Settings) -> str:
    """The systemd unit. What it was made from stands in a section that systemd leaves alone."""
    made = parts(settings)
    # Nothing that listens on a virtual address should have to wait for the network; a route or a link has to.
    early = settings.method != NAT and not settings.interface
    order = (
        [
            "After=network-pre.target systemd-sysctl.service",
            "Wants=network-pre.target",
            "Before=network.target",
        ]
        if early
        else ["After=network-online.target", "Wants=network-online.target"]
    )
    lines = [
        "# Written by the Ansible collection linuxha.vrrp; a change made here is lost with its next run.",
        "",
        "[Unit]",
        f"Description=Real server of virtual servers ({settings.method})",
        *order,
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        "# What the host had before is kept there, and put back by the stop.",
        f"RuntimeDirectory={_BEFORE.rsplit('/', 1)[1]}",
        *(line for part in made for line in (f"# {part.what}", "ExecStart=" + _shell(part.do))),
        *("ExecStopPost=" + _shell(part.undo) for part in reversed(made)),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
        "[X-RealServer]",
        _SETTINGS + json.dumps(asdict(settings), sort_keys=True),
    ]
    return "\n".join(lines) + "\n"


def _shell(command: str) -> str:
    """A command of sh as systemd reads it."""
    return "/bin/sh -c '{}'".format(command.replace("%", "%%").replace("$", "$$"))


def settings_in(text: Optional[str]) -> Optional[Settings]:
    """What a unit of an earlier run was made from; None when there is none, or it cannot be read."""
    for line in (text or "").splitlines():
        if line.startswith(_SETTINGS):
            try:
                said: Dict[str, Any] = json.loads(line[len(_SETTINGS) :])
                return Settings(**{**said, "addresses": tuple(said["addresses"])})
            except (KeyError, TypeError, ValueError):
                return None
    return None
