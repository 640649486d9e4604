"""Clients that do what they should not, or more of it than they should."""

from __future__ import annotations

import os
import resource

from fishchat.proof.lab.run import Run

#: Seconds that a server may open no further file.
FULL = 8.0


async def replaced(run: Run) -> None:
    """Programs log in as a device that is logged in already, again and again, at either server."""
    run.moving = False
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - 3.0:
        talker = run.random.choice([one for one in run.talkers.values() if one.is_loud])
        run.recorder.fault("take over", "device")
        await talker.take_over()
        await run.pause(0.05)


async def no_more_files(run: Run) -> None:
    """One msg_server may open no further file for some seconds: who is there is served, others come in later."""
    await run.pause(2.0)
    pid = run.site.running()["ms1"]
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    run.recorder.fault("files", "ms1")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), before[1]))
    acknowledged = run.recorder.acknowledged
    await run.pause(FULL)
    if run.recorder.acknowledged == acknowledged:
        run.recorder.complain("nobody was served while one server could open no files")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    run.recorder.healed("files", "ms1")
