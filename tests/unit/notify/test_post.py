# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that hands letters over: order, patience, losses. The relay is a function here."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Iterator, List, Tuple

import pytest
from vrrp_agent.conf.model import Mail
from vrrp_agent.loop.loop import Loop
from vrrp_agent.notify import post as module
from vrrp_agent.notify.letters import Letter
from vrrp_agent.notify.post import MOST_WAITING, Post
from vrrp_agent.notify.smtp import Handed, NotHanded

from tests.unit.notify.stage import DEADLINE_S, Lines, until

MAIL = Mail(recipients=("a@b", "c@d"), server="192.0.2.1")


class Relay:
    """Does what ``answers`` say, one after the other; then takes everything."""

    def __init__(self) -> None:
        self.answers: List[object] = []
        self.seen: List[Tuple[str, str, Tuple[str, ...]]] = []
        self.open = threading.Event()
        self.open.set()

    def hand(self, mail: Mail, letter: Letter, recipients: Tuple[str, ...]) -> Handed:
        assert self.open.wait(DEADLINE_S)
        self.seen.append((mail.server, letter.title, recipients))
        answer = self.answers.pop(0) if self.answers else Handed()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Handed)
        return answer

    @property
    def titles(self) -> List[str]:
        return [title for _server, title, _recipients in self.seen]


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def log() -> Lines:
    return Lines()


@pytest.fixture
def post(loop: Loop, log: Lines, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.05)
    post = Post(loop, log, lambda: None, relay.hand)
    post.take(MAIL)
    yield post
    relay.open.set()
    relay.answers.clear()
    until(loop, lambda: post.idle)


def letter(title: str) -> Letter:
    return Letter("r", title, "text", 0.0, title)


def test_letters_go_in_order(post: Post, relay: Relay, loop: Loop) -> None:
    for number in range(20):
        post.add(letter(str(number)))
    until(loop, lambda: post.sent == 20)
    assert relay.titles == [str(number) for number in range(20)]
    assert relay.seen[0] == ("192.0.2.1", "0", ("a@b", "c@d"))


def test_a_letter_that_is_not_taken_is_tried_again_before_the_next(
    post: Post, relay: Relay, loop: Loop, log: Lines
) -> None:
    relay.answers = [NotHanded("down"), NotHanded("down still")]
    post.add(letter("first"))
    post.add(letter("second"))
    until(loop, lambda: post.sent == 2)
    assert relay.titles == ["first", "first", "first", "second"]
    until(loop, lambda: "goes again" in log.text)
    assert log.text.count("tried again") == 1
    assert post.status() == {"waiting": 0, "sent": 2, "lost": 0, "last_error": "down still"}


def test_a_final_refusal_gives_up_one_letter_only(post: Post, relay: Relay, loop: Loop, log: Lines) -> None:
    relay.answers = [NotHanded("550 never", final=True)]
    post.add(letter("first"))
    post.add(letter("second"))
    until(loop, lambda: post.sent == 1)
    assert relay.titles == ["first", "second"]
    assert (post.lost, post.last_error) == (1, "550 never")
    until(loop, lambda: "given up: first" in log.text)


def test_those_that_are_put_off_get_it_later_and_nobody_twice(post: Post, relay: Relay, loop: Loop) -> None:
    relay.answers = [Handed(again=("c@d",), refused=("x (550 no)",), why="c@d: 451 later")]
    post.add(letter("first"))
    until(loop, lambda: post.sent == 1)
    assert [recipients for _server, _title, recipients in relay.seen] == [("a@b", "c@d"), ("c@d",)]


def test_a_bug_in_one_letter_does_not_silence_the_post(post: Post, relay: Relay, loop: Loop) -> None:
    relay.answers = [ZeroDivisionError("oops")]
    post.add(letter("first"))
    post.add(letter("second"))
    until(loop, lambda: post.sent == 1)
    assert post.lost == 1


def test_too_many_letters_lose_the_oldest(post: Post, relay: Relay, loop: Loop, log: Lines) -> None:
    relay.open.clear()
    for number in range(MOST_WAITING + 10):
        post.add(letter(str(number)))
    assert post.status()["waiting"] <= MOST_WAITING + 1
    relay.open.set()
    until(loop, lambda: post.idle)
    until(loop, lambda: "a mail is lost" in log.text)
    assert relay.titles[-1] == str(MOST_WAITING + 9)
    assert post.sent + post.lost == MOST_WAITING + 10


def test_another_relay_gets_what_waits_at_once(
    post: Post, relay: Relay, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 3600.0)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 3600.0)
    relay.answers = [NotHanded("down")]
    post.add(letter("first"))
    until(loop, lambda: post.hopeless)
    post.take(replace(MAIL, server="192.0.2.2"))
    until(loop, lambda: post.sent == 1)
    assert [server for server, _title, _recipients in relay.seen] == ["192.0.2.1", "192.0.2.2"]


def test_without_a_relay_or_recipients_nothing_is_sent(post: Post, relay: Relay, loop: Loop) -> None:
    for mail in (replace(MAIL, server=""), replace(MAIL, recipients=())):
        post.take(mail)
        post.add(letter("x"))
        assert post.idle
    assert relay.seen == []
