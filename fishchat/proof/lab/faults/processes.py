"""Processes that die, hang, or are restarted."""

from __future__ import annotations

import os
import signal
from functools import partial

from fishchat.proof.lab.rig import BACK
from fishchat.proof.lab.run import Run
from fishchat.proof.lab.talkers import within
from fishchat.proof.monitor import shown_by_monitor
from fishchat.proof.site import ROLES

#: Seconds for which a process hangs: the lease of a msg_server ends in the longer ones.
HANGS = (2.0, 6.0, 18.0)
#: Seconds until another router has taken over, and everything that the first one left has arrived.
TAKEN = 8.0
#: The mean of the seconds from one kill to the next.
EVERY_KILL = 3.0


async def kill(run: Run) -> None:
    """Every role and Redis get SIGKILL in turn, over and over, in an order that the seed decides."""
    victims: list[str] = []
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - EVERY_KILL:
        victims = victims or run.random.sample(sorted({*ROLES, "redis"}), len(ROLES) + 1)
        await run.pause(run.random.uniform(0.2, 2 * EVERY_KILL - 0.2 - 1))
        await _kill(run, victims.pop())


async def _kill(run: Run, victim: str) -> None:
    # It may still be restarting after the last time.
    if not await within(run.reactor, lambda: victim in run.rig.running(), BACK):
        run.recorder.complain("stalled", f"{victim} does not come back")
        return
    await run.hurry()
    run.recorder.fault("kill", victim)
    run.signal(victim, signal.SIGKILL)


async def hang(run: Run) -> None:
    """Every role and Redis are stopped for some seconds in turn (SIGSTOP), a msg_server also beyond its lease."""
    victims = run.random.sample(sorted({*ROLES, "redis"}), len(ROLES) + 1)
    for victim in victims:
        await run.pause(run.random.uniform(0.5, 1.5))
        await run.hurry()
        long = HANGS[2] if victim == victims[-1] or victim == "ms1" else run.random.choice(HANGS[:2])
        await _hang(run, victim, long)


async def _hang(run: Run, victim: str, seconds: float) -> None:
    run.recorder.fault("hang", victim)
    probe = run.probes.get(victim)
    if probe is not None:
        probe.pause()
    run.signal(victim, signal.SIGSTOP)
    # Answers that Redis sent before are still on their way for a moment.
    await run.pause(0.5)
    acknowledged = run.recorder.acknowledged
    await run.pause(seconds - 0.5)
    if victim == "redis" and run.recorder.acknowledged > acknowledged:
        run.recorder.complain("false-ok", "messages were acknowledged while Redis hung")
    run.recorder.healed("hang", victim)
    run.signal(victim, signal.SIGCONT)
    if probe is not None:
        probe.resume()


async def rolling(run: Run) -> None:
    """All roles are restarted one after the other by SIGTERM, as an operator does for a new version."""
    for victim in ("ms1", "ms2", "router", "manager", "gateway", "monitor"):
        pid = run.rig.running().get(victim)
        run.recorder.fault("restart", victim)
        run.signal(victim, signal.SIGTERM)
        await run.until(partial(_is_another, run, victim, pid), 20.0, f"{victim} back after SIGTERM")
        await run.pause(1.0)
        run.recorder.healed("restart", victim)


def _is_another(run: Run, who: str, pid: int | None) -> bool:
    return run.rig.running().get(who, pid) != pid


async def without_router(run: Run) -> None:
    """The only router hangs for a while, and its messages wait."""
    await run.hurry()
    await _hang(run, "router", run.plan.seconds / 2)


async def takeover(run: Run) -> None:
    """Of two routers the active one is killed repeatedly: the other takes over its lease under load."""
    beside = run.rig.add("fishchat-router")
    killed = 0
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - 5.0:
        await run.pause(run.random.uniform(1.0, 4.0))
        killed = await _reader(run, killed)
        if not killed:
            run.recorder.complain("stalled", "no router reads")
            return
        await run.hurry()
        run.recorder.fault("kill", "router that reads")
        os.kill(killed, signal.SIGKILL)
        if killed == beside.pid:
            beside = run.rig.add("fishchat-router")
        await run.arrival(TAKEN)


async def _reader(run: Run, before: int) -> int:
    """Return the process of the router that has the lease, another one than before; 0 when there is none in time."""
    deadline = run.reactor.seconds() + TAKEN
    while run.reactor.seconds() < deadline:
        for shown in await shown_by_monitor(run.reactor, run.rig.place.monitor):
            if shown["role"] == "router" and shown["figures"].get("shards") and shown["pid"] != before:
                return int(shown["pid"])
        await run.pause(0.1)
    return 0
