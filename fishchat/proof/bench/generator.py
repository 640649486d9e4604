"""The process of the clients: reads one job from standard input, and prints its figures to standard output.

It ends with the process that started it.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from fishchat.errors import Refusal
from fishchat.net.clock import use_monotonic
from fishchat.proof.accounts import make_accounts
from fishchat.proof.bench.changes import Changes
from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.logins import Idle, Login, Storm
from fishchat.proof.bench.measuring import Run
from fishchat.proof.bench.messages import Talk, TopicTalk
from fishchat.proof.bench.replay import Replay
from fishchat.proof.bench.spec import Figures, Job
from fishchat.services.running.gc_tuning import collect_seldom
from fishchat.services.running.lifeline import Lifeline

RUNS: dict[str, type[Run]] = {
    "p2p": Talk,
    "edit": Changes,
    "react": Changes,
    "topic": TopicTalk,
    "idle": Idle,
    "login": Login,
    "storm": Storm,
    "replay": Replay,
}


def names_of(job: Job) -> list[bytes]:
    """Return the accounts of its clients."""
    return [f"{job.prefix}{number}".encode() for number in range(job.clients)]


async def perform(reactor: Any, job: Job) -> Figures:
    """Do the job and return its figures; ``error`` is the reason if there are none."""
    names = names_of(job)
    try:
        tokens = await make_accounts(reactor, job.redis, names) if job.redis else []
    except Refusal as refusal:
        return Figures(error=f"an account could not be made: {refusal}")
    run = RUNS[job.kind](reactor, job, names, tokens)
    # After everything was imported, and before anything is measured: this process is not what is measured.
    collect_seldom()
    try:
        await run.work()
    except BenchError as error:
        run.figures.error = str(error)
    finally:
        run.crowd.close()
    return run.figures


def main() -> None:
    """Run; exit with code 0 when figures were printed."""
    from twisted.internet import reactor

    use_monotonic(reactor)
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    Lifeline(reactor=reactor).startService()
    found: list[Any] = []

    def go() -> None:
        work: Deferred[Any] = ensureDeferred(perform(reactor, job))
        work.addBoth(found.append)
        work.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(go)
    reactor.run()
    if not found:
        sys.exit(1)
    if isinstance(found[0], Failure):
        found[0].raiseException()
    sys.stdout.buffer.write(msgspec.json.encode(found[0]) + b"\n")
