"""The variables of the environment: those that set keys, and those that look as if they did."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from fishchat.config import describe
from fishchat.config.schema import Config

#: Variables of FishChat that are no keys; the last two are for the processes that FishChat starts itself.
OTHERS = frozenset({"FISHCHAT_PASSWORD", "FISHCHAT_REDIS_SERVER", "FISHCHAT_LIFELINE", "FISHCHAT_LOGFILE"})

# Kubernetes sets such variables for services that are called fishchat or fishchat-something.
_SERVICE_LINK = re.compile(r"FISHCHAT_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)")


def given_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that set keys, known or not, in alphabetical order.

    An empty variable whose key cannot be empty is not set: ``FISHCHAT__LIMITS__RATE=${RATE:-}`` of a compose file.
    """
    names = sorted(name for name in environment if name.startswith(describe.PREFIX))
    return [name for name in names if environment[name] or _may_be_empty(describe.key_of(name))]


def misspelt(environment: Mapping[str, str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the variables that mean a key but do not set it, each with the right name, and notes on other ones."""
    names = map(describe.environment_name, describe.leaves())
    known = {name.replace("_", ""): name for name in names}
    wrong, notes = [], []
    for name in sorted(environment):
        if not name.upper().startswith("FISHCHAT_") or name.startswith(describe.PREFIX) or name in OTHERS:
            continue
        meant = known.get(name.upper().replace("_", ""))
        if meant is not None:
            wrong.append((name, f"has no effect; its name must be {meant}"))
        elif not _SERVICE_LINK.fullmatch(name):
            meaning = describe.nearest(name[len("FISHCHAT_") :].lower().replace("__", "."))
            hint = f"; did you mean {' or '.join(map(describe.environment_name, meaning))}?" if meaning else ""
            notes.append(f"environment {ascii(name)[1:-1]} has no effect: FishChat has no such variable{hint}")
    return wrong, notes


def _may_be_empty(key: str) -> bool:
    kind = describe.leaves().get(key)
    # An unknown key is refused all the same, and an empty list is one without items.
    if kind is None or isinstance(describe.value_at(Config(), key), list):
        return True
    try:
        msgspec.convert("", kind, strict=False)
    except msgspec.ValidationError:
        return False
    return True
