# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module of the collection says about check mode, diff and idempotence."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments for ``attributes``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would change without changing it.
    support: full
  diff_mode:
    description: Returns what has changed, or would change, with secrets masked, when in C(--diff).
    support: full
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: full
  platform:
    description: Linux with systemd and Python 3.9 or later. Tested with Debian 11, 12 and 13.
    support: full
    platforms: posix
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Changes nothing, so check mode makes no difference.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: A second run with the same arguments, outside check mode, changes nothing.
    support: full
  platform:
    description: Linux with systemd and Python 3.9 or later. Tested with Debian 11, 12 and 13.
    support: full
    platforms: posix
"""
