# SPDX-License-Identifier: GPL-3.0-or-later
"""init_file of a track_file that only a FILE_CHECK follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List

from vrrp_agent.check.messages import Orders
from vrrp_agent.check.worker import CheckWorker
from vrrp_agent.daemon.sides.checking import initial_files
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop

from tests.unit.check.orders import orders_of
from tests.unit.conf.texts import load_text

TEXT = """
track_file load {
    file PATH
    init_file 7
}
track_file other {
    file PATH.other
    init_file 9
}
virtual_server 198.51.100.10 80 {
    lb_algo rr
    lvs_method NAT
    protocol TCP
    real_server 198.18.0.1 80 {
        weight 10
        FILE_CHECK {
            track_file load
            weight 2
        }
    }
}
"""


class Ears:
    """The agent's end."""

    def __init__(self) -> None:
        self.heard: List[Any] = []

    def send(self, value: Any) -> bool:
        """Remember what was said."""
        self.heard.extend(value if isinstance(value, list) else [value])
        return True


def test_the_file_gets_its_first_number_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "load"
    config = load_text(TEXT.replace("PATH", str(path))).config
    assert config is not None
    orders = orders_of(config)
    initial = initial_files(config, orders)
    assert [file.name for file in initial] == ["load"]
    loop, ears = Loop(), Ears()
    worker = CheckWorker(loop, ears, Log(0))  # type: ignore[arg-type]
    worker.take(Orders(orders.orders, initial=initial))
    for _turn in range(10):
        loop.turn(0.02)
    assert path.read_text() == "7\n"
    assert [(one.good, one.added_weight, one.why) for one in ears.heard] == [(True, 14, "load holds 7")]
    worker.end()
    loop.close()
