# SPDX-License-Identifier: GPL-3.0-or-later
"""One rule for what is shown of a secret, whether a tree, a text or data is shown."""

from __future__ import annotations

import re

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.masking import MASK, masked, masked_value, secret_line
from vrrp_agent.conf.tree import Word

KEY = SECTIONS["vrrp_instance/auth_hmac"].index["key"]
PASSWORD = SECTIONS["vrrp_instance/authentication"].index["auth_pass"]
PRIORITY = SECTIONS["vrrp_instance"].index["priority"]
LINE = re.compile(secret_line(SECTIONS), re.MULTILINE)

KEYS = [
    ("1 s3cret", f"1 {MASK}"),
    ("1 hex:00ff", f"1 {MASK}"),
    ("1 file:/etc/key", "1 file:/etc/key"),
    ("1 credential:key", "1 credential:key"),
    ("s3cret", MASK),
    ("s3cret file:/etc/key", None),
    ("1 s3cret more", f"1 {MASK}"),
]


@pytest.mark.parametrize(("written", "shown"), [case for case in KEYS if case[1]])
def test_the_number_of_a_key_is_shown_and_where_it_is_kept(written: str, shown: str) -> None:
    words = [Word(word) for word in written.split()]
    assert " ".join(masked(KEY, words)) == shown
    assert masked_value(KEY, written) == shown
    assert masked_value(KEY, [written]) == [shown]


@pytest.mark.parametrize("written", [case[0] for case in KEYS])
def test_a_text_never_shows_it(written: str) -> None:
    def cover(match: re.Match[str]) -> str:
        return match.group("head") + MASK + match.group("tail")

    shown = LINE.sub(cover, f"auth_hmac {{\n    key {written}\n}}\n")
    assert "s3cret" not in shown and "hex:00ff" not in shown
    assert ("/etc/key" in shown) is (written == "1 file:/etc/key")


def test_a_password_is_never_shown_whatever_it_looks_like() -> None:
    for text in ("s3cret", "file:s3cret", "1 s3cret", "1"):
        assert masked(PASSWORD, [Word(word) for word in text.split()]) == [MASK]
        assert masked_value(PASSWORD, text) == MASK
        found = LINE.search(f"auth_pass {text}\n")
        assert found is not None and found.group("secret") == text
    assert masked_value(PASSWORD, 1234) == MASK


def test_other_words_are_shown() -> None:
    assert masked(PRIORITY, [Word("100")]) == ["100"]
