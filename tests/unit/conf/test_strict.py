# SPDX-License-Identifier: GPL-3.0-or-later
"""strict_mode and vrrp_strict: what they change, and what is said about it (keepalived's list)."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from vrrp_agent.conf.model import Instance

from tests.unit.conf.texts import config_of, load_text

SECOND = 1_000_000_000


def text(body: str = "", priority: int = 100, globally: str = "vrrp_strict", addresses: bool = True) -> str:
    block = "virtual_ipaddress {\n 198.51.100.100/24\n}" if addresses else ""
    return f"""global_defs {{
      {globally}
    }}
    vrrp_instance VI_1 {{
      interface eth0
      virtual_router_id 51
      priority {priority}
      {body}
      {block}
    }}
    """


def strict(body: str = "", **words: Any) -> Instance:
    return config_of(text(body, **words)).instances[0]


def warnings(body: str, **words: Any) -> Dict[str, str]:
    """What is said, by severity and message."""
    return {one.message: one.severity for one in load_text(text(body, **words)).problems}


def test_plain_words_of_a_strict_router() -> None:
    found = strict()
    assert found.strict
    assert found.lower_prio_no_advert
    assert not found.higher_prio_send_advert
    assert (found.garp.lower_prio_repeat, found.garp.lower_prio_delay_ns) == (0, 0)
    assert (found.accept, found.down_timer_adverts) == (False, 3)
    assert not load_text(text()).problems


def test_an_owner_accepts_and_ignores_adverts() -> None:
    found = strict(priority=255)
    assert (found.accept, found.owner_ignore_adverts, found.start_active) == (True, True, True)


@pytest.mark.parametrize(
    ("globally", "own", "expected"),
    [
        ("vrrp_strict", "", True),
        ("vrrp_strict off", "", False),
        ("", "strict_mode", True),
        ("", "strict_mode on", True),
        ("vrrp_strict", "strict_mode off", False),
        ("", "", False),
    ],
)
def test_the_instance_decides_before_the_whole(globally: str, own: str, expected: bool) -> None:
    assert strict(own, globally=globally).strict is expected


@pytest.mark.parametrize(
    ("body", "message", "field", "value"),
    [
        ("state MASTER", "wants state MASTER with priority 255 only", "start_active", False),
        ("preempt_delay 5", "knows no preempt_delay", "preempt_delay_ns", 0),
        ("down_timer_adverts 5", "waits for 3 adverts", "down_timer_adverts", 3),
        ("higher_prio_send_advert on", "gives way without a word", "higher_prio_send_advert", False),
        ("lower_prio_no_advert off", "does not answer a lower priority", "lower_prio_no_advert", True),
        (
            "authentication {\n auth_type PASS\n auth_pass x\n}",
            "knows no authentication",
            "auth_password",
            b"",
        ),
        ("accept", "of version 2 does not accept", "accept", False),
    ],
)
def test_what_is_reset_is_said(body: str, message: str, field: str, value: object) -> None:
    assert getattr(strict(body), field) == value
    found = warnings(body)
    assert {severity for text, severity in found.items() if message in text} == {"warning"}, found


@pytest.mark.parametrize("word", ["garp_lower_prio_repeat 3", "garp_lower_prio_delay 3"])
def test_announcements_after_a_lower_priority_are_off(word: str) -> None:
    garp = strict(word).garp
    assert (garp.lower_prio_repeat, garp.lower_prio_delay_ns) == (0, 0)
    assert any("does not announce after a lower priority" in line for line in warnings(word))


def test_version_3_may_be_told_to_accept() -> None:
    assert strict("version 3\naccept").accept
    assert not strict("version 3").accept
    assert not warnings("version 3\naccept")


def test_an_owner_is_deaf_whatever_it_is_told() -> None:
    assert strict("owner_ignore_adverts off", priority=255).owner_ignore_adverts
    assert any("off is ignored" in line for line in warnings("owner_ignore_adverts off", priority=255))


def test_a_state_that_is_ignored_takes_nothing_away() -> None:
    """state MASTER would turn nopreempt off."""
    found = strict("state MASTER\nnopreempt\ntimer_expired_backup")
    assert (found.preempt, found.timer_expired_backup) == (False, 254)
    assert not [line for line in warnings("state MASTER\nnopreempt") if "nopreempt has no effect" in line]


def test_a_strict_router_needs_an_address() -> None:
    found = warnings("", addresses=False)
    assert found["VI_1: strict mode needs a virtual address"] == "error"


def test_unicast_is_pointed_out() -> None:
    found = warnings("unicast_src_ip 198.51.100.1\nunicast_peer {\n 198.51.100.2\n}")
    assert [severity for line, severity in found.items() if "refuses unicast" in line] == ["warning"]


def test_auth_hmac_is_enforced() -> None:
    body = (
        "version 3\nauth_hmac {\n key 1 secretsecretsecretsecretsecret12\n active_key 1\n mode permissive\n}"
    )
    found = strict(body)
    assert found.auth_hmac is not None
    assert found.auth_hmac.mode == "enforce"
    assert any("mode enforce" in line for line in warnings(body))


def test_a_virtual_mac_is_the_standard_one_and_sends_the_adverts() -> None:
    body = "use_vmac vrrp.51 02:00:00:00:00:01\nvmac_xmit_base"
    link = strict(body).virtual_link
    assert link is not None
    assert (link.mac, link.transmit_on_base) == (bytes.fromhex("00005e000133"), False)
    said = " ".join(warnings(body))
    assert "strict mode ignores the MAC of use_vmac" in said
    assert "strict mode ignores vmac_xmit_base" in said


# timer_expired_backup stands beside it: it needs a router that does not preempt.


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("nopreempt\ntimer_expired_backup", 254),
        ("nopreempt\ntimer_expired_backup 150", 150),
        ("nopreempt\nthread_timer_expired 150", 150),
        ("timer_expired_backup 150", 0),
        ("", 0),
    ],
)
def test_timer_expired_backup_is_for_routers_that_do_not_preempt(body: str, expected: int) -> None:
    assert strict(body, globally="").timer_expired_backup == expected
    said = [line for line in warnings(body, globally="") if "on a router that preempts" in line]
    assert bool(said) == (expected == 0 and bool(body))
