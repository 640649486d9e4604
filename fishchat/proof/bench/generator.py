"""The process of the clients: takes one job on standard input, prints what it found on standard output.

It ends with whoever has started it.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred
from twisted.python.failure import Failure

from fishchat.features.accounts.administration import Accounts
from fishchat.net.clock import use_monotonic
from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.logins import Idle, Login, Storm
from fishchat.proof.bench.measuring import Run
from fishchat.proof.bench.messages import Talk, TopicTalk
from fishchat.proof.bench.replay import Replay
from fishchat.proof.bench.spec import Figures, Job
from fishchat.services.running.gc_tuning import collect_seldom
from fishchat.services.running.lifeline import Lifeline
from fishchat.storage.redis import Connection, parse_url
from fishchat.storage.script import script

RUNS: dict[str, type[Run]] = {
    "p2p": Talk,
    "topic": TopicTalk,
    "idle": Idle,
    "login": Login,
    "storm": Storm,
    "replay": Replay,
}
#: Accounts that are made at a time.
ACCOUNTS = 500


def names_of(job: Job) -> list[bytes]:
    """The accounts of its clients."""
    return [f"{job.prefix}{number}".encode() for number in range(job.clients)]


async def make_accounts(reactor: Any, url: str, names: list[bytes]) -> list[bytes]:
    """Accounts of these names that log in by tokens; gives the tokens."""
    connection = Connection(
        parse_url(url), scripts=(script("accounts/create"), script("accounts/issue_token")), reactor=reactor
    )
    connection.startService()
    tokens: list[bytes] = []
    try:
        await connection.when_connected().addTimeout(10.0, reactor)
        accounts = Accounts(connection, 1.0)

        async def make(name: bytes) -> bytes:
            await accounts.add(name, None)
            return await accounts.grant(name, b"main", 1)

        for start in range(0, len(names), ACCOUNTS):
            made = [ensureDeferred(make(name)) for name in names[start : start + ACCOUNTS]]
            for _, token in await DeferredList(made, consumeErrors=True):
                if isinstance(token, Failure):
                    raise BenchError(f"an account could not be made: {token.getErrorMessage()}")
                tokens.append(token)
    finally:
        await connection.stopService()
    return tokens


async def perform(reactor: Any, job: Job) -> Figures:
    """What came of it; when nothing did, ``error`` says why."""
    names = names_of(job)
    tokens = await make_accounts(reactor, job.redis, names) if job.redis else []
    run = RUNS[job.kind](reactor, job, names, tokens)
    # After everything is there, and before anything is measured: this process is not what is measured.
    collect_seldom()
    try:
        await run.work()
    except BenchError as error:
        run.figures.error = str(error)
    finally:
        run.crowd.close()
    return run.figures


def main() -> None:
    """Run, and end with code 0 when figures were printed."""
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


if __name__ == "__main__":
    main()
