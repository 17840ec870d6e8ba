# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with words outside virtual servers that are about them: global_defs and SSL."""

from __future__ import annotations

from typing import Iterator

from ...wire.address import is_multicast
from ..match.addresses import pack
from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.defaults import Defaults

_FOLLOWERS = {
    "nftables_ipvs_priority": "nftables_ipvs",
    "nftables_ipvs_start_fwmark": "nftables_ipvs",
    "snmp_vs_stats_update_interval": "enable_snmp_checker",
    "snmp_rs_stats_update_interval": "enable_snmp_checker",
    "lvs_netlink_cmd_rcv_bufs_force": "lvs_netlink_cmd_rcv_bufs",
}
"""Words that mean nothing without another one."""
_MONITOR = ("lvs_netlink_monitor_rcv_bufs", "lvs_netlink_monitor_rcv_bufs_force")
_SYNC_WORDS = ("inst", "id", "maxlen", "port", "ttl", "group")
_TABLE_LENGTH = 31
_SSL_PAIRS = (("key", "certificate"), ("certificate", "key"), ("password", "key"))


def check_globals(tree: Node, final: Defaults) -> Iterator[Problem]:
    """All findings of this kind."""
    for block in tree.all("global_defs"):
        for node in block.children:
            yield from _word(node, final)
    yield from _sync_daemons(tree)
    for block in tree.all("SSL"):
        for name, needed in _SSL_PAIRS:
            found = block.last(name)
            if found is not None and block.last(needed) is None:
                message = f"SSL: {name} does nothing without {needed}"
                yield found.problem(WARNING, message, f"write '{needed} PATH' too, or take it out")


def _word(node: Node, final: Defaults) -> Iterator[Problem]:
    leader = _FOLLOWERS.get(node.name)
    if leader is not None and leader not in final.words:
        message = f"'{node.keyword}' has no effect without '{leader}'"
        yield node.problem(WARNING, message, f"write {leader} too, or take it out")
    elif node.name in _MONITOR:
        message = f"'{node.keyword}' has no effect: one socket of the agent hears of addresses"
        yield node.problem(WARNING, message, "write vrrp_netlink_monitor_rcv_bufs in its place")
    elif node.name == "lvs_timeouts" and not node.args:
        yield node.problem(
            ERROR, "lvs_timeouts names no timeout", "write 'tcp SECS', 'tcpfin SECS' or 'udp SECS'"
        )
    elif node.name == "lvs_sync_daemon":
        yield from _sync_daemon(node)
    elif node.name == "nftables_ipvs":
        yield from _table(node, final)


def _sync_daemons(tree: Node) -> Iterator[Problem]:
    """There is one for the whole host: lvs_sync_daemon, or that of the first instance with the old word."""
    first = next((node for block in tree.all("global_defs") for node in block.all("lvs_sync_daemon")), None)
    for instance in tree.all("vrrp_instance"):
        node = instance.last("lvs_sync_daemon_interface")
        if node is not None and first is not None:
            place = f"at {first.path}" if first.path else f"on line {first.line}"
            message = f"{instance.label}: a host has one sync daemon: this line does nothing"
            yield node.problem(WARNING, message, f"take it out; {first.keyword} stands {place}")
        first = first or node


def _sync_daemon(node: Node) -> Iterator[Problem]:
    words = list(node.args)
    for before, word in zip(words, words[1:]):
        packed = pack(str(word)) if before == "group" else None
        if packed is not None and not is_multicast(packed):
            message = f"lvs_sync_daemon: {word} is not a multicast address"
            yield node.problem(ERROR, message, "224.0.0.81 is the usual group", word)
    if len(words) > 2 and words[1] not in _SYNC_WORDS and str(words[2]).isdecimal():
        message = "lvs_sync_daemon: an id without 'id' before it is an old form"
        yield node.problem(WARNING, message, f"write id {words[2]}", words[2])


def _table(node: Node, final: Defaults) -> Iterator[Problem]:
    if final.words.get("agent_balance_backend") == ("nftables",):
        message = "nftables_ipvs does nothing with agent_balance_backend nftables: there is no IPVS"
        yield node.problem(WARNING, message, "take it out")
    if node.args and len(node.args[0].encode("utf-8", "replace")) > _TABLE_LENGTH:
        message = f"nftables_ipvs: '{node.args[0][:40]}' is longer than {_TABLE_LENGTH} bytes"
        yield node.problem(ERROR, message, "write a shorter name", node.args[0])
    name = node.args[:1] or ("keepalived_ipvs",)
    vrrp = final.words.get("nftables")
    if vrrp is not None and (vrrp[:1] or ("keepalived",)) == tuple(map(str, name)):
        message = f"nftables_ipvs: the table {name[0]} is the one of 'nftables' already"
        yield node.problem(ERROR, message, "write another name")
