# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP_GET and SSL_GET against servers that answer well, badly, slowly, without end, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import resource
import socket
import ssl
import struct
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Tuple

import pytest
from vrrp_agent.check.probe import Outcome
from vrrp_agent.conf.parts.checks import Connection, HttpCheck, Pattern, Timing, TlsFiles, Url

from tests.lab.lan import Lan, Node
from tests.lab.plugin import missing
from tests.lab.relay import Certificate
from tests.lab.servers import Asker, Server, Talk, ask_once

SECOND_NS = 1_000_000_000
PATIENCE_S = 5.0
"""connect_timeout where nothing is to time out; the machine may be busy."""
IGNORE_UNEXPECTED_EOF = 0x80
"""SSL_OP_IGNORE_UNEXPECTED_EOF, which Python sets."""
IMPATIENCE_S = 0.4
"""connect_timeout where the time limit is the story."""


@pytest.fixture(name="node", scope="module")
def make_node() -> Iterator[Node]:
    """A namespace with servers in it, and with the check that asks them."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with Lan("d") as lan:
        yield lan.d


@pytest.fixture(name="certificate", scope="module")
def make_certificate(node: Node) -> Certificate:
    """One certificate that nobody has reason to trust."""
    return Certificate.make(node.lan.scratch, "198.51.100.99")


def check(server: Server, *urls: Url, patience_s: float = PATIENCE_S, **words: Any) -> HttpCheck:
    """A check of this server."""
    to = Connection(socket.inet_aton(server.address), server.port, int(patience_s * SECOND_NS))
    timing = words.pop("timing", Timing())
    return HttpCheck(timing, to, urls or (Url(),), **words)


def says(*parts: bytes, then: Optional[Callable[[socket.socket], None]] = None) -> Callable[[Server], Talk]:
    """A server that hears a request and answers with these bytes; ``then`` goes on, or it closes."""

    def make(server: Server) -> Talk:
        def talk(connection: socket.socket) -> None:
            server.hear(connection)
            for part in parts:
                connection.sendall(part)
            if then is not None:
                then(connection)

        return talk

    return make


@contextlib.contextmanager
def serving(
    node: Node, make: Callable[[Server], Talk], certificate: Optional[Certificate] = None
) -> Iterator[Server]:
    """A server that talks like this."""
    with Server(node, lambda _connection: None, certificate) as server:
        server.talk = make(server)
        yield server


def wait_for_ever(connection: socket.socket) -> None:
    """Say nothing more, and do not close."""
    while connection.recv(4096):
        pass


OK = b"HTTP/1.1 200 OK\r\n"
HELLO = b"<h1>hello</h1>\n"
DIGEST = hashlib.md5(HELLO).hexdigest()
SIZED = OK + b"Content-Length: %d\r\n\r\n" % len(HELLO) + HELLO


def test_a_good_server_is_good_and_hears_the_request_of_keepalived(node: Node) -> None:
    with serving(node, says(SIZED)) as server:
        asked = check(server, Url("/health?x=1", (DIGEST,), virtualhost="www.example"), version="1.1")
        assert ask_once(node, asked) == Outcome(True, "status 200, digest matches")
        assert server.heard == [
            b"GET /health?x=1 HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\n"
            b"Host: www.example\r\n\r\n"
        ]


def test_a_server_that_keeps_the_connection_open_has_answered_all_the_same(node: Node) -> None:
    with serving(node, says(SIZED, then=wait_for_ever)) as server:
        assert ask_once(node, check(server, Url(digests=(DIGEST,)))).good


REDIRECT = b"HTTP/1.0 302 Found\r\nLocation: /again\r\n\r\n"
PLAIN_STORIES = [
    # the answer, the url, good, why
    (b"HTTP/1.0 503 Busy\r\n\r\nsorry", Url(), False, "status 503"),
    (REDIRECT, Url(), False, "status 302"),
    (REDIRECT, Url(statuses=((302, 302),)), True, "status 302"),
    (b"", Url(), False, "closed without an answer"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", Url(), False, "the answer is not HTTP: 'SSH-2.0-OpenSSH_9.2'"),
    (b"\x15\x03\x01\x00\x02\x02\x16" * 10, Url(), False, "the answer is not HTTP: "),
    (SIZED[:-5], Url(digests=(DIGEST,)), False, "closed after 10 of 15 bytes of the body"),
    (SIZED[:-5], Url(pattern=Pattern("hello")), False, "closed after 10 of 15 bytes of the body"),
    (SIZED[:-5], Url(), True, "status 200; closed after 10 of 15 bytes of the body"),
    (OK + b"X: y", Url(), False, "closed in the middle of the headers"),
    (SIZED, Url(digests=("0" * 32,)), False, f"digest {DIGEST} of 15 bytes is not the expected one"),
    (SIZED, Url(pattern=Pattern("h.llo")), True, "status 200, regex matches"),
    (SIZED, Url(pattern=Pattern("h.lla")), False, "status 200, regex does not match"),
    (SIZED, Url(pattern=Pattern("hello", must_match=False)), False, "status 200, regex matches"),
    (SIZED, Url(pattern=Pattern("goodbye", must_match=False)), True, "status 200, regex does not match"),
    (SIZED, Url(pattern=Pattern("<H1>", ("caseless",), max_offset=0)), True, "status 200, regex matches"),
    (SIZED, Url(pattern=Pattern("hello", max_offset=3)), False, "status 200, regex does not match"),
]


@pytest.mark.parametrize(("answer", "url", "good", "why"), PLAIN_STORIES)
def test_what_comes_is_judged(node: Node, answer: bytes, url: Url, good: bool, why: str) -> None:
    with serving(node, says(answer)) as server:
        outcome = ask_once(node, check(server, url))
        assert outcome.good == good
        assert outcome.why.startswith(why)
        assert len(server.heard) == 1, "a redirect is a status: nobody follows it"


def test_no_server_and_a_server_that_resets(node: Node) -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with serving(node, says(then=reset)) as server:
        assert ask_once(node, check(server)) == Outcome(False, "connection reset by the server")
        gone = check(server)
    assert ask_once(node, gone) == Outcome(False, "connection refused")


# Servers that take their time.


def drips(first: bytes, drop: bytes, every_s: float = IMPATIENCE_S / 10) -> Callable[[Server], Talk]:
    """One piece at a time, without end: no single wait is long."""

    def drip(connection: socket.socket) -> None:
        while True:
            connection.sendall(drop)
            time.sleep(every_s)

    return says(first, then=drip)


SLOW = [
    (says(then=wait_for_ever), "no answer"),
    (drips(b"", b"H"), "the headers did not end"),
    (drips(OK, b"X"), "the headers did not end"),
    (says(OK, b"X: y\r\n", then=wait_for_ever), "the headers did not end"),
    (drips(OK + b"Content-Length: 100000\r\n\r\n", b"x"), "the body did not end"),
    (drips(OK + b"\r\n", b"x"), "the body did not end"),
    (drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), "the body did not end"),
]


@pytest.mark.parametrize(("make", "what"), SLOW)
def test_a_slow_server_has_three_time_limits_and_no_more(
    node: Node, make: Callable[[Server], Talk], what: str
) -> None:
    """connect_timeout for the connection, for the first byte, and for all the rest."""
    with serving(node, make) as server:
        asker = Asker(node, check(server, patience_s=IMPATIENCE_S))
        outcome = asker.ask()
        assert not outcome.good
        assert outcome.why.startswith("timed out after 0.4 s: ")
        assert what in outcome.why
        assert IMPATIENCE_S <= asker.took_s < 3 * IMPATIENCE_S + 1.5
        assert asker.idle
        asker.close()


# Servers that send too much.


def floods(first: bytes, block: bytes) -> Callable[[Server], Talk]:
    """Sends for ever."""

    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(block)

    return says(first, then=flood)


GIGABYTE = OK + b"Content-Length: 1000000000\r\n\r\n"


def test_more_bytes_than_anybody_needs_are_not_read(node: Node) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stories: Tuple[Tuple[Callable[[Server], Talk], Url, bool, str], ...] = (
        (floods(GIGABYTE, b"x" * 65536), Url(), True, "status 200"),
        (floods(OK, b"X: y\r\n" * 1000), Url(), False, "more than 64 KiB of headers"),
        (floods(b"HTTP/1.1 200 ", b"x" * 65536), Url(), False, "more than 64 KiB of headers"),
        (floods(b"", b"HTTP/1.1 100 Go\r\n\r\n" * 999), Url(), False, "more than 64 KiB of headers"),
        (floods(GIGABYTE, b"x" * 65536), Url(pattern=Pattern("z.y")), False, "status 200, regex does not"),
        (floods(GIGABYTE, b"x" * 65536), Url(pattern=Pattern("x{9}")), True, "status 200, regex matches"),
        (floods(GIGABYTE, b"x" * 65536), Url(digests=(DIGEST,)), False, "the body is longer than 64 MiB"),
    )
    for make, url, good, why in stories:
        with serving(node, make) as server:
            outcome = ask_once(node, check(server, url, patience_s=20))
            assert (outcome.good, outcome.why[: len(why)]) == (good, why)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 40_000, f"{grown_kib} KiB more memory"


def test_a_flood_leaves_room_for_the_timers_of_others(node: Node) -> None:
    """While one server sends without end, the loop turns: nothing else waits for it."""
    with serving(node, floods(OK + b"\r\n", b"x" * 65536)) as server:
        asker = Asker(node, check(server, Url(digests=(DIGEST,)), patience_s=20))
        turns = []
        asker.loop.add_job(lambda: turns.append(time.monotonic()) is None)
        assert asker.ask().why == "the body is longer than 64 MiB"
        assert len(turns) > 60, f"{len(turns)} turns for 64 MiB"
        asker.close()


# A regex that never comes to an end.


def test_a_regex_that_backtracks_for_ever_is_ended_and_nobody_waits_for_it(node: Node) -> None:
    body = b"a" * 40 + b"!"
    with serving(node, says(OK + b"\r\n" + body)) as server:
        asker = Asker(node, check(server, Url(pattern=Pattern("(a|a)*$"))))
        turns = []
        asker.loop.add_job(lambda: turns.append(1) is None)
        assert asker.ask() == Outcome(False, "the regex took longer than 1 s")
        assert 0.9 < asker.took_s < 6
        assert len(turns) > 100, "the loop stood still"
        asker.close()


def test_a_regex_has_a_limit_of_memory_too(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vrrp_agent.check.search.MOST_MEMORY_BYTES", 1 << 20)
    with serving(node, says(OK + b"\r\n" + b"a" * 1_000_000)) as server:
        outcome = ask_once(node, check(server, Url(pattern=Pattern("(?:a|bc)*$"))))
        assert outcome == Outcome(False, "the regex needs more memory than there is")


def test_a_regex_is_given_up_with_its_try(node: Node) -> None:
    with serving(node, says(OK + b"\r\n" + b"a" * 40 + b"!")) as server:
        asker = Asker(node, check(server, Url(pattern=Pattern("(a|a)*$"))))
        asker.ask()
        asker.probe.start()
        give_up = time.monotonic() + 0.3
        while time.monotonic() < give_up:
            asker.loop.turn(0.02)
        asker.probe.stop()
        assert asker.idle
        asker.close()


# Several urls.


def test_one_url_a_try_and_all_of_them_again_after_a_failure(node: Node) -> None:
    broken = threading.Event()

    def make(server: Server) -> Talk:
        def talk(connection: socket.socket) -> None:
            request = server.hear(connection)
            bad = broken.is_set() and b"/b " in request
            connection.sendall(b"HTTP/1.0 500 No\r\n\r\n" if bad else b"HTTP/1.0 200 OK\r\n\r\n")

        return talk

    with serving(node, make) as server:
        urls = (Url("/a"), Url("/b"), Url("/c"))
        asker = Asker(node, check(server, *urls, timing=Timing(retry=0), fast_recovery=True))
        story = ""
        for number in range(12):
            (broken.set if number == 4 else broken.clear)()
            outcome = asker.ask()
            path = server.heard[-1].split()[1].decode()[1]
            story += path + ("!" if outcome.good and outcome.settled else "" if outcome.good else "-")
            assert outcome.why.startswith(f"/{path}: ")
            assert outcome.at_once == (not outcome.settled)
        asker.close()
    assert story == "abc!ab-babc!abc!"


# TLS.


def test_tls_asks_without_trust_and_names_the_host(node: Node, certificate: Certificate) -> None:
    with serving(node, says(SIZED), certificate) as server:
        url = Url(digests=(DIGEST,), virtualhost="www.example:8443")
        assert ask_once(node, check(server, url, tls=True)).good
        assert ask_once(node, check(server, url, tls=True, sni=True)).good
        assert ask_once(node, check(server, url, tls=True, sni=True, sni_name="other.example")).good
        assert server.names == [None, "www.example", "other.example"]
        assert b"Host: www.example:8443\r\n" in server.heard[0]


@pytest.mark.parametrize("compliant", [False, True])
def test_tls_compliant_says_good_bye(node: Node, certificate: Certificate, compliant: bool) -> None:
    ends = []

    def listen(connection: socket.socket) -> None:
        try:
            ends.append("good bye" if connection.recv(1) == b"" else "data")
        except (ssl.SSLError, OSError):
            ends.append("just gone")

    with serving(node, says(SIZED, then=listen), certificate) as server:
        server.context.options &= ~IGNORE_UNEXPECTED_EOF
        assert ask_once(node, check(server, Url(tls_compliant=compliant), tls=True)).good
        deadline = time.monotonic() + 10
        while not ends and time.monotonic() < deadline:
            time.sleep(0.01)
    assert ends == ["good bye" if compliant else "just gone"]


def test_a_server_may_leave_tls_without_a_word(node: Node, certificate: Certificate) -> None:
    """Many do; keepalived takes it for the end of the answer too."""
    with serving(node, says(OK + b"\r\n" + HELLO), certificate) as server:
        assert ask_once(node, check(server, Url(digests=(DIGEST,)), tls=True)).good


def test_old_versions_of_tls_are_spoken(node: Node, certificate: Certificate) -> None:
    with serving(node, says(SIZED), certificate) as server:
        server.context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert ask_once(node, check(server, tls=True)).good


def raw(data: bytes, then: Optional[Callable[[socket.socket], None]] = None) -> Callable[[Server], Talk]:
    """A server that says this at once, whatever it hears."""

    def make(_server: Server) -> Talk:
        def talk(connection: socket.socket) -> None:
            connection.recv(4096)
            connection.sendall(data)
            if then is not None:
                then(connection)

        return talk

    return make


TLS_TROUBLE = [
    (raw(b"", wait_for_ever), "timed out after 0.4 s: no connection, or the TLS handshake did not end"),
    (raw(b"\x16\x03\x03\x40\x00", wait_for_ever), "timed out after 0.4 s: no connection, or the TLS"),
    (raw(b""), "closed in the middle of the TLS handshake"),
    (raw(b"HTTP/1.0 400 Bad Request\r\n\r\n"), "TLS handshake: "),
    (raw(b"\x15\x03\x03\x00\x02\x02\x28"), "TLS handshake: "),
]


@pytest.mark.parametrize(("make", "why"), TLS_TROUBLE)
def test_a_handshake_that_fails_or_never_ends(node: Node, make: Callable[[Server], Talk], why: str) -> None:
    with serving(node, make) as server:
        outcome = ask_once(node, check(server, tls=True, patience_s=IMPATIENCE_S))
        assert not outcome.good
        assert outcome.why.startswith(why), outcome


def test_a_client_certificate_is_shown(node: Node, certificate: Certificate) -> None:
    shown = []

    def make(server: Server) -> Talk:
        def talk(connection: socket.socket) -> None:
            server.hear(connection)
            assert isinstance(connection, ssl.SSLSocket)
            shown.append(connection.getpeercert(binary_form=True))
            connection.sendall(SIZED)

        return talk

    files = TlsFiles(str(certificate.certificate), str(certificate.key), ca=str(certificate.certificate))
    with serving(node, make, certificate) as server:
        server.context.verify_mode = ssl.CERT_OPTIONAL
        server.context.load_verify_locations(certificate.certificate)
        assert ask_once(node, check(server, tls=True), files).good
    assert shown
    assert shown[0]


def test_files_of_the_ssl_block_that_cannot_be_used_say_nothing_about_the_server(
    node: Node, certificate: Certificate, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate\n")
    with serving(node, says(SIZED), certificate) as server:
        for files, name in (
            (TlsFiles(certificate=str(tmp_path / "gone.pem")), "gone.pem"),
            (TlsFiles(certificate=str(broken)), "broken.pem"),
            (TlsFiles(ca=str(broken)), "broken.pem"),
        ):
            outcome = ask_once(node, check(server, tls=True), files)
            assert not outcome.asked
            assert name in outcome.why
            assert "of the SSL block cannot be used" in outcome.why
