# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What mails say of virtual and real servers: keepalived's words, for ``Details.text``.

Sources: keepalived/check/ipwrapper.c and the check_*.c beside it.
"""

from __future__ import annotations

SHUTTING_DOWN = "Shutting down"
"""The agent ends (omega): of services and of servers."""
REMOVING = "Removing"
"""A reload has taken a server away that was up."""

_OF_CHECKS = {
    "TCP_CHECK": ("TCP CHECK succeed on service", "TCP CHECK failed on service"),
    "UDP_CHECK": ("UDP CHECK succeed on service", "UDP CHECK failed on service"),
    "PING_CHECK": ("ICMP CHECK succeed on service", "ICMP CHECK failed on service"),
    "DNS_CHECK": ("DNS_CHECK: succeed on service", "DNS_CHECK: failed on service"),
    "MISC_CHECK": ("MISC CHECK succeeded on service", "MISC CHECK failed on service"),
    "HTTP_GET": ("CHECK succeed on service", "CHECK failed on service : HTTP/SSL request failed"),
    "SSL_GET": ("CHECK succeed on service", "CHECK failed on service : HTTP/SSL request failed"),
    "SMTP_CHECK": ("CHECK succeed on service", "CHECK failed on service"),
    "FILE_CHECK": ("FILE CHECK succeed on service", "FILE CHECK failed on service"),
}
"""Good and bad. keepalived sends no mail about a FILE_CHECK."""


def of_check(kind: str, good: bool) -> str:
    """A check has another result. ``kind`` is keepalived's word, such as TCP_CHECK."""
    texts = _OF_CHECKS.get(kind, (f"{kind} succeed on service", f"{kind} failed on service"))
    return texts[0 if good else 1]


def of_quorum(up: bool, quorum: int, hysteresis: int, threshold: int, weight: int, first: bool) -> str:
    """A virtual server has its quorum, or not.

    ``threshold`` is what the weight was held against, ``weight`` that of all servers that are up;
    ``first`` is True at the start and after a reload.
    """
    if first:
        what = f"Starting with quorum {'up' if up else 'down'}"
    else:
        what = f"{'Gained' if up else 'Lost'} quorum"
    return f"{what} {quorum}+{hysteresis}={threshold} <= {weight}"
