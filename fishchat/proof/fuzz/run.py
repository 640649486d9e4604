"""Look for inputs that violate what is promised: ``python -m fishchat.proof.fuzz server --seconds 60``.

Starts from the inputs that are kept in ``fuzz/corpus``, prints one line of JSON, and ends with code 1 when it has found
something: the input is saved then, and ``--replay`` tries it again. It needs atheris (the extra ``fuzz``); ``--replay``
does not.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fishchat.proof.fuzz.targets import Target

#: Seconds that one input may take, megabytes that the process may, and seconds that it may need beside its own.
SLOW, MEMORY, MORE = 10, 2048, 120
#: Where new inputs and findings go if nothing else is said.
WORK = Path("_fuzz")
#: How kept inputs begin that are there for what they reach. Others stay: ``found-…`` once violated something,
#: ``made-…`` is somebody's idea.
REACHING = "reached-"
#: Inputs of one target that are kept at most, if few lines more are reached by others.
MOST = 200
#: Letters of what libFuzzer writes that are shown.
SHOWN = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; gives its exit code."""
    from fishchat.proof.fuzz.targets import CORPUS, TARGETS

    told = _parser(TARGETS).parse_args(arguments)
    target = TARGETS[told.target]
    if told.replay:
        return _replay(target.run, told.replay)
    if find_spec("atheris") is None:
        needed = "pip install 'fishchat[fuzz]' (for Linux on x86_64, CPython 3.10 to 3.13)"
        print(f"atheris is not installed: {needed}", file=sys.stderr)
        return 2
    fresh = told.corpus or WORK / told.target
    fresh.mkdir(parents=True, exist_ok=True)
    if told.keep:
        return _keep(told.target, CORPUS / told.target, fresh)
    return _look(told.target, target, fresh, told.seconds, told.runs)


def _parser(targets: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fishchat.proof.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(targets))
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument("--seconds", type=int, default=60, help="how long it looks (60 if nothing is said)")
    bound.add_argument("--runs", type=int, help="how many inputs it tries, instead")
    parser.add_argument("--corpus", type=Path, help=f"where new inputs are written ({WORK}/TARGET if nothing is said)")
    parser.add_argument("--keep", action="store_true", help="look for nothing; make one small corpus of both")
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FILE", help="try these inputs, and no others")
    return parser


def _look(name: str, target: Target, fresh: Path, seconds: int, runs: int | None) -> int:
    """Try new inputs until the time is over, or one of them violates something."""
    from fishchat.proof.fuzz.targets import kept

    found = WORK / "found"
    found.mkdir(parents=True, exist_ok=True)
    limit = f"-max_total_time={seconds}" if runs is None else f"-runs={runs}"
    options = [limit, f"-max_len={target.longest}", f"-artifact_prefix={found}/{name}-"]
    corpora = [str(fresh), *{str(file.parent) for file in kept(name)}]
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as words:
        words.writelines(map(_quoted, target.words))
        words.flush()
        if target.words:
            options.append(f"-dict={words.name}")
        said, code = _libfuzzer(name, [*options, *corpora], None if runs is not None else seconds + MORE)
    return _report(name, said, code)


def _quoted(word: bytes) -> str:
    """A line of libFuzzer's dictionary."""
    return '"{}"\n'.format("".join(f"\\x{byte:02x}" for byte in word))


def _libfuzzer(name: str, options: list[str], seconds: int | None) -> tuple[str, int]:
    """What libFuzzer writes, and its exit code."""
    bounds = [f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}", "-print_final_stats=1"]
    with tempfile.TemporaryDirectory() as place:
        # To merge, it runs itself again, by the name under which it was called.
        itself = Path(place) / name
        command = shlex.join([sys.executable, "-m", "fishchat.proof.fuzz.guided", name, str(itself)])
        itself.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        itself.chmod(0o700)
        ended = subprocess.run(
            [itself, *bounds, *options],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    return ended.stderr.decode("utf-8", "replace"), ended.returncode


def _report(name: str, said: str, code: int) -> int:
    """Print the figures, and what was found."""
    stats = {key: int(value) for key, value in re.findall(r"^stat::(\w+):\s+(\d+)", said, re.MULTILINE)}
    crashes = re.findall(r"Test unit written to (\S+)", said)
    covered = re.findall(r"cov: (\d+)", said)
    figures: dict[str, Any] = {
        "target": name,
        "inputs": stats.get("number_of_executed_units", 0),
        "per_second": stats.get("average_exec_per_sec", 0),
        "new": stats.get("new_units_added", 0),
        "covered": int(covered[-1]) if covered else 0,
        "crashes": len(crashes),
    }
    print(json.dumps({**figures, **({"found": crashes} if crashes else {})}), flush=True)
    if code == 0 and not crashes:
        return 0
    print(said[-SHOWN:], file=sys.stderr)
    return 1


def _keep(name: str, corpus: Path, fresh: Path) -> int:
    """Leave as few inputs as reach all that the kept and the new ones reach, beside those that have a name."""
    corpus.mkdir(parents=True, exist_ok=True)
    named = sum(not one.name.startswith(REACHING) for one in corpus.iterdir())
    # How often a line is run counts as well, unless there would be too many then.
    for counters in (1, 0):
        with tempfile.TemporaryDirectory() as chosen:
            options = ["-set_cover_merge=1", f"-use_counters={counters}", chosen, str(corpus), str(fresh)]
            said, code = _libfuzzer(name, options, None)
            inputs = [one.read_bytes() for one in Path(chosen).iterdir()]
        if code != 0 or not inputs:
            print(said[-SHOWN:], file=sys.stderr)
            return 1
        if named + len(inputs) <= MOST:
            break
    for old in corpus.glob(f"{REACHING}*"):
        old.unlink()
    for one in inputs:
        (corpus / f"{REACHING}{sha256(one).hexdigest()[:12]}").write_bytes(one)
    sizes = [one.stat().st_size for one in corpus.iterdir()]
    print(json.dumps({"target": name, "kept": len(sizes), "bytes": sum(sizes)}), flush=True)
    return 0


def _replay(run: Callable[[bytes], None], files: list[Path]) -> int:
    wrong = 0
    for file in files:
        try:
            run(file.read_bytes())
        except Exception:
            wrong += 1
            print(f"{file}:", file=sys.stderr)
            traceback.print_exc()
    print(json.dumps({"inputs": len(files), "crashes": wrong}), flush=True)
    return 1 if wrong else 0
