"""Packages that only some commands need."""

from __future__ import annotations

from importlib.util import find_spec

import click


def require(package: str, extra: str = "proof") -> None:
    """Raise a usage error that names the extra to install, if a package is missing."""
    if find_spec(package) is None:
        raise click.UsageError(f"this needs {package}: pip install 'fishchat[{extra}]'")
