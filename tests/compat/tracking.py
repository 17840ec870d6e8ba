# SPDX-License-Identifier: GPL-3.0-or-later
"""What is watched, and what comes of it."""

from __future__ import annotations

from tests.compat.story import Act, Story
from tests.compat.words import START, STOP, one, write

GOOD, BAD = "#!/bin/sh\nexit 0\n", "#!/bin/sh\nexit 1\n"
SECURITY = ("script_user root",)


def script(*lines: str) -> str:
    """A vrrp_script that runs /mnt/check."""
    return "\n".join(["vrrp_script chk {", '    script "/mnt/check"', "    interval 0.3", *lines, "}"])


def tracked(name: str, *words: str) -> tuple[str, ...]:
    """A block of one tracked thing."""
    return (f"{name} {{", "    " + " ".join(words), "}")


SLOWLY_S = 1.6
"""Three runs take longer than a settled second."""
GOES = write("goes bad", "check", BAD, 0o755)
RETURNS = write("is good", "check", GOOD, 0o755)


def check_file(text: str = GOOD) -> object:
    """The script is there before the engine starts."""
    return lambda stage: stage.write("check", text, 0o755)


STORIES = (
    Story(
        "a script that fails",
        ("vrrp_script", "track_script"),
        one(*tracked("track_script", "chk"), before=[script()], globals_=SECURITY),
        (START, GOES, RETURNS, STOP),
        before_start=check_file(),
    ),
    Story(
        "a script with a negative weight",
        ("vrrp_script", "weight"),
        one(*tracked("track_script", "chk", "weight -30"), before=[script()], globals_=SECURITY),
        (START, GOES, RETURNS, STOP),
        before_start=check_file(),
    ),
    Story(
        "a script with a positive weight, of its own",
        ("vrrp_script", "weight"),
        one(*tracked("track_script", "chk"), before=[script("    weight 30")], globals_=SECURITY),
        (START, GOES, RETURNS, STOP),
        before_start=check_file(),
    ),
    Story(
        "rise and fall",
        ("rise", "fall"),
        one(*tracked("track_script", "chk"), before=[script("    rise 3", "    fall 2")], globals_=SECURITY),
        (START, GOES, Act("is good", RETURNS.do, SLOWLY_S), STOP),
        before_start=check_file(),
    ),
    Story(
        "a script that begins bad",
        ("init_fail",),
        one(
            *tracked("track_script", "chk"), before=[script("    init_fail", "    rise 2")], globals_=SECURITY
        ),
        (START, STOP),
        before_start=check_file(),
        differs={"start/events": "the router begins in FAULT and says so"},
    ),
    Story(
        "a script that is bad from the start",
        ("vrrp_script",),
        one(*tracked("track_script", "chk"), before=[script()], globals_=SECURITY),
        (START, RETURNS, STOP),
        before_start=check_file(BAD),
    ),
    Story(
        "a script that hangs",
        ("timeout",),
        one(*tracked("track_script", "chk"), before=[script("    timeout 1")], globals_=SECURITY),
        (START, write("hangs", "check", "#!/bin/sh\nexec sleep 60\n", 0o755), STOP),
        before_start=check_file(),
    ),
    Story(
        "a file with a weight",
        ("track_file", "weight"),
        one(
            *tracked("track_file", "load", "weight 2"), before=['track_file load {\n    file "/mnt/load"\n}']
        ),
        (
            START,
            write("ten", "load", "10\n"),
            write("minus five", "load", "-5\n"),
            write("much", "load", "-127\n"),
            write("zero", "load", "0\n"),
            Act("gone", lambda s: (s.engine.directory / "load").unlink()),
            STOP,
        ),
        before_start=lambda stage: stage.write("load", "0\n"),
    ),
    Story(
        "a file without a weight",
        ("track_file",),
        one(
            *tracked("track_file", "load", "weight 0"), before=['track_file load {\n    file "/mnt/load"\n}']
        ),
        (START, write("one", "load", "1\n"), write("zero", "load", "0\n"), STOP),
        before_start=lambda stage: stage.write("load", "0\n"),
    ),
)
