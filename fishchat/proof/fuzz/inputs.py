"""The kept inputs: one text file for each target, ``corpus/TARGET.txt``, with one line for each input.

A line is the name of the input and its bytes as a Python literal, sorted by name, so that the file is always the same
for the same inputs and a diff shows what was added and what was removed.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"

#: The prefix of inputs that are kept for the code they reach. Others are never removed: ``found-…`` once violated a
#: property, ``made-…`` was written by a person.
REACHING = "reached-"


def kept(target: str, corpus: Path = CORPUS) -> dict[str, bytes]:
    """Return the kept inputs of a target by name; none if it has no file. ValueError for a file of another form."""
    path = corpus / f"{target}.txt"
    found = {}
    for number, line in enumerate(path.read_text("ascii").splitlines() if path.exists() else (), 1):
        name, _, literal = line.partition(" ")
        try:
            found[name] = ast.literal_eval(literal)
        except (ValueError, SyntaxError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    return found


def keep(target: str, inputs: Mapping[str, bytes], corpus: Path = CORPUS) -> None:
    """Write these inputs as the kept ones of a target."""
    lines = [f"{name} {data!r}\n" for name, data in sorted(inputs.items())]
    (corpus / f"{target}.txt").write_text("".join(lines), "ascii")


def merged(old: Mapping[str, bytes], chosen: list[bytes]) -> dict[str, bytes]:
    """Return the inputs with a name of their own from ``old``, and the chosen ones that are not among them."""
    named = {name: data for name, data in old.items() if not name.startswith(REACHING)}
    present = set(named.values())
    return {**named, **{f"{REACHING}{_hash(data)}": data for data in chosen if data not in present}}


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]
