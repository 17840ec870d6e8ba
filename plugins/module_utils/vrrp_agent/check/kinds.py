# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which probe makes the tries of which check. A module is imported when a check needs it."""

from __future__ import annotations

import importlib
from typing import Dict, Tuple

from ..conf.parts.checks import Check
from .probe import Context, Done, MakeProbe, Probe

MAKERS: Dict[str, Tuple[str, str]] = {
    "TCP_CHECK": ("tcp", "TcpProbe"),
    "PING_CHECK": ("ping", "PingProbe"),
    "UDP_CHECK": ("udp", "UdpProbe"),
    "HTTP_GET": ("http", "HttpProbe"),
    "SSL_GET": ("http", "HttpProbe"),
    "SMTP_CHECK": ("smtp", "SmtpProbe"),
    "DNS_CHECK": ("dns", "DnsProbe"),
    "MISC_CHECK": ("misc", "MiscProbe"),
}
"""Kind to module and class. FILE_CHECK makes no tries: FileChecks of files.py follows all the files."""


def make(check: Check, context: Context, done: Done) -> Probe:
    """The probe of a check."""
    module, name = MAKERS[check.kind]
    maker: MakeProbe = getattr(importlib.import_module(f".{module}", __package__), name)
    return maker(check, context, done)
