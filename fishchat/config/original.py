"""Reads the JSON files of the original Go project, whose keys are capitalised: ``Listen``, ``MsgServerList``.

Each of its files belongs to one role, so the same key has a different meaning in each. Keys with a meaning in FishChat
are translated; the others are reported with the reason, and ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fishchat.config import roles
from fishchat.net.addresses import format_address, parse_address

_FOUND = "the roles find each other through Redis"
_OWN_TIMES = "sessions and heartbeats have fixed times here"
_UNUSED = {
    "TransportProtocols": "the listeners speak TCP",
    "LogFile": "twistd writes the log: twistd --logfile FILE",
    "MsgServerNum": "the list itself says how many there are",
    "MsgServerList": f"only the gateway reads it; {_FOUND}",
    "SessionManagerServerList": _FOUND,
    "UUID": "only a msg_server has a name",
    "LocalIP": "only a msg_server tells clients its address",
    "Listen": "nothing connects to this role",
    "ScanDeadSessionTimeout": _OWN_TIMES,
    "Expire": _OWN_TIMES,
    "MonitorBeatTime": _OWN_TIMES,
    "Mongo": "everything is stored in Redis",
    "MongoDB": "everything is stored in Redis",
}
_ALIEN = "it is no key of the original either"
_TIMEOUTS = dict.fromkeys(
    ("ConnectTimeout", "ReadTimeout", "WriteTimeout"), "redis.timeout, in seconds, is for a whole batch"
)
_KNOWN = [*_UNUSED, "Redis"]


@dataclass(frozen=True)
class Given:
    """The value of a dotted key in one layer.

    :ivar text: it is text, to be read by the type of the key. :ivar original: its name in a file of the original.
    """

    key: str
    value: object
    origin: str
    text: bool = False
    original: str = ""


@dataclass
class _Translation:
    given: list[Given]
    notes: list[str]
    wrong: list[tuple[str, str]]


def is_original(tree: Mapping[str, Any]) -> bool:
    """Return whether a JSON file has the original's form: only capitalised keys, at least one."""
    return bool(tree) and all(key[:1].isupper() for key in tree)


def translate(
    tree: Mapping[str, Any], role: str | None, where: str
) -> tuple[list[Given], list[str], list[tuple[str, str]]]:
    """Return the values of the file, notes on keys without a meaning, and (key, text) of each error.

    The values are checked later, with those of all layers.
    """
    done = _Translation([], [], [])
    if role is None:
        text = "has the original project's form, made for one role: say which (--role, or its plugin)"
        return [], [], [("", text)]
    served = roles.find(role).original
    for key, value in tree.items():
        if key == "Redis":
            _redis(value, where, done)
        elif key in served:
            done.given.append(Given(served[key], _with_host(served[key], value), f"{where} ({key})", original=key))
        else:
            done.notes.append(f"{where}: {key} has no meaning here: {_reason(key)}")
    if role == "monitor" and "Listen" in tree:
        done.notes.append(f"{where}: Listen is the web page's address, which the original kept in another file")
    return done.given, done.notes, done.wrong


def _with_host(key: str, value: object) -> object:
    """Return an address to listen on with its host. In Go ``:19000`` is every address of the machine."""
    if key in roles.plain_keys() and isinstance(value, str) and value.startswith(":"):
        return f"0.0.0.0{value}"
    return value


def _reason(key: str) -> str:
    if key in _UNUSED:
        return _UNUSED[key]
    close = get_close_matches(key, _KNOWN, n=1)
    return f"did you mean {close[0]}?" if close else _ALIEN


def _redis(value: object, where: str, done: _Translation) -> None:
    if isinstance(value, str):
        # In Go an address without a host is this machine.
        address: str | None = f"127.0.0.1{value}" if value.startswith(":") else value
    elif isinstance(value, dict):
        address = _redis_address(value)
        unused = [key for key in value if key not in ("Addr", "Port")]
        done.notes += [f"{where}: Redis.{key} has no meaning here: {_TIMEOUTS.get(key, _ALIEN)}" for key in unused]
    else:
        address = None
    try:
        host, port = parse_address(address or "")
    except ValueError as error:
        done.wrong.append(("Redis", f'{error}, as "host:port" or as {{"Addr": "host", "Port": ":6379"}}'))
    else:
        done.given.append(Given("redis.url", f"redis://{format_address(host, port)}", f"{where} (Redis)"))


def _redis_address(value: Mapping[str, Any]) -> str | None:
    """Return the address. ``Port`` is text with a colon before the number; a plain number is accepted, too."""
    if "Addr" not in value and "Port" not in value:
        return None
    host = str(value.get("Addr") or "127.0.0.1")
    port = str(value.get("Port") or "6379").lstrip(":")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
