"""The list of scripts in ``doc/store.md``, printed from what each script says of itself. No I/O but in ``main``.

``python -m fishchat.storage.reference`` writes it into the page; a test compares it with what the scripts say now.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fishchat.storage.header import parse
from fishchat.storage.loader import names, read

PAGE = Path(__file__).parents[2] / "doc" / "store.md"

#: Said once for all scripts that write for a msg_server.
FENCE = ("LEASE", "EPOCH")

_BEGIN = "<!-- generated: scripts -->\n"
_END = "\n<!-- end: scripts -->"


def item(name: str) -> str:
    """One line of the list: what a script does, and the words with which it refuses."""
    header = parse(read(name))
    words = [word for word in header.refuses if word not in FENCE]
    refuses = f" Refuses: {', '.join(words)}." if words else ""
    return f"- `{name}`: {header.summary}{refuses}"


def listing() -> str:
    """All scripts by name, a line each."""
    return "\n".join(map(item, names()))


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
