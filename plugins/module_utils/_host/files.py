# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of a host: read whole, written atomically. Private to the collection."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from typing import Optional

from .host import Host, HostError


def read_text(host: Host, path: str) -> Optional[str]:
    """The text of a file, or None when there is none.

    Raises HostError when there is something else, such as a directory, in its place.
    """
    try:
        with open(host.path(path), encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror or error}") from error


def mode_of(host: Host, path: str) -> Optional[int]:
    """The permission bits of a file, or None when there is none."""
    try:
        return os.stat(host.path(path)).st_mode & 0o7777
    except FileNotFoundError:
        return None


def owned_by_us(host: Host, path: str) -> bool:
    """True when the file belongs to the user who runs us (root) and to no other group."""
    try:
        found = os.stat(host.path(path))
    except FileNotFoundError:
        return False
    return found.st_uid == os.geteuid() and found.st_gid == os.getegid()


def write_text(host: Host, path: str, text: str, mode: int) -> None:
    """Put a file in place in one step: a reader sees the old one or the new one, never a part.

    Raises HostError, and leaves the old file as it was, when the disk is full or the directory is read-only.
    """
    target = host.path(path)
    temporary = ""
    try:
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".new", dir=os.path.dirname(target))
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fchown(stream.fileno(), os.geteuid(), os.getegid())
            os.fsync(stream.fileno())
        os.rename(temporary, target)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise HostError(f"{path} cannot be written: {error.strerror or error}") from error


def keep_backup(host: Host, path: str) -> str:
    """Copy a file beside itself, named by the time, and return the copy's path on the host."""
    backup = "{}.{}~".format(path, time.strftime("%Y-%m-%d@%H:%M:%S"))
    shutil.copy2(host.path(path), host.path(backup))
    return backup


def remove(host: Host, path: str) -> bool:
    """Remove a file, link or whole directory. Returns False when there was nothing."""
    target = host.path(path)
    if not os.path.lexists(target):
        return False
    if os.path.isdir(target) and not os.path.islink(target):
        shutil.rmtree(target)
    else:
        os.unlink(target)
    return True


def switch_link(host: Host, link: str, target: str) -> None:
    """Point a symbolic link somewhere else in one step."""
    temporary = host.path(link) + ".new"
    if os.path.lexists(temporary):
        os.unlink(temporary)
    os.symlink(target, temporary)
    os.rename(temporary, host.path(link))
