"""Exceptions of services that cannot start until a person changes something."""

from __future__ import annotations


class StartError(SystemExit, Exception):
    """A start that is refused; the text says what is wrong and what to do.

    A SystemExit, because under ``twistd`` nobody of ours catches it: Python then prints the text, without a
    traceback, and the exit code is 1. An Exception too, because only of such a one does a daemon tell the process that
    waits for its start.
    """

    def __str__(self) -> str:
        return str(self.code)


class ProgramError(StartError):
    """A child program cannot run, or its directory cannot be used; the text names the path and the way out."""
