"""Parsing of the server's errors, from lines to values. Pure."""

from __future__ import annotations

import re

from fishchat.features.requests import RefusedError

_PAIR = re.compile(r"[a-z_]+=\S*")


def parse_error(rest: bytes) -> RefusedError:
    """Return the error in ``WORD [key=value …] sentence``."""
    word, _, text = rest.decode("utf-8", "replace").partition(" ")
    extra = {}
    while (found := _PAIR.match(text)) is not None:
        key, _, value = found[0].partition("=")
        extra[key] = value
        text = text[found.end() :].lstrip(" ")
    return RefusedError(word, text, extra)


def expected(error: RefusedError) -> int:
    """Return the number that the server expects next. Raises ValueError if the error names none."""
    number = int(error.extra.get("expected", ""))
    if number < 1:
        raise ValueError(f"no number: {number}")
    return number
