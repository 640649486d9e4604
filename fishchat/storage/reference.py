"""The list of scripts in ``doc/store.md`` and the writers of each key, generated from the scripts' headers."""

from __future__ import annotations

import re

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


#: A row of the tables of keys: key, type, contents, writers, bound.
_ROW = re.compile(
    r"^(\| (`[^|]+) \| (?:string|hash|set|sorted set|stream) \| .* \| )([^|]*)( \| [^|]* \|)$", re.MULTILINE
)
#: Names on the page that differ from those in the headers: guess budgets are of accounts and of addresses.
_NAMES = {
    "guesses:<account>": "guesses:<name>",
    "guesses:@<address>": "guesses:<name>",
    "/sysctrl/send/<shard>": "/sysctrl/send",
}


def writers_of(key: str) -> list[str]:
    """Return the scripts that may write a key, as the page names it. A topic is a conversation."""
    key = _NAMES.get(key, re.sub("#<topic>$", "<conversation>", key))
    return [name for name in names() if key in parse(read(name)).writes]


def with_writers(page: str) -> str:
    """Return the page with current writers in the tables of keys; roles that write a key are named by hand."""

    def filled(row: re.Match[str]) -> str:
        scripts = sorted({name for key in re.findall(r"`([^`]+)`", row[2]) for name in writers_of(key)})
        roles = [one for one in re.split("[,;] ", row[3]) if one and not re.fullmatch(r"`\w+/\w+`", one)]
        return row[1] + ", ".join([*(f"`{name}`" for name in scripts), *roles]) + row[4]

    return _ROW.sub(filled, page)
