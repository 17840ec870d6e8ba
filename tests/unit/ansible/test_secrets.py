# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets out of what is shown."""

from __future__ import annotations

import pytest

from plugins.module_utils._host.secrets import mask_data, mask_pair, mask_text, secrets_of

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
])  # fmt: skip
def test_no_spelling_lets_it_through(text: str) -> None:
    assert "s3cret" not in mask_text(text)


def test_a_definition_that_is_no_secret_stays() -> None:
    text = "$IFACE=eth0\n$PASS=s3cret\nauth_pass $PASS\ninterface $IFACE\n"
    assert "$IFACE=eth0" in mask_text(text)
    assert set(secrets_of(text)) == {"$PASS", "s3cret"}


def test_yaml_is_masked_at_any_depth() -> None:
    data = {"a": [{"authentication": {"auth_type": "PASS", "auth_pass": "s3cret"}}], "raw": OLD}
    masked = mask_data(data)
    assert "s3cret" not in str(masked)
    assert masked["a"][0]["authentication"]["auth_type"] == "PASS"
