# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Is this answer what a url expects: status, then digest, then regex, in keepalived's order. Pure.

No more is kept of an answer than its digest and what a regex may see.
"""

from __future__ import annotations

import hashlib
from typing import Any, List, NamedTuple, Optional

from ..conf.parts.checks import Url
from .http_answer import BadAnswer, HttpAnswer

MOST_UNASKED_BYTES = 1 << 20
"""Of a body that nothing is asked of; then the status alone decides."""
MOST_TEXT_BYTES = 1 << 20
"""What a regex sees of a body: its begin."""
MOST_DIGESTED_BYTES = 64 << 20
"""A longer body has no digest."""
MOST_FRAME_BYTES = 256 << 10
"""Of chunks, without their content: a server that sends chunks of one byte takes no more of our time."""


class Verdict(NamedTuple):
    """What an answer is worth."""

    good: bool
    why: str
    text: Optional[bytes] = None
    """What the regex of the url has yet to be held against; it decides then."""


class Judge:
    """Reads one answer. ``feed`` and ``end`` give the verdict as soon as there is one."""

    def __init__(self, url: Url) -> None:
        self.answer = HttpAnswer()
        self._url = url
        self._digest = _md5() if url.digests else None
        self._raw_digest = _md5() if url.digests else None
        self._text: List[bytes] = []
        self._text_bytes = 0

    def feed(self, data: bytes) -> Optional[Verdict]:
        """A few more bytes; None when more must come."""
        answer, url = self.answer, self._url
        try:
            body, raw = answer.feed(data)
        except BadAnswer as problem:
            return Verdict(False, str(problem))
        if not answer.status:
            return None
        if not self._expected(answer.status):
            return Verdict(False, f"status {answer.status}")
        if self._digest is not None and self._raw_digest is not None:
            self._digest.update(body)
            if answer.chunked:
                self._raw_digest.update(raw)
        if url.pattern is not None and self._text_bytes < MOST_TEXT_BYTES:
            self._text.append(body[: MOST_TEXT_BYTES - self._text_bytes])
            self._text_bytes += len(self._text[-1])
        if answer.frame_bytes > MOST_FRAME_BYTES:
            return self._too_many_frames()
        return self._whole() if answer.done else self._enough()

    def end(self) -> Verdict:
        """The server has closed the connection."""
        try:
            missing = self.answer.end()
        except BadAnswer as problem:
            return Verdict(False, str(problem))
        if not missing:
            return self._whole()
        if self._url.digests or self._url.pattern is not None:
            return Verdict(False, missing)
        return Verdict(True, f"status {self.answer.status}; {missing}")  # keepalived logs it, no more

    def progress(self) -> str:
        """How far the answer has come, for a try that takes too long."""
        answer = self.answer
        if not answer.began:
            return "no answer"
        if not answer.status:
            return "the headers did not end"
        of = f" of {answer.length}" if answer.length is not None else ""
        return f"the body did not end, {answer.body_bytes}{of} bytes came"

    def _expected(self, status: int) -> bool:
        ranges = self._url.statuses
        return not ranges or any(first <= status <= last for first, last in ranges)

    def _enough(self) -> Optional[Verdict]:
        """The body goes on; must it be read?"""
        url, read = self._url, self.answer.body_bytes
        if url.digests:
            if read > MOST_DIGESTED_BYTES:
                return Verdict(False, f"the body is longer than {MOST_DIGESTED_BYTES >> 20} MiB")
            return None
        if url.pattern is not None:
            return self._searched() if self._text_bytes >= MOST_TEXT_BYTES else None
        if read >= MOST_UNASKED_BYTES:
            return Verdict(True, f"status {self.answer.status}")
        return None

    def _too_many_frames(self) -> Verdict:
        """Where nothing is asked of the body, the status is enough."""
        if self._url.digests or self._url.pattern is not None:
            return Verdict(False, f"more than {MOST_FRAME_BYTES >> 10} KiB of frames of chunks")
        return Verdict(True, f"status {self.answer.status}")

    def _whole(self) -> Verdict:
        """The answer is complete."""
        url = self._url
        if self._digest is not None and self._raw_digest is not None:
            came = self._digest.hexdigest()
            if came not in url.digests and self._raw_digest.hexdigest() not in url.digests:
                return Verdict(
                    False, f"digest {came} of {self.answer.body_bytes} bytes is not the expected one"
                )
        if url.pattern is not None:
            return self._searched()
        return Verdict(True, f"status {self.answer.status}" + (", digest matches" if url.digests else ""))

    def _searched(self) -> Verdict:
        text, self._text = b"".join(self._text), []
        return Verdict(True, f"status {self.answer.status}", text)


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)
