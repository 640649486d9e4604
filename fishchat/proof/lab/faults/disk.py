"""Faults of Redis' file: it is cut or replaced by a copy, the disk is full, or its power fails."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fishchat.proof.lab.aof import messages, newest
from fishchat.proof.lab.run import Run

#: The command before ``fishchat up``: its data directory, which is the next word, is a small disk of its own.
NAMESPACE = (
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "--",
    "sh",
    "-c",
    'mount -t tmpfs -o size=48m,mode=700 tmpfs "$0" && exec "$@"',
)
#: The command before Redis: record its writes and its syncs.
TRACED = ("strace", "-D", "-f", "-qq", "-y", "-s", "0", "-e", "trace=write,fsync,fdatasync", "-o")
#: The greatest number of bytes that are cut off.
CUT = 4096
#: Seconds for which the disk is full, twice.
FULL = 6.0


async def power(run: Run) -> None:
    """Power fails, again and again: Redis dies, and its file keeps only what was synced by then."""
    for _ in range(int(run.plan.seconds // 5)):
        await run.pause(run.random.uniform(2.0, 4.0))
        await run.hurry()
        async with _dead(run, "power"):
            await run.until(lambda: _is_complete(run.rig.notes), 10.0, "the end of Redis in its trace")
            logs = _unsynced(run.rig.notes)
            if not logs:
                run.recorder.complain("setup", "the trace of Redis shows no write to its file")
            for path, unsynced in logs.items():
                if path.exists():
                    os.truncate(path, path.stat().st_size - unsynced)
        await run.until(lambda: "redis" in run.rig.running(), 10.0, "Redis back")


async def cut(run: Run) -> None:
    """Redis' file is cut at a random byte while it is down: the loss is announced, and no id is used again."""
    run.governor.active = False
    for _ in range(3):
        await run.pause(run.random.uniform(3.0, 5.0))
        await run.hurry()
        async with _dead(run, "cut"):
            path = newest(run.rig.view)
            before = path.read_bytes()
            after = before[: max(0, len(before) - run.random.randint(1, CUT))]
            os.truncate(path, len(after))
            _record_losses(run, before, after)
        await run.until(lambda: "redis" in run.rig.running(), 10.0, "Redis back")


async def put_back(run: Run) -> None:
    """An older copy of Redis' files is restored: the loss is announced, and no id is used again."""
    run.governor.active = False
    await run.pause(3.0)
    copy = run.rig.notes / "copy"
    _copy(run.rig.view, copy)
    await run.pause(4.0)
    await run.hurry()
    async with _dead(run, "put back"):
        before, after = newest(run.rig.view).read_bytes(), newest(copy).read_bytes()
        if before == after:
            run.recorder.complain("setup", "nothing was stored since the copy was made")
        _copy(copy, run.rig.view)
        _record_losses(run, before, after)


async def full(run: Run) -> None:
    """The disk is full for some seconds: Redis cannot run, and nothing is acknowledged; then all work continues."""
    await run.pause(3.0)
    await run.hurry()
    run.recorder.fault("full disk", "all")
    filler = run.rig.view / "filler"
    _fill(filler)
    await run.pause(FULL)
    _fill(filler)
    acknowledged = run.recorder.acknowledged
    await run.pause(FULL)
    if run.recorder.acknowledged > acknowledged:
        run.recorder.complain("false-ok", "messages were acknowledged on a full disk")
    filler.unlink()
    run.recorder.healed("full disk", "all")


@asynccontextmanager
async def _dead(run: Run, what: str) -> AsyncIterator[None]:
    """Kill Redis, and keep it from being started again until the end of this."""
    run.recorder.fault(what, "redis")
    run.rig.up.process.send_signal(signal.SIGSTOP)
    try:
        run.signal("redis", signal.SIGKILL)
        # Answers under way have arrived then.
        await run.pause(0.5)
        yield
    finally:
        run.rig.up.process.send_signal(signal.SIGCONT)
    run.recorder.healed(what, "redis")


def _record_losses(run: Run, before: bytes, after: bytes) -> None:
    """Record which messages of Redis' file are missing after the fault: these and no others may be lost."""
    left = messages(after)
    for (conversation, epoch, number), text in messages(before).items():
        if (conversation, epoch, number) not in left:
            run.recorder.gone(conversation, number, text)


def _copy(here: Path, there: Path) -> None:
    """Copy Redis' files, in place of those there."""
    there.mkdir(exist_ok=True)
    for name in ("appendonlydir", "appendonly.aof"):
        if (here / name).is_dir():
            shutil.rmtree(there / name, ignore_errors=True)
            shutil.copytree(here / name, there / name)
        elif (here / name).exists():
            shutil.copyfile(here / name, there / name)


def _traces(notes: Path) -> list[Path]:
    return sorted(notes.glob("trace.*"), key=lambda path: path.stat().st_mtime)


def _is_complete(notes: Path) -> bool:
    """Return whether the trace of the last Redis has its end."""
    traces = _traces(notes)
    return bool(traces) and "+++ killed by SIGKILL +++" in _tail(traces[-1])


def _tail(path: Path) -> str:
    return path.read_bytes()[-500:].decode("utf-8", "replace")


_LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(write|fsync|fdatasync)(?:\(\d+<([^>]*)>| resumed>)(.*)$")


def _unsynced(notes: Path) -> dict[Path, int]:
    """Return how many bytes of each file the last Redis had written and not synced.

    A sync covers what was written before it began; it may end much later, in a thread of its own.
    """
    written: dict[str, int] = {}
    synced: dict[str, int] = {}
    begun: dict[str, tuple[str, int]] = {}
    for line in _traces(notes)[-1].read_text("utf-8", "replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        thread, call, path, rest = found.groups()
        if path is not None:
            begun[thread] = path, written.get(path, 0)
        path, before = begun.get(thread, ("", 0))
        result = re.search(r"= (\d+)$", rest)
        if result is None:
            continue
        if call == "write":
            written[path] = written.get(path, 0) + int(result[1])
        else:
            synced[path] = max(before, synced.get(path, 0))
    return {Path(path): count - synced.get(path, 0) for path, count in written.items() if path.endswith(".aof")}


def _fill(path: Path) -> None:
    """Write to this file until the disk is full."""
    with path.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
