"""The pages for browsers, as they were built from the sources in ``web/`` at the top of the project."""

from __future__ import annotations

from pathlib import Path

_STATIC = Path(__file__).parent / "static"


def static_directory() -> Path | None:
    """Return the directory of the built pages; None where they were not built."""
    return _STATIC if (_STATIC / "chat.html").exists() else None
