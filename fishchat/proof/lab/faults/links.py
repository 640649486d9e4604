"""The network between clients and servers, and between servers and Redis."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from fishchat.proof.lab.proxy import Direction, Link, Proxy
from fishchat.proof.lab.run import Run

Fits = Callable[[Link], bool]

#: Bytes a second of a slow reader.
SLOW = 400
#: Seconds without the answers of Redis: shorter than a lease, and longer.
SHORT, LONG = 6.0, 20.0
#: Seconds after which both ends have noticed that a link is dead: a client sends a ping after 90.
NOTICED = 100.0


async def delayed(run: Run) -> None:
    """Everything between clients and servers takes 50 to 150 ms."""
    check_there(run, *run.rig.clients)
    for proxy in run.rig.clients:
        proxy.delay(0.1, 0.05)
    await _last(run, "delay", "clients")
    _heal(run)


async def dripping(run: Run) -> None:
    """A third of the clients reads and writes so slowly that it falls behind."""
    check_there(run, *run.rig.clients)
    for proxy in run.rig.clients:
        proxy.drip(SLOW, some(run, 3))
    await _last(run, "drip", "clients")
    _heal(run)


async def torn(run: Run) -> None:
    """Connections of clients are reset at random bytes, within lines."""
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - 2.0:
        run.recorder.fault("tear", "clients")
        check_there(run, *run.rig.clients)
        for proxy in run.rig.clients:
            proxy.tear(run.random.randint(1, 3000), some(run, 4))
        await run.pause(run.random.uniform(0.3, 1.0))
        _heal(run)


async def storm(run: Run) -> None:
    """All clients lose their connections at the same moment, three times, and reconnect at once."""
    for _ in range(3):
        await run.hurry()
        run.recorder.fault("reset", "clients")
        check_there(run, *run.rig.clients)
        for proxy in run.rig.clients:
            proxy.reset()
        await run.pause(run.plan.seconds / 4)


async def unheard(run: Run) -> None:
    """For some seconds nothing from servers reaches half of the clients, then nothing from clients reaches servers."""
    directions: tuple[Direction, ...] = ("down", "up", "both")
    for direction in directions:
        await run.hurry()
        run.recorder.fault(f"hold {direction}", "clients")
        check_there(run, *run.rig.clients)
        for proxy in run.rig.clients:
            proxy.hold(direction, some(run, 2))
        await run.pause(SHORT)
        _heal(run)
        run.recorder.healed(f"hold {direction}", "clients")
        await run.pause(2.0)


async def half_open(run: Run) -> None:
    """The connections of half of the clients are dead without notice: both ends have to find out."""
    run.moving = False
    await run.hurry()
    run.recorder.fault("swallow", "clients")
    check_there(run, *run.rig.clients)
    for proxy in run.rig.clients:
        proxy.swallow(some(run, 2))
    # Only the connections that exist now; a client that reconnects has a good one.
    _heal(run)
    await run.pause(NOTICED)
    run.recorder.healed("swallow", "clients")


async def redis_unheard(run: Run) -> None:
    """Redis' answers do not reach one msg_server for some seconds: nobody knows what was stored."""
    for server in ("ms1", "ms2"):
        await _hold(run, server, "down", SHORT)


async def redis_apart(run: Run) -> None:
    """Each role in turn is cut off from Redis, a msg_server also for longer than its lease."""
    for role in run.random.sample(("ms1", "router", "manager", "gateway"), 4):
        await _hold(run, role, "both", 4.0)
    await _hold(run, "ms2", "both", LONG)


async def redis_reset(run: Run) -> None:
    """The connections of all roles to Redis are reset again and again, at random bytes too."""
    links = run.rig.redis_links
    check_there(run, links)
    began = run.reactor.seconds()
    while run.reactor.seconds() - began < run.plan.seconds - 4.0:
        await run.pause(run.random.uniform(0.5, 2.0))
        run.recorder.fault("reset", "redis")
        if run.random.random() < 0.5:
            links.reset(some(run, 2))
        else:
            links.tear(run.random.randint(1, 2000))
            await run.pause(0.2)
            links.heal()


async def redis_delayed(run: Run) -> None:
    """Everything between the roles and Redis takes 10 to 50 ms."""
    check_there(run, run.rig.redis_links)
    run.rig.redis_links.delay(0.03, 0.02)
    await _last(run, "delay", "redis")
    run.rig.redis_links.heal()


async def redis_half_open(run: Run) -> None:
    """The connections of one msg_server to Redis are dead without notice; then those of the router."""
    for role in ("ms1", "router"):
        await run.hurry()
        run.recorder.fault("swallow", role)
        check_there(run, run.rig.redis_links, fits=run.rig.of_role(role))
        run.rig.redis_links.swallow(run.rig.of_role(role))
        await run.pause(1.0)
        run.rig.redis_links.heal()
        await run.pause(12.0)
        run.recorder.healed("swallow", role)


async def _hold(run: Run, role: str, direction: Direction, seconds: float) -> None:
    await run.hurry()
    run.recorder.fault(f"hold {direction}", role)
    check_there(run, run.rig.redis_links, fits=run.rig.of_role(role))
    run.rig.redis_links.hold(direction, run.rig.of_role(role))
    await run.pause(seconds)
    run.rig.redis_links.heal()
    run.recorder.healed(f"hold {direction}", role)
    await run.pause(2.0)


async def _last(run: Run, what: str, who: str) -> None:
    run.recorder.fault(what, who)
    await run.pause(run.plan.seconds - 2.0)
    run.recorder.healed(what, who)


def some(run: Run, one_in: int) -> Fits:
    """Return a condition that fits one link in so many, always the same ones."""
    chosen: dict[Link, bool] = {}
    # One number of the plan, however many links there are: later random values must not depend on them.
    random = Random(run.random.random())

    def fits(link: Link) -> bool:
        if link not in chosen:
            chosen[link] = random.randrange(one_in) == 0
        return chosen[link]

    return fits


def check_there(run: Run, *proxies: Proxy, fits: Fits = lambda _: True) -> None:
    """Record a complaint when there is no connection that anything could be done to."""
    if not any(fits(link) for proxy in proxies for link in proxy.links):
        run.recorder.complain("setup", "there was no connection that this could be done to")


def _heal(run: Run) -> None:
    for proxy in run.rig.clients:
        proxy.heal()
