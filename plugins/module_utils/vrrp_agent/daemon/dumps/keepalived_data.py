# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""keepalived.data as keepalived writes it on SIGUSR1: state and settings, for people and for exporters.

The lines are keepalived 2.4's where the agent has such a thing; what only keepalived has (its descriptors,
its counters of threads) is left out.
"""

from __future__ import annotations

import time
from typing import Iterator, Sequence, Tuple, Union

from ...conf.model import Address, Config, Instance, Notify, Script, SyncGroup, Tracked, WatchedProcess
from ...election.settings import State
from ...track.messages import FILE, PROCESS, SCRIPT
from ...wire.address import text
from ..live import Live
from . import keepalived_words as words
from .keepalived_json import wanted
from .scene import Scene

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
_PIECE_CHARACTERS = 2000
_NAME_OF_NUMBER = {number: words.STATE_NAMES[state] for state, number in words.STATE_NUMBERS.items()}
_NOTIFY = (
    ("Backup", "backup"),
    ("Master", "active"),
    ("Fault", "fault"),
    ("Stop", "stop"),
    ("Deleted", "deleted"),
    ("Generic", "every"),
    ("Master rx lower pri", "lower_priority"),
)
_AUTH_NAMES = {words.AUTH_PASS: "SIMPLE_PASSWORD", words.AUTH_AH: "IPSEC_AH"}


def pieces(scene: Scene) -> Iterator[str]:
    """The file keepalived.data in pieces of some lines."""
    piece = ""
    for line in lines(scene):
        piece += line + "\n"
        if len(piece) > _PIECE_CHARACTERS:
            yield piece
            piece = ""
    yield piece


def lines(scene: Scene) -> Iterator[str]:
    """The file, line by line."""
    config = scene.config
    yield "------< Global definitions >------"
    yield from _globals(config)
    if config.static_addresses:
        yield "------< Static Addresses >------"
        yield from _address_lines(config.static_addresses, words.Place())
    if config.static_routes:
        yield "------< Static Routes >------"
        yield from (f"     {words.route(one)}" for one in config.static_routes)
    if config.static_rules:
        yield "------< Static Rules >------"
        yield from (f"     {words.rule(one)}" for one in config.static_rules)
    if scene.lives:
        yield "------< VRRP Topology >------"
    member_of = {name: group.name for group in config.groups for name in group.members}
    for live in scene.lives:
        yield from instance_lines(live, scene, member_of.get(live.instance.name, ""))
    if config.groups:
        yield "------< VRRP Sync groups >------"
    for group in config.groups:
        yield from _group(group, scene)
    if config.scripts:
        yield "------< VRRP Scripts >------"
    for script in config.scripts:
        yield from _script(script, scene)
    if config.files:
        yield "------< VRRP Track files >------"
    for file in config.files:
        found = scene.readings.get((FILE, file.name))
        yield f" Track file = {file.name}"
        yield f"   File = {file.path}"
        yield f"   Status = {found.value if found is not None else 0}"
        yield from _users("   Tracking instances :", file.name, "track_files", scene)
    if config.processes:
        yield "------< VRRP Track processes >------"
    for process in config.processes:
        yield from _process(process, scene)


def instance_lines(live: Live, scene: Scene, group: str) -> Iterator[str]:
    """The paragraph of one instance."""
    instance, router = live.instance, live.router
    yield f" VRRP Instance = {instance.name}"
    yield f"   VRRP Version = {instance.version}"
    if group:
        yield f"   Sync group = {group}"
    if instance.family == 6:
        yield "   Using Native IPv6"
    yield f"   State = {words.STATE_NAMES[router.state]}"
    if router.state is State.BACKUP:
        yield f"   Master router = {text(router.active_source or bytes(len(instance.multicast_group) or 4))}"
        yield f"   Master priority = {max(router.heard_priority, 0)}"
        if instance.version == 3:
            milliseconds = router.active_interval_ns // MILLISECOND_NS
            yield f"   Master advert interval = {milliseconds} milli-sec"
    if instance.unicast:
        yield "   Flags:"
        yield "     Using unicast"
    else:
        yield "   Flags: none"
    yield f"   Wantstate = {_NAME_OF_NUMBER[wanted(live)]}"
    yield f"   Number of tracker faults = {len(router.faults)}"
    if router.faults:
        yield "   Flags of interface faults:"
        yield from (f"     {fault}" for fault in router.faults)
    else:
        yield "   Flags of interface faults - (none)"
    yield f"   Last transition = {_moment(live.since_wall_s)}"
    yield f"   Read timeout = {_deadline(router.deadline, scene)}"
    yield f"   Master down timer = {router.down_ns // 1000} usecs"
    yield from _link(instance)
    yield from _flags(live)
    yield from _announcements(instance)
    yield from _numbers(live)
    yield from _authentication(instance)
    yield from _places(live)
    yield from _tracking(instance)
    yield f"   Using smtp notification = {'yes' if instance.notify.mail else 'no'}"
    yield f"   Notify deleted = {'Deleted' if instance.notify.report_deleted else 'Fault'}"
    yield from _notify(instance.notify)
    yield f"   Notify priority changes = {_truth(instance.notify.priority_changes)}"


def _globals(config: Config) -> Iterator[str]:
    settings = config.settings
    operations = settings.operations
    yield f" Network namespace = {operations.net_namespace or '(default)'}"
    if operations.instance:
        yield f" Instance name = {operations.instance}"
    if operations.process_name:
        yield f" VRRP process name = {operations.process_name}"
    if settings.router_id:
        yield f" Router ID = {settings.router_id}"
    yield " Test config before reload, log to stderr"
    for name, once in (("Startup", operations.startup), ("Shutdown", operations.shutdown)):
        if once is not None:
            seconds = once.timeout_ns // SECOND_NS
            yield f" {name} script = {words.command(once.command)}, timeout {seconds}"
    yield f" Dynamic interfaces = {_truth(settings.dynamic_interfaces)}"
    yield f" VRRP process priority = {settings.process_priority or 0}"
    yield f" VRRP don't swap = {_truth(settings.no_swap)}"
    yield f" VRRP realtime priority = {settings.realtime_priority or 0}"
    yield f" Script security {'enabled' if settings.scripts.security else 'disabled'}"
    if operations.umask is not None:
        yield f" umask = 0{operations.umask:o}"
    yield f" json_version {operations.dumps.json_version}"


def _link(instance: Instance) -> Iterator[str]:
    link = instance.virtual_link
    if link is None:
        yield f"   Interface = {instance.interface}"
    else:
        kind = "vmac" if link.kind == "macvlan" else "ipvlan"
        base = ", xmit base i/f" if link.transmit_on_base else ""
        yield f"   Interface = {link.name}, {kind} on {instance.interface}{base}"
    if instance.vrf:
        yield f"   VRF = {instance.vrf}"


def _flags(live: Live) -> Iterator[str]:
    instance = live.instance
    if not instance.track_primary:
        yield "   VRRP interface tracking disabled"
    if instance.skip_check_adv_addr:
        yield "   Skip checking advert IP addresses"
    if instance.strict:
        yield "   Enforcing strict VRRP compliance"
    source = live.router.source
    given = instance.unicast_source if instance.unicast else instance.multicast_source
    yield f"   Using src_ip = {text(source) if source else '(none)'}" + (
        " (from configuration)" if given is not None else ""
    )
    if not instance.unicast:
        yield f"   Multicast address {text(instance.multicast_group)}"


def _announcements(instance: Instance) -> Iterator[str]:
    garp = instance.garp
    yield f"   Gratuitous ARP delay = {garp.master_delay_ns // SECOND_NS}"
    yield f"   Gratuitous ARP repeat = {garp.master_repeat}"
    yield f"   Gratuitous ARP refresh = {garp.master_refresh_ns // SECOND_NS}"
    yield f"   Gratuitous ARP refresh repeat = {garp.master_refresh_repeat}"
    yield f"   Gratuitous ARP lower priority delay = {garp.lower_prio_delay_ns // SECOND_NS}"
    yield f"   Gratuitous ARP lower priority repeat = {garp.lower_prio_repeat}"
    yield f"   Down timer adverts = {instance.down_timer_adverts}"


def _numbers(live: Live) -> Iterator[str]:
    instance = live.instance
    yield f"   Send advert after receive lower priority advert = {_truth(not instance.lower_prio_no_advert)}"
    yield f"   Send advert after receive higher priority advert = {_truth(instance.higher_prio_send_advert)}"
    yield f"   Virtual Router ID = {instance.vrid}"
    yield f"   Priority = {instance.priority}"
    yield f"   Effective priority = {live.router.effective_priority}"
    yield f"   Total priority = {instance.priority + sum(part.change for part in live.verdict.parts)}"
    if instance.version == 2:
        yield f"   Advert interval = {instance.advert_int_ns // SECOND_NS} sec"
    else:
        yield f"   Advert interval = {instance.advert_int_ns // MILLISECOND_NS} milli-sec"
    yield f"   Accept = {_ability(instance.accept)}"
    yield f"   Preempt = {_ability(instance.preempt)}"
    if instance.preempt_delay_ns:
        yield f"   Preempt delay = {instance.preempt_delay_ns / SECOND_NS:g} secs"
    yield f"   Promote_secondaries = {_ability(instance.promote_secondaries)}"


def _authentication(instance: Instance) -> Iterator[str]:
    kind = words.auth_type(instance)
    if kind:
        yield f"   Authentication type = {_AUTH_NAMES[kind]}"
    if kind == words.AUTH_PASS:
        yield "   Password = ********"
    elif not kind and instance.version == 2:
        yield "   Authentication type = none"
    hmac = instance.auth_hmac
    if hmac is not None:
        yield "   Authentication extension = HMAC-SHA256-128"
        yield f"     Keys = {len(hmac.keys)}, active key id = {hmac.active_key}"
        yield f"     Mode = {hmac.mode}"
        window_ns = hmac.time_window_ns or max(3 * instance.advert_int_ns, 5 * SECOND_NS)
        kind_of_window = f"time, window = {window_ns // SECOND_NS} sec"
        yield f"     Anti replay = {kind_of_window if hmac.anti_replay == 'time' else 'monotonic'}"
    if instance.version == 3 and instance.family == 4:
        yield f"   VRRPv3 uses VRRPv2 checksum = {_ability(instance.checksum_as_v2)}"


def _places(live: Live) -> Iterator[str]:
    instance = live.instance
    place = words.place_of(live)
    if instance.addresses:
        yield f"   Virtual IP ({len(instance.addresses)}):"
        yield from _address_lines(instance.addresses, place)
    if instance.excluded_addresses:
        yield "   Virtual IP Excluded :"
        yield from _address_lines(instance.excluded_addresses, place)
    if instance.unicast:
        yield f"   Unicast TTL = {instance.unicast_ttl}"
        yield f"   Check unicast src : {'yes' if instance.check_unicast_src else 'no'}"
        yield "   Unicast Peer :"
        for peer in instance.unicast_peers:
            low = peer.min_ttl or 0
            high = 255 if peer.max_ttl is None else peer.max_ttl
            yield f"     {text(peer.packed)} min_ttl {low} max_ttl {high}"
    if instance.routes:
        yield "   Virtual Routes :"
        yield from (f"     {words.route(one)}" for one in instance.routes)
    if instance.rules:
        yield "   Virtual Rules :"
        yield from (f"     {words.rule(one)}" for one in instance.rules)


def _address_lines(addresses: Sequence[Address], place: words.Place) -> Iterator[str]:
    for one in addresses:
        yield f"     {words.address(one, place)}"


def _tracking(instance: Union[Instance, SyncGroup]) -> Iterator[str]:
    kinds = (
        ("   Tracked interfaces :", instance.track_interfaces, " weight"),
        ("   Tracked scripts :", instance.track_scripts, " weight"),
        ("   Tracked files :", instance.track_files, ", weight"),
        ("   Tracked processes :", instance.track_processes, ", weight"),
    )
    for heading, tracked, joint in kinds:
        if tracked:
            yield heading
        for one in tracked:
            yield f"     {one.name}{joint} {one.weight}{' reverse' if one.reverse else ''}"


def _notify(notify: Notify) -> Iterator[str]:
    for label, field in _NOTIFY:
        command = getattr(notify, field)
        if command is not None:
            yield f"   {label} state transition script = {words.command(command)}"


def _group(group: SyncGroup, scene: Scene) -> Iterator[str]:
    state = scene.groups.get(group.name, State.INITIALIZE)
    yield f" VRRP Sync Group = {group.name}, {words.STATE_NAMES[state]}"
    yield "   VRRP member instances :"
    yield from (f"     {name}" for name in group.members)
    if group.tracking_weight:
        yield "   sync group tracking weight set"
    yield f"   Using smtp notification = {'yes' if group.notify.mail else 'no'}"
    yield from _tracking(group)
    yield from _notify(group.notify)


def _script(script: Script, scene: Scene) -> Iterator[str]:
    found = scene.readings.get((SCRIPT, script.name))
    yield f" VRRP Script = {script.name}"
    yield f"   Command = {words.command(script.command)}"
    yield f"   Interval = {_duration(script.interval_ns)} sec"
    yield f"   Timeout = {_duration(script.timeout_ns or script.interval_ns)} sec"
    yield f"   Rise = {script.rise}"
    yield f"   Fall = {script.fall}"
    if found is not None:
        yield f"   Result = {found.value}"
    yield f"   Status = {'GOOD' if found is not None and found.good else 'BAD'}"
    yield from _users("   VRRP instances :", script.name, "track_scripts", scene)
    yield "   State = idle"


def _process(process: WatchedProcess, scene: Scene) -> Iterator[str]:
    found = scene.readings.get((PROCESS, process.name))
    yield f" VRRP Track process = {process.name}"
    yield f"   Process = {process.process}"
    if process.parameters:
        yield f"   Parameters = {' '.join(process.parameters)}"
    if process.match:
        yield f"   Param match = {process.match}"
    yield f"   Min processes = {process.quorum}"
    if process.quorum_max is not None:
        yield f"   Max processes = {process.quorum_max}"
    yield f"   Current processes = {found.value if found is not None else 0}"
    yield f"   Have quorum = {_truth(found is not None and bool(found.good))}"
    yield f"   Terminate delay = {process.end_delay_ns / SECOND_NS:f}s"
    yield f"   Fork delay = {process.start_delay_ns / SECOND_NS:f}s"
    yield f"   Full command = {_truth(process.full_command)}"
    yield from _users("   Tracking instances :", process.name, "track_processes", scene)


def _users(heading: str, name: str, field: str, scene: Scene) -> Iterator[str]:
    """Who tracks it."""
    yield heading
    for live in scene.lives:
        tracked: Tuple[Tracked, ...] = getattr(live.instance, field)
        for one in tracked:
            if one.name == name:
                reverse = " reverse" if one.reverse else ""
                yield f"     {live.instance.name}, weight {one.weight}{reverse}"


def _moment(wall_s: float) -> str:
    micros = int(wall_s % 1 * 1_000_000)
    local = time.localtime(wall_s)
    stamp = time.strftime("%a %b %e %H:%M:%S", local)
    return f"{int(wall_s)}.{micros:06d} ({stamp}.{micros:06d} {local.tm_year})"


def _deadline(deadline_ns: object, scene: Scene) -> str:
    if not isinstance(deadline_ns, int):
        return "DISABLED"
    return _moment(scene.wall_s + (deadline_ns - scene.now_ns) / SECOND_NS)


def _duration(duration_ns: int) -> str:
    whole, rest = divmod(duration_ns, SECOND_NS)
    return f"{whole}.{rest // MILLISECOND_NS:03d}" if rest else str(whole)


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _ability(value: bool) -> str:
    return "enabled" if value else "disabled"
