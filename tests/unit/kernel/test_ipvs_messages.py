# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of IPVS, read back, and read by another program's decoder."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.kernel import ipvs_messages as message
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.ipvs_messages import Daemon, Destination, Service, TimeLimits, Usage

HEAD = bytes(20)
WEB = Service(4, 6, b"\xc6\x33\x64\x01", 80, 0, "rr", 0)


def theirs(body: bytes) -> Any:
    """The message as pyroute2's own class reads it."""
    from pyroute2.netlink.generic.ipvs import ipvsmsg

    length = struct.pack("=I", len(HEAD) + len(body))
    found = ipvsmsg(length + HEAD[4:] + body)
    found.decode()
    return found


def test_a_service_is_said_as_pyroute2_reads_it() -> None:
    found = theirs(message.whole_service(WEB._replace(flags=4, timeout_s=60, prefix_length=24, engine="sip")))
    service = found.get_attr("IPVS_CMD_ATTR_SERVICE")
    assert service.get_attr("IPVS_SVC_ATTR_AF") == socket.AF_INET
    assert service.get_attr("IPVS_SVC_ATTR_ADDR") == "198.51.100.1"
    assert service.get_attr("IPVS_SVC_ATTR_PORT") == 80
    assert service.get_attr("IPVS_SVC_ATTR_NETMASK") == "255.255.255.0"
    assert service.get_attr("IPVS_SVC_ATTR_FLAGS") == {"flags": 4, "mask": 0xFFFFFFFF}
    assert service.get_attr("IPVS_SVC_ATTR_PE_NAME") == "sip"


def test_a_key_names_nothing_but_the_service() -> None:
    by_mark = theirs(message.service_key(Service(6, 0, b"", 0, 7))).get_attr("IPVS_CMD_ATTR_SERVICE")
    assert dict(by_mark["attrs"]) == {"IPVS_SVC_ATTR_AF": socket.AF_INET6, "IPVS_SVC_ATTR_FWMARK": 7}


def test_what_pyroute2_lacks_is_said_as_the_kernel_wants_it() -> None:
    """linux/ip_vs.h: prefix length of IPv6, port of gue in the order of the network, groups as they are."""
    web6 = Service(6, 6, bytes(16), 80, 0, "rr", message.PERSISTENT, 60, 48)
    assert struct.pack("=HHI", 8, 9, 48) in message.whole_service(web6)
    gue = Destination(b"\xc6\x12\x00\x01", 0, message.TUNNEL, 1, tunnel=message.GUE, tunnel_port=0x1234)
    assert struct.pack("=HH", 6, 14) + b"\x12\x34" in message.whole_destination(WEB, gue)
    sync = message.daemon(Daemon(message.SENDS, "eth0", 7, group=b"\xe0\x00\x00\x52"))
    assert struct.pack("=HH", 8, 5) + b"\xe0\x00\x00\x52" in sync
    assert struct.pack("=HHI", 8, 4, 900) in message.time_limits(TimeLimits(tcp_s=900))


texts = st.text("abcdefgh0123456789", min_size=1, max_size=15)
words = st.integers(0, 0xFFFFFFFF)
ports = st.integers(0, 65535)


@given(st.booleans(), st.sampled_from([6, 17, 132]), st.data())
def test_what_is_said_of_a_service_is_read(new: bool, protocol: int, data: Any) -> None:
    size = 16 if new else 4
    service = Service(
        6 if new else 4,
        protocol,
        data.draw(st.binary(min_size=size, max_size=size)),
        data.draw(ports),
        0,
        data.draw(texts),
        data.draw(words),
        data.draw(words),
        data.draw(st.integers(1, size * 8)),
        data.draw(texts),
    )
    assert message.read_service(HEAD + message.whole_service(service)) == (service, Usage())
    by_mark = service._replace(protocol=0, address=b"", port=0, fwmark=data.draw(st.integers(1, 0xFFFFFFFF)))
    assert message.read_service(HEAD + message.whole_service(by_mark)) == (by_mark, Usage())


@given(
    st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16),
    st.lists(words, min_size=3, max_size=3),
)
def test_what_is_said_of_a_destination_is_read(address: bytes, numbers: Any) -> None:
    one = Destination(address, numbers[0] & 0xFFFF, message.ROUTE, *numbers)
    assert message.read_destination(HEAD + message.whole_destination(WEB, one), 4) == (one, Usage())


@given(st.tuples(st.sampled_from([1, 2]), texts, words, ports, ports, st.integers(0, 255)))
def test_what_is_said_of_a_sync_daemon_is_read(values: Any) -> None:
    for group in (b"", b"\xe0\x00\x00\x51", bytes(15) + b"\x01"):
        one = Daemon(*values, group)
        assert message.read_daemon(HEAD + message.daemon(one)) == one


@given(st.binary(max_size=200))
def test_damaged_answers_do_no_harm(data: bytes) -> None:
    from vrrp_agent.kernel.attributes import attribute

    for kind in range(1, 7):
        whole = HEAD + attribute(kind, data)
        for read in (message.read_service, message.read_daemon, message.read_time_limits):
            read(whole)  # type: ignore[operator]
        message.read_destination(whole, 4)


def test_counters_of_64_bits_go_before_those_of_32() -> None:
    from vrrp_agent.kernel.attributes import attribute, nest, u32

    def counted(size: str, base: int) -> bytes:
        return b"".join(attribute(kind, struct.pack(size, base + kind)) for kind in range(1, 6))

    old, new = nest(10, counted("=I", 0)), nest(12, counted("=Q", 1 << 40))
    found = message.read_service(HEAD + nest(1, u32(1, 2), old, new))
    assert found is not None and found[1].connections == (1 << 40) + 1
    found = message.read_service(HEAD + nest(1, u32(1, 2), old))
    assert found is not None and found[1] == Usage(0, 0, 0, 1, 2, 3, 4, 5)


def test_a_value_without_a_place_is_a_typed_error() -> None:
    with pytest.raises(KernelError, match="IPVS"):
        message.whole_destination(WEB, Destination(b"\xc6\x12\x00\x01", 80, weight=1 << 40))


def test_the_classes_come_without_the_sockets_of_pyroute2() -> None:
    """asyncio and 90 modules more are not for a process that stays."""
    code = (
        "import sys; from vrrp_agent.kernel import ipvs_classes; ipvs_classes.preload();"
        "print('asyncio' in sys.modules, len([one for one in sys.modules if one.startswith('pyroute2')]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": "plugins/module_utils"},
        capture_output=True,
        text=True,
        check=True,
    )
    asyncio, modules = found.stdout.split()
    assert asyncio == "False" and int(modules) < 15, found
