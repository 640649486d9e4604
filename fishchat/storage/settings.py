"""Checks of a Redis: whether its settings and version keep the promises, before the first client."""

from __future__ import annotations

import re
from typing import Literal

from twisted.internet.defer import Deferred, ensureDeferred

from fishchat.storage.redis import Connection, Pipeline, Reply, ReplyError

Durability = Literal["fsync", "everysec"]

#: The oldest version with all features that the scripts use.
LEAST = (6, 2)


def demanded(durability: Durability) -> dict[str, str]:
    """Return the settings that ``durability`` depends on."""
    return {
        "appendonly": "yes",
        "appendfsync": "always" if durability == "fsync" else "everysec",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory-policy": "noeviction",
        # A snapshot beside the append-only file doubles the work of a rewrite, and a failed one makes Redis refuse
        # writes.
        "save": "",
    }


#: Settings that save memory but are not required: with smaller nodes a conversation of one message needs a third.
ADVISED = {"stream-node-max-bytes": "1024"}


async def advice(connection: Connection | Pipeline) -> list[str]:
    """Return possible improvements of the settings of this Redis, which is usable without them."""
    found = []
    for name, wanted in ADVISED.items():
        try:
            found += _compare(name, wanted, await connection.run("CONFIG", "GET", name), "should")
        except ReplyError:
            # Then the settings that matter more are not readable either, which is reported as a problem.
            continue
    return found


def check_settings(connection: Connection | Pipeline, durability: Durability) -> Deferred[list[str]]:
    """Return the problems of this Redis, each with a remedy; empty when it may be used.

    ``connection`` may also be the wire of a hook of ``Connection.prepare``. Fails as ``run`` does when Redis is away. A
    Redis that does not report its settings is a problem, not a failure.
    """
    return ensureDeferred(_check(connection, durability))


async def _check(connection: Connection | Pipeline, durability: Durability) -> list[str]:
    return [*await _version(connection), *await _settings(connection, durability)]


async def _version(connection: Connection | Pipeline) -> list[str]:
    problems = []
    try:
        server = _fields(await connection.run("INFO", "server"))
        replication = _fields(await connection.run("INFO", "replication"))
    except ReplyError as error:
        return [f"it does not report its version ({error.text}): allow INFO for this user"]
    found = re.match(r"(\d+)\.(\d+)", server.get("redis_version", ""))
    if found is None:
        problems.append("it does not report its version: use Redis 6.2 or newer, or Valkey")
    elif (int(found[1]), int(found[2])) < LEAST:
        problems.append(f"it is Redis {server['redis_version']}: use 6.2 or newer, or Valkey")
    if server.get("redis_mode") == "cluster":
        problems.append("it runs in cluster mode: use one primary without cluster-enabled")
    if replication.get("role") == "slave":
        problems.append("it is a replica: use its primary")
    return problems


async def _settings(connection: Connection | Pipeline, durability: Durability) -> list[str]:
    problems = []
    for name, wanted in demanded(durability).items():
        try:
            reply = await connection.run("CONFIG", "GET", name)
        except ReplyError as error:
            must = ", ".join(f"{each} {_shown(value)}" for each, value in demanded(durability).items())
            return [f"it refuses CONFIG GET ({error.text}): allow it for this user; the settings must be {must}"]
        problems += _compare(name, wanted, reply)
    return problems


def _compare(name: str, wanted: str, reply: Reply, verb: str = "must") -> list[str]:
    if len(reply) != 2:
        return [f"it does not report {name}, which {verb} be {_shown(wanted)}"]
    value = reply[1].decode(errors="replace")
    if value == wanted:
        return []
    change = f"{name} {_shown(wanted)}"
    return [f"{name} is {_shown(value)}, {verb} be {_shown(wanted)}: CONFIG SET {change}, and {change} in its file"]


def _shown(value: str) -> str:
    return value if value and " " not in value else f'"{value}"'


def _fields(info: Reply) -> dict[str, str]:
    lines = info.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
