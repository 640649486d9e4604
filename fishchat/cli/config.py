"""``fishchat config``: write a commented configuration, check one, show what is in effect and why."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from fishchat.config import describe
from fishchat.config.load import FILE_NAME, ConfigError, Loaded, data_directory, load
from fishchat.config.roles import ROLES
from fishchat.config.schema import Config

_HEAD = """\
FishChat's configuration. Every key is here with its default, commented out: remove the # of what you change.
A file is used when it is given with --config, or is named fishchat.toml and lies in the data directory.
The environment wins over the file and may give any key: FISHCHAT__MSG_SERVER__LISTEN=127.0.0.1:19001"""

_ROLES = click.Choice([role.name for role in ROLES])


@click.group()
def config() -> None:
    """Write, check and show the configuration."""


@config.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, allow_dash=True))
def init(file: str | None) -> None:
    """Write a commented FILE with all keys and their defaults.

    Without FILE it is fishchat.toml in the data directory, where it is found by itself; - is the standard
    output. An existing file is never overwritten.
    """
    if file == "-":
        click.echo(template(), nl=False)
        return
    path = Path(file) if file else _default_file()
    try:
        # For the owner alone: redis.url may get a password.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{path} exists and is left as it is") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None
    with open(handle, "w", encoding="utf-8") as stream:
        stream.write(template())
    click.echo(f"wrote {path}")


def _layered(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options that say what to load, and ``loaded`` for what they gave."""

    @click.option("--config", "file", type=click.Path(), help="A TOML or JSON file.")
    @click.option("--data", default="", type=click.Path(), help="The data directory.")
    @click.option("--role", type=_ROLES, help="Whose file it is, if it has the original's form.")
    @wraps(command)
    def run(file: str | None, data: str, role: str | None, **others: Any) -> None:
        try:
            loaded = load(file, data=data, role=role)
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
        for note in loaded.notes:
            click.echo(f"note: {note}", err=True)
        command(loaded, **others)

    return run


@config.command()
@_layered
def check(loaded: Loaded) -> None:
    """Say what is wrong with the configuration; the exit status is 1 then."""
    changed = sum(place != "default" for place in loaded.origin.values())
    click.echo(f"the configuration is fine: {changed} of {len(loaded.origin)} keys are not at their default")


@config.command()
@click.option("--origin", is_flag=True, help="Say of each value where it comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_layered
def show(loaded: Loaded, origin: bool, as_json: bool) -> None:
    """Print the values in effect, passwords hidden."""
    values = {key: describe.literal(key, describe.value_at(loaded.config, key)) for key in describe.leaves()}
    if as_json:
        click.echo(json.dumps(_tree(values, loaded.origin if origin else None), indent=2, ensure_ascii=False))
        return
    lines = {key: f"{key} = {value}" for key, value in values.items()}
    width = max(map(len, lines.values())) + 2
    for key, line in lines.items():
        click.echo(f"{line:{width}}# {loaded.origin[key]}" if origin else line)


def template() -> str:
    """The text that ``fishchat config init`` writes: TOML in which every key is a comment."""
    parts = ["".join(f"# {line}\n" for line in _HEAD.splitlines())]
    keys = describe.leaves()
    for section in describe.sections():
        inside = [key for key in keys if key.rpartition(".")[0] == section]
        if inside:
            parts.append(_section(section, inside))
    return "\n".join(parts)


def _section(section: str, keys: list[str]) -> str:
    lines = [*_comment(describe.meaning(section)), f"[{section}]"] if section else []
    for key in keys:
        value = describe.literal(key, describe.value_at(Config(), key))
        lines += _comment(describe.meaning(key))
        lines.append(f"#{key.rpartition('.')[2]} = {value}  # {describe.allowed(key)}")
    return "".join(line + "\n" for line in lines)


def _comment(text: str) -> list[str]:
    return [f"# {part}".rstrip() for line in text.splitlines() for part in textwrap.wrap(line, 100) or [""]]


def _tree(values: dict[str, str], origin: dict[str, str] | None) -> dict[str, Any]:
    """Nested as in a file; with ``origin`` each value is an object of itself and where it is from."""
    root: dict[str, Any] = {}
    for key, text in values.items():
        *path, name = key.split(".")
        place = root
        for part in path:
            place = place.setdefault(part, {})
        value = json.loads(text)
        place[name] = value if origin is None else {"value": value, "origin": origin[key]}
    return root


def _default_file() -> Path:
    directory = data_directory(os.environ.get("FISHCHAT__DATA", ""))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"{directory} cannot be made: {error.strerror}") from None
    return directory / FILE_NAME
