# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Would one host believe the adverts of another, as far as passwords and keys go?

Asked of the hosts of a group, and of the old and the new file of a host that others will follow.  A secret
that stands in a file is taken for the right one.  No answer holds a secret.
"""

from __future__ import annotations

from typing import Optional

from .model import AuthHmac, HmacKey, Instance

_TYPES = {0: "none", 1: "PASS", 2: "AH"}


def distrust(sender: Instance, receiver: Instance) -> str:
    """Why ``receiver`` would refuse the adverts of ``sender``; empty when it would not."""
    if sender.version == receiver.version == 2:
        if sender.auth_type != receiver.auth_type:
            return (
                f"their auth_type is {_TYPES[sender.auth_type]}, and {_TYPES[receiver.auth_type]} is wanted"
            )
        ours, theirs = sender.auth_password, receiver.auth_password
        if ours and theirs and ours != theirs:
            return "the password differs"
    return _distrust_of_trailers(sender.auth_hmac, receiver.auth_hmac)


def _distrust_of_trailers(sender: Optional[AuthHmac], receiver: Optional[AuthHmac]) -> str:
    if sender is None or sender.mode == "receive-only":
        return "they are not signed, and auth_hmac enforces it" if _enforces(receiver) else ""
    if receiver is None:
        return "they are signed, and there is no auth_hmac"
    ours, theirs = _key(sender, sender.active_key), _key(receiver, sender.active_key)
    if theirs is None:
        return f"they are signed with key {sender.active_key}, which is not known"
    if ours is not None and ours.secret and theirs.secret and ours.secret != theirs.secret:
        return f"key {sender.active_key} differs"
    return ""


def _enforces(settings: Optional[AuthHmac]) -> bool:
    return settings is not None and settings.mode == "enforce"


def _key(settings: AuthHmac, number: int) -> Optional[HmacKey]:
    return next((key for key in settings.keys if key.id == number), None)
