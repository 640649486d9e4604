"""What becomes of Redis' file: cut, put back, or kept by a disk that is full or has lost its power."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fishchat.proof.lab.run import Run

#: In front of ``fishchat up``: its data directory, which is named behind this, is a small disk of its own.
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
#: In front of Redis: note what it writes, and what it has had synced.
TRACED = ("strace", "-D", "-f", "-qq", "-y", "-s", "0", "-e", "trace=write,fsync,fdatasync", "-o")
#: Bytes that are cut off at most, and seconds before its death that Redis' last so many bytes are from.
CUT, YOUNGER = 4096, 3.0
#: Seconds that the disk is full.
FULL = 6.0


async def power(run: Run) -> None:
    """Power fails, again and again: Redis dies, and its file keeps only what it has had synced by then."""
    for _ in range(int(run.plan.seconds // 5)):
        await run.pause(run.random.uniform(2.0, 4.0))
        await run.hurry()
        async with _dead(run, "power"):
            await run.until(lambda: _is_told(run.site.notes), 10.0, "the end of Redis in its trace")
            logs = _unsynced(run.site.notes)
            if not logs:
                run.recorder.complain("the trace of Redis tells of nothing written to its file")
            for path, unsynced in logs.items():
                if path.exists():
                    os.truncate(path, path.stat().st_size - unsynced)
        await run.until(lambda: "redis" in run.site.running(), 10.0, "Redis back")


async def cut(run: Run) -> None:
    """Redis' file is cut at a random byte while it is down: what is gone is announced, and no id is used again."""
    for _ in range(3):
        await run.pause(run.random.uniform(3.0, 5.0))
        await run.hurry()
        begin = run.reactor.seconds() - YOUNGER
        async with _dead(run, "cut"):
            path = _newest(run.site.view)
            os.truncate(path, max(0, path.stat().st_size - run.random.randint(1, CUT)))
            run.recorder.excuse(begin, "the file was cut")
        await run.until(lambda: "redis" in run.site.running(), 10.0, "Redis back")


async def put_back(run: Run) -> None:
    """An older copy of Redis' files is put back: what is gone is announced, and no id is used again."""
    await run.pause(3.0)
    copy = run.site.notes / "copy"
    begin = run.reactor.seconds()
    _copy(run.site.view, copy)
    await run.pause(4.0)
    await run.hurry()
    async with _dead(run, "put back"):
        if _newest(copy).read_bytes() == _newest(run.site.view).read_bytes():
            run.recorder.complain("nothing was stored since the copy was made")
        _copy(copy, run.site.view)
        run.recorder.excuse(begin, "an older copy was put back")


async def full(run: Run) -> None:
    """The disk is full for some seconds: Redis cannot run, and nothing is acknowledged; then all goes on."""
    await run.pause(3.0)
    await run.hurry()
    run.recorder.fault("full disk", "all")
    filler = run.site.view / "filler"
    _fill(filler)
    await run.pause(FULL)
    _fill(filler)
    acknowledged = run.recorder.acknowledged
    await run.pause(FULL)
    if run.recorder.acknowledged > acknowledged:
        run.recorder.complain("messages were acknowledged on a full disk")
    filler.unlink()
    run.recorder.healed("full disk", "all")


@asynccontextmanager
async def _dead(run: Run, what: str) -> AsyncIterator[None]:
    """Redis is killed, and not started again before the end of this."""
    run.recorder.fault(what, "redis")
    run.site.up.process.send_signal(signal.SIGSTOP)
    try:
        run.signal("redis", signal.SIGKILL)
        # Answers that are on their way have arrived then.
        await run.pause(0.5)
        yield
    finally:
        run.site.up.process.send_signal(signal.SIGCONT)
    run.recorder.healed(what, "redis")


def _copy(here: Path, there: Path) -> None:
    """Redis' files, in place of those there."""
    there.mkdir(exist_ok=True)
    for name in ("appendonlydir", "appendonly.aof"):
        if (here / name).is_dir():
            shutil.rmtree(there / name, ignore_errors=True)
            shutil.copytree(here / name, there / name)
        elif (here / name).exists():
            shutil.copyfile(here / name, there / name)


def _newest(data: Path) -> Path:
    """The file that Redis appends to: of Redis 7 the last part."""
    parts = list((data / "appendonlydir").glob("*.incr.aof"))
    return max(parts, key=lambda path: int(path.name.split(".")[-3]), default=data / "appendonly.aof")


def _traces(notes: Path) -> list[Path]:
    return sorted(notes.glob("trace.*"), key=lambda path: path.stat().st_mtime)


def _is_told(notes: Path) -> bool:
    """Whether the trace of the last Redis goes to its end."""
    traces = _traces(notes)
    return bool(traces) and "+++ killed by SIGKILL +++" in _tail(traces[-1])


def _tail(path: Path) -> str:
    return path.read_bytes()[-500:].decode("utf-8", "replace")


_LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(write|fsync|fdatasync)(?:\(\d+<([^>]*)>| resumed>)(.*)$")


def _unsynced(notes: Path) -> dict[Path, int]:
    """How many bytes of each log file the last Redis had written without having had them synced.

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
