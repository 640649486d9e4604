"""The list of scripts in ``doc/store.md``, generated from the scripts' headers."""

from __future__ import annotations

from fishchat.storage.header import parse
from fishchat.storage.loader import names, read

#: Written once for all scripts that write for a msg_server.
FENCE = ("LEASE", "EPOCH")


def item(name: str) -> str:
    """Return one line of the list: the purpose of a script, and the words with which it refuses."""
    header = parse(read(name))
    words = [word for word in header.refuses if word not in FENCE]
    refuses = f" Refuses: {', '.join(words)}." if words else ""
    return f"- `{name}`: {header.summary}{refuses}"


def listing() -> str:
    """Return all scripts by name, a line each."""
    return "\n".join(map(item, names()))
