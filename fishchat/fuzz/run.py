"""Look for inputs that violate what is promised: ``python -m fishchat.fuzz server --seconds 60``.

Starts from the inputs that are kept in ``fuzz/corpus``, prints one line of JSON, and ends with code 1 when it has found
something: the input is saved then, and ``--replay`` tries it again. It needs atheris (the extra ``fuzz``); ``--replay``
does not.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fishchat.fuzz.targets import Target

#: Seconds that one input may take, megabytes that the process may, and seconds that it may need beside its own.
SLOW, MEMORY, MORE = 10, 2048, 120
#: Where new inputs and findings go if nothing else is said; how kept inputs begin that once violated something.
WORK, FINDING = Path("_fuzz"), "found-"
#: Letters of what libFuzzer writes that are shown.
SHOWN = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; gives its exit code."""
    from fishchat.fuzz.targets import CORPUS, TARGETS

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
    parser = argparse.ArgumentParser(prog="python -m fishchat.fuzz", description=__doc__)
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
    from fishchat.fuzz.targets import kept

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
    command = [sys.executable, "-m", "fishchat.fuzz.guided", name, *bounds, *options]
    ended = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, timeout=seconds, check=False)
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
    """Leave as few inputs as reach all lines that the kept and the new ones reach, and those that were findings."""
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as chosen:
        options = ["-set_cover_merge=1", "-use_counters=0", chosen, str(corpus), str(fresh)]
        said, code = _libfuzzer(name, options, None)
        if code != 0:
            print(said[-SHOWN:], file=sys.stderr)
            return 1
        for old in corpus.iterdir():
            if not old.name.startswith(FINDING):
                old.unlink()
        for one in Path(chosen).iterdir():
            (corpus / one.name[:16]).write_bytes(one.read_bytes())
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
