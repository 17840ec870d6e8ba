# SPDX-License-Identifier: GPL-3.0-or-later
"""Who would believe whom, before anybody has said anything."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from vrrp_agent.conf.agreement import distrust
from vrrp_agent.conf.model import AuthHmac, HmacKey, Instance

A, B = b"a" * 32, b"b" * 32


def old(password: bytes = b"", header: bool = False, **words: Any) -> Instance:
    words = {"version": 2, **words}
    return Instance("VI_1", "eth0", 51, 4, auth_password=password, auth_header=header, **words)


def new(hmac: Optional[AuthHmac]) -> Instance:
    return Instance("VI_1", "eth0", 51, 4, 3, auth_hmac=hmac)


def keys(*ids: int, active: int = 1, mode: str = "enforce", secret: bytes = A) -> AuthHmac:
    return AuthHmac(tuple(HmacKey(number, secret) for number in ids), active, mode=mode)


@pytest.mark.parametrize(("sender", "receiver", "said"), [
    (old(), old(), ""),
    (old(b"one"), old(b"one"), ""),
    (old(b"one"), old(b"two"), "the password differs"),
    (old(b"one"), old(), "auth_type is PASS, and none"),
    (old(b"one"), old(b"one", True), "auth_type is PASS, and AH"),
    (old(b"one"), old(auth_password_file="/p"), ""),
    (old(b"one", version=3), old(version=3), ""),
])  # fmt: skip
def test_passwords(sender: Instance, receiver: Instance, said: str) -> None:
    assert said in distrust(sender, receiver)
    assert bool(said) is bool(distrust(sender, receiver))


@pytest.mark.parametrize(("sender", "receiver", "said"), [
    (None, None, ""),
    (keys(1), keys(1), ""),
    (keys(1), None, "there is no auth_hmac"),
    (None, keys(1), "not signed"),
    (None, keys(1, mode="permissive"), ""),
    (keys(1, mode="receive-only"), None, ""),
    (keys(1, mode="receive-only"), keys(1, mode="permissive"), ""),
    (keys(1, mode="receive-only"), keys(1), "not signed"),
    (keys(1, 2), keys(1), ""),
    (keys(1, 2, active=2), keys(1), "key 2, which is not known"),
    (keys(1, 2, active=2), keys(1, 2), ""),
    (keys(1), keys(1, secret=B), "key 1 differs"),
    (keys(1), AuthHmac((HmacKey(1, file="file:/k"),), 1), ""),
])  # fmt: skip
def test_keys(sender: Optional[AuthHmac], receiver: Optional[AuthHmac], said: str) -> None:
    found = distrust(new(sender), new(receiver))
    assert said in found and bool(said) is bool(found)
    assert "aaaa" not in found and "bbbb" not in found
