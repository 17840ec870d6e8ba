# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role's variables of every host of a group, as the play sees them.

Private to the collection; controller only.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ansible.errors import AnsibleActionFail

from .member import Finding, Member

DEFAULTS: Dict[str, Any] = {
    "vrrp_config": {},
    "vrrp_config_host": {},
    "vrrp_config_raw": "",
    "vrrp_engine": "agent",
    "vrrp_state": "present",
    "vrrp_group": "vrrp",
    "vrrp_unicast": False,
    "vrrp_address": [],
    "vrrp_backup": False,
    "vrrp_health_timeout_s": 30.0,
    "vrrp_agent_artifact": "",
}
"""The same as in the role's defaults/main.yml (a test compares them), for plugins without the role."""

Variables = Dict[str, Any]


class Inventory:
    """Looks up the variables of any host in the context of one task."""

    def __init__(self, action: Any, task_vars: Mapping[str, Any]) -> None:
        self._task = action._task
        self._templar = action._templar
        self._task_vars = task_vars
        self._manager = task_vars["hostvars"]._variable_manager
        self._cache: Dict[str, Variables] = {}

    def variables(self, host: str) -> Variables:
        """The role's variables of a host, templated; those of the play and the role too, unlike hostvars.

        Raises AnsibleActionFail for a host that the inventory does not have, and what templating raises.
        """
        if host not in self._cache:
            known = self._manager._inventory.get_host(host)
            if known is None:
                raise AnsibleActionFail(f"the inventory has no host {host}")
            everything = self._manager.get_vars(play=self._task.get_play(), host=known, task=self._task)
            templar = self._templar.copy_with_new_env(available_variables=everything)
            wanted = [*DEFAULTS, "ansible_host", "inventory_hostname_short"]
            found = {name: plain(templar.template(everything[name])) for name in wanted if name in everything}
            self._cache[host] = {
                **DEFAULTS,
                **{name: value for name, value in found.items() if value is not None},
            }
        return self._cache[host]

    def hosts_of(self, host: str) -> List[str]:
        """The group that a host belongs to, in the order that gives the priorities.

        Raises AnsibleActionFail when the group cannot be known.
        """
        groups: Mapping[str, Sequence[str]] = self._task_vars["groups"]
        name = str(self.variables(host)["vrrp_group"])
        if host not in groups.get(name, ()):
            raise AnsibleActionFail(
                f"{host} is not in the inventory group {name}: set vrrp_group to the group "
                "that it shares its addresses with. (The hosts of a play do not tell: --limit and serial "
                "change them, and the priorities follow from the order in the group)"
            )
        return list(groups[name])

    def group(self, host: str) -> Tuple[List[Member], List[Finding]]:
        """The members of a host's group, and the variables that have a wrong type."""
        names = self.hosts_of(host)
        findings: List[Finding] = []
        members = [
            member(name, position, self.variables(name), findings) for position, name in enumerate(names)
        ]
        return members, findings


def member(name: str, position: int, variables: Variables, findings: List[Finding]) -> Member:
    """One host from its variables; what is wrong with them goes to ``findings``."""

    def refuse(key: str, message: str, hint: str) -> None:
        findings.append(Finding(name, key, message, hint))

    for key in ("vrrp_config", "vrrp_config_host"):
        if not isinstance(variables[key], dict):
            refuse(
                key,
                f"is {_kind(variables[key])}, and should be a mapping of keepalived's words",
                "text in keepalived's own language goes to vrrp_config_raw",
            )
            variables = {**variables, key: {}}
    for key, choices in (("vrrp_engine", ("agent", "keepalived")), ("vrrp_state", ("present", "absent"))):
        if variables[key] not in choices:
            refuse(key, f"is {variables[key]!r}", "write {} or {}".format(*choices))
    return Member(
        name=name,
        position=position,
        router_id=str(variables.get("inventory_hostname_short") or name.split(".")[0]),
        config=variables["vrrp_config"],
        own_config=variables["vrrp_config_host"],
        raw=str(variables["vrrp_config_raw"]),
        engine=str(variables["vrrp_engine"]),
        present=variables["vrrp_state"] != "absent",
        unicast=variables["vrrp_unicast"] in (True, "true", "True", "yes"),
        addresses=_addresses(name, variables, refuse),
    )


def _addresses(name: str, variables: Variables, refuse: Any) -> Tuple[str, ...]:
    given = variables["vrrp_address"]
    if not given:
        return tuple(text for text in (str(variables.get("ansible_host", "")), name) if _is_address(text))[:1]
    texts = [str(text) for text in (given if isinstance(given, list) else [given])]
    for text in texts:
        if not _is_address(text):
            refuse("vrrp_address", f"{text} is no address", "write an IPv4 or IPv6 address without a prefix")
    return tuple(text for text in texts if _is_address(text))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _kind(value: Any) -> str:
    return {str: "text", list: "a list", int: "a number", bool: "true or false"}.get(
        type(value), "something else"
    )


def plain(value: Any) -> Any:
    """The value in Python's own types: what templating, tags and vaults wrap around it taken off."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    # A str() of a str subclass may be itself; joining makes a plain one.
    return "".join(("", str(value)))
