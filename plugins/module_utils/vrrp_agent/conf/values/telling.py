# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From words to values: who is told of changes by scripts, pipes and mail."""

from __future__ import annotations

from typing import Dict, Optional

from ..match.judge import TRUE_WORDS
from ..parts.telling import SECOND_NS, Fifo, Mail, Notify, Telling
from ..parts.tracking import Command
from ..tree import Node
from .commands import command
from .defaults import Defaults

SCRIPT_WORDS = (
    "notify_master",
    "notify_backup",
    "notify_fault",
    "notify_stop",
    "notify_deleted",
    "notify_master_rx_lower_pri",
    "notify",
)
FIFO_SCRIPT_WORDS = ("notify_fifo_script", "vrrp_notify_fifo_script", "lvs_notify_fifo_script")
SMTP_PORT = 25


class Notifies:
    """The notify words of each instance and group, with what they take from elsewhere."""

    def __init__(self, tree: Node, final: Defaults) -> None:
        self._final = final
        self._groups: Dict[str, Node] = {}
        """The group of each instance."""
        for group in tree.all("vrrp_sync_group"):
            for line in group.lines("group"):
                for name in line.args:
                    self._groups.setdefault(str(name), group)

    def of_instance(self, node: Node) -> Notify:
        """notify_priority_changes: the instance's own word, or its group's, or the global one."""
        changes = _flag(node, "notify_priority_changes")
        group = self._groups.get(node.label)
        if changes is None and group is not None:
            changes = _flag(group, "notify_priority_changes")
        if changes is None:
            changes = self._final.flag("vrrp_notify_priority_changes")
        return self._notify(node, changes)

    def of_group(self, node: Node) -> Notify:
        """A group has no priority of its own."""
        return self._notify(node, False)

    def _notify(self, node: Node, priority_changes: bool) -> Notify:
        return Notify(
            active=_script(node, "notify_master"),
            backup=_script(node, "notify_backup"),
            fault=_script(node, "notify_fault"),
            stop=_script(node, "notify_stop"),
            deleted=_script(node, "notify_deleted"),
            lower_priority=_script(node, "notify_master_rx_lower_pri"),
            every=_script(node, "notify"),
            report_deleted=first(node, "notify_deleted") is not None,
            priority_changes=priority_changes,
            mail=sends_mail(node, self._final),
        )


def sends_mail(node: Node, final: Defaults) -> bool:
    """smtp_alert of the block, or else smtp_alert_vrrp, or else the global smtp_alert."""
    own = _flag(node, "smtp_alert")
    if own is not None:
        return own
    name = "smtp_alert_vrrp" if "smtp_alert_vrrp" in final.words else "smtp_alert"
    return final.flag(name)


def telling(tree: Node, final: Defaults) -> Telling:
    """What global_defs says about pipes and mail."""
    both, vrrp_fifo = fifo(tree, "notify_fifo"), fifo(tree, "vrrp_notify_fifo")
    if both is not None and vrrp_fifo is not None and both.path == vrrp_fifo.path:
        vrrp_fifo = None  # as keepalived: every line would be there twice
    limit = final.number("agent_notify_timeout")
    return Telling(
        fifo=both,
        vrrp_fifo=vrrp_fifo,
        repeat_on_reload="fifo_write_vrrp_states_on_reload" in final.words,
        script_limit_ns=Telling().script_limit_ns if limit is None else limit * SECOND_NS,
        mail=_mail(tree, final),
    )


def _mail(tree: Node, final: Defaults) -> Mail:
    server = final.words.get("smtp_server", ("",))
    timeout = final.number("smtp_connect_timeout")
    return Mail(
        recipients=tuple(
            str(word)
            for block in tree.all("global_defs")
            for line in block.lines("notification_email")
            for word in line.args
        ),
        sender=final.text("notification_email_from"),
        server=server[0],
        port=int(server[1]) if len(server) > 1 else SMTP_PORT,
        helo=final.text("smtp_helo_name"),
        timeout_ns=Mail().timeout_ns if timeout is None else timeout * SECOND_NS,
        faults="no_email_faults" not in final.words,
        starttls=final.flag("agent_smtp_starttls"),
        ca_file=final.text("agent_smtp_ca_file"),
        user=final.text("agent_smtp_user"),
        password=final.text("agent_smtp_password"),
        password_file=final.text("agent_smtp_password_file"),
    )


def fifo(tree: Node, name: str) -> Optional[Fifo]:
    """The pipe that a word of global_defs names, with its script; the first one counts."""
    node = first_global(tree, name)
    if node is None:
        return None
    words = [str(word) for word in node.args]
    user, group = (*words[1:3], "", "")[:2]
    script = first_global(tree, f"{name}_script")
    return Fifo(words[0], user, group, command(script.args) if script is not None else None)


def first_global(tree: Node, name: str) -> Optional[Node]:
    """The first ``name`` in global_defs."""
    for block in tree.all("global_defs"):
        found = first(block, name)
        if found is not None:
            return found
    return None


def first(node: Node, name: str) -> Optional[Node]:
    """The child that counts where keepalived keeps the first one."""
    return next(node.all(name), None)


def _script(node: Node, name: str) -> Optional[Command]:
    found = first(node, name)
    return command(found.args) if found is not None and found.args else None


def _flag(node: Node, name: str) -> Optional[bool]:
    found = node.last(name)
    if found is None:
        return None
    return not found.args or found.args[0] in TRUE_WORDS
