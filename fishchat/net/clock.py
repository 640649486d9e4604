"""The reactor's clock."""

from __future__ import annotations

import time
from typing import Any


def use_monotonic(reactor: Any) -> bool:
    """Make ``reactor`` count its time by the monotonic clock, which a change of the machine's clock does not affect.

    Call it before the first timer: with timers pending (as in some test runners) nothing is changed, since their times
    have another origin. Return whether the reactor is monotonic afterwards.
    """
    if reactor.seconds is time.monotonic:
        return True
    if reactor.getDelayedCalls():
        return False
    reactor.seconds = time.monotonic
    return True
