"""The command lines of ``fishchat`` and ``twistd`` for the Python that runs now.

Both are called by their functions: the scripts may not be on PATH, and ``-m twisted`` is another command (``twist``).
"""

from __future__ import annotations

import sys


def fishchat(*arguments: str) -> list[str]:
    """Return the command ``fishchat ARGUMENTS``."""
    return [sys.executable, "-c", "from fishchat.cli import main; main()", *arguments]


def twistd(plugin: str, *options: str, before: tuple[str, ...] = ()) -> list[str]:
    """Return the command that runs ``plugin`` in the foreground; ``before`` are options of twistd itself."""
    run = "from twisted.scripts.twistd import run; run()"
    return [sys.executable, "-c", run, "-n", "--pidfile=", *before, plugin, *options]
