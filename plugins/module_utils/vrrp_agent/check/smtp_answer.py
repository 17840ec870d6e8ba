# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The answers of a mail server (RFC 5321 4.2), read as their bytes come. Pure."""

from __future__ import annotations

import re
from typing import Optional

MOST_ANSWER_BYTES = 16 * 1024
"""Of one answer, with all its lines."""
_LINE = re.compile(r"([0-9]{3})([ -]?)(.*)\Z", re.DOTALL)
_MOST_SHOWN = 60


class BadReply(ValueError):
    """What came is no answer of a mail server."""


class Replies:
    """Cuts what the server says into answers."""

    def __init__(self) -> None:
        self._rest = b""
        self._code = ""
        self._bytes = 0
        self.text = ""
        """Of the last answer, for a person."""

    def feed(self, data: bytes) -> Optional[int]:
        """The code of the next answer, when it is complete now. What follows stays for the next call.

        Raises BadReply.
        """
        self._rest += data
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if not newline:
                if self._bytes + len(self._rest) > MOST_ANSWER_BYTES:
                    raise BadReply(f"an answer of more than {MOST_ANSWER_BYTES // 1024} KiB")
                return None
            self._rest = rest
            self._bytes += len(line) + 1
            if self._bytes > MOST_ANSWER_BYTES:
                raise BadReply(f"an answer of more than {MOST_ANSWER_BYTES // 1024} KiB")
            text = _shown(line.rstrip(b"\r").decode("utf-8", "replace"))
            match = _LINE.match(text)
            if match is None or (match.group(3) and not match.group(2)):
                raise BadReply(f"this is no answer of a mail server: {text[:_MOST_SHOWN]!r}")
            code, more, _said = match.groups()
            if self._code not in ("", code):
                raise BadReply(f"an answer with two codes: {self._code} and {code}")
            self._code = code
            if more == "-":
                continue
            self._code, self._bytes = "", 0
            self.text = text[:_MOST_SHOWN]
            return int(code)


def _shown(text: str) -> str:
    """Nothing that a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in text)
