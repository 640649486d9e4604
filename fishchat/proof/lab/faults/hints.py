"""What routers tell msg_servers does not arrive, or not in order."""

from __future__ import annotations

from fishchat.proof.lab.run import Run

#: The channels on which routers say what was stored.
CHANNELS = b"/msg_server/"
#: The shares of hints that are lost, that come twice, and that come behind the next one.
LOST, TWICE, LATE = 0.3, 0.1, 0.2
ROUNDS = 7
#: Seconds after which a lost hint is made up for: the numbers are stored and compared once a second.
MADE_UP = 5.0


async def hints(run: Run) -> None:
    """Of the hints to msg_servers many are dropped, doubled, or come behind later ones."""
    links, servers = run.site.redis_links, run.site.of_role("ms1", "ms2")
    run.moving = False
    run.recorder.fault("disturb", "hints")
    # They come again at once; from their first byte on everything can be taken apart then.
    links.reset(servers)
    links.disturb_hints(CHANNELS, LOST, TWICE, LATE, servers)
    # Each time one conversation falls silent, and what it misses shows by nothing that follows.
    for _ in range(ROUNDS):
        await run.pause(run.plan.seconds / (ROUNDS + 1))
        await run.hurry()
    counts = [link.hints.counts for link in links.links if link.hints is not None]
    if not all(any(count[kind] for count in counts) for kind in ("dropped", "doubled", "late")):
        run.recorder.complain(f"hints were not disturbed: {counts}")
    # At last none comes, and nobody sends any more: what is missing shows by the numbers alone.
    links.disturb_hints(CHANNELS, 1.0, 0.0, 0.0, servers)
    await run.hurry()
    await run.arrival(MADE_UP)
    links.heal()
    run.recorder.healed("disturb", "hints")
