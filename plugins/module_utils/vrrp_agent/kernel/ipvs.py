# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A socket to the kernel's IPVS: requests in batches, lists, and the module that must be loaded."""

from __future__ import annotations

import errno
import os
import select
import signal
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from . import ipvs_messages as message
from .accounts import this_process
from .errors import KernelError
from .generic_netlink import GenericSocket, NoFamily
from .ipvs_classes import preload
from .ipvs_messages import Daemon, Destination, Service, TimeLimits, Usage
from .namespace import inside
from .program import start

_MODULE = "ip_vs"
_LOADER_NAMED_BY = "/proc/sys/kernel/modprobe"
_LOADERS = ("/sbin/modprobe", "/usr/sbin/modprobe")
_LOADING_MS = 10_000


class Request(NamedTuple):
    """One step: a command of IPVS and its encoded attributes."""

    command: int
    body: bytes


class Ipvs:
    """The IPVS of one network namespace. Raises NoFamily, MissingLibrary or KernelError.

    ``namespace`` as net_namespace_ipvs. ``buffer_bytes`` and ``force``: lvs_netlink_cmd_rcv_bufs. Where the
    kernel has no IPVS, its module is loaded, as keepalived does it; that takes ten seconds at most.
    """

    def __init__(self, namespace: Optional[str] = None, buffer_bytes: int = 0, force: bool = False) -> None:
        with inside(namespace):
            self._socket = _open()
        preload()
        if buffer_bytes:
            self._socket.set_receive_buffer(buffer_bytes, force)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def submit(self, requests: Sequence[Request]) -> List[int]:
        """Carry out all requests in order; one error number for each, 0 where it went well."""
        encoded = [
            self._socket.request(one.command, one.body, sequence=number)
            for number, one in enumerate(requests, 1)
        ]
        outcome = [0] * len(requests)
        for refusal in self._socket.submit(encoded):
            if 0 < refusal.sequence <= len(outcome):
                outcome[refusal.sequence - 1] = refusal.errno
        return outcome

    def services(self) -> Iterator[Tuple[Service, Usage]]:
        """All services, whoever made them. Raises KernelError."""
        for answer in self._socket.answers(message.GET_SERVICE, dump=True):
            found = message.read_service(answer)
            if found is not None:
                yield found

    def destinations(self, service: Service) -> Iterator[Tuple[Destination, Usage]]:
        """Those of one service; none when it has just gone. Raises KernelError."""
        try:
            answers = self._socket.answers(message.GET_DEST, message.service_key(service), dump=True)
        except KernelError as error:
            if error.errno in (errno.ESRCH, errno.ENOENT):
                return
            raise
        for answer in answers:
            found = message.read_destination(answer, service.family)
            if found is not None:
                yield found

    def daemons(self) -> List[Daemon]:
        """The sync daemons that run. Raises KernelError."""
        answers = self._socket.answers(message.GET_DAEMON, dump=True)
        found = [message.read_daemon(answer) for answer in answers]
        return [one for one in found if one is not None]

    def time_limits(self) -> TimeLimits:
        """Those of idle connections. Raises KernelError."""
        for answer in self._socket.answers(message.GET_CONFIG, dump=False):
            return message.read_time_limits(answer)
        return TimeLimits()


def _open() -> GenericSocket:
    try:
        return GenericSocket(message.FAMILY, message.VERSION)
    except NoFamily:
        problem = load_module()
    try:
        return GenericSocket(message.FAMILY, message.VERSION)
    except NoFamily as error:
        hint = (
            "install a kernel with the module ip_vs (modprobe ip_vs), or set agent_balance_backend nftables"
        )
        raise NoFamily(f"{error}: {problem or 'its module changes nothing'}", hint, error.errno) from error


def load_module(loaders: Sequence[str] = (), patience_ms: int = _LOADING_MS) -> str:
    """Load ip_vs with the kernel's own program for that. Returns an empty text, or why there is none.

    It blocks for so long at most: for the process that balances, which has nothing else to do then.
    """
    for path in loaders or (_named_loader(), *_LOADERS):
        if path and os.access(path, os.X_OK):
            return _run(path, patience_ms)
    return "there is no modprobe"


def _named_loader() -> str:
    try:
        with open(_LOADER_NAMED_BY, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def _run(path: str, patience_ms: int) -> str:
    try:
        program = start(path, [path, "-q", "--", _MODULE], this_process())
    except KernelError as error:
        return str(error)
    waiting = select.poll()
    waiting.register(program.fileno(), select.POLLIN)
    in_time = bool(waiting.poll(patience_ms))
    if not in_time:
        program.send(signal.SIGKILL)
        waiting.poll(patience_ms)
    ended = program.reap(others_too=True)
    if not in_time:
        return f"modprobe {_MODULE} took longer than {patience_ms // 1000} s"
    if ended is not None and not ended.good:
        return f"modprobe {_MODULE} {ended}"
    return ""
