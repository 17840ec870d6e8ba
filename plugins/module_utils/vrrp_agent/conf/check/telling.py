# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of scripts, pipes and mail that tell others of changes."""

from __future__ import annotations

from typing import Iterator, List, Optional

from ..match.judge import TRUE_WORDS
from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.defaults import Defaults
from ..values.telling import FIFO_SCRIPT_WORDS, SCRIPT_WORDS, first_global, sends_mail
from .commands import check_commands

_SPEAKERS = ("vrrp_instance", "vrrp_sync_group")


def check_telling(tree: Node) -> List[Problem]:
    """Findings about all words of this kind in a tree."""
    final = Defaults()
    for block in tree.all("global_defs"):
        for child in block.children:
            final.words[child.name] = tuple(str(word) for word in child.args)
    return [*_commands(tree), *_fifos(tree), *_mail(tree, final), *_login(tree, final)]


def _commands(tree: Node) -> Iterator[Problem]:
    for block in tree.children:
        wanted = FIFO_SCRIPT_WORDS if block.name == "global_defs" else SCRIPT_WORDS
        if block.name != "global_defs" and block.name not in _SPEAKERS:
            continue
        yield from check_commands(block, wanted)


def _fifos(tree: Node) -> Iterator[Problem]:
    for name in ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo"):
        script = first_global(tree, f"{name}_script")
        if script is not None and first_global(tree, name) is None:
            hint = f"write '{name} PATH' too"
            yield script.problem(WARNING, f"{script.keyword} has no effect without {name}", hint)
    both = first_global(tree, "notify_fifo")
    for name, events in (("vrrp_notify_fifo", "VRRP events"), ("lvs_notify_fifo", "those of servers")):
        ours = first_global(tree, name)
        if both is not None and ours is not None and both.args[:1] == ours.args[:1]:
            yield ours.problem(
                WARNING,
                f"{name} is the same pipe as notify_fifo, {ours.args[0]}, so it is ignored",
                f"take it out: notify_fifo receives {events} too",
            )


def _mail(tree: Node, final: Defaults) -> Iterator[Problem]:
    """smtp_alert without a server or without anybody to write to: keepalived sends nothing, in silence."""
    recipients = [
        line for block in tree.all("global_defs") for line in block.lines("notification_email") if line.args
    ]
    missing = [
        word
        for word, there in (
            ("notification_email", bool(recipients)),
            ("smtp_server", "smtp_server" in final.words),
        )
        if not there
    ]
    asking = next(
        (node for node in tree.children if node.name in _SPEAKERS and sends_mail(node, final)), None
    ) or next(_asking_services(tree), None)
    if asking is None or not missing:
        return
    place = asking.last("smtp_alert") or _global_alert(tree) or asking
    yield place.problem(
        WARNING,
        f"no mail is sent: {' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing",
        f"write {' and '.join(missing)} in global_defs",
    )


def _asking_services(tree: Node) -> Iterator[Node]:
    """Services and real servers that ask for mail themselves; by default every real server would."""
    for service in tree.all("virtual_server"):
        for block in (service, *service.all("real_server")):
            words = block.last("smtp_alert")
            if words is not None and (not words.args or words.args[0] in TRUE_WORDS):
                yield block


def _global_alert(tree: Node) -> Optional[Node]:
    for block in tree.all("global_defs"):
        found = block.last("smtp_alert_vrrp") or block.last("smtp_alert_checker") or block.last("smtp_alert")
        if found is not None:
            return found
    return None


def _login(tree: Node, final: Defaults) -> Iterator[Problem]:
    words = final.words
    for block in tree.all("global_defs"):
        for node in block.children:
            if node.name == "agent_smtp_user":
                if "agent_smtp_password" not in words and "agent_smtp_password_file" not in words:
                    hint = "write agent_smtp_password_file PATH, or credential:NAME"
                    yield node.problem(ERROR, "agent_smtp_user needs a password", hint)
                if not final.flag("agent_smtp_starttls"):
                    yield node.problem(
                        WARNING,
                        "without agent_smtp_starttls the password goes over the network in clear",
                        "write agent_smtp_starttls",
                    )
            elif node.name in ("agent_smtp_password", "agent_smtp_password_file"):
                if "agent_smtp_user" not in words:
                    yield node.problem(ERROR, f"{node.keyword} needs agent_smtp_user", "name the user")
                if node.name == "agent_smtp_password" and "agent_smtp_password_file" in words:
                    message = "agent_smtp_password and agent_smtp_password_file are both given"
                    yield node.problem(ERROR, message, "take one of them out")
            elif node.name == "agent_smtp_ca_file" and not final.flag("agent_smtp_starttls"):
                message = "agent_smtp_ca_file has no effect without agent_smtp_starttls"
                yield node.problem(WARNING, message, "write agent_smtp_starttls")
