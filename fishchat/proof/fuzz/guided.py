"""Run one target under atheris until libFuzzer ends it; ``run`` starts this module as a process of its own.

The code under test is instrumented while it is imported, so this module imports none of it before.
"""

from __future__ import annotations

import pkgutil
import sys

import atheris
from twisted.application import internet
from twisted.internet import ssl, task, testing

import fishchat.proof.fuzz

#: The packages whose coverage guides the fuzzer: our own, and other parsers that read from a port. Of Twisted only what
#: is not imported yet is instrumented (HTTP): its core would be slower and would show nothing.
INSTRUMENTED = ["fishchat", "scramp", "txredisapi", "twisted"]
PLAIN = (internet, ssl, task, testing)


def main() -> None:
    """Run the target named by the first argument. libFuzzer's command and options follow. Does not return."""
    name, itself, *options = sys.argv[1:]
    own = [f"fishchat.proof.fuzz.{module.name}" for module in pkgutil.iter_modules(fishchat.proof.fuzz.__path__)]
    with atheris.instrument_imports(include=INSTRUMENTED, exclude=own):
        from fishchat.proof.fuzz.targets import TARGETS
    atheris.Setup([itself, *options], TARGETS[name].run)
    atheris.Fuzz()
