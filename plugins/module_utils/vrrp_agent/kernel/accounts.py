# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who runs a program: names of accounts as numbers.

A look-up may ask a directory service and wait for it, so it is no work for the process that sends adverts.
"""

from __future__ import annotations

import grp
import os
import pwd
from typing import NamedTuple, Tuple

from ..conf.model import Account, Command, ScriptPolicy
from .errors import KernelError

DEFAULT_USER = "keepalived_script"


class UnknownAccount(KernelError):
    """A user or a group does not exist on this host."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"the {kind} {name!r} does not exist",
            f"create the {kind}, or name another one",
        )


class Identity(NamedTuple):
    """An account as the kernel knows it."""

    uid: int
    gid: int
    groups: Tuple[int, ...] = ()
    """Supplementary groups; without set_supplementary_groups there are none."""


def this_process() -> Identity:
    """The account that the agent itself runs under, without its supplementary groups."""
    return Identity(os.geteuid(), os.getegid())


def look_up(user: str, group: str = "", supplementary: bool = False) -> Identity:
    """The identity of ``user``, with ``group`` in place of its own one.

    A group that begins with a colon asks for the supplementary groups of the user, as in keepalived.
    Raises UnknownAccount.
    """
    if group.startswith(":"):
        supplementary, group = True, group[1:]
    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except (KeyError, OverflowError):
        raise UnknownAccount("user", user) from None
    gid = entry.pw_gid
    if group:
        try:
            gid = (grp.getgrgid(int(group)) if group.isdigit() else grp.getgrnam(group)).gr_gid
        except (KeyError, OverflowError):
            raise UnknownAccount("group", group) from None
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)) if supplementary else ()
    return Identity(entry.pw_uid, gid, groups)


def default_identity(policy: ScriptPolicy) -> Identity:
    """Who runs scripts that name nobody: script_user, or else keepalived_script, or else the agent's user.

    Raises UnknownAccount; under enable_script_security also when nobody is named and keepalived_script
    does not exist.
    """
    account: Account = policy.account
    if account.user:
        return look_up(account.user, account.group, policy.supplementary_groups)
    try:
        return look_up(DEFAULT_USER, "", policy.supplementary_groups)
    except UnknownAccount:
        if policy.security:
            raise
        return this_process()


def identity_of(command: Command, policy: ScriptPolicy) -> Identity:
    """Who runs ``command``. Raises UnknownAccount."""
    if command.user:
        return look_up(command.user, command.group, policy.supplementary_groups)
    return default_identity(policy)
