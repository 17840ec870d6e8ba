# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an instance says of authentication, and what of it would protect nothing. Files are not read here.

keepalived goes on without protection where a key or a password is missing; that is an error here.
"""

from __future__ import annotations

from typing import Iterator, Set

from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.security import CREDENTIAL, FILE, LEAST_KEY_BYTES, MOST_KEY_BYTES, decode_key
from .instance_view import InstanceView

OWNER = "255"


def check_security(view: InstanceView, strict: bool) -> Iterator[Problem]:
    """Findings about authentication, auth_hmac and checksums of one instance."""
    old, hmac = view.node.last("authentication"), view.node.last("auth_hmac")
    if old is not None:
        yield from _authentication(view, old, strict, hmac is not None)
    if hmac is not None:
        yield from _auth_hmac(view, hmac, strict)
    checksum = view.node.last("old_unicast_checksum")
    if checksum is not None and (view.family == 6 or view.version == 2 or not any(_peers(view))):
        yield checksum.problem(
            WARNING,
            f"{view.name}: old_unicast_checksum means unicast over IPv4 with version 3: it has no effect",
            "take it out",
        )


def _peers(view: InstanceView) -> Iterator[Node]:
    return view.node.lines("unicast_peer")


def _authentication(view: InstanceView, block: Node, strict: bool, hmac: bool) -> Iterator[Problem]:
    for useless, why, instead in (
        (view.version == 3, "version 3 has no authentication", "write 'version 2' or auth_hmac"),
        (hmac, "auth_hmac takes its place", "take it out"),
        (strict, "strict mode knows no authentication (RFC 3768 10)", "take it out, or write auth_hmac"),
    ):
        if useless:
            yield block.problem(WARNING, f"{view.name}: {why}: this block is ignored", instead)
            return
    kind, password = block.last("auth_type"), block.last("auth_pass")
    file = block.last("agent_auth_pass_file")
    if kind is None:
        yield block.problem(
            ERROR,
            f"{view.name}: auth_type is missing: nothing would be authenticated",
            "write 'auth_type PASS'",
        )
    elif password is None and file is None:
        yield block.problem(
            ERROR,
            f"{view.name}: auth_pass is missing: nothing would be authenticated",
            "write 'auth_pass PASSWORD'",
        )
    elif password is not None and password.args and not password.args[0]:
        yield password.problem(
            ERROR, f"{view.name}: auth_pass is empty: nothing would be authenticated", "write a password"
        )
    if password is not None and file is not None:
        yield file.problem(
            WARNING, f"{view.name}: auth_pass is given too: this file is not read", "take one of them out"
        )
    if file is not None and file.args:
        yield from _credential(file, str(file.args[0]))
    owner = view.word("priority") in (OWNER, None)
    if kind is not None and kind.args[:1] == ("AH",) and view.word("state") == "MASTER" and not owner:
        yield view.at("state").problem(
            WARNING,
            f"{view.name}: with auth_type AH it starts as backup, to hear the sequence number of the others",
            "write 'state BACKUP'",
        )


def _auth_hmac(view: InstanceView, block: Node, strict: bool) -> Iterator[Problem]:
    seen: Set[str] = set()
    for key in block.all("key"):
        if len(key.args) < 2 or not key.args[0].isdecimal():
            continue  # said by the table already
        number = str(int(key.args[0]))
        if number in seen:
            yield key.problem(
                ERROR,
                f"{view.name}: key {number} is given twice",
                "give each key its own number",
                key.args[0],
            )
        seen.add(number)
        yield from _key(view, key, number, str(key.args[1]))
    active, mode = block.last("active_key"), block.last("mode")
    replay, window = block.last("anti_replay"), block.last("time_window")
    if active is None:
        yield block.missing(
            "active_key",
            f"{view.name}: active_key is missing: no advert could be signed",
            f"write 'active_key {min(seen, default='1')}' in auth_hmac",
        )
    elif active.args and active.args[0].isdecimal() and str(int(active.args[0])) not in seen:
        yield active.problem(
            ERROR,
            f"{view.name}: there is no key {active.args[0]}: no advert could be signed",
            f"write 'key {active.args[0]} file:PATH', or name one of the keys here",
            active.args[0],
        )
    if strict and mode is not None and mode.args[:1] != ("enforce",):
        yield mode.problem(
            WARNING, f"{view.name}: strict mode makes it 'mode enforce'", "write it, or take strict mode out"
        )
    if window is not None and replay is not None and replay.args[:1] == ("monotonic",):
        yield window.problem(
            WARNING, f"{view.name}: time_window has no effect with anti_replay monotonic", "take it out"
        )


def _key(view: InstanceView, key: Node, number: str, text: str) -> Iterator[Problem]:
    """A key that stands in the configuration itself; nothing of it is shown."""
    if text.startswith((FILE, CREDENTIAL)):
        yield from _credential(key, text)
        return
    length = len(decode_key(text))
    if LEAST_KEY_BYTES <= length <= MOST_KEY_BYTES:
        return
    found = f"has {length} bytes" if length else "is no key: pairs of hexadecimal digits belong after 'hex:'"
    yield key.problem(
        ERROR,
        f"{view.name}: key {number} {found}; {LEAST_KEY_BYTES} to {MOST_KEY_BYTES} bytes are needed",
        "make one with 'openssl rand -hex 32', and write 'hex:' before it",
    )


def _credential(node: Node, text: str) -> Iterator[Problem]:
    name = text[len(CREDENTIAL) :] if text.startswith(CREDENTIAL) else None
    if name is not None and (not name or "/" in name or name in (".", "..")):
        yield node.problem(
            ERROR,
            "credential: wants the name of a credential, without a path",
            "write 'credential:NAME' and LoadCredential=NAME:PATH in the unit",
        )
    if text == FILE:
        yield node.problem(ERROR, "file: wants a path", "write 'file:/etc/keepalived/keys/NAME'")
