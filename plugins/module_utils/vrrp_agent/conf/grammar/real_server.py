# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""real_server: one server behind a virtual_server."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section
from . import removed
from .args import BOOL, HOST, INT32_MAX, SCRIPT, integer, timer
from .virtual_server import KIND, KIND_OPTIONS

_ID = "virtual_server/real_server"

_SETTINGS = (
    Keyword(
        "weight",
        "Weight in the scheduler.",
        args=(integer("WEIGHT", 0, INT32_MAX),),
        default="1",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "lvs_method",
        "How packets are forwarded to this server; lb_kind when absent.",
        args=KIND,
        options=KIND_OPTIONS,
        supported=True,
        since="1.3.6",
    ),
    Keyword("uthreshold", "Upper limit of connections.", args=(integer(),), supported=True, since="1.1.13"),
    Keyword(
        "lthreshold",
        "Number of connections at which it is used again.",
        args=(integer(),),
        supported=True,
        since="1.1.13",
    ),
    Keyword(
        "inhibit_on_failure",
        "Sets the weight to 0 instead of removing the server.",
        args=BOOL,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "notify_up",
        "Command to run when the server becomes usable.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.1.0",
    ),
    Keyword(
        "notify_down",
        "Command to run when the server fails.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.1.0",
    ),
    Keyword(
        "alpha",
        "Begins as down; as the virtual_server says when absent.",
        args=BOOL,
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "retry",
        "Overrides that of the virtual_server.",
        args=(integer("N", 1),),
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "delay_before_retry",
        "Overrides that of the virtual_server.",
        args=(timer(),),
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "warmup", "Overrides that of the virtual_server.", args=(timer(),), supported=True, since="1.3.7"
    ),
    Keyword(
        "connect_timeout",
        "Overrides that of the virtual_server.",
        args=(timer(0.000001),),
        supported=True,
        since="2.0.13",
    ),
    Keyword(
        "delay_loop",
        "Overrides that of the virtual_server.",
        args=(timer(0.000001),),
        supported=True,
        since="1.3.7",
    ),
    Keyword(
        "smtp_alert",
        "Sends a mail on changes of the server; smtp_alert_checker, smtp_alert or on when absent.",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "virtualhost",
        "Host header of the HTTP checks of this server.",
        args=(HOST,),
        supported=True,
        since="1.3.6",
    ),
    Keyword(
        "snmp_name",
        "Name of the server in the MIB.",
        args=(Arg("STRING"),),
        supported=True,
        since="2.2.3",
        build_option="snmp-checker",
    ),
)


def _checker(
    name: str, meaning: str, since: str, build_option: str = "", *, supported: bool = True
) -> Keyword:
    return Keyword(
        name,
        meaning,
        block=f"{_ID}/{name}",
        repeatable=True,
        supported=supported,
        since=since,
        build_option=build_option,
    )


_CHECKERS = (
    _checker("HTTP_GET", "Checks by HTTP: status, digest or pattern of the answer.", "1.1.0"),
    _checker("SSL_GET", "Checks by HTTPS, otherwise as HTTP_GET.", "1.1.0"),
    _checker("TCP_CHECK", "Checks by connecting over TCP.", "1.1.0"),
    _checker("SMTP_CHECK", "Checks by talking SMTP: banner, HELO, QUIT.", "1.1.8"),
    _checker("DNS_CHECK", "Checks by a DNS query.", "1.3.0"),
    _checker("MISC_CHECK", "Checks by a program of one's own.", "1.1.0"),
    _checker("BFD_CHECK", "Follows a BFD session.", "2.0.0", "bfd", supported=False),
    _checker("UDP_CHECK", "Checks by a UDP datagram and what it brings back.", "2.1.0"),
    _checker("PING_CHECK", "Checks by an ICMP echo.", "2.1.0"),
    _checker("FILE_CHECK", "Follows a track_file.", "2.1.0"),
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        _ID,
        "One server behind a virtual_server.",
        keywords=(*_SETTINGS, *_CHECKERS, *removed.REAL_SERVER),
    ),
)
