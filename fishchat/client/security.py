"""Secure connections: TLS unless the server is on this machine, and only to a server that proves its identity."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import Certificate, platformTrust, trustRootFromCertificates

from fishchat.client.events import TlsError
from fishchat.client.warnings import Warnings
from fishchat.net.addresses import is_loopback
from fishchat.net.tls_peer import CheckedPeer

#: Seconds to establish a connection, and for the gateway to answer.
CONNECT_TIMEOUT = 5.0
#: The application protocol (ALPN): a server of another kind on the same port refuses it.
PROTOCOL = b"fishchat/1"

#: None: TLS unless the host is this machine. True: TLS. A path: TLS, trusting only the authorities in that PEM file.
#: False: plain text, over the network too.
Tls = bool | str | os.PathLike[str] | None


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host:port`` or ``[v6]:port``. Raises ValueError for an invalid address."""
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"no address: {address!r}")
    return host, int(port)


def is_plain(host: str, tls: Tls) -> bool:
    """Return whether to connect to ``host`` without TLS: it is this machine, or the caller asked for plain text.

    Secrets are then sent without encryption.
    """
    return tls is False or (tls is None and is_loopback(host))


class Security:
    """The trust and the endpoints of a client. Raises OSError or ValueError for a file without certificates."""

    def __init__(self, tls: Tls = None, warnings: Warnings | None = None) -> None:
        self._tls = tls
        self._warnings = warnings or Warnings()
        if tls is None or isinstance(tls, bool):
            self._roots = platformTrust()
            self._otherwise = "if it is your own, say tls=path to the authority's PEM"
        else:
            self._roots = _authorities(Path(tls))
            self._otherwise = f"{os.fspath(tls)} holds others; say tls=path to the authority's PEM"
        self._peers: dict[str, CheckedPeer] = {}

    def endpoint(self, reactor: Any, address: str) -> IStreamClientEndpoint:
        """Return the endpoint for ``host:port``. Raises ValueError for an invalid address."""
        host, port = split_address(address)
        endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
        if is_plain(host, self._tls):
            return endpoint
        # Reading the authorities takes a while, so the result is kept.
        if address not in self._peers:
            self._peers[address] = CheckedPeer(
                host,
                lambda wrong: TlsError(f"the certificate of {address} {wrong}"),
                self._otherwise,
                trustRoot=self._roots,
                acceptableProtocols=[PROTOCOL],
            )
        return wrapClientTLS(self._peers[address], endpoint)

    def failure(self, address: str, error: object) -> TlsError | None:
        """Return the error to report for a lost connection; None if TLS was not the cause."""
        if isinstance(error, TlsError):
            return error
        if not isinstance(error, SSL.Error):
            return None
        reason = " ".join(str(entry[-1]) for queue in error.args[:1] for entry in queue) or "no reason given"
        return TlsError(
            f"TLS with {address} failed ({reason}); connect to a port that speaks TLS, or say tls=False to talk in"
            " plain text, which everybody on the way can read and change"
        )

    def warn(self, error: object) -> None:
        """Warn of a failure of TLS. Other errors are ignored."""
        if isinstance(error, TlsError):
            self._warnings.warn(error)


def _authorities(path: Path) -> Any:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: no certificates in PEM: {error}") from error
    return trustRootFromCertificates([Certificate(crypto.X509.from_cryptography(one)) for one in found])
