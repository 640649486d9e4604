"""The list of scripts in ``doc/store.md``, printed from what each script says of itself. No I/O but in ``main``.

``python -m fishchat.storage.reference`` writes it into the page; a test compares it with what the scripts say now.
"""

from __future__ import annotations

import re
import sys
from itertools import takewhile
from pathlib import Path

from fishchat.storage.script import Script, read
from fishchat.storage.scripts import ALL

PAGE = Path(__file__).parents[2] / "doc" / "store.md"

_BEGIN = "<!-- generated: scripts -->\n"
_END = "\n<!-- end: scripts -->"


def summary(source: str) -> str:
    """What a script says it does: the comment that it opens with, up to its arguments. ValueError without one."""
    comment = [line[2:].strip() for line in takewhile(lambda line: line.startswith("--"), source.splitlines())]
    found = re.match(r"(.+?)(?= args: |$)", " ".join(comment))
    if found is None:
        raise ValueError("it does not say what it does")
    return found[1]


def item(script: Script) -> str:
    """One line of the list."""
    return f"- `{script.name}`: {summary(read(script.name).decode())}"


def listing() -> str:
    """All scripts by name, a line each."""
    return "\n".join(item(script) for script in sorted(ALL, key=lambda script: script.name))


def fill(page: str) -> str:
    """``page`` with the list as it is now. Raises ValueError when it has no marks for it."""
    before, found, rest = page.partition(_BEGIN)
    _, closed, behind = rest.partition(_END)
    if not (found and closed):
        raise ValueError("no marks for the scripts")
    return before + _BEGIN + listing() + _END + behind


def main(path: Path = PAGE) -> None:
    """Write the list into the page at ``path``."""
    path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
