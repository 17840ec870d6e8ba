# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with the values of a virtual server as a whole. Its real servers are in ``real_servers``."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Iterator

from ..parts.balancing import TUNNEL, UDP
from ..parts.checks import FileCheck, MiscCheck
from ..problem import ERROR, WARNING, Problem
from ..values.block import number, text
from ..values.service_members import families
from ..values.services import PERSISTENCE_S, Placed
from .real_servers import check_forwarding, check_port, check_servers

_FAMILIES = {"inet": 4, "inet6": 6}
_NUMBERED = {4: "inet", 6: "inet6"}


def check_service(placed: Placed) -> Iterator[Problem]:
    """Findings about one service whose words are right, each alone."""
    yield from _family(placed)
    yield from _protocol(placed)
    yield from _persistence(placed)
    yield from _quorum(placed)
    yield from _sorry(placed)
    service, node = placed.service, placed.node
    words = node.last("ha_suspend")
    if words is not None and any(member.fwmark for member in service.members):
        message = f"{service.name}: ha_suspend needs addresses, and a firewall mark has none"
        yield words.problem(ERROR, message, "take it out, or write the addresses")
    yield from check_forwarding(node.last("lb_kind"), service.forwarding)
    yield from check_servers(placed)


def _family(placed: Placed) -> Iterator[Problem]:
    service, node = placed.service, placed.node
    given, words = text(node, "ip_family"), node.last("ip_family")
    named = families(service.members)
    marks = all(member.fwmark for member in service.members)
    if given is not None and words is not None and [_FAMILIES[given]] != named:
        message = f"{service.name} is not of the family {given}"
        yield words.problem(ERROR, message, f"write {_NUMBERED[named[0]]}, or take it out", words.args[0])
    methods = [server.forwarding.method for server in service.servers]
    if service.sorry_server is not None:
        methods.append(service.sorry_server.forwarding.method)
    if len(named) > 1 and any(method != TUNNEL for method in methods):
        message = f"{service.name}: the group has IPv4 and IPv6, which only tunnels can carry together"
        yield node.problem(ERROR, message, "write one group for each family")
    behind = {server.family for server in service.servers}
    if marks and given is None and set(methods) == {TUNNEL} and len(behind) > 1:
        message = f"{service.name}: nothing says which family the mark has: it is taken for IPv4"
        yield node.problem(WARNING, message, "write ip_family inet or inet6 in it")


def _protocol(placed: Placed) -> Iterator[Problem]:
    service, node = placed.service, placed.node
    words = node.last("protocol")
    if service.protocol == 0:
        if words is not None:
            message = f"{service.name}: the firewall mark decides: protocol is ignored"
            yield words.problem(WARNING, message, "take it out")
    elif words is None:
        message = f"{service.name}: no protocol: UDP is taken, as in keepalived"
        yield node.problem(WARNING, message, "write protocol TCP, UDP or SCTP in it")
    ops = node.last("ops")
    if ops is not None and service.protocol not in (0, UDP):
        message = f"{service.name}: ops is for UDP, or for a firewall mark"
        yield ops.problem(ERROR, message, "take it out, or write protocol UDP")


def _persistence(placed: Placed) -> Iterator[Problem]:
    service, node = placed.service, placed.node
    timeout, words = node.last("persistence_timeout"), node.last("persistence_granularity")
    if timeout is None and words is None and service.persistence is not None:
        message = f"{service.name}: every port is served, which needs persistence"
        hint = f"write persistence_timeout {PERSISTENCE_S}, which is taken now, or a port"
        yield node.problem(WARNING, message, hint)
    if words is None or not words.args:
        return
    mask = words.args[0]
    if service.family == 6 and "." in mask:
        message = f"{service.name}: persistence_granularity of IPv6 is a prefix length"
        yield words.problem(ERROR, message, "write a number from 1 to 128", mask)
    elif service.family == 4 and "." not in mask:
        message = f"{service.name}: persistence_granularity of IPv4 is a netmask"
        yield words.problem(ERROR, message, "write it as 255.255.255.0", mask)
    elif "." in mask and "01" in f"{int(ip_address(str(mask))):032b}":
        message = f"{service.name}: {mask} is not a netmask: its ones do not stand together"
        yield words.problem(ERROR, message, "write it as 255.255.255.0", mask)


def _quorum(placed: Placed) -> Iterator[Problem]:
    """keepalived lowers a quorum that can never be reached; here the file must say what is meant."""
    service, node = placed.service, placed.node
    total = sum(server.weight for server in service.servers)
    wanted, band = number(node, "quorum"), number(node, "hysteresis")
    words, place = node.last("quorum"), node.last("hysteresis")
    if total == 0 and not _moves(placed):
        message = f"{service.name}: all weights are 0: no real server is ever used"
        yield node.problem(WARNING, message, "give a real_server a weight")
    elif words is not None and wanted is not None and wanted > total:
        message = f"{service.name}: quorum {wanted} is more than {total}, the weight of all real servers"
        moves = _moves(placed)
        hint = f"write quorum {max(1, total)} or less" + (f"; {max(1, total)} is taken now" if moves else "")
        yield words.problem(WARNING if moves else ERROR, message, hint, words.args[0])
    limit = 1 if wanted is None else wanted
    if place is not None and band is not None and band >= limit:
        message = f"{service.name}: hysteresis {band} is not less than quorum {limit}"
        yield place.problem(ERROR, message, f"write {limit - 1} or less, or a larger quorum", place.args[0])


def _moves(placed: Placed) -> bool:
    """True when a check may raise the weight of a real server."""
    return any(
        isinstance(check, FileCheck) or (isinstance(check, MiscCheck) and check.dynamic)
        for server in placed.service.servers
        for check in server.checks
    )


def _sorry(placed: Placed) -> Iterator[Problem]:
    service, node = placed.service, placed.node
    sorry, words = service.sorry_server, node.last("sorry_server")
    if sorry is None or words is None:
        return
    yield from check_forwarding(node.last("sorry_server_lvs_method"), sorry.forwarding)
    yield from check_port(placed, sorry, words)
    if sorry.inhibit != (node.last("sorry_server_inhibit") is not None):
        message = f"{service.name}: sorry_server is a real_server too, whose inhibit_on_failure counts"
        hint = "write sorry_server_inhibit" if sorry.inhibit else "take sorry_server_inhibit out"
        yield words.problem(WARNING, message, hint)
    if sorry.forwarding.method != TUNNEL and sorry.family not in families(service.members):
        message = f"{service.name}: sorry_server {words.args[0]} is of another family"
        yield words.problem(ERROR, message, f"write an IPv{service.family} address", words.args[0])
