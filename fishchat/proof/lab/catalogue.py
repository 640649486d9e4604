"""All faults by name, each with its action and the shape of the rig that it needs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fishchat.config.describe import docstring
from fishchat.proof.lab.faults import clients, clock, disk, hints, links, memberships, processes, store
from fishchat.proof.lab.rig import Shape
from fishchat.proof.lab.run import Run
from fishchat.services.redis.program import bundled

Act = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """One fault.

    :ivar act: does it and heals it while clients talk; its docstring describes it.
    :ivar seconds: how long it takes.
    :ivar back: the seconds after its end within which every msg_server and every client must have an ``OK``.
    :ivar missing: why it cannot be done on this machine; empty if it can.
    """

    act: Act
    shape: Shape = field(default_factory=Shape)
    seconds: float = 20.0
    back: float = 10.0
    missing: Callable[[], str] = lambda: ""

    @property
    def sentence(self) -> str:
        """The description for people."""
        return docstring(self.act).partition("\n\n")[0].strip()


def _needs(program: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(program) else f"needs {program}"


def _needs_mounting() -> str:
    if missing := _needs("unshare")():
        return missing
    tried = subprocess.run([*disk.NAMESPACE, "/tmp", "true"], capture_output=True, check=False, timeout=10)
    return "" if tried.returncode == 0 else "needs permission to mount in a namespace of its own"


_CLIENTS = Shape(clients_through=True)
_REDIS = Shape(redis_through=True)
_TRACED = Shape(redis_prefix=(*disk.TRACED, "{notes}/trace.$$"))
_SMALL_DISK = Shape(prefix=(*disk.NAMESPACE, "{data}"))
# The library that changes the clock does not work with the allocator of other builds of Redis.
_CLOCK = Shape(redis_prefix=clock.PREFIX, redis_server=bundled() or "")

FAULTS: dict[str, Fault] = {
    "kill": Fault(processes.kill, seconds=30.0),
    "hang": Fault(processes.hang, seconds=60.0),
    # Each process stops in order and Python starts again, one process after the other.
    "rolling": Fault(processes.rolling, seconds=30.0, back=20.0),
    "no-router": Fault(processes.without_router),
    "takeover": Fault(processes.takeover, seconds=25.0),
    "power": Fault(disk.power, _TRACED, missing=_needs("strace")),
    "cut": Fault(disk.cut),
    "put-back": Fault(disk.put_back),
    "full-disk": Fault(disk.full, _SMALL_DISK, seconds=25.0, missing=_needs_mounting),
    "full-memory": Fault(store.full_memory),
    "lease-lost": Fault(store.lease_lost, seconds=25.0),
    "rewriting": Fault(store.rewriting),
    "delayed": Fault(links.delayed, _CLIENTS),
    "dripping": Fault(links.dripping, _CLIENTS, seconds=30.0, back=40.0),
    "torn": Fault(links.torn, _CLIENTS),
    "storm": Fault(links.storm, _CLIENTS),
    "unheard": Fault(links.unheard, _CLIENTS, seconds=30.0),
    "half-open": Fault(links.half_open, _CLIENTS, seconds=110.0),
    "redis-unheard": Fault(links.redis_unheard, _REDIS, seconds=25.0),
    "redis-apart": Fault(links.redis_apart, _REDIS, seconds=55.0),
    "redis-reset": Fault(links.redis_reset, _REDIS),
    "redis-delayed": Fault(links.redis_delayed, _REDIS),
    "redis-half-open": Fault(links.redis_half_open, _REDIS, seconds=35.0),
    "hints": Fault(hints.hints, _REDIS),
    "replaced": Fault(clients.replaced),
    "no-more-files": Fault(clients.no_more_files),
    "members": Fault(memberships.members),
    "members-unheard": Fault(memberships.members_unheard, _REDIS),
    "clock": Fault(clock.steps, _CLOCK, seconds=30.0, missing=clock.missing),
}
