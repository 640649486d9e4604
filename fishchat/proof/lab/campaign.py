"""Many runs one after the other, each in a process of its own, of FishChat as it is and of mutants."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fishchat.proof.lab.catalogue import FAULTS
from fishchat.proof.lab.defects import Mutant
from fishchat.proof.lab.mutants import mutate
from fishchat.proof.lab.runner import Options, redis_version
from fishchat.proof.processes import COMMAND
from fishchat.services.redis.program import PREFERRED, candidates, find_executable, version

#: Seconds that a run may take beyond its fault: to start, to settle and to be judged.
BEYOND = 240.0
#: Seconds that a run has to end its processes after SIGTERM.
TO_END = 30.0
#: The number of seeds with which each fault looks for a mutant.
TRIES = 2


def servers() -> list[str]:
    """Return the Redis programs of this machine: one older than Redis 7 and one that is not, if there are.

    ProgramError when there is none: then nothing could be tried, which is no success.
    """
    found: dict[bool, str] = {}
    for path in candidates():
        number = version(path)
        if number is not None:
            found.setdefault(number >= PREFERRED, path)
    return [found[new] for new in sorted(found)] or [find_executable()]


def run_child(options: Options) -> dict[str, Any]:
    """Return the figures of one run; ``failed`` is the reason when there are none."""
    words = [*COMMAND, "lab", "run", options.fault, "--seed", str(options.seed), "--rate", str(options.rate)]
    for name, value in (
        ("--seconds", options.seconds),
        ("--redis", options.redis),
        ("--keep", options.keep),
        ("--source", options.source),
    ):
        if value:
            words += [name, str(value)]
    if options.tls:
        words.append("--tls")
    limit = BEYOND + 2 * max(options.seconds or 0.0, FAULTS[options.fault].seconds)
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            output, _ = process.communicate(timeout=limit)
            figures: dict[str, Any] = json.loads(output)
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
    """Have it end the processes that it started, if it still runs."""
    process.terminate()
    try:
        process.wait(TO_END)
    except subprocess.TimeoutExpired:
        process.kill()


def run_all(
    faults: Sequence[str], seeds: Sequence[int], redis: Sequence[str], like: Options
) -> Iterator[dict[str, Any]]:
    """Return the figures of each fault with each seed and each Redis; ``skipped`` is the reason why one is impossible
    here.

    :param like: the other options of each run.
    """
    for name in faults:
        missing = FAULTS[name].missing()
        if missing:
            yield {"fault": name, "skipped": missing}
            continue
        for program in [FAULTS[name].shape.redis_server] if FAULTS[name].shape.redis_server else redis:
            for seed in seeds:
                figures = run_child(replace(like, fault=name, seed=seed, redis=program))
                # A run that failed has not said which Redis it used.
                yield {"redis": redis_version(program), **figures}


def look_for(mutant: Mutant, rate: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Return which fault finds this mutant, and by which violations; ``found`` is false when none does."""
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
                shutil.rmtree(figures.get("notes", ""), ignore_errors=True)
                if is_found(mutant, figures):
                    return {
                        "mutant": mutant.name,
                        "found": True,
                        "fault": fault,
                        "seed": seed,
                        "violations": figures["violations"],
                    }
                tried.append(f"{fault} {seed}: {_outcome(figures)}")
        return {"mutant": mutant.name, "found": False, "tried": tried}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def is_found(mutant: Mutant, figures: Mapping[str, Any]) -> bool:
    """Return whether a run has a violation that the defect must cause; any other may have another cause."""
    return bool(figures.get("violations", {}).keys() & set(mutant.evidence))


def _outcome(figures: Mapping[str, Any]) -> str:
    others = ", ".join(figures.get("violations", {}))
    return str(figures.get("failed") or (f"only {others}" if others else "kept"))


def control(mutants: Sequence[Mutant], rate: float, say: Callable[[str], None]) -> list[str]:
    """Return the faults of these mutants that find violations without a defect: then they prove nothing."""
    wrong = []
    for fault in dict.fromkeys(fault for mutant in mutants for fault in mutant.faults):
        if FAULTS[fault].missing():
            continue
        say(f"no mutant: {fault}")
        if not run_child(Options(fault, rate=rate))["kept"]:
            wrong.append(fault)
    return wrong
