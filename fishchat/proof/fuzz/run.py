"""Search for inputs that violate a property: ``python -m fishchat.proof.fuzz server --seconds 60``.

The search starts from the kept inputs, prints one line of JSON, and exits with code 1 when it has found an input; that
is saved, and ``--replay`` runs it again. The search needs atheris (the extra ``fuzz``); ``--replay`` does not.
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
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishchat.proof.fuzz.inputs import CORPUS, REACHING, keep, kept, merged
from fishchat.services.launch import commands

if TYPE_CHECKING:
    from fishchat.proof.fuzz.targets import Target

#: The limits of one input in seconds, of the process in megabytes, and of the process in seconds beyond the search.
SLOW, MEMORY, MORE = 10, 2048, 120
#: The default directory of new inputs and findings.
WORK = Path("_fuzz")
#: The greatest number of kept inputs of a target, if few lines more are reached by others.
MOST = 200
#: The number of characters of libFuzzer's output that are shown.
SHOWN = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    from fishchat.proof.fuzz.targets import TARGETS

    options = _parser(TARGETS).parse_args(arguments)
    target = TARGETS[options.target]
    if options.replay:
        return _replay(options.target, target, options.replay)
    if find_spec("atheris") is None:
        needed = "pip install 'fishchat[fuzz]' (for Linux on x86_64, CPython 3.10 to 3.13)"
        print(f"atheris is not installed: {needed}", file=sys.stderr)
        return 2
    fresh = options.corpus or WORK / options.target
    fresh.mkdir(parents=True, exist_ok=True)
    if options.keep:
        return _keep(options.target, fresh, CORPUS)
    return _search(options.target, target, fresh, options.seconds, options.runs)


def _parser(targets: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fishchat.proof.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(targets))
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument("--seconds", type=int, default=60, help="the duration of the search (default: 60)")
    bound.add_argument("--runs", type=int, help="the number of inputs to try, instead of a duration")
    parser.add_argument("--corpus", type=Path, help=f"the directory of new inputs (default: {WORK}/TARGET)")
    parser.add_argument(
        "--keep", action="store_true", help="add new inputs to the kept ones, and remove those that reach nothing more"
    )
    parser.add_argument(
        "--replay", nargs="+", metavar="INPUT", help="only run these inputs: files, or names of kept inputs"
    )
    return parser


def _search(name: str, target: Target, fresh: Path, seconds: int, runs: int | None) -> int:
    """Try new inputs until the time is over, or until one of them violates a property."""
    found = WORK / "found"
    found.mkdir(parents=True, exist_ok=True)
    limit = f"-max_total_time={seconds}" if runs is None else f"-runs={runs}"
    options = [limit, f"-max_len={target.longest}", f"-artifact_prefix={found}/{name}-"]
    with tempfile.TemporaryDirectory() as place:
        known, words = Path(place, "kept"), Path(place, "words")
        unpack(kept(name), known)
        words.write_text("".join(map(quoted, target.words)))
        if target.words:
            options.append(f"-dict={words}")
        # libFuzzer writes to the first directory and only reads the others.
        output, code = _libfuzzer(
            name, [*options, str(fresh), str(known)], None if runs is not None else seconds + MORE
        )
    return report(name, output, code)


def unpack(inputs: Mapping[str, bytes], directory: Path) -> None:
    """Write each input to a file of its own, as libFuzzer reads them."""
    directory.mkdir()
    for name, data in inputs.items():
        (directory / name).write_bytes(data)


def quoted(word: bytes) -> str:
    """Return a line of libFuzzer's dictionary."""
    return '"{}"\n'.format("".join(f"\\x{byte:02x}" for byte in word))


def _libfuzzer(name: str, options: list[str], seconds: int | None) -> tuple[str, int]:
    """Run libFuzzer; return its output and its exit code."""
    bounds = [f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}", "-print_final_stats=1"]
    with tempfile.TemporaryDirectory() as place:
        # To merge, it runs itself again by the name under which it was called.
        itself = Path(place) / name
        command = shlex.join(commands.program("fishchat.proof.fuzz.guided:main", name, str(itself)))
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


def report(name: str, output: str, code: int) -> int:
    """Print the figures and the findings; return the exit code."""
    stats = {key: int(value) for key, value in re.findall(r"^stat::(\w+):\s+(\d+)", output, re.MULTILINE)}
    crashes = re.findall(r"Test unit written to (\S+)", output)
    covered = re.findall(r"cov: (\d+)", output)
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
    print(output[-SHOWN:], file=sys.stderr)
    return 1


def _keep(name: str, fresh: Path, corpus: Path) -> int:
    """Keep the inputs with names of their own, and as few others as reach all that kept and new inputs reach."""
    old = kept(name, corpus)
    named = sum(not one.startswith(REACHING) for one in old)
    # How often a line is run counts as well, unless there would be too many then.
    for counters in (1, 0):
        with tempfile.TemporaryDirectory() as place:
            known, chosen = Path(place, "kept"), Path(place, "chosen")
            unpack(old, known)
            chosen.mkdir()
            options = ["-set_cover_merge=1", f"-use_counters={counters}", str(chosen), str(known), str(fresh)]
            output, code = _libfuzzer(name, options, None)
            inputs = [one.read_bytes() for one in chosen.iterdir()]
        if code != 0 or not inputs:
            print(output[-SHOWN:], file=sys.stderr)
            return 1
        if named + len(inputs) <= MOST:
            break
    new = merged(old, inputs)
    keep(name, new, corpus)
    print(json.dumps({"target": name, "kept": len(new), "bytes": sum(map(len, new.values()))}), flush=True)
    return 0


def _replay(name: str, target: Target, words: Sequence[str]) -> int:
    known = kept(name)
    crashes = 0
    for word in words:
        try:
            data = known[word] if word in known else Path(word).read_bytes()
        except OSError as error:
            print(f"{word} is neither a kept input of {name} nor a file: {error.strerror}", file=sys.stderr)
            return 2
        try:
            target.run(data)
        except Exception:
            crashes += 1
            print(f"{word}:", file=sys.stderr)
            traceback.print_exc()
    print(json.dumps({"inputs": len(words), "crashes": crashes}), flush=True)
    return 1 if crashes else 0
