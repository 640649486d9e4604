"""Find scripts by their path, and assemble their text. No I/O except reading the package.

``topics/create`` is ``features/topics/create.lua``, ``servers/register`` is ``storage/servers/register.lua``. A line
``--- @include "spans"`` names a file of ``storage/lib``. The assembled text is ``lib/base.lua``, then every include
once, each after those that it includes itself, then the script. A line ``--- @checks`` stands for
``lib/attributes.lua`` and every ``features/<feature>/attribute_<name>.lua``: so a feature adds a check to the script
that stores messages.

Redis runs a script from its first line at every call, and makes all its functions anew. So a script that is called for
every message keeps what it needs rarely in a block from ``--- @rarely one, other`` to ``--- @end``: the includes of the
block are made at the first call of ``rare()``, which returns a table of the functions that the first line names.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Of Python 3.11.
    from importlib.resources.abc import Traversable

_STORAGE = files("fishchat") / "storage"
LIBRARY = _STORAGE / "lib"


def _features() -> list[Path]:
    """Return the directories in which the registry finds features, too: the path of their package."""
    spec = find_spec("fishchat.features")
    return [Path(directory) for directory in (spec and spec.submodule_search_locations) or ()]


#: Directories whose sub-directories hold scripts.
ROOTS: tuple[Traversable, ...] = (*_features(), _STORAGE)

#: The beginning of the names of files that check an attribute of a message.
_CHECK = "attribute_"
_CHECKS = "--- @checks\n"
_RARELY = re.compile(r"^--- @rarely ([\w, ]+)\n(.*?)^--- @end\n", re.MULTILINE | re.DOTALL)
_INCLUDE = re.compile(r'^--- @include "(\w+)"$', re.MULTILINE)


def names() -> list[str]:
    """Return the path of every script, sorted."""
    return sorted(
        f"{directory.name}/{path.name.removesuffix('.lua')}"
        for root in ROOTS
        for directory in root.iterdir()
        if directory.is_dir() and directory.name != LIBRARY.name
        for path in directory.iterdir()
        if path.name.endswith(".lua") and not path.name.startswith(_CHECK)
    )


def includes() -> list[str]:
    """Return the name of every file that scripts may include, sorted."""
    return sorted(path.name.removesuffix(".lua") for path in LIBRARY.iterdir() if path.name.endswith(".lua"))


def checks() -> list[str]:
    """Return the texts of all checks of attributes, ordered by feature and attribute."""
    found = {
        f"{directory.name}/{path.name}": path.read_text(encoding="utf-8")
        for root in ROOTS
        for directory in root.iterdir()
        if directory.is_dir()
        for path in directory.iterdir()
        if path.name.startswith(_CHECK) and path.name.endswith(".lua")
    }
    return [found[name] for name in sorted(found)]


def read(name: str) -> str:
    """Read the text of one script, without its includes. Raises FileNotFoundError if it does not exist."""
    for root in ROOTS:
        path = root / f"{name}.lua"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"no script {name}.lua in features/ or storage/")


def read_include(name: str) -> str:
    """Read the text of one include. Raises FileNotFoundError if it does not exist."""
    return (LIBRARY / f"{name}.lua").read_text(encoding="utf-8")


def needed(text: str) -> list[str]:
    """Return the includes of ``text``, direct and indirect, each after its own. Raises ValueError for a circle."""
    found: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"includes in a circle: {' → '.join((*path, name))}")
        if name not in found:
            for inner in _INCLUDE.findall(read_include(name)):
                visit(inner, (*path, name))
            found.append(name)

    for name in ("base", *_INCLUDE.findall(text)):
        visit(name, ())
    return found


def assemble(text: str) -> bytes:
    """Return the text that Redis loads for a script with this text."""
    if _CHECKS in text:
        inserted = '--- @include "attributes"\n' + "".join(checks())
        text = text.replace(_CHECKS, inserted)
    often = needed(_RARELY.sub("", text))
    text = _RARELY.sub(lambda block: _made_when_needed(block[1], block[2], often), text)
    return "\n".join([*map(read_include, often), text]).encode()


def _made_when_needed(names: str, block: str, known: list[str]) -> str:
    """Return the function ``rare``, with the includes of a block that are not ``known``."""
    includes = [read_include(name) for name in needed(block) if name not in known]
    fields = ", ".join(f"{name} = {name}" for name in names.split(", "))
    begin = "local rare_functions\nlocal function rare()\nif not rare_functions then\n"
    end = f"\nrare_functions = {{{fields}}}\nend\nreturn rare_functions\nend\n"
    return begin + "\n".join([*includes, block]) + end
