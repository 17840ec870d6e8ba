# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks of a configuration, made from nothing: what the agent comes to by difference."""

from __future__ import annotations

from vrrp_agent.check.messages import Orders
from vrrp_agent.conf.model import Config
from vrrp_agent.daemon.sides.checking import orders_of_service


def orders_of(config: Config) -> Orders:
    """Nothing rests, and nothing is known yet."""
    balancing = config.settings.balancing
    orders = tuple(order for service in config.services for order in orders_of_service(service, False))
    return Orders(orders, config.settings.scripts, balancing.tls, balancing.process)
