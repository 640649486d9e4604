"""The command lines of FishChat's programs for the Python that runs now.

They are called by their functions, since the scripts may not be on PATH; and through ``entry``, so that nothing is
imported from the current directory.
"""

from __future__ import annotations

import sys
from pathlib import Path

_ENTRY = str(Path(__file__).with_name("entry.py"))


def program(function: str, *arguments: str) -> list[str]:
    """Return the command that calls ``function``, such as ``fishchat.cli:main``, in a new process."""
    return [sys.executable, _ENTRY, function, *arguments]


def fishchat(*arguments: str) -> list[str]:
    """Return the command ``fishchat ARGUMENTS``."""
    return program("fishchat.cli:main", *arguments)


def twistd(plugin: str, *options: str, before: tuple[str, ...] = ()) -> list[str]:
    """Return the command that runs ``plugin`` in the foreground; ``before`` are options of twistd itself."""
    return program("fishchat.services.launch.twistd:run", "-n", "--pidfile=", *before, plugin, *options)
