# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""global_defs: IPVS, nftables, the checker and BFD processes, SNMP and D-Bus."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import (
    BOOL,
    FIFO,
    IFNAME,
    INT32_MAX,
    SCRIPT,
    choice,
    integer,
    name_of,
    timer,
)

_LVS_TIMEOUT_MAX_S = 86400 * 31
_TABLE = (Arg("TABLE", optional=True),)
_PRIORITY = (integer("PRIORITY", -INT32_MAX - 1, INT32_MAX),)
_BYTES = (integer("BYTES", unit="bytes"),)
_NICE = (integer("NICE", -20, 19),)
_REALTIME = (integer("PRIORITY", 1, 99),)
_CPUS = (Arg("CPU", Type.INTEGER, many=True, minimum=0),)
_USECS = (integer("USECS", 1, unit="us"),)
_PROCESS_NAME = (Arg("NAME", max_length=15),)

IPVS: Tuple[Keyword, ...] = (
    Keyword(
        "agent_balance_backend",
        "What carries virtual servers: the kernel's IPVS or nftables; auto takes IPVS where there is one.",
        args=(choice("BACKEND", "auto", "ipvs", "nftables"),),
        default="auto",
        supported=True,
        own=True,
    ),
    Keyword(
        "lvs_timeouts",
        "Sets the timeouts of the kernel's IPVS.",
        options="global_defs/lvs_timeouts",
        supported=True,
        since="1.2.24",
    ),
    Keyword("lvs_flush", "Empties the whole IPVS table at the start.", supported=True, since="1.2.23"),
    Keyword(
        "lvs_flush_on_stop",
        "Empties the IPVS table at the end; VS only of its own services.",
        args=(choice("VS", "VS", optional=True),),
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "lvs_flush_onstop",
        "Old spelling of lvs_flush_on_stop.",
        args=(choice("VS", "VS", optional=True),),
        alias_of="lvs_flush_on_stop",
        deprecated="lvs_flush_on_stop",
        supported=True,
        since="2.0.15",
    ),
    Keyword(
        "lvs_sync_daemon",
        "Runs the kernel's daemon that copies IPVS connections, following one instance.",
        args=(
            IFNAME,
            name_of("vrrp_instance", "INSTANCE", optional=True),
            integer("ID", 0, 255, optional=True),
        ),
        first_counts=True,
        options="global_defs/lvs_sync_daemon",
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "lvs_notify_fifo",
        "Named pipe that receives events of servers.",
        args=FIFO,
        supported=True,
        since="1.3.6",
    ),
    Keyword(
        "lvs_notify_fifo_script",
        "Program that reads it; the path of the pipe is added to its arguments.",
        args=SCRIPT,
        supported=True,
        since="1.3.6",
    ),
    Keyword(
        "rs_init_notifies",
        "Tells of real servers that begin as up, too (notify_up, pipes).",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "checker_log_all_failures", "Logs every failed check.", args=BOOL, supported=True, since="2.0.11"
    ),
)

NFTABLES: Tuple[Keyword, ...] = (
    Keyword(
        "nftables",
        "Uses nftables with this table name, keepalived when absent.",
        args=_TABLE,
        supported=True,
        since="2.0.11",
    ),
    Keyword(
        "nftables_priority",
        "Priority of the VRRP chains.",
        args=_PRIORITY,
        default="-1",
        supported=True,
        since="2.0.11",
    ),
    Keyword(
        "nftables_ifindex", "Matches interfaces by index instead of name.", supported=True, since="2.0.11"
    ),
    Keyword("nftables_counters", "Adds counters to the rules.", supported=True, since="2.0.11"),
    Keyword(
        "nftables_ipvs",
        "Gives a virtual_server_group one firewall mark; the table is keepalived_ipvs when absent.",
        args=_TABLE,
        supported=True,
        since="2.2.2",
    ),
    Keyword(
        "nftables_ipvs_priority",
        "Priority of the IPVS chains.",
        args=_PRIORITY,
        supported=True,
        since="2.2.2",
    ),
    Keyword(
        "nftables_ipvs_start_fwmark",
        "First firewall mark that is given out.",
        args=(integer("N", 1),),
        default="1000",
        supported=True,
        since="2.2.2",
    ),
)

CHECKER: Tuple[Keyword, ...] = (
    Keyword(
        "checker_process_name",
        "Title of the checker process.",
        args=_PROCESS_NAME,
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "lvs_process_name",
        "Old name of checker_process_name.",
        args=_PROCESS_NAME,
        alias_of="checker_process_name",
        deprecated="checker_process_name",
        supported=True,
        since="2.0.16",
    ),
    Keyword(
        "checker_priority", "Nice value of the checker process.", args=_NICE, supported=True, since="1.2.20"
    ),
    Keyword("checker_no_swap", "Locks the memory of the checker process.", supported=True, since="1.2.20"),
    Keyword(
        "checker_rt_priority",
        "Real-time priority of the checker process.",
        args=_REALTIME,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "checker_cpu_affinity",
        "Binds the checker process to these CPUs.",
        args=_CPUS,
        supported=True,
        since="2.0.17",
    ),
    Keyword(
        "checker_rlimit_rttime",
        "Limit of the checker process's time in real time without a pause.",
        args=_USECS,
        default="10000",
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "checker_rlimit_rtime",
        "Old name of checker_rlimit_rttime.",
        args=_USECS,
        alias_of="checker_rlimit_rttime",
        deprecated="checker_rlimit_rttime",
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "lvs_netlink_cmd_rcv_bufs",
        "Receive buffer of the checker process's netlink command socket.",
        args=_BYTES,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "lvs_netlink_cmd_rcv_bufs_force",
        "Lets that buffer exceed the system's limit.",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "lvs_netlink_monitor_rcv_bufs",
        "Receive buffer of the checker process's netlink monitor socket.",
        args=_BYTES,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "lvs_netlink_monitor_rcv_bufs_force",
        "Lets that buffer exceed the system's limit.",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
)

BFD: Tuple[Keyword, ...] = (
    Keyword(
        "bfd_process_name",
        "Title of the BFD process.",
        args=_PROCESS_NAME,
        since="2.0.16",
        build_option="bfd",
    ),
    Keyword("bfd_priority", "Nice value of the BFD process.", args=_NICE, since="2.0.0", build_option="bfd"),
    Keyword("bfd_no_swap", "Locks the memory of the BFD process.", since="2.0.0", build_option="bfd"),
    Keyword(
        "bfd_rt_priority",
        "Real-time priority of the BFD process.",
        args=_REALTIME,
        since="2.0.0",
        build_option="bfd",
    ),
    Keyword(
        "bfd_cpu_affinity",
        "Binds the BFD process to these CPUs.",
        args=_CPUS,
        since="2.0.17",
        build_option="bfd",
    ),
    Keyword(
        "bfd_rlimit_rttime",
        "Limit of the BFD process's time in real time without a pause.",
        args=_USECS,
        default="10000",
        since="2.1.0",
        build_option="bfd",
    ),
    Keyword(
        "bfd_rlimit_rtime",
        "Old name of bfd_rlimit_rttime.",
        args=_USECS,
        alias_of="bfd_rlimit_rttime",
        deprecated="bfd_rlimit_rttime",
        since="2.0.0",
        build_option="bfd",
    ),
)

SNMP: Tuple[Keyword, ...] = (
    Keyword(
        "snmp_socket",
        "Socket of the AgentX master.",
        args=(Arg("[udp:|tcp:|unix:]ADDRESS[:PORT]"),),
        default="unix:/var/agentx/master",
        supported=True,
        first_counts=True,
        since="1.2.20",
        build_option="snmp",
    ),
    Keyword("enable_traps", "Sends SNMP traps.", supported=True, since="1.2.5", build_option="snmp"),
    Keyword(
        "enable_snmp_vrrp",
        "Serves keepalived's VRRP MIB.",
        supported=True,
        since="2.0.0",
        build_option="snmp-vrrp",
    ),
    Keyword(
        "enable_snmp_keepalived",
        "Old name of enable_snmp_vrrp.",
        alias_of="enable_snmp_vrrp",
        deprecated="enable_snmp_vrrp",
        supported=True,
        since="1.2.20",
        build_option="snmp-vrrp",
    ),
    Keyword(
        "enable_snmp_rfc",
        "Serves both MIBs of the RFCs.",
        supported=True,
        since="1.2.20",
        build_option="snmp-rfc",
    ),
    Keyword(
        "enable_snmp_rfcv2",
        "Serves the MIB of RFC 2787.",
        supported=True,
        since="1.2.20",
        build_option="snmp-rfcv2",
    ),
    Keyword(
        "enable_snmp_rfcv3",
        "Serves the MIB of RFC 6527.",
        supported=True,
        since="1.2.20",
        build_option="snmp-rfcv3",
    ),
    Keyword(
        "enable_snmp_checker",
        "Serves the checker's MIB.",
        supported=True,
        since="1.2.20",
        build_option="snmp-checker",
    ),
    Keyword(
        "snmp_vs_stats_update_interval",
        "Age up to which counters of virtual servers are served again.",
        args=(timer(0.001, 30),),
        default="5",
        supported=True,
        since="2.3.0",
        build_option="snmp-checker",
    ),
    Keyword(
        "snmp_rs_stats_update_interval",
        "Age up to which counters of real servers are served again; the one above when absent.",
        args=(timer(0.001, 30),),
        default="5",
        supported=True,
        since="2.3.0",
        build_option="snmp-checker",
    ),
    Keyword("enable_dbus", "Serves the D-Bus interface.", since="1.3.0", build_option="dbus"),
    Keyword(
        "dbus_service_name",
        "Name on the bus; several daemons on one host need their own.",
        args=(Arg("NAME"),),
        default="org.keepalived.Vrrp1",
        since="1.3.7",
        build_option="dbus",
    ),
    Keyword(
        "dbus_no_interface_name",
        "Part of the path of instances that have no interface.",
        args=(Arg("NAME"),),
        default="none",
        since="2.3.0",
        build_option="dbus",
    ),
)

_TIMEOUT = (integer("SECS", 0, _LVS_TIMEOUT_MAX_S, unit="s"),)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "global_defs/lvs_timeouts",
        "The timeouts of IPVS.",
        shape=Shape.OPTIONS,
        keywords=(
            Keyword("tcp", "Timeout of TCP connections.", args=_TIMEOUT, supported=True),
            Keyword("tcpfin", "Timeout of TCP connections after a FIN.", args=_TIMEOUT, supported=True),
            Keyword("udp", "Timeout of UDP.", args=_TIMEOUT, supported=True),
        ),
    ),
    Section(
        "global_defs/lvs_sync_daemon",
        "Settings of the sync daemon.",
        shape=Shape.OPTIONS,
        keywords=(
            Keyword(
                "inst", "Instance to follow.", args=(name_of("vrrp_instance", "INSTANCE"),), supported=True
            ),
            Keyword(
                "id",
                "Sync id; the VRID of the instance when absent.",
                args=(integer("ID", 0, 255),),
                supported=True,
            ),
            Keyword(
                "maxlen", "Longest packet.", args=(integer("BYTES", 1, 65507, unit="bytes"),), supported=True
            ),
            Keyword(
                "port", "UDP port.", args=(Arg("PORT", Type.PORT, minimum=1, maximum=65535),), supported=True
            ),
            Keyword("ttl", "TTL or hop limit.", args=(integer("TTL", 1, 255),), supported=True),
            Keyword("group", "Multicast group.", args=(Arg("ADDRESS", Type.ADDRESS),), supported=True),
        ),
    ),
)
