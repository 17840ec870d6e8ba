# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the YAML form come from the table."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.words import Shape
from vrrp_agent.conf.yaml.spec import yaml_keys

ANSIBLE_TYPES = {"bool", "int", "float", "str", "list", "dict", "raw"}


@pytest.mark.parametrize(
    ("section", "word", "kind", "elements"),
    [
        ("vrrp_instance", "priority", "int", ""),
        ("vrrp_instance", "advert_int", "float", ""),
        ("vrrp_instance", "interface", "str", ""),
        ("vrrp_instance", "state", "str", ""),
        ("vrrp_instance", "nopreempt", "bool", ""),
        ("vrrp_instance", "v3_checksum_as_v2", "bool", ""),
        ("vrrp_instance", "virtual_ipaddress", "list", "raw"),
        ("vrrp_instance", "unicast_peer", "list", "raw"),
        ("vrrp_instance", "authentication", "dict", ""),
        ("vrrp_instance", "notify_master", "str", ""),
        ("vrrp_sync_group", "group", "list", "str"),
        ("global_defs", "dynamic_interfaces", "raw", ""),
        ("global_defs", "vrrp_cpu_affinity", "list", "int"),
        ("global_defs", "notification_email", "list", "str"),
        ("root", "global_defs", "dict", ""),
        ("root", "vrrp_instance", "dict", ""),
        ("root", "static_routes", "list", "raw"),
        ("root", "garp_group", "list", "dict"),
        ("vrrp_instance/auth_hmac", "key", "list", "str"),
    ],
)
def test_a_keyword_has_the_yaml_type_one_expects(section: str, word: str, kind: str, elements: str) -> None:
    key = yaml_keys(SECTIONS[section], SECTIONS)[word]
    assert (key.type, key.elements) == (kind, elements)


def test_named_blocks_are_keyed_by_their_names() -> None:
    keys = yaml_keys(SECTIONS["root"], SECTIONS)
    assert keys["vrrp_instance"].named
    assert keys["vrrp_instance"].section == "vrrp_instance"
    assert keys["virtual_server_group"].named
    assert not keys["global_defs"].named


def test_ranges_of_words_defaults_and_secrets_are_carried_over() -> None:
    instance = yaml_keys(SECTIONS["vrrp_instance"], SECTIONS)
    assert instance["state"].choices == ("MASTER", "BACKUP")
    assert instance["priority"].default == 100
    assert instance["advert_int"].default == 1.0
    assert instance["virtual_router_id"].required
    authentication = yaml_keys(SECTIONS["vrrp_instance/authentication"], SECTIONS)
    assert authentication["auth_pass"].secret
    assert not authentication["auth_type"].secret


def test_removed_words_have_no_place_in_yaml() -> None:
    assert "nat_mask" not in yaml_keys(SECTIONS["virtual_server"], SECTIONS)


def test_every_key_of_every_block_has_a_type_that_ansible_knows() -> None:
    for section in SECTIONS.values():
        if section.shape is not Shape.KEYWORDS:
            continue
        for name, key in yaml_keys(section, SECTIONS).items():
            assert key.type in ANSIBLE_TYPES, name
            assert (key.type == "list") == bool(key.elements), name
            assert key.elements in ANSIBLE_TYPES | {""}, name
            if key.default is not None:
                expected = {"bool": bool, "int": int, "float": float}.get(key.type, str)
                assert isinstance(key.default, expected), name
