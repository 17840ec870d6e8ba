# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication, auth_hmac, checksums and buffers: what the words mean, and what is wrong with them."""

from __future__ import annotations

from typing import Any, List, Tuple

import pytest
from vrrp_agent.conf.model import SECOND_NS, AuthHmac, Config, HmacKey, Instance
from vrrp_agent.conf.problem import ERROR, WARNING

from tests.unit.conf.texts import load_text

KEY = "hex:" + "0a" * 32
SECRET = "correct-horse-battery-staple-0123456789"


def load(lines: str = "", glob: str = "") -> Any:
    return load_text(
        f"global_defs {{\n{glob}\n}}\nvrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n"
        f"{lines}\n virtual_ipaddress {{\n 198.51.100.100/24\n }}\n}}\n"
    )


def config(lines: str = "", glob: str = "") -> Config:
    loaded = load(lines, glob)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    found: Config = loaded.config
    return found


def instance(lines: str = "", glob: str = "") -> Instance:
    return config(lines, glob).instances[0]


def findings(lines: str = "", glob: str = "") -> List[Tuple[str, str]]:
    return [(problem.severity, problem.message) for problem in load(lines, glob).problems]


def hmac(*lines: str) -> str:
    return "auth_hmac {\n" + "\n".join(lines) + "\n}"


def old(*lines: str) -> str:
    return "authentication {\n" + "\n".join(lines) + "\n}"


# -- what the words mean


@pytest.mark.parametrize(("kind", "auth_type"), [("PASS", 1), ("AH", 2)])
def test_the_old_authentication(kind: str, auth_type: int) -> None:
    found = instance(old(f"auth_type {kind}", "auth_pass s3cret"))
    assert (found.auth_type, found.auth_password, found.auth_header) == (
        auth_type, b"s3cret\0\0", kind == "AH",
    )  # fmt: skip


def test_a_password_in_a_file() -> None:
    found = instance(old("auth_type AH", "agent_auth_pass_file /etc/keepalived/password"))
    assert (found.auth_password_file, found.auth_password, found.auth_type) == (
        "/etc/keepalived/password", b"", 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    "lines", ["version 3\n", "strict_mode\n", hmac(f"key 1 {KEY}", "active_key 1") + "\n"]
)
def test_what_leaves_the_old_authentication_out(lines: str) -> None:
    found = instance(lines + old("auth_type AH", "auth_pass s3cret"))
    assert (found.auth_type, found.auth_header) == (0, False)


@pytest.mark.parametrize(("lines", "start_active"), [
    ("state MASTER\npriority 150\n", False),
    ("state MASTER\npriority 255\n", True),
    ("state MASTER\n", True),
])  # fmt: skip
def test_with_a_header_only_the_owner_starts_active(lines: str, start_active: bool) -> None:
    """It must hear the sequence number of the others first, as in keepalived."""
    assert instance(lines + old("auth_type AH", "auth_pass s3cret")).start_active is start_active


def test_a_whole_auth_hmac() -> None:
    found = instance(
        hmac(
            f"key 1 {KEY}", f"key 2 {SECRET}", "key 3 file:/etc/keepalived/k3", "key 4 credential:k4",
            "active_key 2", "time_window 20", "anti_replay monotonic", "mode permissive",
        )
    )  # fmt: skip
    assert found.auth_hmac == AuthHmac(
        (
            HmacKey(1, b"\x0a" * 32),
            HmacKey(2, SECRET.encode()),
            HmacKey(3, file="file:/etc/keepalived/k3"),
            HmacKey(4, file="credential:k4"),
        ),
        2,
        20 * SECOND_NS,
        "monotonic",
        "permissive",
    )


def test_the_defaults_of_auth_hmac() -> None:
    found = instance(hmac(f"key 1 {KEY}", "active_key 1")).auth_hmac
    assert found is not None
    assert (found.mode, found.anti_replay, found.time_window_ns) == ("enforce", "time", None)


def test_strict_mode_enforces() -> None:
    found = instance(hmac(f"key 1 {KEY}", "active_key 1", "mode permissive"), "vrrp_strict").auth_hmac
    assert found is not None and found.mode == "enforce"


def test_nothing_of_a_key_is_in_repr() -> None:
    shown = repr(config(hmac(f"key 1 {SECRET}", "active_key 1")))
    assert SECRET not in shown and "horse" not in shown


@pytest.mark.parametrize(("word", "expected"), [
    ("", ""), ("old_unicast_checksum", "always"), ("old_unicast_checksum never", "never"),
])  # fmt: skip
def test_the_checksum_of_old_unicast(word: str, expected: str) -> None:
    assert instance(word).old_unicast_checksum == expected


def test_an_empty_list_of_peers() -> None:
    assert instance("unicast_fault_no_peer").unicast_fault_no_peer
    with_peer = "unicast_fault_no_peer\nunicast_peer {\n198.51.100.2\n}"
    assert not instance(with_peer).unicast_fault_no_peer


@pytest.mark.parametrize(("glob", "own", "expected"), [
    ("", "", (0, 0)),
    ("", "kernel_rx_buf_size 100000", (100000, 0)),
    ("vrrp_rx_bufs_policy 200000", "", (200000, 0)),
    ("vrrp_rx_bufs_policy 200000", "kernel_rx_buf_size 100000", (100000, 0)),
    ("vrrp_rx_bufs_policy MTU", "", (0, 3)),
    ("vrrp_rx_bufs_policy mtu\nvrrp_rx_bufs_multiplier 7", "", (0, 7)),
    ("vrrp_rx_bufs_policy ADVERT", "version 3", (3 * 32, 0)),
    ("vrrp_rx_bufs_policy ADVERT", "version 2", (3 * 40, 0)),
    ("vrrp_rx_bufs_policy ADVERT\nvrrp_rx_bufs_multiplier 10",
     "version 3\n" + hmac(f"key 1 {KEY}", "active_key 1"), (600, 0)),
])  # fmt: skip
def test_the_receive_buffer(glob: str, own: str, expected: Tuple[int, int]) -> None:
    found = instance(own, glob)
    assert (found.receive_buffer_bytes, found.receive_buffer_mtus) == expected


def test_the_buffers_of_netlink() -> None:
    found = config(
        "", "vrrp_netlink_cmd_rcv_bufs 100000\nvrrp_netlink_monitor_rcv_bufs 200000\n"
        "vrrp_netlink_monitor_rcv_bufs_force"
    ).settings  # fmt: skip
    assert (found.netlink_command_buffer_bytes, found.netlink_command_buffer_force) == (100000, False)
    assert (found.netlink_monitor_buffer_bytes, found.netlink_monitor_buffer_force) == (200000, True)


# -- what is wrong with them


@pytest.mark.parametrize(("lines", "severity", "said"), [
    (old("auth_pass s3cret"), ERROR, "auth_type is missing"),
    (old("auth_type AH"), ERROR, "auth_pass is missing"),
    (old("auth_type AH", 'auth_pass ""'), ERROR, "auth_pass is empty"),
    (old("auth_type PASS", "auth_pass s3cret", "agent_auth_pass_file /p"), WARNING, "this file is not read"),
    (old("auth_type PASS", "agent_auth_pass_file credential:../x"), ERROR, "the name of a credential"),
    ("version 3\n" + old("auth_type AH", "auth_pass s3cret"), WARNING, "version 3 has no authentication"),
    ("strict_mode\n" + old("auth_type AH", "auth_pass s3cret"), WARNING, "strict mode knows no"),
    ("state MASTER\npriority 150\n" + old("auth_type AH", "auth_pass s3cret"), WARNING, "starts as backup"),
    (hmac(f"key 1 {KEY}", "active_key 1") + "\n" + old("auth_type AH", "auth_pass x"), WARNING, "its place"),
    (hmac("active_key 1"), ERROR, "there is no key 1"),
    (hmac(f"key 1 {KEY}"), ERROR, "active_key is missing"),
    (hmac(f"key 1 {KEY}", "active_key 2"), ERROR, "there is no key 2"),
    (hmac(f"key 1 {KEY}", f"key 01 {KEY}", "active_key 1"), ERROR, "key 1 is given twice"),
    (hmac("key 1 short", "active_key 1"), ERROR, "key 1 has 5 bytes; 32 to 64"),
    (hmac("key 1 " + "t" * 65, "active_key 1"), ERROR, "key 1 has 65 bytes"),
    (hmac("key 1 hex:" + "0a" * 31, "active_key 1"), ERROR, "key 1 has 31 bytes"),
    (hmac("key 1 hex:" + "xy" * 32, "active_key 1"), ERROR, "key 1 is no key"),
    (hmac("key 1 credential:a/b", "active_key 1"), ERROR, "the name of a credential"),
    (hmac("key 1 file:", "active_key 1"), ERROR, "file: wants a path"),
    (hmac("key 256 " + KEY, "active_key 1"), ERROR, "key does not fit"),
    ("strict_mode\n" + hmac(f"key 1 {KEY}", "active_key 1", "mode permissive"), WARNING, "mode enforce"),
    (hmac(f"key 1 {KEY}", "active_key 1", "anti_replay monotonic", "time_window 9"), WARNING, "no effect"),
    ("old_unicast_checksum", WARNING, "it has no effect"),
])  # fmt: skip
def test_what_would_protect_nothing_is_said(lines: str, severity: str, said: str) -> None:
    found = findings(lines)
    assert [one for one in found if one[0] == severity and said in one[1]], found


@pytest.mark.parametrize("key", [SECRET, SECRET * 4, "hex:" + "xy" * 32, SECRET[:20]])
def test_no_finding_shows_a_key(key: str) -> None:
    for lines in (hmac(f"key 1 {key}", f"key 1 {key}"), hmac(f"key x {key}"), hmac(f"key {key}")):
        for problem in load(lines).problems:
            assert key not in f"{problem} {problem.hint}"


def test_a_key_in_a_file_is_not_looked_for() -> None:
    """The check runs anywhere."""
    assert findings(hmac("key 1 file:/no/such/file", "active_key 1")) == []
