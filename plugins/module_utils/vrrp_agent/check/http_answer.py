# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The answer of an HTTP server (RFC 9112), read as its bytes come. Pure: no socket, no clock.

It keeps no more than one unfinished line, so its memory has a bound whatever the server sends.
"""

from __future__ import annotations

import re
import sys
from typing import Callable, List, NamedTuple, Optional

MOST_HEADER_BYTES = 64 * 1024
"""Of the status line and all headers, trailers and interim answers together."""
_MOST_LINE_SHOWN = 40
_STRIDE = 4096
"""So much is cut into lines at a time: many short chunks must not take the square of their number."""
_STATUS = re.compile(rb"HTTP/\d+(?:\.\d+)? +(\d{3})(?: .*)?\Z", re.DOTALL)
_MOST_STATUS_PREFIX = b"HTTP/"
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\Z", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,18}\Z")
_WITHOUT_BODY = (204, 304)


class BadAnswer(ValueError):
    """What came is no answer of an HTTP server."""


class Piece(NamedTuple):
    """What a few more bytes have brought."""

    body: bytes
    """Of the body, without the frames of chunks."""
    raw: bytes
    """The same as it came, frames of chunks with it: what keepalived takes for the body."""


class HttpAnswer:
    """One answer. ``feed`` takes what came, ``end`` says that nothing more will."""

    def __init__(self) -> None:
        self.status = 0
        """Of the final answer; 0 until its headers are complete. Interim answers (1xx) do not count."""
        self.done = False
        """True when the answer says that it is complete."""
        self.length: Optional[int] = None
        """Content-Length, where the answer has one that can be read."""
        self.chunked = False
        self.body_bytes = 0
        self.frame_bytes = 0
        """Of chunks, without what is in them."""
        self._seen = 0
        self._header_bytes = 0
        self._line = b""
        self._pending_status = 0
        self._lengths: List[bytes] = []
        self._left = 0
        """Of the body or of the chunk."""
        self._step: Callable[[bytes, List[bytes]], bytes] = self._take_line
        self._on_line: Callable[[bytes], None] = self._status_line
        self._in_body = False

    @property
    def began(self) -> bool:
        """True when anything at all has come."""
        return self._seen > 0

    def feed(self, data: bytes) -> Piece:
        """Take a few more bytes; those after the end of the answer are ignored. Raises BadAnswer."""
        self._seen += len(data)
        body: List[bytes] = []
        raw: List[bytes] = []
        for start in range(0, len(data), _STRIDE):
            part = data[start : start + _STRIDE]
            while part and not self.done:
                in_body, before = self._in_body, part
                part = self._step(part, body)
                if in_body:
                    raw.append(before[: len(before) - len(part)])
        piece = Piece(b"".join(body), b"".join(raw))
        self.body_bytes += len(piece.body)
        self.frame_bytes += len(piece.raw) - len(piece.body)
        return piece

    @property
    def plain_ahead(self) -> int:
        """So many of the next bytes are body and nothing else: no work, however many."""
        if self._step == self._until_the_end:
            return sys.maxsize
        return self._left if self._step == self._counted else 0

    def end(self) -> str:
        """The connection has ended: empty for a complete answer, or what is missing.

        Raises BadAnswer when there was no answer.
        """
        if not self.began:
            raise BadAnswer("closed without an answer")
        if self.done:
            return ""
        if not self.status:
            if self._on_line == self._status_line:
                self._refuse_unless_status(self._line + b"\n")
            raise BadAnswer("closed in the middle of the headers")
        if self.length is not None and not self.chunked:
            return f"closed after {self.body_bytes} of {self.length} bytes of the body"
        if self.chunked:
            return f"closed in the middle of the chunks, after {self.body_bytes} bytes of the body"
        self.done = True
        return ""

    # Lines.

    def _take_line(self, data: bytes, body: List[bytes]) -> bytes:
        end = data.find(b"\n")
        taken = data if end < 0 else data[: end + 1]
        room = MOST_HEADER_BYTES - self._header_bytes
        if len(taken) > room:
            raise BadAnswer(f"more than {MOST_HEADER_BYTES // 1024} KiB of headers")
        self._header_bytes += len(taken)
        self._line += taken
        if self._on_line == self._status_line:
            self._refuse_unless_status(self._line)
        if end >= 0:
            line, self._line = self._line, b""
            self._on_line(line[:-2] if line.endswith(b"\r\n") else line[:-1])
        return data[len(taken) :]

    def _refuse_unless_status(self, line: bytes) -> None:
        """Garbage is refused when its first line is whole, or long enough to be seen as such."""
        start = _MOST_STATUS_PREFIX
        whole = b"\n" in line or len(line) >= _MOST_LINE_SHOWN
        if whole and not line.startswith(start):
            raise BadAnswer(f"the answer is not HTTP: {_shown(line)}")

    def _status_line(self, line: bytes) -> None:
        match = _STATUS.match(line)
        if match is None:
            raise BadAnswer(f"the status line makes no sense: {_shown(line)}")
        self._pending_status = int(match.group(1))
        self._on_line = self._header_line

    def _header_line(self, line: bytes) -> None:
        if not line:
            self._headers_end()
            return
        name, colon, value = line.partition(b":")
        if not colon:
            return  # keepalived does not look at it either
        name, value = name.strip().lower(), value.strip()
        if name == b"content-length":
            self._lengths.append(value)
        elif name == b"transfer-encoding":
            self.chunked = value.lower().split(b",")[-1].strip() == b"chunked"

    def _headers_end(self) -> None:
        status = self._pending_status
        if 100 <= status <= 199 and status != 101:
            self._lengths, self.chunked = [], False
            self._on_line = self._status_line
            return
        self.status = status
        self._in_body = True
        lengths = set(self._lengths)
        if len(lengths) == 1 and _LENGTH.match(next(iter(lengths))):
            self.length = int(lengths.pop())
        if status in _WITHOUT_BODY or status == 101:
            self.length, self.chunked, self.done = 0, False, True
        elif self.chunked:
            self.length = None
            self._on_line = self._chunk_size
        elif self.length is None:
            self._step = self._until_the_end
        elif self.length == 0:
            self.done = True
        else:
            self._left = self.length
            self._step = self._counted

    # The body.

    def _until_the_end(self, data: bytes, body: List[bytes]) -> bytes:
        body.append(data)
        return b""

    def _counted(self, data: bytes, body: List[bytes]) -> bytes:
        body.append(data[: self._left])
        rest = data[self._left :]
        self._left -= len(data) - len(rest)
        if not self._left:
            self._counted_to_the_end()
        return rest

    def _counted_to_the_end(self) -> None:
        if self.chunked:
            self._step, self._on_line = self._take_line, self._chunk_end
        else:
            self.done = True

    def _chunk_size(self, line: bytes) -> None:
        match = _CHUNK_SIZE.match(line)
        if match is None:
            raise BadAnswer(f"the size of a chunk makes no sense: {_shown(line)}")
        self._header_bytes = 0  # lines between chunks are without number, and no headers
        self._left = int(match.group(1), 16)
        if self._left:
            self._step = self._counted
        else:
            self._on_line = self._trailer_line

    def _chunk_end(self, line: bytes) -> None:
        if line:
            raise BadAnswer(f"a chunk does not end where it should: {_shown(line)}")
        self._header_bytes = 0  # lines between chunks are without number, and no headers
        self._on_line = self._chunk_size

    def _trailer_line(self, line: bytes) -> None:
        if not line:
            self.done = True


def _shown(line: bytes) -> str:
    """The begin of a line, fit for a log."""
    text = line[:_MOST_LINE_SHOWN].rstrip(b"\r\n").decode("latin-1")
    return repr(text)
