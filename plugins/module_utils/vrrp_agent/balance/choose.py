# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which back end carries the virtual servers: agent_balance_backend."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional

from ..conf.parts.balancing import Balancing
from ..kernel.errors import KernelError
from .backend import Backend

AUTO, IPVS, NFTABLES = "auto", "ipvs", "nftables"
_ORDER = {AUTO: (IPVS, NFTABLES), IPVS: (IPVS,), NFTABLES: (NFTABLES,)}
"""``auto``: ip_vs where the kernel has it or can load it; it knows more schedulers and methods."""

Opener = Callable[[Balancing], Backend]


class Choice(NamedTuple):
    """What was chosen, or why nothing could be."""

    backend: Optional[Backend]
    problem: str = ""


def choose(balancing: Balancing, openers: Optional[Dict[str, Opener]] = None) -> Choice:
    """The back end that ``balancing`` wants on this kernel. Blocks while the kernel loads a module.

    ``openers`` raise KernelError; they are given by tests.
    """
    openers = _OPENERS if openers is None else openers
    problems: List[str] = []
    for name in _ORDER[balancing.backend]:
        try:
            return Choice(openers[name](balancing))
        except KernelError as error:
            hint = f" ({error.hint})" if error.hint else ""
            problems.append(f"{name}: {error}{hint}")
    return Choice(None, "no back end for virtual servers: " + "; ".join(problems))


def _ipvs(balancing: Balancing) -> Backend:
    from ..kernel.ipvs import Ipvs  # pyroute2's classes: for those who use them only
    from .ipvs import IpvsBackend

    kernel = Ipvs(balancing.namespace, balancing.command_buffer_bytes, balancing.command_buffer_force)
    return IpvsBackend(kernel)


def _nftables(balancing: Balancing) -> Backend:
    from ..kernel.namespace import inside
    from .nftables import NftablesBackend

    with inside(balancing.namespace):
        return NftablesBackend()


_OPENERS: Dict[str, Opener] = {IPVS: _ipvs, NFTABLES: _nftables}
