"""Python's collector of cycles, set for a server: what is here at the start stays, and what comes is looked at seldom.

Left as it is, it looks through everything that lives whenever so many objects were made, which a busy server does many
times a second; what it would find are the few cycles of connections that ended.
"""

from __future__ import annotations

import gc

#: Objects that are made, more than go, until the youngest are looked at; how many such looks until older ones are.
YOUNG, OLDER, OLDEST = 50_000, 20, 100


def collect_seldom() -> None:
    """Call it when everything is imported and nothing has begun."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDEST)
