"""The command line ``fishchat``, with one module for each subcommand."""

from __future__ import annotations

import sys
from typing import Any

import click

from fishchat import __version__
from fishchat.cli import streams
from fishchat.cli.audit import audit as audit_command
from fishchat.cli.audit import online as online_command
from fishchat.cli.backup import backup as backup_command
from fishchat.cli.backup import restore as restore_command
from fishchat.cli.bench import bench as bench_group
from fishchat.cli.cert import cert as cert_group
from fishchat.cli.chat import chat as chat_command
from fishchat.cli.config import config as config_group
from fishchat.cli.demo import demo as demo_command
from fishchat.cli.lab import lab as lab_group
from fishchat.cli.migrate import migrate as migrate_command
from fishchat.cli.reports import reports as reports_group
from fishchat.cli.retention import retention as retention_command
from fishchat.cli.scrub import scrub as scrub_command
from fishchat.cli.topic import topic as topic_group
from fishchat.cli.up import up as up_command
from fishchat.cli.user import user as user_group
from fishchat.config.describe import docstring
from fishchat.config.load import ConfigError


class _Main(click.Group):
    """The group of all commands."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command on streams that can be used."""
        streams.mend()
        if sys.flags.optimize > 1:
            _restore_help(self)
        return super().main(*args, **extra)

    def invoke(self, context: click.Context) -> Any:
        """Run a command; a configuration or a data directory that cannot be used is its error, never a traceback."""
        try:
            return super().invoke(context)
        except ConfigError as error:
            raise click.ClickException(str(error)) from None


def _restore_help(command: click.Command) -> None:
    """Give every command the help that it takes from its docstring, which this Python has left out."""
    if command.help is None and command.callback is not None:
        command.help = docstring(command.callback)
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _restore_help(one)


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fishchat", message="%(prog)s %(version)s")
def main() -> None:
    """FishChat, an instant-messaging server.

    `fishchat up` starts it. `fishchat COMMAND --help` explains a command.
    """


main.add_command(audit_command)
main.add_command(backup_command)
main.add_command(bench_group)
main.add_command(cert_group)
main.add_command(chat_command)
main.add_command(config_group)
main.add_command(demo_command)
main.add_command(lab_group)
main.add_command(migrate_command)
main.add_command(online_command)
main.add_command(reports_group)
main.add_command(restore_command)
main.add_command(retention_command)
main.add_command(scrub_command)
main.add_command(topic_group)
main.add_command(up_command)
main.add_command(user_group)
