# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``regex`` of a url when a file is checked: can it be used?"""

from __future__ import annotations

from typing import Tuple

from ..pcre import Expression, PatternRefused, expression
from .checks import Pattern

OFTEN_MEANT = "dDsSwWB.$^*+?()[]{}|/-"
"""Characters that lose their backslash in a file, where a pattern most often wants to keep it."""

BadPattern = PatternRefused


def compiled(text: str, options: Tuple[str, ...] = ()) -> Expression:
    """The pattern, ready to be used. Raises BadPattern."""
    return expression(Pattern(text, options))
