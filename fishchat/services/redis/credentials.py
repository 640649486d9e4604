"""The TLS credentials of connections to Redis, from the files of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fishchat.config.schema import Redis
from fishchat.services.running.errors import StartError


def credentials(config: Redis) -> dict[str, Any]:
    """Return the options of ``storage.link.Link`` for ``redis.authority``, ``redis.certificate`` and ``redis.key``.

    Raises StartError, which names the configuration key, when a file is unusable.
    """
    named = {"redis.authority": config.authority, "redis.certificate": config.certificate, "redis.key": config.key}
    given = [key for key, path in named.items() if path]
    if not given:
        return {}
    if not config.url.startswith("rediss://"):
        raise StartError(f"{given[0]} has an effect only if redis.url begins with rediss://; remove it")
    if bool(config.certificate) != bool(config.key):
        raise StartError(f"{given[-1]} is set alone; set both redis.certificate and redis.key")
    return _read(config)


def _read(config: Redis) -> dict[str, Any]:
    # Imported here: it loads OpenSSL, which a unix socket does not need.
    from fishchat.services.net.pem import PemError, read_certificates, read_pair
    from fishchat.storage.address import client_certificate, trust_only

    found: dict[str, Any] = {}
    key = "redis.authority"
    try:
        if config.authority:
            found["trust_root"] = trust_only(read_certificates(Path(config.authority)))
        key = "redis.key" if config.key else key
        if config.certificate:
            found["certificate"] = client_certificate(*read_pair(Path(config.certificate), Path(config.key)))
    except PemError as error:
        # The text of the error begins with the file that has the problem.
        if str(error).startswith(config.certificate + " "):
            key = "redis.certificate"
        raise StartError(f"{key}: {error}") from None
    return found
