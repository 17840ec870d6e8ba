# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which agent this is: the collection's version, and which build of it."""

from __future__ import annotations

import pkgutil

# The same as in galaxy.yml; the build refuses to go on when they differ.
VERSION = "0.1.0"


def build_id() -> str:
    """12 hex digits of a digest over everything in this artefact, or ``source`` in a tree."""
    try:
        data = pkgutil.get_data(__package__ or "vrrp_agent", "build_id.txt")
    except OSError:
        return "source"
    return data.decode("ascii").strip() if data else "source"


def version_line() -> str:
    """What ``vrrp-agent --version`` prints."""
    return f"vrrp-agent {VERSION} ({build_id()})"
