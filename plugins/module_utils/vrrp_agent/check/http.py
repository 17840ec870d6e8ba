# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP_GET and SSL_GET: one try asks for one url and judges the answer."""

from __future__ import annotations

import socket
from typing import Optional

from ..conf.parts.checks import Check, HttpCheck, Url
from ..conf.pcre import PatternRefused, expression
from ..loop.alarm import Alarm
from .connect import CannotAsk
from .judge import Judge, Verdict
from .probe import Context, Done, Outcome, not_asked
from .search import SEARCH_LIMIT_S, Search
from .stream import Stream
from .tls import Tls, TlsProblem, context_of, name_for
from .url_turns import UrlTurns

_PHASES = 3
"""Each may last connect_timeout: connection and TLS, the first byte of the answer, the rest of it."""
_SPARE_NS = 1_000_000_000


def request(check: HttpCheck, url: Url) -> bytes:
    """What is sent: the lines of keepalived, in its order."""
    host = url.virtualhost
    if not host:
        to = check.connection
        family = socket.AF_INET6 if to.family == 6 else socket.AF_INET
        address = socket.inet_ntop(family, to.address)
        host = f"[{address}]:{to.port}" if to.family == 6 else f"{address}:{to.port}"
    version = "1.1" if check.version == "1.1" else "1.0"
    close = "" if check.version == "1.0" else "Connection: close\r\n"
    lines = f"GET {url.path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n"
    return lines.encode("utf-8", "surrogateescape")


def server_name(check: HttpCheck, url: Url) -> str:
    """The name in TLS: that of sni_name, or of the Host header; empty for none."""
    if not check.sni:
        return ""
    return name_for(check.sni_name or url.virtualhost)


class HttpProbe:
    """The tries of one check. Which url is next stays from one try to the next."""

    def __init__(self, check: Check, context: Context, done: Done) -> None:
        if not isinstance(check, HttpCheck):
            raise TypeError(f"{check.kind} is no check by HTTP")
        self._check, self._context, self._done = check, context, done
        self._phase_ns = check.connection.timeout_ns
        self.limit_ns = _PHASES * self._phase_ns + int(SEARCH_LIMIT_S * 1e9) + _SPARE_NS
        self._turns = UrlTurns(len(check.urls), check.timing.retry)
        self._alarm = Alarm(context.loop, self._too_long)
        self._stream: Optional[Stream] = None
        self._search: Optional[Search] = None
        self._judge: Optional[Judge] = None

    def start(self) -> None:
        """Ask for the next url."""
        url = self._url
        self._judge = None
        try:
            tls = None
            if self._check.tls:
                tls = Tls(context_of(self._context.tls), server_name(self._check, url))
            self._stream = Stream(self._context.loop, self._check.connection, self, tls)
            self._alarm.set_in(self._phase_ns)
            self._stream.start()
        except (CannotAsk, TlsProblem) as problem:
            self.stop()
            self._done(not_asked(str(problem)))

    def stop(self) -> None:
        """Give the try up."""
        self._alarm.cancel()
        self._context.loop.schedule.forget(self._alarm)
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if self._search is not None:
            self._search.stop()
            self._search = None

    # What the stream tells.

    def connected(self) -> None:
        """Ask."""
        self._judge = Judge(self._url)
        self._alarm.set_in(self._phase_ns)
        if self._stream is not None:
            self._stream.send(request(self._check, self._url))

    def received(self, data: bytes) -> None:
        """A part of the answer."""
        judge = self._judge
        if judge is None:
            return
        if not judge.answer.began:
            self._alarm.set_in(self._phase_ns)
        verdict = judge.feed(data)
        if verdict is not None:
            self._take(verdict)
        elif self._stream is not None:
            self._stream.plain_ahead = judge.answer.plain_ahead

    def ended(self) -> None:
        """The server has closed the connection."""
        if self._judge is not None:
            self._take(self._judge.end())

    def broken(self, why: str) -> None:
        """The conversation cannot go on."""
        self._finish(False, why)

    @property
    def _url(self) -> Url:
        return self._check.urls[self._turns.place]

    def _too_long(self) -> None:
        if self._judge is not None:
            what = self._judge.progress()
        else:
            what = (
                "no connection" if not self._check.tls else "no connection, or the TLS handshake did not end"
            )
        self._finish(False, f"timed out after {self._phase_ns / 1e9:g} s: {what}")

    def _take(self, verdict: Verdict) -> None:
        """The connection is no longer needed; a regex may be."""
        self._alarm.cancel()
        if self._stream is not None:
            url = self._url
            self._stream.close(politely=url.tls_compliant)
            self._stream = None
        if not verdict.good or verdict.text is None:
            self._finish(verdict.good, verdict.why)
            return
        self._hold_against(verdict.text, verdict.why)

    def _hold_against(self, text: bytes, why: str) -> None:
        pattern = self._url.pattern
        if pattern is None:
            self._finish(True, why)
            return

        def then(matches: Optional[bool], problem: str) -> None:
            self._search = None
            if matches is None:
                self._finish(False, problem)
            else:
                found = "regex matches" if matches else "regex does not match"
                self._finish(matches == pattern.must_match, f"{why}, {found}")

        try:
            self._search = Search(self._context.loop, expression(pattern), pattern)
        except PatternRefused as problem:
            self._finish(False, str(problem))
            return
        self._search.start(text, then)

    def _finish(self, good: bool, why: str) -> None:
        url = self._url
        self.stop()
        if len(self._check.urls) > 1:
            why = f"{url.path}: {why}"
        if not good:
            self._turns.bad()
            self._done(Outcome(False, why))
        elif self._turns.good():
            self._done(Outcome(True, why))
        else:
            self._done(Outcome(True, why, settled=False, at_once=self._check.fast_recovery))
