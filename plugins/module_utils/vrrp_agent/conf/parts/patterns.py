# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``regex`` of a url as a pattern of Python: keepalived has PCRE2, which the standard library has not."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Pattern, Tuple

FLAGS: Dict[str, int] = {
    "caseless": re.IGNORECASE,
    "dotall": re.DOTALL,
    "multiline": re.MULTILINE,
    "extended": re.VERBOSE,
}
"""regex_options that Python's patterns have too."""
WITHOUT_EFFECT: FrozenSet[str] = frozenset(
    (
        "auto_callout",
        "never_backslash_c",
        "never_ucp",
        "never_utf",
        "no_auto_capture",
        "no_auto_possess",
        "no_dotstar_anchor",
        "no_start_optimize",
        "ungreedy",
        "use_offset_limit",
    )
)
"""Those that do not change whether, and where first, a pattern matches."""
OFTEN_MEANT = "dDsSwWB.$^*+?()[]{}|/-"
"""Characters that lose their backslash in a file, where a pattern most often wants to keep it."""


class BadPattern(ValueError):
    """A pattern or an option that cannot be carried; ``hint`` says what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def compiled(text: str, options: Tuple[str, ...] = ()) -> Pattern[bytes]:
    """The pattern, for the bytes of a body. Raises BadPattern."""
    flags = 0
    for option in options:
        if option in FLAGS:
            flags |= FLAGS[option]
        elif option not in WITHOUT_EFFECT:
            raise BadPattern(f"regex_options {option} is not possible here", "take it out")
    try:
        return re.compile(text.encode("utf-8", "surrogateescape"), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(
            f"regex cannot be read: {error}", "write it as Python's re has it, which PCRE2 mostly shares"
        ) from error
