"""Exceptions of services that cannot start until a person changes something."""

from __future__ import annotations


class StartError(SystemExit, Exception):
    """A refused start. The text says what is wrong and what to do.

    A SystemExit, because ``twistd`` does not catch it: Python prints the text without a traceback and exits with code
    1. Also an Exception, because a daemon reports only an Exception to the process that waits for its start.
    """

    def __str__(self) -> str:
        return str(self.code)


class ProgramError(StartError):
    """A child program cannot run, or its directory cannot be used. The text names the path and the remedy."""
