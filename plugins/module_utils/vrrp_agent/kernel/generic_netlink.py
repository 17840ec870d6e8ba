# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Generic netlink: families of the kernel that are found by their name, such as IPVS."""

from __future__ import annotations

import errno
import struct
from typing import Iterator, List, Tuple

from . import attributes
from .errors import KernelError, describe
from .messages import NLM_F_ACK, NLM_F_DUMP
from .netlink import HEADER, NLMSG_ERROR, RouteSocket, request, split

HEAD = struct.Struct("=BBxx")
"""genlmsghdr: command, version."""
BODY = HEADER.size + HEAD.size
"""Where the attributes of a message begin."""
_NETLINK_GENERIC = 16
_CONTROL, _GET_FAMILY, _CONTROL_VERSION = 16, 3, 2
_FAMILY_ID, _FAMILY_NAME = 1, 2
_ERROR, _NUMBER = struct.Struct("=i"), struct.Struct("=H")
_ANSWER_TIMEOUT_S = 5.0
_LARGEST_ANSWER = 1 << 17


class NoFamily(KernelError):
    """The kernel has no such family of generic netlink."""


class GenericSocket(RouteSocket):
    """Requests of one family. Raises NoFamily or KernelError."""

    def __init__(self, name: str, version: int) -> None:
        try:
            super().__init__(_NETLINK_GENERIC)
        except OSError as error:
            raise KernelError(
                f"no generic netlink: {describe(error.errno or 0)}", errno=error.errno
            ) from error
        self._version = version
        try:
            self.family = self._find(name)
            """The number that the kernel has given it: the type of its messages."""
        except KernelError:
            self.close()
            raise

    def request(self, command: int, body: bytes = b"", flags: int = 0, sequence: int = 0) -> bytes:
        """A whole request of this family, from encoded attributes."""
        return request(self.family, flags, HEAD.pack(command, self._version), body, sequence)

    def answers(self, command: int, body: bytes = b"", *, dump: bool) -> List[bytes]:
        """What the kernel says: of all objects with ``dump``, of one without. Raises KernelError."""
        if dump:
            return [message for _kind, message in self.dump(self.request(command, body, NLM_F_DUMP))]
        return self._ask(self.request(command, body, NLM_F_ACK))

    def _ask(self, message: bytes) -> List[bytes]:
        """The answers to a request that is not a dump: the kernel's acknowledgement ends them."""
        answers: List[bytes] = []
        self._socket.settimeout(_ANSWER_TIMEOUT_S)
        try:
            self._socket.send(message)
            while True:
                for kind, _flags, _sequence, _port, answer in split(self._socket.recv(_LARGEST_ANSWER)):
                    if kind != NLMSG_ERROR:
                        answers.append(answer)
                        continue
                    (code,) = _ERROR.unpack_from(answer, HEADER.size)
                    if code:
                        raise KernelError(f"netlink refused a request: {describe(-code)}", errno=-code)
                    return answers
        except OSError as error:
            raise KernelError(f"netlink gave no answer: {error}", errno=error.errno) from error
        finally:
            self._socket.setblocking(False)

    def _find(self, name: str) -> int:
        """CTRL_CMD_GETFAMILY; with this request the kernel may load the family's module itself."""
        body = attributes.text(_FAMILY_NAME, name)
        head = HEAD.pack(_GET_FAMILY, _CONTROL_VERSION)
        try:
            answers = self._ask(request(_CONTROL, NLM_F_ACK, head, body))
        except KernelError as error:
            if error.errno == errno.ENOENT:
                raise NoFamily(f"this kernel has no {name}", errno=errno.ENOENT) from error
            raise
        for answer in answers:
            for kind, value in read(answer):
                if kind == _FAMILY_ID:
                    return int(_NUMBER.unpack(value)[0])
        raise NoFamily(f"the kernel gives {name} no number")


def read(message: bytes) -> Iterator[Tuple[int, bytes]]:
    """The attributes of a message of any family."""
    return attributes.read(message, BODY)
