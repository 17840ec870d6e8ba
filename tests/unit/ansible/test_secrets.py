# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets out of what is shown."""

from __future__ import annotations

import pytest

from plugins.module_utils._host.secrets import mask_data, mask_pair, mask_text, secrets_of, words_of
from plugins.module_utils.vrrp_agent.conf.masking import MASK

OLD = "authentication {\n    auth_type PASS\n    auth_pass s3cret\n}\n"


def test_a_password_is_masked_and_nothing_else() -> None:
    assert mask_text(OLD) == OLD.replace("s3cret", "********")


def test_a_changed_password_still_shows_as_a_change() -> None:
    before, after = mask_pair(OLD, OLD.replace("s3cret", "other"))
    assert before != after
    assert "other" not in after
    assert "s3cret" not in before + after


def test_an_unchanged_password_does_not() -> None:
    before, after = mask_pair(OLD, OLD)
    assert before == after


def test_a_first_password_is_masked() -> None:
    assert "s3cret" not in "".join(mask_pair("", OLD))


@pytest.mark.parametrize("text", [
    "auth_pass s3cret",
    "\tauth_pass\ts3cret  ",
    "authentication { auth_pass s3cret }",
    'auth_pass "s3cret with blanks"',
    "$PASS=s3cret\nauth_pass $PASS\n",
    "$PASS=s3cret\nauth_pass ${PASS}\n",
    "auth_hmac {\n    key 1 s3cret\n}\n",
    'auth_pass "a}s3cret"\n',
    'auth_pass "} s3cret"\n',
    'auth_pass "{s3cret}"\n',
    'auth_pass "a } b" s3cret\n',
    "auth_pass }s3cret\n",
    'auth_hmac { key 1 "a}s3cret" }\n',
    "{auth_pass s3cret}",
    "#auth_pass s3cret",
    'auth_pass"s3cret"',
    '"auth_pass" s3cret',
    '"auth_pass""s3cret"',
    "auth_pass\fs3cret",
    "@node1 auth_pass s3cret",
    "auth_pass s3cret\r\n",
])  # fmt: skip
def test_no_spelling_lets_it_through(text: str) -> None:
    assert "s3cret" not in mask_text(text)


@pytest.mark.parametrize("text", [
    "$BLK=auth_pass s3cret\nauthentication {\n$BLK\n}\n",
    "$BLK=authentication { \\\n auth_type PASS \\\n auth_pass s3cret \\\n}\n$BLK\n",
    "$PW=\\\ns3cret\nauth_pass ${PW}\n",
    "$PW=\\\n\\\ns3cret\nauth_pass $PW\n",
    "$PW=\\ # next\n  \n! a comment\n  s3cret\nauth_pass $PW\n",
    "$PW=\\\r\ns3cret\r\nauth_pass $PW\r\n",
    "@node1 $PW=s3cret\nauth_pass $PW\n",
    "$A=s3cret\n$B=${A}\nauth_pass $B\n",
    "$A=s3cret\n$PW=x${A}y\n$BLK=auth_pass $PW\n$BLK\n",
    "$WORD=auth_pass\n$WORD s3cret\n",
    "$WORD=auth_pass\n$W=$WORD\n$IF ${W} s3cret\n",
    '$WORD=auth_pass\n${WORD}"s3cret"\n',
    "$KEY=key 1\nauth_hmac {\n ${KEY} s3cret\n}\n",
    "~LST(PW, s3cret) auth_pass $PW\n",
    "~LST({IF, PW}, {eth0, x}, {eth1, s3cret}) $BLK\n$BLK=auth_pass ${PW}\n",
])  # fmt: skip
def test_no_definition_lets_it_through(text: str) -> None:
    assert "s3cret" not in mask_text(text)
    before, after = mask_pair(text, text)
    assert before == after
    changed = mask_pair(text, text.replace("s3cret", "other"))
    assert changed[0] != changed[1] and "other" not in changed[1]


@pytest.mark.parametrize("text", [
    "authentication { auth_pass s3cret } advert_int 1",
    'auth_pass "s3cret"  # as before',
    "$PW=\\\n  s3cret\nauth_pass $PW\n",
])  # fmt: skip
def test_a_message_may_hold_the_word_alone(text: str) -> None:
    assert "s3cret" in [word.strip() for word in words_of(text)]


def test_what_stands_beside_a_secret_is_shown() -> None:
    text = """$PW=s3cret
$BLK=authentication { \\
    auth_type PASS \\
    auth_pass $PW
}
# the words of the house
agent_auth_pass_file /etc/keepalived/password
vrrp_instance VI_1 {
    $BLK
    notify "/etc/key master"
    authentication { auth_type PASS auth_pass ${PW} }
    virtual_ipaddress { 198.51.100.1/24 }
}
"""
    shown = "\n".join(line for line in text.split("\n") if "PW" not in line)
    masked = mask_text(text)
    assert "\n".join(line for line in masked.split("\n") if MASK not in line) == shown
    assert masked.count(MASK) == 3


def test_a_definition_that_is_no_secret_stays() -> None:
    text = "$IFACE=eth0\n$PASS=s3cret\nauth_pass $PASS\ninterface $IFACE\n"
    assert "$IFACE=eth0" in mask_text(text)
    assert set(secrets_of(text)) == {"$PASS", "s3cret"}


def test_yaml_is_masked_at_any_depth() -> None:
    data = {"a": [{"authentication": {"auth_type": "PASS", "auth_pass": "s3cret"}}], "raw": OLD}
    masked = mask_data(data)
    assert "s3cret" not in str(masked)
    assert masked["a"][0]["authentication"]["auth_type"] == "PASS"
