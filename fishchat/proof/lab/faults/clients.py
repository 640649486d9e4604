"""Clients that break the rules, or exceed the limits."""

from __future__ import annotations

import os
import resource

from fishchat.proof.lab.run import Run

#: Seconds for which a server may open no further file.
FULL = 8.0


async def replaced(run: Run) -> None:
    """Programs log in as a device that is already logged in, again and again, at either server."""
    run.moving = False
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - 3.0:
        talker = run.random.choice(run.participants.loud())
        run.recorder.fault("take over", "device")
        await talker.take_over()
        await run.pause(0.05)


async def no_more_files(run: Run) -> None:
    """One msg_server may open no further file for some seconds: connected clients are served, others log in later."""
    await run.pause(2.0)
    pid = run.rig.running()["ms1"]
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    run.recorder.fault("files", "ms1")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), before[1]))
    acknowledged = run.recorder.acknowledged
    await run.pause(FULL)
    if run.recorder.acknowledged == acknowledged:
        run.recorder.complain("stalled", "nobody was served while one server could open no files")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    run.recorder.healed("files", "ms1")
