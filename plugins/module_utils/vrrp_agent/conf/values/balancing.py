# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What global_defs, SSL and root words say about virtual servers; the services themselves are in services."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping, Optional

from ..match.addresses import pack
from ..match.fit import fit_keyword
from ..model import Config
from ..parts.balancing import Balancing, CheckerProcess, SyncDaemon, Timeouts
from ..parts.checks import TlsFiles
from ..parts.telling import Fifo
from ..tree import Node
from ..words import Section
from .block import text
from .defaults import Defaults, nanoseconds
from .services import Services
from .telling import fifo, first_global

FWMARK_TABLE = "keepalived_ipvs"
"""nftables_ipvs without a name."""
FWMARK_PRIORITY = -1


def fill(config: Config, tree: Node, sections: Mapping[str, Section], defaults: Defaults) -> Config:
    """``config`` with its virtual servers and what holds for all of them."""
    return replace(
        config,
        settings=replace(config.settings, balancing=balancing(tree, sections, defaults)),
        services=Services(tree, sections, defaults).all(),
    )


def balancing(tree: Node, sections: Mapping[str, Section], defaults: Defaults) -> Balancing:
    """What holds for all virtual servers."""
    plain = Balancing()
    words = defaults.words
    service_age = defaults.text("snmp_vs_stats_update_interval", "5")
    flush = words.get("lvs_flush_on_stop")
    priority = defaults.number("nftables_ipvs_priority")
    return Balancing(
        backend=defaults.text("agent_balance_backend", plain.backend),
        timeouts=_timeouts(tree, sections),
        flush="lvs_flush" in words,
        flush_on_stop="" if flush is None else flush[0] if flush else "all",
        sync_daemon=_sync_daemon(tree, sections),
        namespace=_namespace(tree),
        fwmark_table=_fwmark_table(tree),
        fwmark_priority=FWMARK_PRIORITY if priority is None else priority,
        fwmark_first=defaults.number("nftables_ipvs_start_fwmark") or plain.fwmark_first,
        fifo=_own_fifo(tree),
        init_notifies=defaults.flag("rs_init_notifies"),
        check_mails="no_checker_emails" not in words,
        log_all_failures=defaults.flag("checker_log_all_failures"),
        tls=_tls(tree),
        process=_process(defaults),
        command_buffer_bytes=defaults.number("lvs_netlink_cmd_rcv_bufs") or 0,
        command_buffer_force=defaults.flag("lvs_netlink_cmd_rcv_bufs_force"),
        snmp="enable_snmp_checker" in words,
        snmp_service_age_ns=nanoseconds(service_age),
        snmp_server_age_ns=nanoseconds(defaults.text("snmp_rs_stats_update_interval", service_age)),
    )


def _own_fifo(tree: Node) -> Optional[Fifo]:
    """None where notify_fifo is the same pipe: every line would be there twice."""
    own, both = fifo(tree, "lvs_notify_fifo"), fifo(tree, "notify_fifo")
    return None if own is not None and both is not None and own.path == both.path else own


def _timeouts(tree: Node, sections: Mapping[str, Section]) -> Timeouts:
    """keepalived adds several lines up."""
    seconds = {"tcp": 0, "tcpfin": 0, "udp": 0}
    keyword = sections["global_defs"].index["lvs_timeouts"]
    for block in tree.all("global_defs"):
        for node in block.all("lvs_timeouts"):
            for option in fit_keyword(keyword, node.args, sections).options:
                seconds[option.keyword.name] = int(option.fit.values["SECS"][0])
    return Timeouts(seconds["tcp"], seconds["tcpfin"], seconds["udp"])


def _sync_daemon(tree: Node, sections: Mapping[str, Section]) -> Optional[SyncDaemon]:
    """The first line counts. Without an id it is the VRID of the instance that is followed."""
    node = first_global(tree, "lvs_sync_daemon")
    if node is None:
        return _old_sync_daemon(tree)
    fit = fit_keyword(sections["global_defs"].index["lvs_sync_daemon"], node.args, sections)
    given = {option.keyword.name: str(next(iter(option.fit.values.values()))[0]) for option in fit.options}
    instance = given.get("inst") or str(fit.value("INSTANCE") or "")
    number = given.get("id") or fit.value("ID") or _vrid(tree, instance)
    return SyncDaemon(
        interface=str(fit.values["IFNAME"][0]),
        instance=instance,
        sync_id=int(number),
        max_length=int(given.get("maxlen", "0")),
        port=int(given.get("port", "0")),
        ttl=int(given.get("ttl", "0")),
        group=pack(given.get("group", "")) or b"",
    )


def _old_sync_daemon(tree: Node) -> Optional[SyncDaemon]:
    """lvs_sync_daemon_interface of the first instance that has it."""
    for instance in tree.all("vrrp_instance"):
        interface = text(instance, "lvs_sync_daemon_interface")
        if interface is not None:
            return SyncDaemon(interface, instance.label, int(_vrid(tree, instance.label)))
    return None


def _vrid(tree: Node, instance: str) -> str:
    for node in tree.all("vrrp_instance"):
        if node.label == instance:
            return text(node, "virtual_router_id") or "0"
    return "0"


def _namespace(tree: Node) -> Optional[str]:
    node = tree.last("net_namespace_ipvs")
    if node is None:
        return None
    return str(node.args[0]) if node.args else ""


def _fwmark_table(tree: Node) -> str:
    node = first_global(tree, "nftables_ipvs")
    if node is None:
        return ""
    return str(node.args[0]) if node.args else FWMARK_TABLE


def _tls(tree: Node) -> TlsFiles:
    """The last SSL block counts; keepalived replaces the one before."""
    block = tree.last("SSL")
    if block is None:
        return TlsFiles()
    return TlsFiles(
        certificate=text(block, "certificate") or "",
        key=text(block, "key") or "",
        password=text(block, "password") or "",
        ca=text(block, "ca") or "",
    )


def _process(defaults: Defaults) -> CheckerProcess:
    return CheckerProcess(
        name=defaults.text("checker_process_name"),
        priority=defaults.number("checker_priority"),
        realtime_priority=defaults.number("checker_rt_priority"),
        no_swap="checker_no_swap" in defaults.words,
        cpu_affinity=tuple(int(word) for word in defaults.words.get("checker_cpu_affinity", ())),
        rttime_us=defaults.number("checker_rlimit_rttime"),
    )
