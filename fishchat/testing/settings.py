"""Configurations for tests, made from a few dotted keys."""

from __future__ import annotations

from typing import Any

import msgspec

from fishchat.config import schema


def configured(settings: dict[str, Any]) -> schema.Config:
    """Return the default configuration with these dotted keys changed; text is read as a number where one is needed."""
    tree: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, last = key.split(".")
        at = tree
        for section in sections:
            at = at.setdefault(section, {})
        at[last] = value
    return msgspec.convert(tree, schema.Config, strict=False)
