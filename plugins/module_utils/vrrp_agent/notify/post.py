# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The post: one thread that hands letters to the relay, one after the other, and tries again when it must.

A relay that is down, slow or silent keeps the thread waiting and nothing else.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from ..conf.model import Mail
from ..loop.log import INFO, WARNING, Log
from ..loop.loop import Loop
from .letters import Letter
from .smtp import Handed, NotHanded, hand_over

MOST_WAITING = 100
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
_LIMIT_WINDOW_NS = 600_000_000_000

HandOver = Callable[[Mail, Letter, Tuple[str, ...]], Handed]


class Post:
    """Letters that wait, and the thread that takes them. The thread begins with the first letter."""

    def __init__(
        self, loop: Loop, log: Log, on_change: Callable[[], None], hand: HandOver = hand_over
    ) -> None:
        self.sent = self.lost = 0
        self.last_error = ""
        self._loop = loop
        self._log = log
        self._on_change = on_change
        self._hand = hand
        self._mail = Mail()
        self._waiting: Deque[Tuple[Letter, Tuple[str, ...]]] = deque()
        """Letters with those who have not got them yet; empty is everybody."""
        self._busy = False
        self._failing = False
        self._changed = threading.Condition()
        """Guards all that both threads touch."""
        self._said: Deque[Tuple[int, str]] = deque()
        self._thread: Optional[threading.Thread] = None
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        loop.add_reader(self._ear.fileno(), self._hear)

    def take(self, mail: Mail) -> None:
        """Where letters go from now on. Those that wait are tried again at once when it has changed."""
        with self._changed:
            if mail == self._mail:
                return
            self._mail = mail
            if not mail.complete:
                self.lost += len(self._waiting)
                self._waiting.clear()
            self._changed.notify()

    def add(self, letter: Letter) -> None:
        """Send a letter as soon as the relay takes it. keepalived: nothing, without relay and recipients."""
        with self._changed:
            if not self._mail.complete:
                return
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.lost += 1
                self._tell(WARNING, f"a mail is lost: {MOST_WAITING} wait already")
            self._waiting.append((letter, ()))
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="post", daemon=True)
            self._thread.start()
        self._on_change()

    @property
    def idle(self) -> bool:
        """True when nothing waits and nothing is on its way."""
        with self._changed:
            return not self._waiting and not self._busy

    @property
    def hopeless(self) -> bool:
        """True when nothing is on its way and the last attempt failed: waiting a little does not help."""
        with self._changed:
            return self._failing and not self._busy

    def status(self) -> Dict[str, Any]:
        """Numbers for ``status``."""
        with self._changed:
            return {
                "waiting": len(self._waiting) + (1 if self._busy else 0),
                "sent": self.sent,
                "lost": self.lost,
                "last_error": self.last_error,
            }

    # The thread.

    def _work(self) -> None:
        pause_s = 0.0
        mail = Mail()
        while True:
            with self._changed:
                if pause_s:
                    self._rest(mail, pause_s)
                self._changed.wait_for(lambda: bool(self._waiting))
                mail, (letter, left) = self._mail, self._waiting.popleft()
                self._busy = True
            again: Tuple[str, ...] = ()
            try:
                handed = self._hand(mail, letter, left or mail.recipients)
            except NotHanded as error:
                again = self._failed(mail, letter, error, left or mail.recipients)
            except Exception as error:  # the thread must live: a bug in one letter is no reason to be silent
                again = self._failed(mail, letter, NotHanded(repr(error), True), ())
            else:
                again = self._handed(mail, letter, handed)
            with self._changed:
                self._busy = False
                self._failing = bool(again)
                if again:
                    self._waiting.appendleft((letter, again))
                    pause_s = min(max(FIRST_PAUSE_S, pause_s * 2), LONGEST_PAUSE_S)
                else:
                    pause_s = 0.0
            self._ring()

    def _rest(self, mail: Mail, pause_s: float) -> None:
        """Wait before the next attempt; another relay than ``mail``'s, which failed, is tried at once."""
        self._changed.wait_for(lambda: self._mail != mail, pause_s)

    def _failed(self, mail: Mail, letter: Letter, error: NotHanded, left: Tuple[str, ...]) -> Tuple[str, ...]:
        with self._changed:
            self.last_error = str(error)
            if error.final:
                self.lost += 1
                self._tell(WARNING, f"mail by {mail.server}: {error}; given up: {letter.title}")
                return ()
            if not self._failing:
                self._tell(WARNING, f"mail by {mail.server}: {error}; tried again")
            return left

    def _handed(self, mail: Mail, letter: Letter, handed: Handed) -> Tuple[str, ...]:
        with self._changed:
            for one in handed.refused:
                self.last_error = f"refused: {one}"
                text = f"the recipient {one} is refused: {letter.title}"
                self._tell(WARNING, f"mail by {mail.server}: {text}")
            if handed.again:
                self.last_error = handed.why
                if not self._failing:
                    self._tell(WARNING, f"mail by {mail.server}: {handed.why}; tried again")
                return handed.again
            if self._failing:
                self._tell(INFO, f"mail by {mail.server} goes again")
            self.sent += 1
            return ()

    def _tell(self, level: int, text: str) -> None:
        """A line for the log, which the other thread writes."""
        self._said.append((level, text))

    def _ring(self) -> None:
        try:
            self._bell.send(b"!")
        except OSError:
            return  # it rings already

    # The loop.

    def _hear(self) -> None:
        try:
            self._ear.recv(4096)
        except BlockingIOError:
            return
        lines: List[Tuple[int, str]] = []
        with self._changed:
            while self._said:
                lines.append(self._said.popleft())
        for level, text in lines:
            now = self._loop.clock()
            self._log.limited(level, "mail", text, text, now, _LIMIT_WINDOW_NS)
        self._on_change()
