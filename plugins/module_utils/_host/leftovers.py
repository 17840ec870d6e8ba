# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an agent that was killed leaves in the kernel's nftables. Private to the collection.

An agent that starts takes it over. Where none is to start, it would go on sending connections to
real servers.
"""

from __future__ import annotations

from typing import Sequence, Tuple

from .host import Host

TABLE = "vrrp_agent_balance"
OWNER = "vrrp-agent balance"
"""The comment of the agent's tables begins so. One without it belongs to somebody else."""
FAMILIES = ("ip", "ip6", "netdev")


def tables(host: Host) -> Tuple[str, ...]:
    """The families in which there is a table of the agent; none where there is no ``nft`` to ask."""
    listed = {tuple(line.split()) for line in host.run(["nft", "list", "tables"]).stdout.splitlines()}
    return tuple(
        family
        for family in FAMILIES
        if ("table", family, TABLE) in listed
        and f'comment "{OWNER} '
        in host.run(["nft", "--terse", "list", "table", family, TABLE]).stdout.split("\n\tchain", 1)[0]
    )


def remove(host: Host, families: Sequence[str]) -> None:
    """Remove the tables that are still there: an agent that was stopped in order has taken them with it.

    Raises HostError.
    """
    for family in set(families) & set(tables(host)):
        host.must_run(["nft", "delete", "table", family, TABLE], f"removing the table {family} {TABLE}")
