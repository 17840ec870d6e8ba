# SPDX-License-Identifier: GPL-3.0-or-later
"""Which connections the back end on nf_tables asks the kernel for."""

from __future__ import annotations

from typing import Any, List

import pytest
from vrrp_agent.balance import nft_connections
from vrrp_agent.balance.backend import ServiceKey
from vrrp_agent.conf.parts.balancing import UDP
from vrrp_agent.kernel.conntrack import Asked

VIP = bytes((198, 51, 100, 10))


def asked_by(monkeypatch: pytest.MonkeyPatch, keys: List[ServiceKey]) -> List[Any]:
    asked: List[Any] = []

    class Table:
        def end(self, *_words: object, **said: object) -> int:
            asked.append(said.get("asked"))
            return 0

        def close(self) -> None:
            pass

    monkeypatch.setattr(nft_connections, "Conntrack", Table)
    assert nft_connections.forget([], keys) == ""
    return asked


def test_a_new_service_of_udp_lists_its_own_connections_only(monkeypatch: pytest.MonkeyPatch) -> None:
    key = ServiceKey(4, UDP, VIP, 53, 0)
    assert asked_by(monkeypatch, [key, key._replace(protocol=6)]) == [Asked(UDP, VIP, 53)]
    every = key._replace(port=0)
    assert asked_by(monkeypatch, [every]) == [Asked(UDP, VIP, 0)]


def test_many_new_services_are_few_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [ServiceKey(4, UDP, bytes((198, 18, 0, last)), 53, 0) for last in range(200)]
    assert asked_by(monkeypatch, addresses) == [Asked(UDP, b"", 53)]
    ports = [ServiceKey(4, UDP, VIP, port, 0) for port in range(1, 200)]
    assert asked_by(monkeypatch, ports) == [Asked(UDP)]
