"""The command ``fishchat config``: write a commented configuration, check one, show the values in effect."""

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
from fishchat.config.paths import data_path
from fishchat.config.ports import check_processes
from fishchat.config.roles import ROLES
from fishchat.config.schema import Config

_HEAD = """\
FishChat's configuration. Every key is listed with its default, commented out. To change one, remove its #.
A line may also stand at another place of this file, as long as it has no [section].

FishChat reads the file given with --config, or fishchat.toml in the data directory.
Environment variables override the file: FISHCHAT__MSG_SERVER__LISTEN=127.0.0.1:19001"""

_ROLES = click.Choice([role.name for role in ROLES])


@click.group()
def config() -> None:
    """Write, check and show the configuration."""


@config.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--data", metavar="DIR", default="", help="Write fishchat.toml of this data directory.")
def init(file: str | None, data: str) -> None:
    """Write a commented FILE with all keys and their defaults.

    The default is fishchat.toml in the data directory, which every start reads; - is the standard output. An existing
    file is never overwritten.
    """
    if file and data:
        raise click.UsageError("name either FILE or --data DIR, not both")
    if file == "-":
        click.echo(template(), nl=False)
        return
    path = Path(file) if file else _default_file(data)
    try:
        # Readable by the owner only: redis.url may contain a password.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{path} already exists and was not changed") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    with open(handle, "w", encoding="utf-8") as stream:
        stream.write(template())
    click.echo(f"wrote {path}")


def _layered(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select a configuration, and pass it to the command as ``loaded``."""

    @click.option("--config", "file", type=click.Path(), help="Configuration file, TOML or JSON.")
    @click.option("--data", default="", type=click.Path(), help="Data directory.")
    @click.option("--role", type=_ROLES, help="The role that a file of the original Go project belongs to.")
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
@click.option("--processes", is_flag=True, help="Check the ports of `fishchat up --processes`, too.")
@click.option("--only-values", is_flag=True, help="Leave out what is special to this machine: files, Redis, addresses.")
@_layered
def check(loaded: Loaded, processes: bool, only_values: bool) -> None:
    """Check the configuration, and whether it can be started here.

    On errors, it prints them and exits with status 1. The server may run meanwhile: ports that are in use are only
    noted.
    """
    problems = [f"{key}: {text}" for key, text in check_processes(loaded.config)]
    if problems and processes:
        raise click.ClickException("\n".join(problems))
    for problem in problems:
        click.echo(f"note: `fishchat up --processes` would refuse {problem}", err=True)
    if not only_values:
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.services.launch.check import obstacles, used_ports

        if problems := obstacles(loaded.config):
            raise click.ClickException("\n".join(problems))
        for used in used_ports(loaded.config):
            click.echo(f"note: {used}", err=True)
    changed = sum(place != "default" for place in loaded.origin.values())
    click.echo(f"the configuration is valid; {changed} of {len(loaded.origin)} keys differ from their default")
    click.echo(f"data directory: {data_path(loaded.config)}; configuration file: {loaded.file or 'none'}")


@config.command()
@click.option("--origin", is_flag=True, help="Show where each value comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_layered
def show(loaded: Loaded, origin: bool, as_json: bool) -> None:
    """Print the values in effect. Passwords are hidden."""
    click.echo(
        f"note: the data directory is {data_path(loaded.config)}, the configuration file {loaded.file or 'none'}",
        err=True,
    )
    values = {key: describe.literal(key, describe.value_at(loaded.config, key)) for key in describe.leaves()}
    if as_json:
        click.echo(json.dumps(_tree(values, loaded.origin if origin else None), indent=2, ensure_ascii=False))
        return
    lines = {key: f"{key} = {value}" for key, value in values.items()}
    width = max(map(len, lines.values())) + 2
    for key, line in lines.items():
        click.echo(f"{line:{width}}# {loaded.origin[key]}" if origin else line)


def template() -> str:
    """Return the text that ``fishchat config init`` writes: TOML with every key commented out."""
    parts = ["".join(f"# {line}".rstrip() + "\n" for line in _HEAD.splitlines())]
    keys = describe.leaves()
    for section in describe.sections():
        inside = [key for key in keys if key.rpartition(".")[0] == section]
        if inside:
            parts.append(_section(section, inside))
    return "\n".join(parts)


def _section(section: str, keys: list[str]) -> str:
    lines = [f"# ---- {section} ----", *_comment(describe.meaning(section))] if section else []
    for key in keys:
        value = describe.literal(key, describe.value_at(Config(), key))
        lines += _comment(describe.meaning(key))
        lines.append(f"#{key} = {value}  # {describe.allowed(key)}")
    return "".join(line + "\n" for line in lines)


def _comment(text: str) -> list[str]:
    return [f"# {part}".rstrip() for line in text.splitlines() for part in textwrap.wrap(line, 100) or [""]]


def _tree(values: dict[str, str], origin: dict[str, str] | None) -> dict[str, Any]:
    """Nest the values as in a file; with ``origin`` each value is an object of the value and its origin."""
    root: dict[str, Any] = {}
    for key, text in values.items():
        *path, name = key.split(".")
        place = root
        for part in path:
            place = place.setdefault(part, {})
        value = json.loads(text)
        place[name] = value if origin is None else {"value": value, "origin": origin[key]}
    return root


def _default_file(data: str) -> Path:
    try:
        directory = data_directory(data or os.environ.get("FISHCHAT__DATA", ""))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot create {directory}: {error.strerror}") from None
    return directory / FILE_NAME
