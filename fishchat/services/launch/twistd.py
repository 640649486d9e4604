"""Twisted's ``twistd`` with the roles of FishChat as its only plugins.

The original collects the plugins of all installed packages, executes a part of them, and tries to write a cache beside
them, which a system directory refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from twisted.application import app
from twisted.application.service import IServiceMaker
from twisted.scripts._twistd_unix import ServerOptions
from twisted.scripts.twistd import runApp

from fishchat.services.roles import plugins


class Options(ServerOptions):
    """The options of ``twistd``, with one command for each role."""

    loadedPlugins: dict[Any, IServiceMaker]

    @property
    def subCommands(self) -> Iterator[tuple[str, None, Callable[[], Any], str]]:
        """Return name, options and summary of each role, in the form that Twisted wants."""
        self.loadedPlugins = {plugin.tapname: plugin for plugin in plugins().values()}
        for name, plugin in self.loadedPlugins.items():
            yield name, None, partial(_options, plugin), plugin.description


def _options(plugin: Any) -> Any:
    # It imports the role's module, so it is called for the chosen command only.
    return plugin.options()


def run() -> None:
    """Run the role that the command line names."""
    app.run(runApp, Options)
