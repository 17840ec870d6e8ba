# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way to a file: every name that the kernel looks up to reach it, through links (path_resolution(7))."""

from __future__ import annotations

import os
import stat
from typing import List, NamedTuple

MOST_STEPS = 256
"""Of one path, with all its links; a ring of links ends here."""


class Step(NamedTuple):
    """One name on the way to a file, and the directory where it is looked up."""

    directory: str
    """Without a link in it: the steps before have led here."""
    name: str

    @property
    def path(self) -> str:
        """The file, the directory or the link that has this name."""
        return os.path.join(self.directory, self.name)


def way(path: str) -> List[Step]:
    """Every name that is looked up on the way to ``path``, as far as there is a way.

    A way of MOST_STEPS steps may be incomplete.
    """
    whole = path if path.startswith("/") else os.path.join(os.getcwd(), path)
    steps: List[Step] = []
    here, ahead = "/", [part for part in whole.split("/") if part]
    while ahead and len(steps) < MOST_STEPS:
        name = ahead.pop(0)
        if name in (".", ".."):  # after a link, ".." is the parent of its target
            here = os.path.normpath(os.path.join(here, name))
            continue
        step = Step(here, name)
        steps.append(step)
        try:
            if stat.S_ISLNK(os.lstat(step.path).st_mode):
                target = os.readlink(step.path)
                here = "/" if target.startswith("/") else here
                ahead = [part for part in target.split("/") if part] + ahead
            else:
                here = step.path
        except OSError:
            break
    return steps
