"""The command ``fishchat migrate``."""

from __future__ import annotations

import click

from fishchat.cli.store import Store, with_store


@click.command()
@click.option("--backup-taken", is_flag=True, help="Confirm that there is a backup of the store.")
@with_store
def migrate(store: Store, backup_taken: bool) -> None:
    """Upgrade the store to this version's format.

    This is for an external Redis. Stop all roles and take a backup first. The upgrade goes forward only: earlier
    versions cannot use the store afterwards. It can be repeated after an interruption. `fishchat up` upgrades its own
    Redis by itself.
    """
    if not backup_taken:
        raise click.UsageError("stop all roles and take a backup of the store, then add --backup-taken")
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.services.launch.one_shot import run
    from fishchat.services.running.errors import StartError
    from fishchat.storage.format import FORMAT, MigrationError
    from fishchat.storage.format import migrate as migrate_store

    try:
        found = run(store.config, migrate_store, any_format=True)
    except (MigrationError, StartError) as error:
        raise click.ClickException(str(error)) from None
    if found == FORMAT:
        click.echo(f"nothing to do: the store has format {FORMAT}")
    else:
        click.echo(f"upgraded the store from format {found} to {FORMAT}")
