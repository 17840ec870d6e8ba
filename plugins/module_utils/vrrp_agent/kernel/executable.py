# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""May this file be run, and by whom: what keepalived asks of a script before it runs it."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple, Tuple

from ..conf.model import Command, ScriptPolicy
from .accounts import Identity, identity_of
from .errors import KernelError
from .way import MOST_STEPS, way

_SHELL = "/bin/sh"
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ProgramRefused(KernelError):
    """A program that must not or cannot be run. ``insecure`` is True when others could change it."""

    def __init__(self, message: str, hint: str, insecure: bool = False) -> None:
        super().__init__(message, hint)
        self.insecure = insecure


class Executable(NamedTuple):
    """A program that may be started."""

    path: str
    """The file that the kernel runs."""
    argv: Tuple[str, ...]
    """Its arguments; the first one is the name it is called by."""
    identity: Identity
    warnings: Tuple[str, ...] = ()
    """What should be mended, although it runs."""


def examine(command: Command, policy: ScriptPolicy) -> Executable:
    """Look at the file that ``command`` names, now. Raises ProgramRefused or UnknownAccount."""
    identity = identity_of(command, policy)
    name = command.argv[0]
    if name.startswith("<") and name[1:].lstrip(" \t").startswith("/"):
        # keepalived: not a program, but a file that must be readable
        path = name[1:].lstrip(" \t")
        return Executable(_SHELL, (_SHELL, "-c", '< "$0"', path), identity)
    warnings = []
    if "/" not in name:
        found = _search(name, identity)
        warnings.append(f"{name} was found as {found} by a search; write the full path")
        name = found
    real = os.path.realpath(name)
    try:
        info = os.stat(real)
    except OSError as error:
        hint = "correct the path, or install the script"
        raise ProgramRefused(f"{name} cannot be used: {error.strerror}", hint) from None
    if not stat.S_ISREG(info.st_mode):
        raise ProgramRefused(f"{name} is not a file", "name a program")
    if not may_execute(info, identity):
        raise ProgramRefused(
            f"{name} may not be executed by uid {identity.uid}, gid {identity.gid}",
            f"chmod a+x {name}, or name another user",
        )
    clean = os.path.abspath(name) if name.startswith("/") else "/" + os.path.normpath(name).lstrip("./")
    if _needs_protection(info, identity):
        problem = _first_changeable(clean) or _first_changeable(name)
        if problem:
            if policy.security:
                raise _unsafe(clean, problem)
            warnings.append(f"{clean} can be changed by others than root: {problem}")
    path = real if policy.follow_links else clean
    return Executable(path, (clean, *command.argv[1:]), identity, tuple(warnings))


def look_again(found: Executable, policy: ScriptPolicy) -> None:
    """Before a further run of what ``examine`` has found: is it still safe? Raises ProgramRefused.

    With use_symlink_paths the kernel follows the links at each run, and since the last one they may lead to
    a file that others can change. Without it the path has no link, and only root can have touched it.
    """
    if not policy.security or policy.follow_links:
        return
    try:
        info = os.stat(found.path)
    except OSError:
        return  # the run will say so
    problem = _needs_protection(info, found.identity) and _first_changeable(found.path)
    if problem:
        raise _unsafe(found.path, problem)


def may_execute(info: os.stat_result, identity: Identity) -> bool:
    """True when the mode of a file lets ``identity`` execute it."""
    mode = info.st_mode
    if identity.uid == 0:
        return bool(mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
    if identity.uid == info.st_uid:
        return bool(mode & stat.S_IXUSR)
    if info.st_gid == identity.gid or info.st_gid in identity.groups:
        return bool(mode & stat.S_IXGRP)
    return bool(mode & stat.S_IXOTH)


def _search(name: str, identity: Identity) -> str:
    refused = ""
    for directory in os.environ.get("PATH", _DEFAULT_PATH).split(":"):
        path = os.path.join(directory or ".", name)
        try:
            info = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(info.st_mode) and may_execute(info, identity):
            return path
        refused = path
    if refused:
        raise ProgramRefused(f"{refused} may not be executed by uid {identity.uid}", "correct its mode")
    raise ProgramRefused(f"there is no program {name} in the search path", "write the full path")


def _needs_protection(info: os.stat_result, identity: Identity) -> bool:
    """Root runs it, or it becomes root by its mode: then nobody else may be able to change it."""
    mode = info.st_mode
    return (
        identity.uid == 0
        or identity.gid == 0
        or (info.st_uid == 0 and bool(mode & stat.S_ISUID))
        or (info.st_gid == 0 and bool(mode & stat.S_ISGID) and bool(mode & stat.S_IXGRP))
    )


def _unsafe(path: str, problem: str) -> ProgramRefused:
    hint = "give it to root and let only root write to it, or run the script as another user"
    return ProgramRefused(f"{path} is not safe to run: {problem}", hint, insecure=True)


def _first_changeable(path: str) -> str:
    """The first thing on the way to ``path`` that others than root can change, with the reason; else empty.

    Each directory and each link counts: who can replace one of them decides what is run.
    """
    steps = way(path)
    if len(steps) >= MOST_STEPS:
        return f"there are too many links on the way to {path}"
    for part in dict.fromkeys(["/", *[step.path for step in steps]]):
        try:
            info = os.lstat(part)
        except OSError as error:
            return f"{part}: {error.strerror}"
        mode = info.st_mode
        if info.st_uid != 0:
            return f"{part} belongs to uid {info.st_uid}"
        sticky = stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)
        if sticky or stat.S_ISLNK(mode):
            continue  # in a sticky directory nobody replaces what belongs to root
        if mode & stat.S_IWOTH:
            return f"everybody may write to {part}"
        if info.st_gid != 0 and mode & stat.S_IWGRP:
            return f"the group {info.st_gid} may write to {part}"
    return ""
