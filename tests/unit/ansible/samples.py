# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the tests: one address, two or three hosts."""

from __future__ import annotations

from typing import Any, Optional

from plugins.plugin_utils._group.member import Member


def web(**changes: Any) -> dict[str, Any]:
    """A vrrp_config with one instance; ``changes`` are words of the instance."""
    words = {
        "interface": "eth0",
        "virtual_router_id": 51,
        "virtual_ipaddress": ["198.51.100.10/24"],
        **changes,
    }
    return {"vrrp_instance": {"WEB": words}}


def own(**changes: Any) -> dict[str, Any]:
    """A vrrp_config_host that changes words of the instance."""
    return {"vrrp_instance": {"WEB": changes}}


def members(
    *owns: Optional[dict[str, Any]], config: Optional[dict[str, Any]] = None, **common: Any
) -> list[Member]:
    """A group: one host for each vrrp_config_host."""
    return [
        Member(
            name=f"n{number}",
            position=number,
            router_id=f"n{number}",
            config=web() if config is None else config,
            own_config=mine or {},
            addresses=(f"198.51.100.{number + 1}",),
            **common,
        )
        for number, mine in enumerate(owns)
    ]
