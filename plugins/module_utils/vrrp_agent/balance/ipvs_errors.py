# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the error numbers of IPVS mean, and how to mend it (net/netfilter/ipvs/ip_vs_ctl.c)."""

from __future__ import annotations

import errno

from ..kernel.errors import KernelError, MissingPrivilege, describe
from .backend import Change

_OF_SERVICE = {
    errno.ESRCH: "there is no such service any more",
    errno.EEXIST: "there is such a service already",
    errno.EAFNOSUPPORT: "this kernel has no IPVS for IPv6 (CONFIG_IP_VS_IPV6)",
    errno.EPROTONOSUPPORT: "this kernel's IPVS does not know the protocol",
    errno.EPERM: "not permitted: the agent needs CAP_NET_ADMIN",
    errno.EINVAL: "the kernel takes no such scheduler flags, prefix length or persistence",
}
_OF_DESTINATION = {
    errno.ESRCH: "its service is not there",
    errno.ENOENT: "there is no such destination any more",
    errno.EEXIST: "there is such a destination already",
    errno.ERANGE: "the kernel takes no such weight or connection limits",
    errno.EAFNOSUPPORT: "this kernel has no IPVS for IPv6 (CONFIG_IP_VS_IPV6)",
    errno.EPERM: "not permitted: the agent needs CAP_NET_ADMIN",
    errno.EINVAL: "the kernel takes no such address here: one of the other family needs lvs_method TUN,"
    " and no sync daemon may run",
}


def why(change: Change, number: int) -> str:
    """Why the kernel did not take a step, in plain words."""
    text = (_OF_DESTINATION if change.destination is not None else _OF_SERVICE).get(number, "")
    if change.destination is None and number == errno.ENOENT:
        text = _missing_module(change)
    return f"{text} ({describe(number)})" if text else describe(number)


def _missing_module(change: Change) -> str:
    words = change.words
    if words is None:
        return "there is no such service any more"
    text = (
        f"the kernel has no scheduler {words.scheduler}: load its module (modprobe ip_vs_{words.scheduler})"
    )
    if words.persistence is not None and words.persistence.engine:
        engine = words.persistence.engine
        text += f", or no persistence_engine {engine} (modprobe ip_vs_pe_{engine})"
    return text


def refused(doing: str, number: int) -> KernelError:
    """The kernel refused something that concerns the whole table."""
    if number == errno.EPERM:
        return MissingPrivilege(doing, "CAP_NET_ADMIN")
    hints = {errno.ENODEV: "name an interface that exists", errno.EINVAL: "look at the values of these words"}
    return KernelError(f"IPVS refused {doing}: {describe(number)}", hints.get(number, ""), number)
