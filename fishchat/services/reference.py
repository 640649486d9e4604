"""The generated parts of the pages: of ``doc/protocol.md``, ``doc/store.md`` and the page of each feature.

``python -m fishchat.services.reference`` writes them; a test compares the pages with what they should be.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from fishchat.features.feature import Feature
from fishchat.features.registry import FEATURES, PUSHES, PUSHES_OF, VERBS, VERBS_OF
from fishchat.protocols import reference
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.storage.reference import listing, with_writers

PAGE = Path(__file__).parents[2] / "doc" / "protocol.md"
STORE = PAGE.with_name("store.md")

Parts = Mapping[str, Callable[[], str]]

_OF_GATEWAY = tuple(verb for verb in GATEWAY_VERBS if verb not in VERBS)

#: Mark on the page → the text between it and its end.
PARTS: Parts = {
    "states": reference.states,
    "permissions": lambda: reference.permissions(VERBS),
    "tags": lambda: reference.tags(VERBS),
    "words": reference.words,
    "pushes": lambda: reference.pushes(PUSHES),
    "msg_server verbs": lambda: reference.commands(VERBS),
    "gateway verbs": lambda: reference.commands(_OF_GATEWAY),
    "grammar": lambda: reference.grammar((*VERBS, *_OF_GATEWAY), PUSHES),
}

#: The same for the page of the store.
STORE_PARTS: Parts = {"scripts": listing}


def fill(page: str, parts: Parts = PARTS) -> str:
    """Return ``page`` with current generated parts. Raises ValueError for a part without marks on the page."""
    for name, part in parts.items():
        begin, end = f"<!-- generated: {name} -->\n", f"\n<!-- end: {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"no marks for {name}")
        page = before + begin + part() + end + after
    return page


def feature_page(feature: Feature, protocol: Path = PAGE) -> Path:
    """Return the path of a feature's page."""
    return protocol.parent / "features" / f"{feature.name}.md"


def feature_parts(feature: Feature) -> Parts:
    """Return the generated parts of a feature's page, without empty ones."""
    verbs, pushes = VERBS_OF[feature], PUSHES_OF[feature]
    parts: dict[str, Callable[[], str]] = {}
    if verbs:
        parts["verbs"] = lambda: _elsewhere(reference.commands(verbs))
    if any(len(verb.tags) > 1 for verb in verbs):
        parts["tags"] = lambda: _elsewhere(reference.tags(verbs))
    if pushes:
        parts["pushes"] = lambda: _elsewhere(reference.pushes(pushes))
    parts["grammar"] = lambda: reference.grammar(verbs, pushes)
    module = f"fishchat.features.{feature.name}.reference"
    if find_spec(module) is not None:
        parts.update(import_module(module).PARTS)
    return parts


def _elsewhere(text: str) -> str:
    """Return links to headings of the protocol's page, relative to a feature's page."""
    return text.replace("](#", "](../protocol.md#")


def main(path: Path = PAGE) -> None:
    """Write the parts into the page at ``path``, and into the pages of the store and the features beside it."""
    pages = {path: PARTS, path.with_name(STORE.name): STORE_PARTS}
    pages.update({feature_page(feature, path): feature_parts(feature) for feature in FEATURES})
    for page, parts in pages.items():
        if page.exists():
            text = fill(page.read_text(encoding="utf-8"), parts)
            page.write_text(with_writers(text) if page.name == STORE.name else text, encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
