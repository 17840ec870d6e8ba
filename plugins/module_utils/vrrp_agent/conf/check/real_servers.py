# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with the values of real servers, of the way to them, and of where their checks go."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Tuple

from ...wire.address import is_link_local, is_multicast
from ..parts.balancing import DIRECT, GRE, GUE, IPIP, NAT, TUNNEL, Forwarding, RealServer
from ..parts.checks import Check, Connection, PingCheck
from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.checks import placed_checks
from ..values.service_members import families
from ..values.services import Placed

_METHODS = {DIRECT: "DR", TUNNEL: "TUN"}
_TUNNEL_WORDS = ("type", "port", "nocsum", "csum", "remcsum")


def check_servers(placed: Placed) -> Iterator[Problem]:
    """Findings about all real servers of a service."""
    service = placed.service
    seen: Dict[Tuple[bytes, int], Node] = {}
    named = families(service.members)
    for server, around in placed.servers:
        block = around.server
        first = seen.setdefault(server.key, block)
        if first is not block:
            message = f"{service.name}: real_server {server.name} is there already"
            place = f"at {first.path}" if first.path else f"on line {first.line}"
            yield block.problem(ERROR, message, f"the first is {place}; take one of them out")
        if is_multicast(server.address) or not any(server.address):
            message = f"{service.name}: {block.args[0]} is not an address that a host can have"
            yield block.problem(ERROR, message, "write the unicast address of the real server", block.args[0])
        elif server.forwarding.method != TUNNEL and server.family not in named:
            message = f"{service.name} is IPv{service.family}, and real_server {block.args[0]} is not"
            hint = f"write an IPv{service.family} address; only lvs_method TUN leads to another family"
            yield block.problem(ERROR, message, hint, block.args[0])
        yield from check_forwarding(block.last("lvs_method"), server.forwarding)
        yield from check_port(placed, server, block)
        yield from _thresholds(block, server)
        for node, check in placed_checks(around):
            yield from _connection(node, check)


def check_forwarding(words: Optional[Node], forwarding: Forwarding) -> Iterator[Problem]:
    """Findings about lvs_method and what follows it."""
    if words is None:
        return
    if forwarding.method != TUNNEL:
        extra = next((word for word in words.args if word in _TUNNEL_WORDS), None)
        if extra is not None:
            message = f"{words.keyword} {forwarding.method}: '{extra}' belongs to tunnels and does nothing"
            yield words.problem(WARNING, message, "take it out, or write TUN", extra)
        return
    kind = f"{words.keyword} TUN type {forwarding.tunnel}"
    if forwarding.tunnel == GUE and not forwarding.tunnel_port:
        yield words.problem(ERROR, f"{kind} has no port", "write port N, as the real server listens")
    if forwarding.tunnel != GUE and forwarding.tunnel_port:
        yield words.problem(ERROR, f"{kind} has a port", "take the port out, or write type gue")
    if forwarding.tunnel == IPIP and forwarding.checksum != "nocsum":
        message = f"{kind} has no checksum"
        yield words.problem(ERROR, message, f"take {forwarding.checksum} out, or write type gue or gre")
    if forwarding.tunnel == GRE and forwarding.checksum == "remcsum":
        yield words.problem(ERROR, f"{kind} has no remote checksum", "write csum or nocsum")


def check_port(placed: Placed, server: RealServer, words: Node) -> Iterator[Problem]:
    """Only NAT changes a port. ``words``: real_server or sorry_server, with the port as it was written."""
    port = int(words.args[1]) if len(words.args) > 1 else 0
    if not port or server.forwarding.method == NAT:
        return
    service, method = placed.service, _METHODS[server.forwarding.method]
    written = words.args[1]
    if any(member.fwmark for member in service.members):
        message = (
            f"{service.name}: {words.keyword} {words.label}: {method} cannot change a port: it is ignored"
        )
        yield words.problem(WARNING, message, "take the port out, or write lvs_method NAT", written)
    other = next((one.port for one in service.members if not one.fwmark and one.port != port), None)
    if other is not None:
        message = f"{service.name}: {method} cannot change port {other} to {port}"
        hint = f"write {words.keyword} {words.args[0]} {other}, or lvs_method NAT"
        yield words.problem(ERROR, message, hint, written)


def _thresholds(block: Node, server: RealServer) -> Iterator[Problem]:
    words = block.last("lthreshold")
    if words is None or not server.lower_threshold:
        return
    if not server.upper_threshold:
        message = "lthreshold does nothing without uthreshold"
        yield words.problem(WARNING, message, "write uthreshold too, or take it out")
    elif server.lower_threshold > server.upper_threshold:
        message = f"lthreshold {server.lower_threshold} is more than uthreshold {server.upper_threshold}"
        yield words.problem(ERROR, message, f"write {server.upper_threshold} or less", words.args[0])


def _connection(node: Node, check: Check) -> Iterator[Problem]:
    connection = getattr(check, "connection", None)
    if not isinstance(connection, Connection):
        return
    if not connection.port and not isinstance(check, PingCheck):
        message = f"{check.kind}: neither the real_server nor the check names a port"
        yield node.missing("connect_port", message, "write connect_port PORT in the check")
    bind, connect = node.last("bindto"), node.last("connect_ip")
    if connection.bind_address and len(connection.bind_address) != len(connection.address):
        place = bind or connect or node
        message = f"bindto {place.label} is of another family than the address that is checked"
        yield place.problem(ERROR, message, f"write an IPv{connection.family} address")
    if connection.bind_interface:
        return
    for place, address in ((connect or node, connection.address), (bind or node, connection.bind_address)):
        if len(address) == 16 and is_link_local(address):
            message = f"{check.kind}: a link-local address needs an interface"
            yield place.problem(ERROR, message, "write bind_if IFNAME in the check")
            return
