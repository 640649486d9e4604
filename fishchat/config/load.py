"""Layers the configuration: defaults, a file, the environment, the command line's data directory.

Every value has a note of its origin. A refusal names the origin, the key, the value and the allowed values. All
refusals are reported together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from fishchat.config import describe, files, original
from fishchat.config.check import Finding, check, value_problem
from fishchat.config.environment import given_variables, misspelt
from fishchat.config.original import Given
from fishchat.config.schema import Config, Section

FILE_NAME = "fishchat.toml"
_COMMAND_LINE = "command line --data"
#: Keys whose value is a path. In a file, a relative path is relative to the file.
_PATHS = ("data", "tls.certificate", "tls.key", "redis.authority", "redis.certificate", "redis.key")


@dataclass(frozen=True)
class Problem:
    """One refusal. ``key`` and ``value`` are empty when it concerns a whole file; no secret is shown."""

    where: str
    text: str
    key: str = ""
    value: str = ""

    def __str__(self) -> str:
        named = " = ".join(filter(None, (self.key, self.value)))
        return ": ".join(filter(None, (self.where, named, self.text)))


class ConfigError(Exception):
    """The configuration cannot be used. Its text has one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Loaded:
    """A configuration that can be run, the origin of each dotted key's value, and notes on ignored keys."""

    config: Config
    origin: dict[str, str]
    notes: list[str] = field(default_factory=list)
    #: The file that was read, if any.
    file: Path | None = None


def load(
    file: str | Path | None = None,
    *,
    data: str = "",
    role: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Read all layers. ``role`` is the role of the file, if it is one of the original Go project's.

    Without ``file``, ``fishchat.toml`` in the data directory is read if it exists. ``data`` overrides every layer.
    Raises ConfigError when a file cannot be read or anything in any layer is refused.
    """
    environment = os.environ if environment is None else environment
    if file is None:
        file = _default_file(data, environment)
    given, notes = _from_file(Path(file), role) if file is not None else ([], [])
    given += [
        Given(describe.key_of(name), environment[name], f"environment {name}", text=True)
        for name in given_variables(environment)
    ]
    if data:
        given.append(Given("data", data, _COMMAND_LINE))
    wrong, more = misspelt(environment)
    problems = [Problem(f"environment {name}", text) for name, text in wrong]
    config, origin = _settle(given, problems, environment)
    return Loaded(config, origin, [*notes, *more], None if file is None else Path(file))


def data_directory(data: str = "", environment: Mapping[str, str] | None = None) -> Path:
    """Return the data directory, absolute: ``data`` when it is not empty, else the user's own. It may not exist.

    Raises ConfigError when there is no such user, or the user has no home directory.
    """
    try:
        return _data_directory(data, os.environ if environment is None else environment)
    except ValueError as error:
        raise ConfigError([Problem("", str(error))]) from error


def _data_directory(data: str, environment: Mapping[str, str]) -> Path:
    if data:
        return Path(_expanded(data)).absolute()
    home = environment.get("XDG_DATA_HOME", "")
    # The specification of XDG_DATA_HOME says that a relative path is invalid and must be ignored.
    base = Path(home) if os.path.isabs(home) else Path(_expanded("~/.local/share"))
    return base / "fishchat"


def _expanded(path: str) -> str:
    """Return the path with the home directory in place of ``~`` or ``~user``; ValueError if there is none."""
    found = os.path.expanduser(path)
    if not found.startswith("~"):
        return found
    user = found[1:].partition("/")[0]
    if user:
        raise ValueError(f"{path!a} names a user {user!a}, who does not exist; write the whole path")
    raise ValueError(
        "this user has no home directory; set HOME, or name a data directory with --data or FISHCHAT__DATA"
    )


def _default_file(data: str, environment: Mapping[str, str]) -> Path | None:
    variable = describe.PREFIX + "DATA"
    chosen = data or environment.get(variable, "")
    where, key = (_COMMAND_LINE if data else f"environment {variable}", "data") if chosen else ("", "")
    try:
        path = _data_directory(chosen, environment) / FILE_NAME
    except ValueError as error:
        raise ConfigError([Problem(where, str(error), key)]) from error
    try:
        return path if files.exists(path) else None
    except files.FileError as error:
        raise ConfigError([Problem(f"file {path}", str(error))]) from error


def _from_file(path: Path, role: str | None) -> tuple[list[Given], list[str]]:
    where = f"file {path}"
    try:
        tree = files.read_tree(path)
    except files.FileError as error:
        raise ConfigError([Problem(where, str(error))]) from error
    if path.suffix.lower() == ".json" and original.is_original(tree):
        given, notes, wrong = original.translate(tree, role, where)
        if wrong:
            raise ConfigError(Problem(where, text, key) for key, text in wrong)
        return given, notes
    for key in _PATHS:
        try:
            _resolve(tree, key, path.parent)
        except ValueError as error:
            raise ConfigError([Problem(where, str(error), key)]) from error
    return [Given(key, value, where) for key, value in tree.items()], []


def _resolve(tree: dict[str, Any], key: str, base: Path) -> None:
    """Make a path absolute, relative to its file, so that the directory of the start does not matter."""
    *sections, name = key.split(".")
    for section in sections:
        tree = tree.get(section, {})
        if not isinstance(tree, dict):
            return
    if isinstance(tree.get(name), str) and tree[name]:
        tree[name] = os.path.abspath(os.path.join(base, _expanded(tree[name])))


def _settle(
    given: list[Given], problems: list[Problem], environment: Mapping[str, str]
) -> tuple[Config, dict[str, str]]:
    values: dict[str, object] = {}
    origin = dict.fromkeys(describe.leaves(), "default")
    for one in given:
        for leaf in _spread(one, problems):
            problem = _take(leaf, values)
            if problem is not None:
                problems.append(problem)
            origin[leaf.key] = leaf.origin
    if problems:
        raise ConfigError(problems)
    config = _build(Config(), "", values)
    try:
        directory = str(_data_directory(config.data, environment))
    except ValueError as error:
        raise ConfigError([Problem(origin["data"], str(error), "data")]) from error
    if config.data:
        # A relative one is meant for the directory of the start, and only for that.
        config = msgspec.structs.replace(config, data=directory)
    theirs = {one.key: one.original for one in given if one.original and one.origin == origin.get(one.key)}
    for found in check(config):
        shown = describe.shown(found.key, describe.value_at(config, found.key))
        problems.append(Problem(origin[found.key], _with_remedy(found, theirs.get(found.key, "")), found.key, shown))
    if problems:
        raise ConfigError(problems)
    return config, origin


def _with_remedy(found: Finding, name: str) -> str:
    """Return the text with the lines to write instead. ``name`` is the name of the key in a file of the original."""
    if not found.instead:
        return found.text
    if not name:
        lines = [f"{key} = {describe.literal(key, value)}" for key, value in found.instead.items()]
        return "\n    ".join([f"{found.text}. Write instead:", *lines])
    # Such a file has no other keys. The variables of the environment go with it.
    here = describe.literal(found.key, describe.value_at(Config(), found.key))
    texts = [(key, ",".join(value) if isinstance(value, list) else value) for key, value in found.instead.items()]
    return "\n    ".join(
        [
            f'{found.text}. In this file write "{name}": {here}; for other machines also set in the environment:',
            *[f"{describe.environment_name(key)}={text}" for key, text in texts],
        ]
    )


def _spread(one: Given, problems: list[Problem]) -> list[Given]:
    """Return the single values of a value, which may be a section. A value that fits no key is a problem."""
    if one.key in describe.leaves():
        return [one]
    if not one.key or one.key not in describe.sections():
        key = one.key if one.key.isprintable() else ascii(one.key)
        problems.append(Problem(one.origin, _unknown(one), key))
    elif not isinstance(one.value, dict):
        names = ", ".join(f.name for f in msgspec.structs.fields(describe.sections()[one.key]))
        shown = describe.shown(one.key, one.value)
        problems.append(Problem(one.origin, f"is a section with the keys {names}", one.key, shown))
    else:
        inner = [Given(f"{one.key}.{name}", value, one.origin) for name, value in one.value.items()]
        return [leaf for each in inner for leaf in _spread(each, problems)]
    return []


def _unknown(one: Given) -> str:
    inside, _, name = one.key.rpartition(".")
    if inside and name in describe.sections() and isinstance(one.value, dict):
        # A dotted key at the end of a file with sections belongs to the last section.
        return f"no such key; what begins with `{name}.` stands above the first section, or without that in [{name}]"
    text = f"no such key; {describe.suggestion(one.key)}"
    names = [describe.environment_name(key) for key in describe.nearest(one.key)] if one.text else []
    return f"{text} ({', '.join(names)})" if names else text


def _take(leaf: Given, values: dict[str, object]) -> Problem | None:
    value = leaf.value
    if leaf.text and isinstance(describe.value_at(Config(), leaf.key), list):
        value = [item.strip() for item in str(value).split(",") if item.strip()]
    try:
        value = msgspec.convert(value, describe.leaves()[leaf.key], strict=not leaf.text)
    except (
        msgspec.ValidationError,
        UnicodeEncodeError,
    ):  # the second: bytes that are not UTF-8, or half a surrogate pair
        wrong: str | None = f"must be {describe.allowed(leaf.key)}"
    else:
        wrong = value_problem(leaf.key, value)
    if wrong:
        return Problem(leaf.origin, wrong, leaf.key, describe.shown(leaf.key, leaf.value))
    values[leaf.key] = value
    return None


def _build(default: Any, prefix: str, values: Mapping[str, object]) -> Any:
    """Return a copy of ``default`` with the values set; a partial section keeps its other defaults."""
    changes: dict[str, object] = {}
    for name in default.__struct_fields__:
        current, key = getattr(default, name), prefix + name
        if isinstance(current, Section):
            changes[name] = _build(current, key + ".", values)
        elif key in values:
            changes[name] = values[key]
    return msgspec.structs.replace(default, **changes)
