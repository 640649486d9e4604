"""What a connection to Redis by TLS is checked by, and what it shows, from the files of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fishchat.config.schema import Redis
from fishchat.services.running.errors import StartError


def credentials(config: Redis) -> dict[str, Any]:
    """The options of ``storage.link.Link`` for ``redis.authority``, ``redis.certificate`` and ``redis.key``.

    StartError, which names the key of the configuration, when a file is not what it should be.
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
    # Here and not above: it brings OpenSSL in, which a unix socket need not load.
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
        # A problem of the pair is that of the file which the text begins with.
        if str(error).startswith(config.certificate + " "):
            key = "redis.certificate"
        raise StartError(f"{key}: {error}") from None
    return found
