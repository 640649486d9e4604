"""The schema in words: dotted keys, allowed values, purposes, and values in a form that may be shown.

``load`` words its refusals with it, ``fishchat config`` its output.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import json
import re
import textwrap
import typing
from collections.abc import Iterator
from functools import cache

import msgspec

from fishchat.config import roles
from fishchat.config.schema import Config, Section

#: The prefix of environment variables.
PREFIX = "FISHCHAT__"
#: Keys whose value may hold a password.
SECRETS = frozenset({"redis.url"})

_ADDRESS = "host:port (an IPv6 address in brackets)"
#: Phrases that are clearer than a pattern.
_WORDED = {
    **dict.fromkeys(roles.plain_keys(), _ADDRESS),
    **dict.fromkeys(roles.tls_keys(), f"{_ADDRESS}, or empty"),
    **dict.fromkeys(("gateway.servers", "gateway.servers_tls"), f"a list of {_ADDRESS}"),
    **dict.fromkeys(roles.ADVERTISED, f"{_ADDRESS}, or empty"),
    **dict.fromkeys(("web.listen", "msg_server.listen_web"), f"{_ADDRESS}, or empty"),
    "web.public_url": "an address like https://chat.example.org/, or empty",
    "web.origins": "a list of addresses like https://chat.example.org",
    "retention.scrub": "a time of day like 04:00, or empty",
    "monitor.accounts": "a list of names of accounts",
    "limits.exempt": "a list of networks like 192.0.2.0/24",
    "msg_server.id": "at most 32 of a-z 0-9 . _ -, or empty",
    "redis.url": "unix:///path, redis://host:port or rediss://host:port, or empty",
}
_SHOWN = 200


@cache
def leaves() -> dict[str, typing.Any]:
    """Return every key that has a value, dotted (``retention.p2p.days``), with its annotated type."""
    return {key: kind for key, kind in _walk(Config, "") if not is_section(kind)}


@cache
def sections() -> dict[str, type[Section]]:
    """Return every key that has further keys, dotted; the root is the empty key."""
    return {"": Config, **{key: kind for key, kind in _walk(Config, "") if is_section(kind)}}


def is_section(kind: object) -> bool:
    """Whether a field of this type has keys of its own."""
    return isinstance(kind, type) and issubclass(kind, Section)


def value_at(config: Config, key: str) -> object:
    """Return the value of a dotted key."""
    value: object = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def environment_name(key: str) -> str:
    """Return the environment variable of the dotted key."""
    return PREFIX + key.upper().replace(".", "__")


def key_of(name: str) -> str:
    """Return the dotted key of an environment variable."""
    return name[len(PREFIX) :].lower().replace("__", ".")


def allowed(key: str) -> str:
    """Return the values that ``key`` allows, as a phrase that fits after "must be"."""
    return _WORDED.get(key) or _allowed(leaves()[key])


def suggestion(key: str) -> str:
    """Return the probable meanings of an unknown key, or else all keys of its section, as a sentence."""
    close = nearest(key)
    if close:
        return f"did you mean {' or '.join(close)}?"
    parent = key.rpartition(".")[0]
    while parent not in sections():
        parent = parent.rpartition(".")[0]
    names = ", ".join(field.name for field in msgspec.structs.fields(sections()[parent]))
    return f"{parent or 'the top level'} has {names}"


def nearest(key: str) -> list[str]:
    """Return at most three known keys like ``key``: a typing error, or the right name in the wrong section."""
    tail = key.rpartition(".")[2]
    moved = [known for known in leaves() if known.rpartition(".")[2] == tail]
    known_keys = [*leaves(), *filter(None, sections())]
    return moved[:3] or difflib.get_close_matches(key, known_keys, n=1, cutoff=0.75)


def shown(key: str, value: object) -> str:
    """Return the value as ``literal`` does, but short, and without characters that a terminal would obey."""
    text = literal(key, value)
    if not text.isprintable():
        text = json.dumps(json.loads(text))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def literal(key: str, value: object) -> str:
    """Return the value in a form that is both TOML and JSON, passwords hidden."""
    if key in SECRETS and isinstance(value, str):
        value = masked(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def masked(url: str) -> str:
    """Return ``url`` with asterisks for its password, in any place where a URL may have one.

    Of a malformed URL it may hide too much: everything up to the last @ may belong to the password.
    """
    url = re.sub(r"(?i)(password=)[^&]*", r"\1***", url)
    return re.sub(r"^([^:/@]+://[^:@/]*:|).*@", r"\1***@", url, flags=re.DOTALL)


def meaning(key: str) -> str:
    """Return the purpose of the key or section."""
    if key in sections():
        return docstring(sections()[key]).replace("``", "`")
    return _schema_of(leaves()[key]).get("description", "")


def docstring(of: typing.Any) -> str:
    """Return the docstring of a function or a class, also when Python has left it out (``-OO``, PYTHONOPTIMIZE=2)."""
    if of.__doc__:
        return inspect.cleandoc(of.__doc__)
    try:
        source = ast.parse(textwrap.dedent(inspect.getsource(of))).body[0]
    except (OSError, TypeError, SyntaxError):
        return ""
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return (ast.get_docstring(source) or "") if isinstance(source, documented) else ""


def _schema_of(kind: typing.Any) -> dict[str, str]:
    """Return ``title`` and ``description`` from the annotations of a type."""
    found = msgspec.inspect.type_info(kind)
    return dict(found.extra_json_schema or {}) if isinstance(found, msgspec.inspect.Metadata) else {}


def _walk(kind: type[Section], prefix: str) -> Iterator[tuple[str, typing.Any]]:
    for field in msgspec.structs.fields(kind):
        yield prefix + field.name, field.type
        if is_section(field.type):
            yield from _walk(field.type, f"{prefix}{field.name}.")


def _allowed(kind: typing.Any) -> str:
    found = msgspec.inspect.type_info(kind)
    title = _schema_of(kind).get("title", "a text")
    if isinstance(found, msgspec.inspect.Metadata):
        found = found.type
    if isinstance(found, msgspec.inspect.LiteralType):
        return "one of " + ", ".join(json.dumps(value) for value in _literals(kind))
    if isinstance(found, msgspec.inspect.BoolType):
        return "true or false"
    if isinstance(found, msgspec.inspect.IntType):
        return "a whole number" + _bounds(found)
    if isinstance(found, msgspec.inspect.FloatType):
        return "a number" + _bounds(found)
    if isinstance(found, msgspec.inspect.ListType):
        return "a list of texts"
    pattern = getattr(found, "pattern", None)
    return title + (f" that matches {pattern}" if pattern else "")


def _literals(kind: typing.Any) -> tuple[object, ...]:
    # In the order of the schema; msgspec sorts them.
    inner = typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind
    return typing.get_args(inner)


def _bounds(found: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> str:
    if found.ge is not None and found.le is not None:
        return f" from {found.ge} to {found.le}"
    words = {"of at least": found.ge, "above": found.gt, "of at most": found.le, "below": found.lt}
    return " and".join(f" {word} {bound}" for word, bound in words.items() if bound is not None)
