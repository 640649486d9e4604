"""The standard streams of the command ``fishchat``, made fit for whatever it was started with."""

from __future__ import annotations

import io
import os
import sys


def mend() -> None:
    """Replace streams that are closed, and let the standard output escape what it cannot show.

    A closed stream (``<&-``) is None in Python, and the next file that is opened would get its number. A terminal that
    does not know a letter, such as one of a display name, must not end a list.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - it stays open
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
