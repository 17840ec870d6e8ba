# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The checks of a real_server."""

from __future__ import annotations

from typing import Optional, Tuple

from ..words import Arg, Keyword, Section, Type
from .args import (
    ACCOUNT,
    ADDRESS,
    BOOL,
    HOST,
    IFNAME,
    INT32_MAX,
    REVERSE_OR_NOT,
    choice,
    integer,
    name_of,
    seconds,
    timer,
)

_ID = "virtual_server/real_server"
_PORT = (Arg("PORT", Type.PORT, minimum=1, maximum=65535),)


def _connection() -> Tuple[Keyword, ...]:
    return (
        Keyword(
            "connect_ip",
            "Address to check; that of the server when absent.",
            args=(ADDRESS,),
            supported=True,
            since="1.2.13",
        ),
        Keyword(
            "connect_port",
            "Port to check; that of the server when absent.",
            args=_PORT,
            supported=True,
            since="1.1.0",
        ),
        Keyword("bindto", "Local address.", args=(ADDRESS,), supported=True, since="1.1.2"),
        Keyword("bind_port", "Local port.", args=_PORT, supported=True, since="1.2.13"),
        Keyword(
            "bind_if",
            "Local interface, for link-local addresses.",
            args=(IFNAME,),
            supported=True,
            since="1.3.7",
        ),
        Keyword(
            "connect_timeout",
            "Time allowed.",
            args=(timer(0.000001),),
            default="5",
            supported=True,
            since="1.1.0",
        ),
        Keyword(
            "fwmark",
            "Firewall mark of the check's packets.",
            args=(integer(),),
            supported=True,
            since="1.2.13",
        ),
    )


def _timing(retry: str = "1", delay_before_retry: Optional[str] = "1") -> Tuple[Keyword, ...]:
    return (
        Keyword(
            "retry",
            "Further tries before a failure counts.",
            args=(integer(),),
            default=retry,
            supported=True,
            since="1.1.8",
        ),
        Keyword(
            "delay_before_retry",
            "Pause between tries; delay_loop when absent and without a default.",
            args=(timer(),),
            default=delay_before_retry,
            supported=True,
            since="1.1.0",
        ),
        Keyword(
            "warmup",
            "Largest random delay before the first check; delay_loop when absent.",
            args=(timer(),),
            supported=True,
            since="1.2.13",
        ),
        Keyword(
            "delay_loop", "Interval of this check.", args=(timer(0.000001),), supported=True, since="1.3.7"
        ),
        Keyword("alpha", "Begins as failed.", args=BOOL, supported=True, since="1.3.7"),
        Keyword("log_all_failures", "Logs every failure.", args=BOOL, supported=True, since="2.0.11"),
    )


def _http(name: str) -> Tuple[Keyword, ...]:
    tls = (
        Keyword(
            "tls_compliant",
            "Ends TLS by the book, with close_notify.",
            args=BOOL,
            supported=True,
            since="2.2.8",
        ),
    )
    return (
        *_connection(),
        *_timing(delay_before_retry="3"),
        Keyword(
            "nb_get_retry",
            "Old name of retry.",
            args=(integer(),),
            alias_of="retry",
            deprecated="retry",
            supported=True,
            since="1.1.0",
        ),
        Keyword("virtualhost", "Host header of every URL.", args=(HOST,), supported=True, since="1.3.6"),
        Keyword(
            "http_protocol",
            "Version of the request; 1.0C adds Connection: close.",
            args=(Arg("VERSION", Type.CHOICE, choices=("1.0", "1.0C", "1.1"), any_case=True),),
            default="1.0",
            supported=True,
            since="2.0.17",
        ),
        Keyword(
            "enable_sni", "SSL_GET only: names the host in TLS.", args=BOOL, supported=True, since="1.4.3"
        ),
        Keyword(
            "sni_name",
            "SSL_GET only: the name to give in TLS.",
            args=(Arg("NAME", optional=True),),
            supported=True,
            since="after 2.4.3",
        ),
        Keyword(
            "fast_recovery",
            "Checks all URLs at once at the start and after a failure.",
            args=BOOL,
            supported=True,
            since="2.0.17",
        ),
        *(tls if name == "SSL_GET" else ()),
        Keyword(
            "url",
            "One request and what is expected of the answer.",
            block=f"{_ID}/{name}/url",
            repeatable=True,
            required=True,
            supported=True,
            since="1.1.0",
        ),
    )


REGEX_OPTIONS = (
    "allow_empty_class",
    "alt_bsux",
    "auto_callout",
    "caseless",
    "dollar_endonly",
    "dotall",
    "dupnames",
    "extended",
    "firstline",
    "match_unset_backref",
    "multiline",
    "never_ucp",
    "never_utf",
    "no_auto_capture",
    "no_auto_possess",
    "no_dotstar_anchor",
    "no_start_optimize",
    "ucp",
    "ungreedy",
    "utf",
    "never_backslash_c",
    "alt_circumflex",
    "alt_verbnames",
    "use_offset_limit",
)

_URL = (
    Keyword("path", "What is asked for.", args=(Arg("PATH"),), required=True, supported=True, since="1.1.0"),
    Keyword(
        "digest",
        "MD5 of the body, 32 hexadecimal digits.",
        args=(Arg("DIGEST", Type.HEX, max_length=32),),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "status_code",
        "Status codes that are good; 200-299 when absent.",
        args=(Arg("N|N-N", Type.INTEGER_RANGE, many=True, minimum=100, maximum=599),),
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword("virtualhost", "Host header of this URL.", args=(HOST,), supported=True, since="1.3.6"),
    Keyword(
        "regex",
        "Pattern of PCRE2 that the body must match, in double quotes; write backslashes twice.",
        args=(Arg("PATTERN", Type.COMMAND),),
        supported=True,
        since="2.0.7",
        build_option="regex",
    ),
    Keyword(
        "regex_no_match",
        "The body must not match instead.",
        supported=True,
        since="2.0.7",
        build_option="regex",
    ),
    Keyword(
        "regex_options",
        "Options of PCRE2, as far as Python's patterns have them.",
        args=(Arg("OPTION", Type.CHOICE, many=True, choices=REGEX_OPTIONS),),
        supported=True,
        since="2.0.7",
        build_option="regex",
    ),
    Keyword(
        "regex_min_offset",
        "Where the search begins.",
        args=(integer(),),
        supported=True,
        since="2.0.7",
        build_option="regex",
    ),
    Keyword(
        "regex_max_offset",
        "Where a match may begin at the latest.",
        args=(integer(),),
        supported=True,
        since="2.0.7",
        build_option="regex",
    ),
    Keyword(
        "regex_stack",
        "Has no effect: there is no such stack here.",
        args=(integer("START"), integer("MAX")),
        supported=True,
        since="2.0.7",
        build_option="regex",
    ),
)
_URL_TLS = Keyword(
    "tls_compliant", "Ends TLS by the book, with close_notify.", args=BOOL, supported=True, since="2.2.8"
)

_SMTP = (
    Keyword(
        "helo_name",
        "Name given in HELO.",
        args=(Arg("STRING"),),
        default="smtpchecker.keepalived.org",
        supported=True,
        since="1.1.8",
    ),
    Keyword(
        "host",
        "A further place to check.",
        block=f"{_ID}/SMTP_CHECK/host",
        repeatable=True,
        deprecated="one SMTP_CHECK for each place",
        supported=True,
        since="1.1.8",
    ),
)

_DNS = (
    Keyword(
        "type",
        "Type of the query.",
        args=(choice("TYPE", "A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"),),
        default="SOA",
        supported=True,
        since="1.3.0",
    ),
    Keyword("name", "Name of the query.", args=(Arg("DOMAIN"),), default=".", supported=True, since="1.3.0"),
)

_MISC = (
    Keyword(
        "misc_path",
        "The program, in double quotes when it has arguments: exit 0 is good, 1 is bad.",
        args=(Arg("CMD", Type.COMMAND),),
        required=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "misc_timeout",
        "Time limit; delay_loop when absent.",
        args=(seconds(),),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "misc_dynamic",
        "An exit code from 2 to 255 sets the weight to code - 2.",
        supported=True,
        since="1.1.8",
    ),
    Keyword("user", "Account that runs the program.", args=ACCOUNT, supported=True, since="1.3.0"),
)

_BFD = (
    Keyword(
        "name",
        "Session to follow, defined earlier in the file.",
        args=(name_of("bfd_instance"),),
        required=True,
        since="2.0.0",
        build_option="bfd",
    ),
    Keyword("alpha", "Begins as failed.", args=BOOL, since="2.0.0", build_option="bfd"),
)

_UDP = (
    Keyword(
        "payload",
        "What is sent, in hexadecimal.",
        args=(Arg("HEX", Type.HEX, many=True),),
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "require_reply",
        "Wants an answer, which must match when one is given (x stands for any digit).",
        args=(Arg("HEX", optional=True, many=True),),
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "min_reply_length",
        "Shortest answer.",
        args=(integer("N", 0, 65535),),
        default="0",
        supported=True,
        since="2.2.0",
    ),
    Keyword(
        "max_reply_length",
        "Longest answer.",
        args=(integer("N", 0, 65535),),
        default="255",
        supported=True,
        since="2.2.0",
    ),
)

_FILE = (
    Keyword(
        "track_file",
        "File to follow, defined earlier.",
        args=(name_of("track_file"),),
        required=True,
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "weight",
        "Value times weight is added to the weight of the server; with 0 any value but 0 means down.",
        args=(integer("WEIGHT", -INT32_MAX, INT32_MAX), REVERSE_OR_NOT),
        supported=True,
        since="2.1.0",
    ),
)


def _section(name: str, meaning: str, *keywords: Keyword) -> Section:
    return Section(f"{_ID}/{name}", meaning, keywords=keywords)


SECTIONS: Tuple[Section, ...] = (
    _section("HTTP_GET", "A check by HTTP.", *_http("HTTP_GET")),
    _section("HTTP_GET/url", "One request.", *_URL),
    _section("SSL_GET", "A check by HTTPS.", *_http("SSL_GET")),
    _section("SSL_GET/url", "One request.", *_URL, _URL_TLS),
    _section("TCP_CHECK", "A check by TCP.", *_connection(), *_timing()),
    _section("SMTP_CHECK", "A check by SMTP.", *_SMTP, *_connection(), *_timing()),
    _section("SMTP_CHECK/host", "A further place to check.", *_connection(), *_timing()),
    _section(
        "DNS_CHECK",
        "A check by DNS.",
        *_DNS,
        *_connection(),
        *_timing(retry="3", delay_before_retry=None),
    ),
    _section("MISC_CHECK", "A check by a program.", *_MISC, *_timing(retry="0")),
    _section("BFD_CHECK", "A check by BFD.", *_BFD),
    _section("UDP_CHECK", "A check by UDP.", *_UDP, *_connection(), *_timing()),
    _section("PING_CHECK", "A check by ICMP.", *_connection(), *_timing()),
    _section("FILE_CHECK", "A check by a file.", *_FILE),
)
