# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""virtual_server, with its real servers and its sorry_server: from words to values."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..match.addresses import pack
from ..match.fit import fit_keyword
from ..parts.balancing import (
    NAT,
    PROTOCOL_WORDS,
    TUNNEL,
    UDP,
    Forwarding,
    Member,
    Persistence,
    RealServer,
    VirtualServer,
)
from ..parts.tracking import Command
from ..tree import Node, Word
from ..words import Section
from .block import flag, number, text
from .checks import Surroundings, checks
from .commands import command
from .defaults import Defaults
from .service_members import families, lines_of, single
from .telling import first
from .tracking import weights_of

PERSISTENCE_S = 360
"""persistence_timeout without a number, and that of a service without a port."""
FLAGS = {
    "ops": "ops",
    "flag-1": "flag-1",
    "flag-2": "flag-2",
    "flag-3": "flag-3",
    "sh-port": "flag-2",
    "sh-fallback": "flag-1",
    "mh-port": "flag-2",
    "mh-fallback": "flag-1",
}
"""Words to the flags of the kernel. ``hashed`` is none of them: the kernel sets that one itself."""
_PROTOCOLS = {word.upper(): protocol for protocol, word in PROTOCOL_WORDS.items()}
_FAMILIES = {"inet": 4, "inet6": 6}


class Placed(NamedTuple):
    """A service, and the blocks that it and its real servers are made from."""

    service: VirtualServer
    node: Node
    servers: Tuple[Tuple[RealServer, Surroundings], ...]


class _Place(NamedTuple):
    """What real servers take from their service."""

    node: Node
    protocol: int
    own: Optional[Member]
    """The one member of a service without a group."""
    forwarding: Forwarding


class Services:
    """All virtual servers of one checked tree."""

    def __init__(self, tree: Node, sections: Mapping[str, Section], final: Defaults) -> None:
        self._tree = tree
        self._sections = sections
        self._final = final
        self._groups = {group.label: group for group in tree.all("virtual_server_group")}
        weights = weights_of(tree)
        self._files = {
            node.label: (text(node, "file") or "", *weights[("track_file", node.label)])
            for node in tree.all("track_file")
        }
        self._numbers = _numbers(tree)

    def all(self) -> Tuple[VirtualServer, ...]:
        """Every service, in the order of the file."""
        return tuple(self.one(node).service for node in self._tree.all("virtual_server"))

    def one(self, node: Node) -> Placed:
        """The service of one block."""
        own = single(node)
        group = "" if own is not None else str(node.args[1])
        members = (own,) if own is not None else self._members(group)
        protocol = _protocol(node, members)
        place = _Place(node, protocol, own, self.forwarding(node, "lb_kind", Forwarding()))
        servers = tuple(self._server(block, place) for block in node.all("real_server"))
        reals = [server for server, _around in servers]
        family = _family(node, members, reals)
        quorum, hysteresis = _quorum(node, reals)
        service = VirtualServer(
            name=self._name(node, own, group, protocol),
            family=family,
            protocol=protocol,
            members=tuple(member if member.family else replace(member, family=family) for member in members),
            group=group,
            scheduler=text(node, "lb_algo") or "wlc",
            flags=tuple(sorted({FLAGS[child.name] for child in node.children if child.name in FLAGS})),
            forwarding=place.forwarding,
            persistence=_persistence(node, family, members),
            ha_suspend=node.last("ha_suspend") is not None,
            omega=node.last("omega") is not None,
            quorum=quorum,
            hysteresis=hysteresis,
            quorum_up=_command(node, "quorum_up"),
            quorum_down=_command(node, "quorum_down"),
            sorry_server=self._sorry(node, place, reals),
            servers=tuple(reals),
            mail=_mail(node, self._final, False),
            snmp_name=text(node, "snmp_name") or "",
        )
        return Placed(service, node, servers)

    def _members(self, group: str) -> Tuple[Member, ...]:
        block = self._groups.get(group)
        return tuple(line.member for line in lines_of(block, self._sections)) if block is not None else ()

    def _name(self, node: Node, own: Optional[Member], group: str, protocol: int) -> str:
        """As keepalived writes it in logs and pipes."""
        if own is None:
            return f"[{group}]:{self._numbers[id(node)]}"
        return f"FWM {own.fwmark}" if own.fwmark else endpoint_name(own.first, protocol, own.port)

    def forwarding(self, node: Node, name: str, usual: Forwarding) -> Forwarding:
        """The method of forwarding that a word of a block says, or ``usual``."""
        words = node.last(name)
        if words is None:
            return usual
        block = "virtual_server/real_server" if node.name == "real_server" else "virtual_server"
        fit = fit_keyword(self._sections[block].index[name], words.args, self._sections)
        kind, port = fit.option("type"), fit.option("port")
        sums = [option.word for option in fit.options if option.word in ("nocsum", "csum", "remcsum")]
        return Forwarding(
            method=str(fit.value("KIND") or NAT),
            tunnel=str(kind.fit.value("TUNNEL")) if kind is not None else Forwarding().tunnel,
            tunnel_port=int(port.fit.values["PORT"][0]) if port is not None else 0,
            checksum=str(sums[-1]) if sums else Forwarding().checksum,
        )

    def _server(self, block: Node, place: _Place) -> Tuple[RealServer, Surroundings]:
        forwarding = self.forwarding(block, "lvs_method", place.forwarding)
        address, port = _endpoint(block.args, forwarding, place)
        inhibit, weight = flag(block, "inhibit_on_failure"), number(block, "weight")
        around = Surroundings(
            server=block,
            service=place.node,
            address=address,
            port=port or _port(block.args),
            log_all_failures=self._final.flag("checker_log_all_failures"),
            files=self._files,
        )
        alpha = flag(block, "alpha")
        weight = number(place.node, "weight") if weight is None else weight
        server = RealServer(
            address=address,
            port=port,
            name=endpoint_name(address, place.protocol, port),
            weight=1 if weight is None else weight,
            forwarding=forwarding,
            upper_threshold=number(block, "uthreshold") or 0,
            lower_threshold=number(block, "lthreshold") or 0,
            inhibit=place.node.last("inhibit_on_failure") is not None if inhibit is None else inhibit,
            alpha=place.node.last("alpha") is not None if alpha is None else alpha,
            checks=checks(around),
            notify_up=_command(block, "notify_up"),
            notify_down=_command(block, "notify_down"),
            mail=_mail(block, self._final, True),
            snmp_name=text(block, "snmp_name") or "",
        )
        return server, around

    def _sorry(self, node: Node, place: _Place, servers: Sequence[RealServer]) -> Optional[RealServer]:
        """Where a real server is the same, both are inhibited or none is: keepalived takes its word."""
        words = node.last("sorry_server")
        if words is None:
            return None
        forwarding = self.forwarding(node, "sorry_server_lvs_method", place.forwarding)
        address, port = _endpoint(words.args, forwarding, place)
        sorry = RealServer(
            address=address,
            port=port,
            name=endpoint_name(address, place.protocol, port),
            forwarding=forwarding,
            inhibit=node.last("sorry_server_inhibit") is not None,
        )
        same = [server for server in servers if server.key == sorry.key]
        return replace(sorry, inhibit=same[0].inhibit) if same else sorry


def endpoint_name(address: bytes, protocol: int, port: int) -> str:
    """``[198.18.0.1]:tcp:80``; the protocol is ``none`` with firewall marks."""
    return f"[{ip_address(address)}]:{PROTOCOL_WORDS.get(protocol, 'none')}:{port}"


def _numbers(tree: Node) -> Dict[int, int]:
    """keepalived numbers the services of each group, from 0, by their order."""
    found: Dict[int, int] = {}
    seen: Dict[str, int] = {}
    for node in tree.all("virtual_server"):
        if node.args[:1] == ("group",):
            found[id(node)] = seen.get(node.label, 0)
            seen[node.label] = found[id(node)] + 1
    return found


def _endpoint(words: Sequence[Word], forwarding: Forwarding, place: _Place) -> Tuple[bytes, int]:
    """Address and port. Only NAT changes a port; the service's own is used where the file names none."""
    address, port = pack(str(words[0])) or b"", _port(words)
    own = place.own
    if own is None:
        return address, port
    if own.fwmark:
        return address, port if forwarding.method == NAT else 0
    return address, port or own.port


def _port(words: Sequence[Word]) -> int:
    return int(words[1]) if len(words) > 1 else 0


def _protocol(node: Node, members: Sequence[Member]) -> int:
    if members and all(member.fwmark for member in members):
        return 0
    return _PROTOCOLS[(text(node, "protocol") or PROTOCOL_WORDS[UDP]).upper()]


def _family(node: Node, members: Sequence[Member], servers: Sequence[RealServer]) -> int:
    """That of the members, or ip_family, or what the servers say, those without a tunnel first; else 4."""
    named = families(members)
    if named:
        return next(member.family for member in members if member.family)
    given = text(node, "ip_family")
    if given is not None:
        return _FAMILIES[given]
    plain = [server.family for server in servers if server.forwarding.method != TUNNEL]
    if plain:
        return plain[0]
    tunnelled = {server.family for server in servers}
    return tunnelled.pop() if len(tunnelled) == 1 else 4


def _persistence(node: Node, family: int, members: Sequence[Member]) -> Optional[Persistence]:
    """A service without a port has it always, as the kernel wants it."""
    words, mask = node.last("persistence_timeout"), text(node, "persistence_granularity")
    open_port = any(not member.fwmark and not member.port for member in members)
    if words is None and mask is None and not open_port:
        return None
    return Persistence(
        timeout_s=int(words.args[0]) if words is not None and words.args else PERSISTENCE_S,
        prefix_length=_prefix_length(mask, family),
        engine=text(node, "persistence_engine") or "",
    )


def _prefix_length(mask: Optional[str], family: int) -> int:
    if mask is None:
        return 32 if family == 4 else 128
    return bin(int(ip_address(mask))).count("1") if "." in mask else int(mask)


def _quorum(node: Node, servers: List[RealServer]) -> Tuple[int, int]:
    """keepalived's limits: no more than all weights together, and the band smaller than the quorum."""
    total = sum(server.weight for server in servers)
    quorum = min(number(node, "quorum") or 1, max(1, total))
    return quorum, min(number(node, "hysteresis") or 0, quorum - 1)


def _command(node: Node, name: str) -> Optional[Command]:
    """keepalived keeps the first."""
    found = first(node, name)
    return command(found.args) if found is not None and found.args else None


def _mail(node: Node, final: Defaults, usual: bool) -> bool:
    """smtp_alert of the block, or smtp_alert_checker, or the global smtp_alert; ``usual`` without all."""
    own = flag(node, "smtp_alert")
    if own is not None:
        return own
    for name in ("smtp_alert_checker", "smtp_alert"):
        if name in final.words:
            return final.flag(name)
    return usual
