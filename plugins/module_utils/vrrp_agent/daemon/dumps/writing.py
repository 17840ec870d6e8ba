# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dumps on a signal: keepalived's files, written by a child that has a snapshot of everything.

The process that sends adverts only forks; the child writes a new file beside the old one and renames it, so
that a reader never sees half a dump, and a link that somebody has put in its place is replaced, not followed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from typing import Any, Callable, Dict, Iterator, Mapping

from ...conf.parts.operations import Dumps as Files
from ...conf.parts.operations import Operations
from ...kernel.process import MOST_DESCRIPTORS
from ...loop.log import Log
from ...loop.loop import Loop
from . import keepalived_data, keepalived_json
from .scene import Scene

STATE, STATS, JSON = "keepalived.data", "keepalived.stats", "keepalived.json"
_PRIVATE = 0o600
_READABLE = 0o666
"""Before the umask: keepalived makes its text files so, and the JSON file for its owner only."""
_MOST_TRIES = 8


class DumpError(Exception):
    """A dump could not be written. The text says which and why."""


def temporary_directory() -> str:
    """TMPDIR where it is an absolute path to a directory, /tmp otherwise: as keepalived."""
    given = os.environ.get("TMPDIR", "")
    return given if given.startswith("/") and os.path.isdir(given) else "/tmp"


def place(kind: str, operations: Operations) -> str:
    """The path of a dump. ``kind`` is STATE, STATS or JSON, which is its usual name too."""
    files = operations.dumps
    given = {STATE: files.state_file, STATS: files.stats_file, JSON: files.json_file}[kind]
    directory, _slash, name = given.rpartition("/")
    if not given.startswith("/"):
        directory = temporary_directory()
    name = name or kind
    return os.path.join(directory or "/", _with_instance(name, operations, files))


def _with_instance(name: str, operations: Operations, files: Files) -> str:
    """keepalived.data becomes keepalived.NAMESPACE_INSTANCE.data under data_use_instance."""
    who = "_".join(part for part in (operations.net_namespace, operations.instance) if part)
    if not files.use_instance or not who:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{who}.{ending}" if dot else f"{name}.{who}"


def write(path: str, content: str, mode: int) -> None:
    """Put a file in place as a whole. Raises DumpError."""
    data = content.encode("utf-8", "surrogateescape")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            raise DumpError(f"{path} is a directory: nothing dumped")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise DumpError(f"cannot look at {path}: {error.strerror}") from error
    for _try in range(_MOST_TRIES):
        trial = f"{path}.{os.urandom(6).hex()}"
        try:
            descriptor = os.open(trial, flags, mode)
            break
        except FileExistsError:
            continue
        except OSError as error:
            raise DumpError(f"cannot write {path}: {error.strerror}") from error
    else:
        raise DumpError(f"cannot write {path}: every name beside it is taken")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        os.rename(trial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(trial)
        raise DumpError(f"cannot write {path}: {error.strerror}") from error


class Dumper:
    """Writes dumps, one child at a time for each file. ``scene`` gives the present state."""

    def __init__(self, loop: Loop, log: Log, scene: Callable[[], Scene]) -> None:
        self._loop = loop
        self._log = log
        self._scene = scene
        self._pids: Dict[str, int] = {}
        self._again: Dict[str, None] = {}

    def state(self) -> None:
        """SIGUSR1."""
        self._dump(STATE)

    def stats(self, clear: bool = False) -> None:
        """SIGUSR2; with ``clear`` the counters begin again at 0 afterwards."""
        self._dump(STATS, always=clear)
        if clear:
            for live in self._scene().lives:
                live.counters.clear()

    def json(self) -> None:
        """keepalived's JSON signal. Without an instance nothing is written, as in keepalived."""
        if self._scene().lives:
            self._dump(JSON)

    def keep(self, path: str) -> None:
        """A state dump to a file of its own, for config_save_dir."""
        self._dump(STATE, path)

    def _dump(self, kind: str, path: str = "", always: bool = False) -> None:
        scene = self._scene()
        where = path or place(kind, scene.config.settings.operations)
        if where in self._pids and not always:
            self._again[where] = None  # asked for while one is being written: the next one shows it
            return
        reading, writing = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(reading)
            os.close(writing)
            self._log.error(f"no process to write {where}: {error.strerror}")
            return
        if pid == 0:
            _live(kind, where, scene, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        self._pids[where] = pid

        def finished() -> None:
            self._finished(kind, where, reading, pid)

        self._loop.add_reader(reading, finished)

    def _finished(self, kind: str, path: str, reading: int, pid: int) -> None:
        try:
            problem = os.read(reading, 1024)
        except BlockingIOError:
            return
        self._loop.remove_reader(reading)
        os.close(reading)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        if self._pids.get(path) == pid:
            del self._pids[path]
        if problem:
            self._log.warning(problem.decode("utf-8", "replace"))
        else:
            self._log.info(f"wrote {path}")
        if path in self._again and path not in self._pids:
            del self._again[path]
            self._dump(kind, path)


PIECES: Mapping[str, Callable[[Scene], Iterator[str]]] = {
    STATE: keepalived_data.pieces,
    STATS: keepalived_json.stats_pieces,
    JSON: keepalived_json.pieces,
}
"""What belongs into a dump, a piece at a time."""


def answer(request: Mapping[str, Any], scene: Scene) -> Iterator[Dict[str, Any]]:
    """The control socket's answer to ``dump``: pieces of text, and the word that it was all.

    Raises ValueError for a format that is not known.
    """
    pieces = PIECES.get(str(request.get("format")))
    if pieces is None:
        raise ValueError(f"unknown format {request.get('format')!r}; known: {', '.join(PIECES)}")
    return _answer(pieces(scene))


def _answer(pieces: Iterator[str]) -> Iterator[Dict[str, Any]]:
    for piece in pieces:
        yield {"text": piece}
    yield {"whole": True}


def _live(kind: str, path: str, scene: Scene, problems: int) -> None:
    """The child's whole life."""
    try:
        signal.set_wakeup_fd(-1)
        # Locks and sockets must be free at once should the agent die meanwhile.
        os.closerange(3, problems)
        os.closerange(problems + 1, MOST_DESCRIPTORS)
        write(path, "".join(PIECES[kind](scene)), _PRIVATE if kind == JSON else _READABLE)
    except DumpError as error:
        os.write(problems, str(error).encode("utf-8", "replace"))
    except BaseException as error:  # nothing may return into the agent's code
        os.write(problems, f"cannot write {path}: {error!r}".encode("utf-8", "replace"))
    finally:
        os._exit(0)


class Saver:
    """config_save_dir: the state before and after each reload, under keepalived's names."""

    def __init__(self, dumper: Dumper, log: Log) -> None:
        self._dumper = dumper
        self._log = log
        self.reloads = 0

    def before(self, directory: str) -> None:
        """A reload begins; ``directory`` is empty when nothing is to be kept."""
        self.reloads += 1
        self._keep(directory, "pre")

    def after(self, directory: str) -> None:
        """It is over."""
        self._keep(directory, "post")

    def _keep(self, directory: str, ending: str) -> None:
        if not directory:
            return
        problem = make_directory(directory)
        if problem:
            self._log.warning(problem)
            return
        self._dumper.keep(os.path.join(directory, f"keepalived_vrrp.{os.getpid()}.{self.reloads}.{ending}"))


def make_directory(path: str) -> str:
    """Make the last part of ``path`` when it is not there. Returns what is wrong, or an empty text."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return "" if os.path.isdir(path) else f"config_save_dir {path} is not a directory"
    except OSError as error:
        return f"cannot make config_save_dir {path}: {error.strerror}"
    return ""
