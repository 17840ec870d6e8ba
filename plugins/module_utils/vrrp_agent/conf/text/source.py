# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files: the one door through which configuration text comes in, and what is refused at the door."""

from __future__ import annotations

import os
import stat
from typing import List, Protocol, Tuple

from ..problem import ERROR, Problem

MAX_FILE_BYTES = 8 * 1024 * 1024
"""Far above any real configuration (37 000 real servers are about 5 MB)."""
MAX_LINE_BYTES = 1023
"""keepalived's line buffer: it drops a longer line and takes its rest for the next one."""

FILE, DIRECTORY, MISSING, OTHER = "file", "directory", "missing", "other"


class Reader(Protocol):
    """Access to files, so that this layer itself touches none."""

    def kind(self, path: str) -> str:
        """``file``, ``directory``, ``missing`` or ``other``."""

    def is_executable(self, path: str) -> bool:
        """True when any execute bit is set."""

    def read(self, path: str, limit: int) -> bytes:
        """At most ``limit`` bytes of the file. Raises OSError."""

    def glob(self, pattern: str) -> List[str]:
        """Paths that match a shell pattern (without brace alternatives)."""

    def absolute(self, path: str) -> str:
        """The absolute form of a path."""


class FileReader:
    """The real file system."""

    def kind(self, path: str) -> str:
        """See Reader."""
        try:
            mode = os.stat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return MISSING
        except (OSError, ValueError):
            return OTHER
        if stat.S_ISREG(mode):
            return FILE
        return DIRECTORY if stat.S_ISDIR(mode) else OTHER

    def is_executable(self, path: str) -> bool:
        """See Reader."""
        try:
            return bool(os.stat(path).st_mode & 0o111)
        except (OSError, ValueError):
            return False

    def read(self, path: str, limit: int) -> bytes:
        """See Reader."""
        with open(path, "rb") as stream:
            return stream.read(limit)

    def glob(self, pattern: str) -> List[str]:
        """See Reader."""
        import glob  # only configurations with include need it

        return glob.glob(pattern)

    def absolute(self, path: str) -> str:
        """See Reader."""
        return os.path.abspath(path)


def read_lines(path: str, reader: Reader) -> Tuple[List[str], List[Problem]]:
    """The lines of one file, without their ends; or the reason why it is not read."""

    def refuse(message: str, hint: str, line: int = 0, column: int = 0) -> Tuple[List[str], List[Problem]]:
        return [], [Problem(ERROR, message, hint, file=path, line=line, column=column)]

    kind = reader.kind(path)
    if kind == MISSING:
        return refuse("no such file", "check the path")
    if kind == DIRECTORY:
        return refuse(
            "is a directory", "name a file; 'include DIRECTORY/*.conf' reads all files of a directory"
        )
    if kind != FILE:
        return refuse("is not a regular file", "name an ordinary text file")
    try:
        data = reader.read(path, MAX_FILE_BYTES + 1)
    except OSError as error:
        return refuse(f"cannot be read: {error.strerror or error}", "check the owner and mode of the file")
    if len(data) > MAX_FILE_BYTES:
        return refuse(
            f"is larger than {MAX_FILE_BYTES // (1024 * 1024)} MiB",
            "this is hardly a configuration; a large one can be split with include",
        )
    bad = data.find(b"\0")
    if bad >= 0:
        line = data.count(b"\n", 0, bad) + 1
        return refuse(
            "holds a NUL byte: this is not a text file",
            "keepalived drops such a line; save the file as text",
            line,
            bad - data.rfind(b"\n", 0, bad),
        )
    lines = [line.rstrip("\r") for line in _decode(data).split("\n")]
    problems = []
    if len(data) > MAX_LINE_BYTES:
        for number, text in enumerate(lines, 1):
            if len(text) * 4 > MAX_LINE_BYTES and len(text.encode("utf-8", "replace")) > MAX_LINE_BYTES:
                problems.append(
                    Problem(
                        ERROR,
                        f"the line is longer than {MAX_LINE_BYTES} bytes, which is all that keepalived reads",
                        "break it up, or use a definition ($NAME=...)",
                        file=path,
                        line=number,
                        column=1,
                    )
                )
                lines[number - 1] = ""
                if len(problems) >= 20:
                    return refuse(
                        "has many lines longer than 1023 bytes: this is hardly a configuration",
                        "check that it is the right file",
                        number,
                    )
    return lines, problems


def _decode(data: bytes) -> str:
    """UTF-8; an old file in Latin-1 is read as such, so that comments in it do no harm."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
