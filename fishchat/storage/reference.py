"""The list of scripts in ``doc/store.md``, generated from the scripts' headers. No I/O except in ``main``.

``python -m fishchat.storage.reference`` writes it into the page; a test compares the page with the headers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fishchat.storage.header import parse
from fishchat.storage.loader import names, read

PAGE = Path(__file__).parents[2] / "doc" / "store.md"

#: Written once for all scripts that write for a msg_server.
FENCE = ("LEASE", "EPOCH")

_BEGIN = "<!-- generated: scripts -->\n"
_END = "\n<!-- end: scripts -->"


def item(name: str) -> str:
    """Return one line of the list: the purpose of a script, and the words with which it refuses."""
    header = parse(read(name))
    words = [word for word in header.refuses if word not in FENCE]
    refuses = f" Refuses: {', '.join(words)}." if words else ""
    return f"- `{name}`: {header.summary}{refuses}"


def listing() -> str:
    """Return all scripts by name, a line each."""
    return "\n".join(map(item, names()))


def fill(page: str) -> str:
    """Return ``page`` with the current list. Raises ValueError when the page has no marks for it."""
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
