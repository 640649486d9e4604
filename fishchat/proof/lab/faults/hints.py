"""Hints from routers to msg_servers are lost, or arrive out of order."""

from __future__ import annotations

from fishchat.proof.lab.run import Run

#: The channels on which routers publish stored messages.
CHANNELS = b"/msg_server/"
#: The shares of hints that are lost, that arrive twice, and that arrive after the next one.
LOST, TWICE, LATE = 0.3, 0.1, 0.2
ROUNDS = 7
#: Seconds after which a lost hint is noticed: its number is stored and compared once a second.
MADE_UP = 5.0


async def hints(run: Run) -> None:
    """Many hints to msg_servers are dropped, doubled, or arrive after later ones."""
    links, servers = run.rig.redis_links, run.rig.of_role("ms1", "ms2")
    run.moving = False
    run.recorder.fault("disturb", "hints")
    # They reconnect at once; then everything can be parsed from the first byte on.
    links.reset(servers)
    links.disturb_hints(CHANNELS, LOST, TWICE, LATE, servers)
    # Each time one conversation falls silent, so that no later message reveals the missing ones there.
    for _ in range(ROUNDS):
        await run.pause(run.plan.seconds / (ROUNDS + 1))
        await run.hurry()
    counts = [link.hints.counts for link in links.links if link.hints is not None]
    if not all(any(count[kind] for count in counts) for kind in ("dropped", "doubled", "late")):
        run.recorder.complain("setup", f"hints were not disturbed: {counts}")
    # In the end there are no hints and no senders: only the numbers reveal the missing messages.
    links.disturb_hints(CHANNELS, 1.0, 0.0, 0.0, servers)
    await run.hurry()
    await run.arrival(MADE_UP)
    links.heal()
    run.recorder.healed("disturb", "hints")
