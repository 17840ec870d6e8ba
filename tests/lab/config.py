# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived.conf texts for the tests, from a few Python words."""

from __future__ import annotations

from typing import Iterable, Optional, Sequence, Union

from .lan import VIP4, VIP6, VIP6_LINK_LOCAL, Node

Lines = Union[str, Iterable[str]]


def block(word: str, lines: Lines, indent: str = "    ") -> str:
    """``word { lines }``."""
    rows = (
        lines.splitlines() if isinstance(lines, str) else [row for line in lines for row in line.splitlines()]
    )
    return "\n".join([word + " {", *(indent + row for row in rows if row.strip()), "}"])


def virtual_addresses(family: int) -> Sequence[str]:
    """The usual virtual addresses of a family, as lines of virtual_ipaddress."""
    return [f"{VIP4}/24"] if family == 4 else [f"{VIP6_LINK_LOCAL}/64", f"{VIP6}/64"]


def instance(
    name: str = "VI_1",
    *,
    version: int = 3,
    family: int = 4,
    priority: int = 100,
    advert_int: float = 0.1,
    vrid: int = 51,
    interface: str = "eth0",
    state: str = "BACKUP",
    addresses: Optional[Sequence[str]] = None,
    unicast: Optional[Sequence[Node]] = None,
    lines: Lines = (),
) -> str:
    """A vrrp_instance. ``unicast`` is this node and then its peers; ``lines`` are more words of it."""
    rows = [
        f"state {state}",
        f"interface {interface}",
        f"version {version}",
        f"virtual_router_id {vrid}",
        f"priority {priority}",
        f"advert_int {advert_int:g}",
    ]
    if unicast:
        rows.append(f"unicast_src_ip {unicast[0].unicast_address(family)}")
        rows.append(block("unicast_peer", [peer.unicast_address(family) for peer in unicast[1:]]))
    rows.append(block("virtual_ipaddress", virtual_addresses(family) if addresses is None else addresses))
    rows += lines.splitlines() if isinstance(lines, str) else list(lines)
    return block(f"vrrp_instance {name}", rows)


def file(node: Node, *parts: str, global_lines: Lines = ()) -> str:
    """A whole file: global_defs with the node's name as router_id, and the parts."""
    more = [global_lines] if isinstance(global_lines, str) else list(global_lines)
    return "\n\n".join([block("global_defs", [f"router_id {node.name}", *more]), *parts]) + "\n"


def down_interval_s(priority: int, advert_int_s: float, version: int = 3, adverts: int = 3) -> float:
    """Active_Down_Interval in seconds (RFC 9568 6.1, RFC 3768 6.1)."""
    return adverts * advert_int_s + skew_s(priority, advert_int_s, version)


def skew_s(priority: int, advert_int_s: float, version: int = 3) -> float:
    """Skew_Time in seconds (RFC 9568 6.1; RFC 3768 6.1: independent of the interval)."""
    return (256 - priority) / 256 * (advert_int_s if version == 3 else 1)
