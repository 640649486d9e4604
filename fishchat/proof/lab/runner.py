"""One run or one measurement in this process: the reactor is started for it and stopped with it."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.task import LoopingCall

from fishchat.proof.lab.catalogue import FAULTS
from fishchat.proof.lab.run import Plan, Run
from fishchat.proof.reactor import with_reactor
from fishchat.services.redis.program import find_executable, version
from fishchat.services.running.errors import ProgramError

#: Seconds between two lines of progress.
PROGRESS = 5.0


@dataclass(frozen=True)
class Options:
    """The options of the command.

    :ivar keep: an empty directory for the run, which is then kept; ``source`` is where ``fishchat`` is taken from.
    :ivar tls: whether clients use TLS and accounts.
    """

    fault: str
    seed: int = 1
    seconds: float | None = None
    rate: float = 500.0
    redis: str = ""
    keep: Path | None = None
    source: Path | None = None
    tls: bool = False


def run_here(options: Options) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Run, and return the figures and the violations. NotStartedError when nothing could be tried, and OSError."""
    fault = FAULTS[options.fault]
    source = str(options.source or fault.shape.source)
    redis = fault.shape.redis_server or options.redis
    shape = replace(fault.shape, redis_server=redis, source=source, secure=options.tls)
    plan = Plan(options.seed, options.seconds or fault.seconds, options.rate, fault.back, shape, options.keep)
    runs: list[Run] = []

    def make(reactor: Any) -> Coroutine[Any, Any, dict[str, Any]]:
        runs.append(Run(reactor, options.fault, fault.act, plan))
        return _go(runs[0], options.keep is not None)

    figures = {**with_reactor(make), "redis": redis_version(redis)}
    return figures, runs[0].found


def redis_version(program: str) -> str:
    """Return the version of a Redis program, or of the one that FishChat chooses; empty if it cannot be found."""
    try:
        number = version(program or find_executable())
    except ProgramError:
        return ""
    return ".".join(map(str, number)) if number else ""


def sentence(figures: dict[str, Any]) -> str:
    """Return the figures of one run as a sentence for people."""
    done = f"{sum(figures['faults'].values()):,} faults, {figures['acknowledged']:,} messages acknowledged"
    wrong = sum(figures["violations"].values())
    if wrong:
        return f"{figures['fault']}: {wrong:,} violations of promises ({done}); see {figures['notes']}"
    return f"{figures['fault']}: all promises were kept ({done})"


async def _go(run: Run, keep: bool) -> dict[str, Any]:
    progress = LoopingCall(_show, run)
    progress.start(PROGRESS, now=False)
    # A run that could not start leaves its files, which show why; one that was interrupted has nothing to show.
    kept = False
    try:
        figures = await run.run()
        kept = figures["kept"]
        keep = keep or not kept
        return {**figures, "notes": str(run.rig.notes)} if keep else figures
    except CancelledError:
        kept = True
        raise
    finally:
        progress.stop()
        await run.end(keep or not kept)
        if not kept:
            print(f"{run.name}: journal, data and logs are in {run.rig.notes}", file=sys.stderr)


def _show(run: Run) -> None:
    recorder = run.recorder
    last = ", ".join(f"{count} {what}" for what, count in sorted(recorder.faults.items())) or "nothing"
    text = f"{run.name} seed {run.plan.seed}: {recorder.acknowledged} of {recorder.sent} acknowledged; done: {last}"
    print(text, file=sys.stderr, flush=True)
