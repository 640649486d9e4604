"""The reactor's clock."""

from __future__ import annotations

import time
from typing import Any


def use_monotonic(reactor: Any) -> bool:
    """Let ``reactor`` count its time by the monotonic clock, which setting the machine's clock does not move.

    Call it before the first timer: with timers pending (a test runner has some) nothing is changed, since
    their times were counted from another origin. True when the reactor is monotonic afterwards.
    """
    if reactor.seconds is time.monotonic:
        return True
    if reactor.getDelayedCalls():
        return False
    reactor.seconds = time.monotonic
    return True
