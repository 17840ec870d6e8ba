# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""keepalived.json as keepalived writes it, and the counters of keepalived.stats, for exporters.

Field names, units and the order of both come from keepalived 2.4; ``json_version`` picks the shape.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Mapping, Tuple

from ...conf.model import Notify, WatchedProcess
from ...election.settings import State
from ...track.messages import PROCESS
from ..live import Live
from . import keepalived_words as words
from .scene import Scene

SECOND_NS = 1_000_000_000
_MASKED = "********"
_SCRIPTS = (
    ("script_backup", "backup"),
    ("script_master", "active"),
    ("script_fault", "fault"),
    ("script_stop", "stop"),
    ("script_deleted", "deleted"),
    ("script", "every"),
    ("script_master_rx_lower_pri", "lower_priority"),
)
_DISCARDS = {
    "packet_len_err": ("length", "ip_header"),
    "advert_interval_err": ("interval_mismatch",),
    "ip_ttl_err": ("ttl",),
    "invalid_type_rcvd": ("type",),
    "addr_list_err": ("address_list",),
    "invalid_authtype": ("auth_type_unknown",),
    "authtype_mismatch": ("auth_type_mismatch",),
    "auth_failure": ("auth_failure",),
    "auth_ext_missing": ("auth_ext_missing",),
    "auth_ext_malformed": ("auth_ext_malformed",),
    "auth_ext_unknown_key": ("auth_ext_unknown_key",),
    "auth_ext_invalid_hmac": ("auth_ext_invalid_hmac",),
    "auth_ext_stale": ("auth_ext_stale",),
    "auth_ext_replay": ("auth_ext_replay",),
}
"""keepalived's counter to the reasons for which the agent discards a packet."""
_STATS: Tuple[Tuple[str, Tuple[Tuple[str, str], ...]], ...] = (
    ("Advertisements", (("Received", "advert_rcvd"), ("Sent", "advert_sent"))),
    ("Became master", (("", "become_master"),)),
    ("Released master", (("", "release_master"),)),
    (
        "Packet Errors",
        (
            ("Length", "packet_len_err"),
            ("TTL", "ip_ttl_err"),
            ("Invalid Type", "invalid_type_rcvd"),
            ("Advertisement Interval", "advert_interval_err"),
            ("Address List", "addr_list_err"),
        ),
    ),
    (
        "Authentication Errors",
        (
            ("Invalid Type", "invalid_authtype"),
            ("Type Mismatch", "authtype_mismatch"),
            ("Failure", "auth_failure"),
        ),
    ),
    (
        "Authentication Extension Errors",
        (
            ("Missing", "auth_ext_missing"),
            ("Malformed", "auth_ext_malformed"),
            ("Unknown Key", "auth_ext_unknown_key"),
            ("Invalid HMAC", "auth_ext_invalid_hmac"),
            ("Stale", "auth_ext_stale"),
            ("Replay", "auth_ext_replay"),
        ),
    ),
    ("Priority Zero", (("Received", "pri_zero_rcvd"), ("Sent", "pri_zero_sent"))),
)


def pieces(scene: Scene) -> Iterator[str]:
    """The file keepalived.json in pieces, one for each instance."""
    commands = commands_of(scene)
    config = scene.config
    whole = config.settings.operations.dumps.json_version == 2
    yield '{"vrrp":[' if whole else "["
    for index, live in enumerate(scene.lives):
        yield ("," if index else "") + _compact(router(live, commands))
    yield "]"
    if whole:
        if config.processes:
            found = [process(one, scene) for one in config.processes]
            yield f',"track_process":{_compact(found)}'
        yield "}"
    yield "\n"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def commands_of(scene: Scene) -> Dict[str, str]:
    """The command of each vrrp_script: keepalived names a tracked script by it."""
    return {script.name: words.command(script.command) for script in scene.config.scripts}


def router(live: Live, commands: Mapping[str, str]) -> Dict[str, Any]:
    """One element of the list."""
    return {"data": data(live, commands), "stats": stats(live)}


def data(live: Live, commands: Mapping[str, str]) -> Dict[str, Any]:
    """The configuration and the state of one instance."""
    instance, election = live.instance, live.router
    garp = instance.garp
    place = words.place_of(live)
    state = words.STATE_NUMBERS[election.state]
    told: Dict[str, Any] = {
        "iname": instance.name,
        "dont_track_primary": int(not instance.track_primary),
        "skip_check_adv_addr": int(instance.skip_check_adv_addr),
        "strict_mode": int(instance.strict),
        "vmac_ifname": instance.virtual_link.name if instance.virtual_link else "",
        "ifp_ifname": place.device,
        "master_priority": max(election.heard_priority, 0),
        "last_transition": round(live.since_wall_s, 6),
        "garp_delay": _seconds(garp.master_delay_ns),
        "garp_refresh": garp.master_refresh_ns // SECOND_NS,
        "garp_rep": garp.master_repeat,
        "garp_refresh_rep": garp.master_refresh_repeat,
        "garp_lower_prio_delay": garp.lower_prio_delay_ns // SECOND_NS,
        "garp_lower_prio_rep": garp.lower_prio_repeat,
        "lower_prio_no_advert": int(instance.lower_prio_no_advert),
        "higher_prio_send_advert": int(instance.higher_prio_send_advert),
        "vrid": instance.vrid,
        "base_priority": instance.priority,
        "effective_priority": election.effective_priority,
        "vipset": live.hands.holds_addresses,
        "promote_secondaries": instance.promote_secondaries,
        "adver_int": _seconds(instance.advert_int_ns),
        "master_adver_int": _seconds(election.active_interval_ns),
        "accept": int(instance.accept),
        "nopreempt": not instance.preempt,
        "preempt_delay": instance.preempt_delay_ns // SECOND_NS,
        "state": state,
        "wantstate": wanted(live),
        "version": instance.version,
        "smtp_alert": instance.notify.mail,
        "notify_deleted": instance.notify.report_deleted,
        **_scripts(instance.notify),
    }
    lists = (
        ("vips", [words.address(one, place) for one in instance.addresses]),
        ("evips", [words.address(one, place) for one in instance.excluded_addresses]),
        ("vroutes", [words.route(one) for one in instance.routes]),
        ("vrules", [words.rule(one) for one in instance.rules]),
        ("track_ifp", [one.name for one in instance.track_interfaces]),
        ("track_script", [commands.get(one.name, one.name) for one in instance.track_scripts]),
        ("track_process", [one.name for one in instance.track_processes]),
    )
    told.update((name, found) for name, found in lists if found)
    told["auth_type"] = words.auth_type(instance)
    if told["auth_type"]:
        told["auth_data"] = _MASKED
    return told


def wanted(live: Live) -> int:
    """keepalived's wantstate: what the instance would be if its group were ready."""
    election = live.router
    if election.state is State.BACKUP and election.wants_active:
        return words.STATE_NUMBERS[State.ACTIVE]
    return words.STATE_NUMBERS[election.state]


def stats(live: Live) -> Dict[str, int]:
    """The counters of one instance, by keepalived's names."""
    counters = live.counters
    found = {
        "advert_rcvd": counters.adverts_received,
        "advert_sent": counters.adverts_sent,
        "become_master": counters.became_active,
        "release_master": counters.released_active,
    }
    for name, reasons in _DISCARDS.items():
        found[name] = sum(counters.discards.get(reason, 0) for reason in reasons)
    found["advert_interval_err"] += counters.interval_mismatches
    found["addr_list_err"] += counters.addr_list_mismatches
    found["pri_zero_rcvd"] = counters.priority_zero_received
    found["pri_zero_sent"] = counters.priority_zero_sent
    return found


def stats_pieces(scene: Scene) -> Iterator[str]:
    """The file keepalived.stats in pieces, one for each instance."""
    for live in scene.lives:
        yield "".join(line + "\n" for line in stats_lines(live))


def stats_lines(live: Live) -> Iterator[str]:
    """The paragraph of one instance in keepalived.stats."""
    found = stats(live)
    yield f"VRRP Instance: {live.instance.name}"
    for heading, rows in _STATS:
        if not rows[0][0]:
            yield f"  {heading}: {found[rows[0][1]]}"
            continue
        yield f"  {heading}:"
        for label, name in rows:
            yield f"    {label}: {found[name]}"


def _seconds(duration_ns: int) -> float:
    whole, rest = divmod(duration_ns, SECOND_NS)
    return duration_ns / SECOND_NS if rest else whole


def _scripts(notify: Notify) -> Dict[str, str]:
    found = ((name, getattr(notify, field)) for name, field in _SCRIPTS)
    return {name: words.command(command) for name, command in found if command is not None}


def process(one: WatchedProcess, scene: Scene) -> Dict[str, Any]:
    """One vrrp_track_process. Its weight is the one of the first line that tracks it."""
    now = scene.readings.get((PROCESS, one.name))
    tracked = (line for live in scene.lives for line in live.instance.track_processes)
    weights = [-line.weight if line.reverse else line.weight for line in tracked if line.name == one.name]
    told: Dict[str, Any] = {"process": one.name}
    if one.parameters:
        told["parameters"] = " ".join(one.parameters)
    told["param_match"] = one.match or "none"
    told["min_processes"] = one.quorum
    if one.quorum_max is not None:
        told["max_processes"] = one.quorum_max
    told["current_processes"] = now.value if now is not None else 0
    told["have_quorum"] = now is not None and bool(now.good)
    told["weight"] = weights[0] if weights else 0
    told["terminate_delay"] = _seconds(one.end_delay_ns)
    told["fork_delay"] = _seconds(one.start_delay_ns)
    told["full_command"] = one.full_command
    return told
