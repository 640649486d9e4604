"""Reads a configuration file, TOML or JSON, as a tree of sections. The meaning of its keys is ``load``'s."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Where the parser of TOML finds the same thing said twice, its words are for people who know its grammar.
_TWICE = (
    "; a section and dotted keys of the same name cannot be in one file: below [accounts] write `mode = …`, or write "
    "`accounts.mode = …` everywhere; and write each key only once"
)


class FileError(Exception):
    """The file cannot be used. The text is the reason, without the name of the file."""


def exists(path: Path) -> bool:
    """Return whether there is a file at ``path``, or a link, wherever it leads. FileError if that cannot be found out.

    A file that is there but cannot be read must not pass for none, since the defaults would be used without a word.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror}") from error
    except ValueError:
        # A name with a NUL byte; the check of the values refuses it.
        return False
    return True


def read_tree(path: Path) -> dict[str, Any]:
    """Return the content of the file. FileError if it cannot be read, or is not what its name says."""
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise FileError("must end in .toml or .json")
    try:
        tree = parse(_text(path))
    except (ValueError, RecursionError) as error:  # both parsers' errors are ValueErrors
        raise FileError(f"is not valid {path.suffix[1:].upper()}: {error}") from error
    if not isinstance(tree, dict):
        raise FileError("must hold an object of sections")
    return tree


def _text(path: Path) -> str:
    try:
        found = path.read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.is_symlink():
            raise FileError(f"is a link to {os.readlink(path)}, which does not exist") from error
        raise FileError(f"cannot be read: {error.strerror}") from error
    if found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("it is UTF-16 text; save it as UTF-8")
    try:
        # With the mark that Windows writes before UTF-8, or without it.
        return found.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from error


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if str(error).startswith("Cannot "):
            raise ValueError(f"{error}{_TWICE}") from error
        raise


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object with the same key twice. The parser keeps only the last one, whatever the others say."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice)} is there twice; write it once, with everything in it")
    return found


_PARSERS: dict[str, Callable[[str], Any]] = {".toml": _toml, ".json": _json}
