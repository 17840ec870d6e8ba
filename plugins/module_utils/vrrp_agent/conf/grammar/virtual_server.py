# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""virtual_server and virtual_server_group: one IPVS service."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from . import removed
from .args import (
    ADDRESS,
    BOOL,
    FAMILY,
    FAMILY_WORDS,
    HOST,
    INT32_MAX,
    OPTIONAL_PORT,
    SCRIPT,
    choice,
    integer,
    timer,
)

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")
_SCHEDULER = (choice("SCHEDULER", *SCHEDULERS),)
KIND = (choice("KIND", "NAT", "DR", "TUN"),)
KIND_OPTIONS = "virtual_server/lvs_method"
LVS_TIMEOUT_MAX_S = 86400 * 31

_CHECKING = (
    Keyword(
        "delay_loop",
        "Default interval of the checks.",
        args=(timer(0.000001),),
        default="60",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "retry",
        "Default number of further tries before a failure counts.",
        args=(integer("N", 1),),
        default="1",
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "delay_before_retry",
        "Default pause between tries.",
        args=(timer(),),
        default="1",
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "warmup",
        "Largest random delay before the first check; delay_loop when absent.",
        args=(timer(),),
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "connect_timeout",
        "Default time allowed for connecting.",
        args=(timer(0.000001),),
        default="5",
        supported=True,
        since="2.0.13",
    ),
    Keyword(
        "inhibit_on_failure",
        "Sets the weight of failed servers to 0 instead of removing them.",
        supported=True,
        since="1.3.7",
    ),
    Keyword("alpha", "All real servers begin as down.", supported=True, since="1.1.16"),
    Keyword(
        "omega", "Runs notify_down and quorum_down when the daemon stops.", supported=True, since="1.1.16"
    ),
    Keyword(
        "ha_suspend", "Checks only while the virtual address is on this host.", supported=True, since="1.1.0"
    ),
    Keyword(
        "virtualhost", "Default Host header of HTTP checks.", args=(HOST,), supported=True, since="1.1.0"
    ),
    Keyword(
        "smtp_alert",
        "Sends a mail on changes of the quorum; smtp_alert_checker, smtp_alert or off when absent.",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "quorum_up",
        "Command to run when the quorum is gained.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.1.16",
    ),
    Keyword(
        "quorum_down",
        "Command to run when the quorum is lost.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.1.16",
    ),
    Keyword(
        "quorum",
        "Least total weight of live servers.",
        args=(integer("N", 1),),
        default="1",
        supported=True,
        since="1.1.16",
    ),
    Keyword(
        "hysteresis",
        "Band around the quorum, smaller than it.",
        args=(integer("N"),),
        default="0",
        supported=True,
        since="1.1.16",
    ),
    Keyword(
        "weight",
        "Default weight of the real servers.",
        args=(integer("WEIGHT", 1, INT32_MAX),),
        default="1",
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "snmp_name",
        "Name of the service in the MIB.",
        args=(Arg("STRING"),),
        supported=True,
        since="2.2.3",
        build_option="snmp-checker",
    ),
)

_SERVICE = (
    Keyword(
        "ip_family",
        "Family of a service by firewall mark.",
        args=(choice("FAMILY", *FAMILY_WORDS),),
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "protocol",
        "Protocol of the service; of no matter with a firewall mark.",
        args=(Arg("PROTOCOL", Type.CHOICE, choices=("TCP", "UDP", "SCTP"), any_case=True),),
        default="UDP",
        supported=True,
        since="1.1.0",
    ),
    Keyword("lb_algo", "Scheduler.", args=_SCHEDULER, default="wlc", supported=True, since="1.1.0"),
    Keyword(
        "lvs_sched",
        "Newer name of lb_algo.",
        args=_SCHEDULER,
        alias_of="lb_algo",
        supported=True,
        since="1.1.5",
    ),
    Keyword(
        "lb_kind",
        "How packets are forwarded.",
        args=KIND,
        options=KIND_OPTIONS,
        default="NAT",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "lvs_method",
        "Newer name of lb_kind.",
        args=KIND,
        options=KIND_OPTIONS,
        alias_of="lb_kind",
        supported=True,
        since="1.1.5",
    ),
    Keyword(
        "hashed",
        "Has no effect: the kernel sets that flag itself, and keepalived does not pass it on.",
        supported=True,
        since="1.3.0",
    ),
    Keyword("ops", "Schedules every UDP packet on its own.", supported=True, since="1.2.8"),
    Keyword("flag-1", "Sets flag 1 of the scheduler.", supported=True, since="1.3.0"),
    Keyword("flag-2", "Sets flag 2 of the scheduler.", supported=True, since="1.3.0"),
    Keyword("flag-3", "Sets flag 3 of the scheduler.", supported=True, since="1.3.0"),
    Keyword("sh-port", "Scheduler sh: takes the port into the hash.", supported=True, since="1.3.0"),
    Keyword(
        "sh-fallback", "Scheduler sh: falls back when the server is down.", supported=True, since="1.3.0"
    ),
    Keyword("mh-port", "Scheduler mh: takes the port into the hash.", supported=True, since="2.0.20"),
    Keyword(
        "mh-fallback", "Scheduler mh: falls back when the server is down.", supported=True, since="2.0.20"
    ),
    Keyword(
        "persistence_engine",
        "Module that recognises a client, such as sip.",
        args=(Arg("NAME"),),
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "persistence_timeout",
        "Time that a client stays with its server; 360 without a number.",
        args=(integer("SECS", 1, LVS_TIMEOUT_MAX_S, unit="s", optional=True),),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "persistence_granularity",
        "Groups clients by a netmask, or by a prefix length for IPv6; persistence_timeout 360 with it.",
        args=(Arg("NETMASK", Type.ADDRESS4),),
        forms=((integer("PREFIX", 1, 128),),),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "sorry_server",
        "Server that is used alone while the quorum is lost.",
        args=(ADDRESS, OPTIONAL_PORT),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "sorry_server_inhibit", "Applies inhibit_on_failure to that server.", supported=True, since="1.2.13"
    ),
    Keyword(
        "sorry_server_lvs_method",
        "How packets are forwarded to that server.",
        args=KIND,
        options=KIND_OPTIONS,
        supported=True,
        since="1.3.6",
    ),
    Keyword(
        "real_server",
        "One server behind the service.",
        args=(ADDRESS, OPTIONAL_PORT),
        block="virtual_server/real_server",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "virtual_server_group_lines",
        "One address, range or firewall mark per line.",
        shape=Shape.LINES,
        item=(Arg("ADDRESS[/PREFIX]|RANGE", Type.ADDRESS_RANGE), OPTIONAL_PORT),
        unordered_item=True,
        keywords=(
            Keyword(
                "fwmark",
                "A firewall mark in place of an address.",
                args=(integer("N", 1), FAMILY),
                fills="ADDRESS[/PREFIX]|RANGE",
                supported=True,
                since="1.1.1",
            ),
        ),
    ),
    Section(
        "virtual_server",
        "One IPVS service.",
        keywords=(*_SERVICE, *_CHECKING, *removed.VIRTUAL_SERVER),
    ),
    Section(
        KIND_OPTIONS,
        "What may follow the kind TUN.",
        shape=Shape.OPTIONS,
        keywords=(
            Keyword(
                "type",
                "Kind of tunnel.",
                args=(choice("TUNNEL", "ipip", "gue", "gre"),),
                default="ipip",
                supported=True,
            ),
            Keyword("port", "Port of a gue tunnel.", args=(integer("PORT", 1, 65535),), supported=True),
            Keyword("nocsum", "Uses no checksum, which is the default.", supported=True),
            Keyword("csum", "Uses the checksum.", supported=True),
            Keyword("remcsum", "Uses the remote checksum of gue.", supported=True),
        ),
    ),
)
