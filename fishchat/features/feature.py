"""The description of a feature, given by its package."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """A subject that clients can talk about.

    :ivar name: the name of its package, and of its group in ``HELP about <group>``.
    :ivar title: the heading of its page, and of its verbs in HELP.
    :ivar zh: the title in Chinese, for ``HELP zh``.
    :ivar order: its place among the features; the lowest is first.
    """

    name: str
    title: str
    order: int
    zh: str = ""
