"""What a package of a feature says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """A subject that clients can talk about.

    :ivar name: the name of its package, and of its group in ``HELP about <group>``.
    :ivar title: the heading of its page.
    :ivar order: where it stands among the others; the lowest comes first.
    """

    name: str
    title: str
    order: int
