"""What would prevent a start on this machine, found without a start: nothing is made, changed or listened on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from twisted.internet.task import Clock

from fishchat.config.check import listeners, tls_listeners
from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.services.net.listen import refusal, taken
from fishchat.services.redis import program
from fishchat.services.redis.credentials import credentials
from fishchat.services.running.directory import check_private_directory
from fishchat.services.running.errors import StartError


def obstacles(config: Config) -> list[str]:
    """Return the refusals of a start with this configuration, in the words of the start."""
    found = []
    for check in (_directory, _redis, _credentials, _certificate):
        try:
            check(config)
        except StartError as error:
            found.append(str(error))
    refused = (one for one in _addresses(config) if one[2].errno != errno.EADDRINUSE)
    return [*found, *(str(refusal(address, key, error)) for key, address, error in refused)]


def used_ports(config: Config) -> list[str]:
    """Return a sentence for each port that is in use, perhaps by the very server that has this configuration."""
    return [
        f"{address} (`{key}`) is in use, by a FishChat that runs already or by another program"
        for key, address, error in _addresses(config)
        if error.errno == errno.EADDRINUSE
    ]


def _addresses(config: Config) -> Iterator[tuple[str, str, OSError]]:
    for key, address in listeners(config).items():
        error = taken(address)
        if error is not None:
            yield key, address, error


def _directory(config: Config) -> None:
    data = data_path(config)
    # Root asks for the user of a service, to whom the directory belongs.
    user = data.stat().st_uid if os.geteuid() == 0 and data.exists() else None
    check_private_directory(str(data), user)


def _redis(config: Config) -> None:
    if not config.redis.url:
        program.check_data(data_path(config), program.find_executable())


def _credentials(config: Config) -> None:
    credentials(config.redis)


def _certificate(config: Config) -> None:
    if tls_listeners(config):
        # Imported here: it loads OpenSSL.
        from fishchat.services.net.certificates import Certificates

        Certificates(config, Clock()).privilegedStartService()
