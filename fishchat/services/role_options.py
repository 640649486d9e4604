"""The options that every role's twistd plugin takes, and the configuration they give."""

from __future__ import annotations

from typing import ClassVar

from twisted.logger import Logger
from twisted.python import usage

from fishchat.config.load import ConfigError, Loaded, Role, load
from fishchat.config.schema import Config


class RoleOptions(usage.Options):
    """``--config FILE`` and ``--data DIR``; after parsing, ``config`` is what to run and ``loaded`` more.

    A role's subclass sets ``role``, which tells what a file of the original Go project means. What such a
    file says in vain is logged. A configuration that cannot be used is a UsageError that says why.
    """

    role: ClassVar[Role | None] = None
    log: ClassVar[Logger] = Logger()

    optParameters = [
        ["config", "c", None, "A TOML or JSON file; fishchat.toml in the data directory when not given."],
        ["data", "d", None, "The data directory."],
    ]

    config: Config
    loaded: Loaded

    def postOptions(self) -> None:
        try:
            self.loaded = load(self["config"], data=self["data"] or "", role=self.role)
        except ConfigError as error:
            raise usage.UsageError(str(error)) from error
        self.config = self.loaded.config
        for note in self.loaded.notes:
            self.log.warn("{note}", note=note)
