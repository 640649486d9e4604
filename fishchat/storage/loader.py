"""Find scripts by their path, and assemble their text. No I/O except reading the package.

``topics/create`` is ``features/topics/create.lua``, ``servers/register`` is ``storage/servers/register.lua``. A line
``--- @include "spans"`` names a file of ``storage/lib``. The assembled text is ``lib/base.lua``, then every include
once, each after those that it includes itself, then the script. A line ``--- @checks`` stands for
``lib/attributes.lua`` and every ``features/<feature>/attribute_<name>.lua``: so a feature adds a check to the script
that stores messages.
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
    return "\n".join([*map(read_include, needed(text)), text]).encode()
