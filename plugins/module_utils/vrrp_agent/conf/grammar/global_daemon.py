# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""global_defs: mails, scripts, files and processes of the daemon as a whole."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import (
    ACCOUNT,
    BOOL,
    FIFO,
    HOST,
    OPTIONAL_PORT,
    PATH,
    SCRIPT,
    TIMER_MAX_S,
    integer,
    seconds,
)

MAIL: Tuple[Keyword, ...] = (
    Keyword(
        "notification_email",
        "Addresses that receive the mails.",
        block="notification_email_lines",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "notification_email_from",
        "Sender of the mails; the agent's user at the host name when absent.",
        args=(Arg("ADDRESS"),),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "smtp_server",
        "Relay of the mails; port 25 when absent.",
        args=(HOST, OPTIONAL_PORT),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "smtp_helo_name",
        "Name given in HELO; the host name when absent.",
        args=(Arg("STRING"),),
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "smtp_connect_timeout",
        "Time allowed for connecting to the relay.",
        args=(seconds(TIMER_MAX_S, 1),),
        default="30",
        supported=True,
        since="1.1.0",
    ),
    Keyword("smtp_alert", "Default of every smtp_alert.", args=BOOL, supported=True, since="2.0.0"),
    Keyword(
        "smtp_alert_vrrp",
        "Default of smtp_alert on the VRRP side.",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "smtp_alert_checker",
        "Default of smtp_alert on the checker side.",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
    Keyword("no_email_faults", "Sends no mail on entering FAULT.", supported=True, since="2.0.0"),
    Keyword(
        "no_checker_emails",
        "Sends no mail about a check that leaves its real server as it was.",
        args=BOOL,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "agent_smtp_starttls",
        "Speaks TLS with the relay, or else sends nothing.",
        args=BOOL,
        supported=True,
        own=True,
    ),
    Keyword(
        "agent_smtp_ca_file",
        "Certificates that the relay is trusted by; those of the system when absent.",
        args=(PATH,),
        supported=True,
        own=True,
    ),
    Keyword(
        "agent_smtp_user",
        "Logs in to the relay as this user.",
        args=(Arg("USER"),),
        supported=True,
        own=True,
    ),
    Keyword(
        "agent_smtp_password",
        "Password of the user.",
        args=(Arg("PASSWORD"),),
        supported=True,
        secret=True,
        own=True,
    ),
    Keyword(
        "agent_smtp_password_file",
        "File that holds the password, or credential:NAME for a systemd credential.",
        args=(PATH,),
        supported=True,
        own=True,
    ),
)

SCRIPTS: Tuple[Keyword, ...] = (
    Keyword(
        "script_user",
        "Account of scripts that name none; keepalived_script if there is one, else root.",
        args=ACCOUNT,
        supported=True,
        since="1.3.0",
    ),
    Keyword(
        "enable_script_security",
        "Refuses to run a script as root when others than root can write to its path.",
        supported=True,
        since="1.3.0",
    ),
    Keyword(
        "use_symlink_paths",
        "Keeps symbolic links in the paths of scripts.",
        args=BOOL,
        supported=True,
        since="2.3.0",
    ),
    Keyword(
        "set_supplementary_groups",
        "Gives scripts the supplementary groups of their account.",
        args=BOOL,
        supported=True,
        since="after 2.4.3",
    ),
    Keyword(
        "startup_script",
        "Command to run once before anything starts.",
        args=SCRIPT,
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "startup_script_timeout",
        "Time limit of startup_script.",
        args=(seconds(1000, 1),),
        default="10",
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "shutdown_script",
        "Command to run once after everything has stopped.",
        args=SCRIPT,
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "shutdown_script_timeout",
        "Time limit of shutdown_script.",
        args=(seconds(1000, 1),),
        default="10",
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "notify_fifo",
        "Named pipe that receives all events.",
        args=FIFO,
        supported=True,
        first_counts=True,
        since="1.3.6",
    ),
    Keyword(
        "notify_fifo_script",
        "Program that reads it; the path of the pipe is added to its arguments.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.3.6",
    ),
    Keyword(
        "agent_notify_timeout",
        "Time limit of each notify script, which is ended after it.",
        args=(seconds(TIMER_MAX_S, 1),),
        default="60",
        supported=True,
        own=True,
    ),
)

PROCESSES: Tuple[Keyword, ...] = (
    Keyword(
        "process_names",
        "Gives every process its standard title; always so here.",
        supported=True,
        since="2.0.16",
    ),
    Keyword(
        "process_name",
        "Title of the parent process; here of the agent, unless vrrp_process_name is given.",
        args=(Arg("NAME", max_length=15),),
        supported=True,
        since="2.0.16",
    ),
    Keyword(
        "max_auto_priority",
        "Bound of the real-time priority that is raised when the process runs late; 0 and -1 are never, "
        "and no number is the largest.",
        args=(integer("PRIORITY", -1, 99, optional=True),),
        default="0",
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "min_auto_priority_delay",
        "How late it must run for that.",
        args=(integer("USECS", 1, 10_000_000, unit="us"),),
        default="1000000",
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "process_monitor_rcv_bufs",
        "Receive buffer of the socket that reports processes.",
        args=(integer("BYTES", unit="bytes"),),
        supported=True,
        since="2.0.11",
        build_option="track-process",
    ),
    Keyword(
        "process_monitor_rcv_bufs_force",
        "Lets that buffer exceed the system's limit.",
        args=BOOL,
        supported=True,
        since="2.0.11",
        build_option="track-process",
    ),
)

_INCLUDE_PROBLEMS = ("read", "match", "wildcard_match", "brace_match")

FILES: Tuple[Keyword, ...] = (
    Keyword(
        "umask",
        "umask of the files made: a number, or names such as IRUSR joined by |.",
        args=(Arg("MASK", Type.TEXT),),
        supported=True,
        since="2.0.9",
    ),
    Keyword(
        "random_seed",
        "Makes ${_RANDOM} and the random delays of checks repeatable.",
        args=(integer(),),
        supported=True,
        since="2.0.15",
    ),
    Keyword(
        "reload_check_config",
        "Checks new files before a reload and keeps the old configuration on error; always on here.",
        args=(Arg("LOGFILE", Type.PATH, optional=True),),
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "reload_time_file",
        "Reloads at the time that this file holds.",
        args=(PATH,),
        supported=True,
        since="2.1.0",
    ),
    Keyword("reload_repeat", "Keeps that file and reloads every day.", supported=True, since="2.1.0"),
    Keyword(
        "reload_file",
        "File that exists while the configuration is being read.",
        args=(Arg("PATH", Type.PATH, optional=True),),
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "include_check",
        "Which problems of include are errors, all of them without a word; + adds one, - takes one away.",
        args=(
            Arg(
                "CHECK",
                Type.CHOICE,
                optional=True,
                many=True,
                choices=tuple(sign + word for sign in ("", "+", "-") for word in _INCLUDE_PROBLEMS),
            ),
        ),
        repeatable=True,
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "config_save_dir",
        "Keeps copies of configuration and state around reloads.",
        args=(Arg("DIR", Type.PATH),),
        supported=True,
        since="2.2.3",
    ),
    Keyword(
        "tmp_config_directory",
        "Place of the joined copy of all files. The agent makes no such copy: nothing is put there.",
        args=(Arg("DIR", Type.PATH),),
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "data_use_instance",
        "Puts the instance and namespace into the names of dumps.",
        args=BOOL,
        supported=True,
        since="2.2.3",
    ),
    Keyword(
        "json_version",
        "Shape of the JSON dump.",
        args=(integer("VERSION", 1, 2),),
        default="1",
        supported=True,
        since="2.2.8",
        build_option="json",
    ),
    Keyword(
        "iproute_usr_dir",
        "Vendor directory of rt_tables and the like.",
        args=(Arg("DIR", Type.PATH),),
        supported=True,
        since="2.3.2",
    ),
    Keyword(
        "iproute_etc_dir",
        "Administrator's directory of rt_tables and the like.",
        args=(Arg("DIR", Type.PATH),),
        supported=True,
        since="2.3.2",
    ),
    Keyword(
        "state_dump_file",
        "Place of the state dump: a file, a name or a directory.",
        args=(PATH,),
        supported=True,
        since="2.3.3",
    ),
    Keyword(
        "stats_dump_file",
        "Place of the counters' dump: a file, a name or a directory. keepalived does not use it.",
        args=(PATH,),
        supported=True,
        since="2.3.3",
    ),
    Keyword(
        "json_dump_file",
        "Place of the JSON dump: a file, a name or a directory. keepalived does not use it.",
        args=(PATH,),
        supported=True,
        since="2.3.3",
    ),
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "notification_email_lines",
        "Mail addresses, one or more per line.",
        shape=Shape.LINES,
        item=(Arg("ADDRESS", many=True),),
    ),
)
