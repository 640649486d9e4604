"""A defect that can be put into a copy of FishChat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """A replacement of ``old`` by ``new`` in ``file``."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A defect.

    :ivar faults: the runs that may find it, the likeliest first.
    :ivar evidence: the violations that the defect must cause, any of which counts; others may have another cause.
    """

    name: str
    sentence: str
    faults: tuple[str, ...]
    evidence: tuple[str, ...]
    edits: tuple[Edit, ...]
