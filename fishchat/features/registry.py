"""All features, found as packages of ``fishchat.features``: their order, verbs, pushes, capabilities and handlers."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from fishchat import features
from fishchat.features.engine import Engine, Handlers
from fishchat.features.feature import Feature
from fishchat.protocols import fields
from fishchat.protocols.rows import Push, Verb
from fishchat.protocols.table import Group, Table


def _find() -> Iterator[Feature]:
    for found in pkgutil.iter_modules(features.__path__, features.__name__ + "."):
        if found.ispkg:
            yield import_module(found.name).FEATURE


def part(feature: Feature, name: str) -> ModuleType | None:
    """Return the module ``name`` of a feature, e.g. ``rows``; None if the feature has no such module."""
    package = f"{features.__name__}.{feature.name}"
    names = {found.name for found in pkgutil.iter_modules(import_module(package).__path__)}
    return import_module(f"{package}.{name}") if name in names else None


#: All features, in their order.
FEATURES: tuple[Feature, ...] = tuple(sorted(_find(), key=lambda feature: (feature.order, feature.name)))


# Verbs and pushes.

VERBS_OF: dict[Feature, tuple[Verb, ...]] = {}
PUSHES_OF: dict[Feature, tuple[Push, ...]] = {}
#: The words in angle brackets of all rows, in Chinese.
TERMS: dict[str, str] = dict(fields.TERMS)
for _feature in FEATURES:
    _rows = part(_feature, "rows")
    VERBS_OF[_feature] = () if _rows is None else _rows.VERBS
    PUSHES_OF[_feature] = () if _rows is None else _rows.PUSHES
    TERMS.update(getattr(_rows, "TERMS", {}))

#: The verbs of a msg_server, and the pushes of any server.
VERBS: tuple[Verb, ...] = tuple(verb for verbs in VERBS_OF.values() for verb in verbs)
PUSHES: tuple[Push, ...] = tuple(push for pushes in PUSHES_OF.values() for push in pushes)

#: The capabilities that a client may request at HELLO: to acknowledge, to see times, and those that pushes need.
CAPABILITIES = tuple(
    sorted({b"ack", b"time"}.union(*({push.capability, push.own_capability} - {b""} for push in PUSHES)))
)

MSG_SERVER_COMMANDS = Table(
    VERBS,
    [
        Group(feature.name.encode(), feature.title, feature.zh, VERBS_OF[feature], PUSHES_OF[feature])
        for feature in FEATURES
        if VERBS_OF[feature]
    ],
    TERMS,
)


def handlers(engine: Engine) -> Handlers:
    """Return the handler of each verb at a msg_server, made by the modules ``handlers`` of the features."""
    found: Handlers = {}
    for feature in FEATURES:
        module = part(feature, "handlers")
        if module is not None:
            found.update(module.make(engine))
    return found
