"""Members join and leave while messages are sent."""

from __future__ import annotations

from random import Random

from twisted.internet.defer import DeferredList, ensureDeferred

from fishchat.proof.lab.participants import GOVERNED
from fishchat.proof.lab.run import Run
from fishchat.proof.lab.talkers import Talker

#: The channel on which servers publish that a topic has changed.
CHANNEL = b"/sysctrl/topic-sync"


async def members(run: Run) -> None:
    """In each topic one member leaves and joins again, over and over, while the others send."""
    goers = [
        _goer(run, topic, accounts, Random(run.random.random()))
        for topic, accounts in run.participants.conversations.items()
        if topic.startswith("#") and topic != GOVERNED
    ]
    await DeferredList([ensureDeferred(one) for one in goers], fireOnOneErrback=True, consumeErrors=True)


async def members_unheard(run: Run) -> None:
    """Like `members`, while no msg_server is notified by the others that a membership has changed."""
    links, servers = run.rig.redis_links, run.rig.of_role("ms1", "ms2")
    run.recorder.fault("drop", "topic-sync")
    links.reset(servers)
    links.disturb_hints(CHANNEL, 1.0, 0.0, 0.0, servers)
    await run.pause(1.0)
    await members(run)
    if not any(link.hints.counts["dropped"] for link in links.links if link.hints is not None):
        run.recorder.complain("setup", "nothing was published of memberships that could be dropped")
    links.heal()
    run.recorder.healed("drop", "topic-sync")


async def _goer(run: Run, conversation: str, accounts: list[str], random: Random) -> None:
    # The owner is the first, and may not leave.
    members = accounts[1:]
    # An account with two devices is better: each may be at another server, and only one leaves and joins.
    account = random.choice([one for one in members if len(run.participants.devices(one)) > 1] or members)
    talkers = run.participants.devices(account)
    # The number of deliveries is not waited for any more: it differs from message to message.
    run.recorder.receivers(conversation, ())
    for talker in talkers:
        talker.places = [place for place in talker.places if place[1] != conversation]
    await run.until(lambda: not any(talker.pending for talker in talkers), 20.0, "answers to the member that leaves")
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - 3.0:
        await _once(run, talkers[0], conversation, random)


async def _once(run: Run, talker: Talker, conversation: str, random: Random) -> None:
    topic = conversation.removeprefix("#")
    for before, call, after in (("asks-out", "leave", "out"), ("asks-in", "join", "in")):
        await run.pause(random.uniform(0.05, 1.0))
        run.recorder.fault(call, "member")
        run.recorder.membership(talker.account, conversation, before)
        await talker.command(call, topic)
        run.recorder.membership(talker.account, conversation, after)
