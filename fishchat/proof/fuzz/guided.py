"""One target under atheris, until libFuzzer ends it: ``run`` starts this as a process of its own.

The code that is looked at is instrumented while it is imported, so that this module imports none of it before.
"""

from __future__ import annotations

import pkgutil
import sys

import atheris
from twisted.application import internet
from twisted.internet import ssl, task, testing

import fishchat.proof.fuzz

#: Whose lines lead the fuzzer: our own, and the parsers of others that stand behind a port. Of Twisted that is what is
#: not imported yet: HTTP, and not the machinery below everything, which would only be slower.
INSTRUMENTED = ["fishchat", "scramp", "txredisapi", "twisted"]
PLAIN = (internet, ssl, task, testing)


def main(arguments: list[str]) -> None:
    """The name of a target, what libFuzzer calls to run itself again, and what it is told. It does not return."""
    name, itself, *told = arguments
    own = [f"fishchat.proof.fuzz.{module.name}" for module in pkgutil.iter_modules(fishchat.proof.fuzz.__path__)]
    with atheris.instrument_imports(include=INSTRUMENTED, exclude=own):
        from fishchat.proof.fuzz.targets import TARGETS
    atheris.Setup([itself, *told], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
