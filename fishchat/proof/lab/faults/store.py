"""Redis is short of memory or busy with its own files, or a lease in it is lost."""

from __future__ import annotations

from fishchat.proof.lab.run import Run

#: Seconds for which the memory is short, and for which another process has a lease.
SHORT, LOST = 5.0, 4.0


async def full_memory(run: Run) -> None:
    """Redis' `maxmemory` is reached for some seconds: sends wait, acknowledgements and logins continue."""
    (setting,) = await run.rig.redis(("CONFIG", "GET", "maxmemory"))
    await run.pause(2.0)
    await run.hurry()
    run.recorder.fault("maxmemory", "redis")
    await _set(run, "maxmemory", "1mb")
    await run.pause(0.5)
    acknowledged = run.recorder.acknowledged
    await run.pause(SHORT)
    # The OK of one or two may be under way; a full store accepts no more.
    if run.recorder.acknowledged - acknowledged > 2:
        run.recorder.complain("false-ok", "messages were acknowledged although the store is full")
    await _set(run, "maxmemory", setting[1].decode())
    run.recorder.healed("maxmemory", "redis")


async def rewriting(run: Run) -> None:
    """Redis rewrites its file under load, again and again."""
    begun = 0
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - 2.0:
        run.recorder.fault("rewrite", "redis")
        (answer,) = await run.rig.redis(("BGREWRITEAOF",))
        # It refuses while it still writes the last one.
        begun += not isinstance(answer, Exception)
        await run.pause(run.random.uniform(0.5, 2.0))
    if not begun:
        run.recorder.complain("setup", "Redis has rewritten nothing")


async def _set(run: Run, name: str, value: str) -> None:
    (answer,) = await run.rig.redis(("CONFIG", "SET", name, value))
    if isinstance(answer, Exception):
        raise answer


async def lease_lost(run: Run) -> None:
    """Another process takes a msg_server's name in the store: from then on that server stores nothing more."""
    for server, probe in run.probes.items():
        await run.pause(2.0)
        await run.hurry()
        run.recorder.fault("take the name", server)
        # As long as the lease of a server that has just renewed it: one that is near its end may be taken by force.
        lease = ("SET", f"lease:{server}", "another", "PX", "15000")
        await run.rig.redis(("HSET", "servers", server, "another"), lease)
        # Answers to earlier messages are on their way for a moment.
        await run.pause(0.3)
        stored = probe.stored
        await run.pause(LOST - 1.0)
        if probe.stored > stored:
            run.recorder.complain("unfenced", f"{server} stored {probe.stored - stored} messages without its lease")
        await run.rig.redis(("DEL", f"lease:{server}"))
        run.recorder.healed("take the name", server)
        await run.pause(5.0)
