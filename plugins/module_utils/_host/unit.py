# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The systemd unit of the agent. Private to the collection."""

from __future__ import annotations

NAME = "vrrp-agent.service"
PATH = "/etc/systemd/system/vrrp-agent.service"
RUNTIME_DIRECTORY = "/run/vrrp-agent"

TEXT = """\
# Written by the Ansible collection linuxha.vrrp; a change made here is lost with its next run.
# To change a setting on this host: systemctl edit vrrp-agent

[Unit]
Description=VRRP agent
After=network-online.target
Wants=network-online.target
# The two must never speak for the same addresses on one host.
Conflicts=keepalived.service
After=keepalived.service
# A highly available service never gives up.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={entry} run --config {config} --runtime-dir {runtime}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=100ms
# A file that is refused, or an interface that is not there yet: try again, but not ten times a second.
ExecStopPost=/bin/sh -c 'test "$$EXIT_STATUS" != 2 || exec sleep 2'
KillMode=mixed
# The agent asks for more time where shutdown_script or child_wait_time need it, and for startup_script too.
TimeoutStopSec=30s
RuntimeDirectory=vrrp-agent
RuntimeDirectoryMode=0750
# What a successor needs to go on without a gap is kept there.
RuntimeDirectoryPreserve=restart
OOMScoreAdjust=-900
LimitMEMLOCK=infinity
LimitNOFILE=65536
# Keys are in the memory of this process.
LimitCORE=0
UMask=0077
# Scripts inherit whatever is locked here, and nobody can know what they need; dumps go to /tmp, where others
# read them. A host without scripts can be locked in: see "Locking the service in" in docs/role.md.

[Install]
WantedBy=multi-user.target
"""


def text(entry: str, config: str) -> str:
    """The unit file for an agent that is started as ``entry`` and reads ``config``."""
    return TEXT.format(entry=entry, config=config, runtime=RUNTIME_DIRECTORY)
