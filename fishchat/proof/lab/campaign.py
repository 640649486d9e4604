"""Many runs, one after the other, each in a process of its own; and the same for mutants."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fishchat.proof.lab.catalogue import FAULTS
from fishchat.proof.lab.mutants import Mutant, mutate
from fishchat.proof.lab.processes import COMMAND
from fishchat.proof.lab.runner import Options
from fishchat.services.redis.program import PREFERRED, candidates, find_executable, version

#: Seconds that a run may take beyond its fault: to start, to settle, to be judged.
BEYOND = 240.0
#: Seconds that one has to end its processes when it was told to end.
TO_END = 30.0
#: Seeds with which a mutant is looked for, by each of its faults.
TRIES = 2


def servers() -> list[str]:
    """The Redis programs of this machine, one before Redis 7 and one from then on, as far as there are.

    ProgramError when there is none: then nothing could be tried, which is no success.
    """
    found: dict[bool, str] = {}
    for path in candidates():
        number = version(path)
        if number is not None:
            found.setdefault(number >= PREFERRED, path)
    return [found[new] for new in sorted(found)] or [find_executable()]


def run_child(options: Options) -> dict[str, Any]:
    """The figures of one run. They say ``failed`` and why when there are none."""
    words = [*COMMAND, "lab", "run", options.fault, "--seed", str(options.seed), "--rate", str(options.rate)]
    for name, value in (
        ("--seconds", options.seconds),
        ("--redis", options.redis),
        ("--keep", options.keep),
        ("--source", options.source),
    ):
        if value:
            words += [name, str(value)]
    limit = BEYOND + 2 * max(options.seconds or 0.0, FAULTS[options.fault].seconds)
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            told, _ = process.communicate(timeout=limit)
            figures: dict[str, Any] = json.loads(told)
        except subprocess.TimeoutExpired:
            return _failed(options, f"no end within {limit:.0f} s")
        except ValueError:
            return _failed(options, f"exit status {process.returncode}, and no figures")
        finally:
            _end(process)
    return figures


def _failed(options: Options, why: str) -> dict[str, Any]:
    return {"fault": options.fault, "seed": options.seed, "kept": False, "failed": why}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it put away the processes that it has started, if it still runs."""
    process.terminate()
    try:
        process.wait(TO_END)
    except subprocess.TimeoutExpired:
        process.kill()


def run_all(
    faults: Sequence[str], seeds: Sequence[int], redis: Sequence[str], seconds: float | None, rate: float
) -> Iterator[dict[str, Any]]:
    """The figures of each fault with each seed and each Redis; those that cannot be done here say why."""
    for name in faults:
        missing = FAULTS[name].missing()
        if missing:
            yield {"fault": name, "skipped": missing}
            continue
        for program in [FAULTS[name].shape.redis_server] if FAULTS[name].shape.redis_server else redis:
            for seed in seeds:
                figures = run_child(Options(name, seed, seconds, rate, program))
                number = version(program)
                yield {**figures, "redis": ".".join(map(str, number)) if number else ""}


def look_for(mutant: Mutant, rate: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Which fault and which checkers find this mutant; ``found`` is false when none does."""
    directory = Path(tempfile.mkdtemp(prefix="fc-mutant-"))
    tried = []
    try:
        mutate(mutant, directory)
        for seed in range(1, TRIES + 1):
            for fault in mutant.faults:
                if missing := FAULTS[fault].missing():
                    tried.append(f"{fault}: {missing}")
                    continue
                say(f"{mutant.name}: {fault}, seed {seed}")
                figures = run_child(Options(fault, seed, rate=rate, source=directory))
                if figures.get("violations"):
                    shutil.rmtree(figures["notes"], ignore_errors=True)
                    return {
                        "mutant": mutant.name,
                        "found": True,
                        "fault": fault,
                        "seed": seed,
                        "violations": figures["violations"],
                    }
                tried.append(f"{fault} {seed}: {figures.get('failed', 'kept')}")
        return {"mutant": mutant.name, "found": False, "tried": tried}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def control(mutants: Sequence[Mutant], rate: float, say: Callable[[str], None]) -> list[str]:
    """The faults of these mutants that complain although there is no defect: what they find proves nothing then."""
    wrong = []
    for fault in dict.fromkeys(fault for mutant in mutants for fault in mutant.faults):
        if FAULTS[fault].missing():
            continue
        say(f"no mutant: {fault}")
        if not run_child(Options(fault, rate=rate))["kept"]:
            wrong.append(fault)
    return wrong
