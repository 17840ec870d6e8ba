# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two programs that can speak VRRP on a host. Private to the collection."""

from __future__ import annotations

from . import unit

AGENT = "agent"
KEEPALIVED = "keepalived"
ENGINES = (AGENT, KEEPALIVED)
UNITS = {AGENT: unit.NAME, KEEPALIVED: "keepalived.service"}

CONFIG_PATH = "/etc/keepalived/keepalived.conf"
"""One file for both, so that a host can go from one to the other. Only one of them ever runs."""
CONFIG_MODE = 0o640
