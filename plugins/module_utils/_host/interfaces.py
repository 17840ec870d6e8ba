# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Do the interfaces of a configuration exist on the host? Private to the collection."""

from __future__ import annotations

import os
from typing import List

from ..vrrp_agent.conf.model import Config, Instance
from .host import Host, HostError

DIRECTORY = "/sys/class/net"


def require(host: Host, meaning: Config) -> None:
    """Every interface must be there now, unless ``dynamic_interfaces`` says that it may come later.

    Raises HostError, which names the instance and what the host has.
    """
    directory = host.path(DIRECTORY)
    if meaning.settings.dynamic_interfaces or not os.path.isdir(directory):
        return
    here = sorted(os.listdir(directory))
    missing = [
        f"{one.name} needs {name}" for one in meaning.instances for name in _names(one) if name not in here
    ]
    missing.extend(
        f"static_ipaddress needs {one.device}"
        for one in meaning.static_addresses
        if one.device and one.device not in here
    )
    if missing:
        raise HostError(
            f"nothing was changed: {', '.join(missing)}, and this host has {', '.join(here)}. "
            "Name the interface of this host in vrrp_config_host, or write dynamic_interfaces: true "
            "in global_defs if it comes later",
            interfaces=here,
        )


def _names(instance: Instance) -> List[str]:
    names = [instance.interface]
    names.extend(one.device for one in (*instance.addresses, *instance.excluded_addresses) if one.device)
    names.extend(tracked.name for tracked in instance.track_interfaces)
    return list(dict.fromkeys(names))
