"""Measured tables on the pages of the documentation."""

from __future__ import annotations


def fill(page: str, begin: str, end: str, text: str) -> str:
    """Return the page with this text between the marks ``begin`` and ``end``. Raises ValueError without marks."""
    before, opened, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise ValueError(f"the page has no {begin} with an {end} after it")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
