# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Telling systemd how things are: the datagrams of sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time


def notify(*lines: str) -> None:
    """Send the lines to the service manager that started us, if one did."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(lines).encode(), address)
    except OSError:
        return


def ready(status: str) -> None:
    """Started, or reloaded."""
    notify("READY=1", f"STATUS={status}")


def reloading() -> None:
    """A reload begins (Type=notify-reload wants the moment too)."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def stopping() -> None:
    """An orderly stop begins."""
    notify("STOPPING=1")


def allow(duration_ns: int) -> None:
    """Starting or stopping takes so long at most: do not lose patience before."""
    notify(f"EXTEND_TIMEOUT_USEC={duration_ns // 1000}")
