"""Settings of Python's garbage collector for a server: objects of the start are exempt, new ones are examined seldom.

With the defaults, the collector often examines all live objects, in a busy server many times a second. It would find
only the few cycles of ended connections.
"""

from __future__ import annotations

import gc

#: The surplus of new objects that starts a collection of the youngest, and how many such collections precede one of the
#: older generations.
YOUNG, OLDER, OLDEST = 50_000, 20, 100


def collect_seldom() -> None:
    """Apply the settings. Call this when everything is imported and no work has begun."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDEST)
