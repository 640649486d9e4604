"""How a server is reached: by TLS unless it is on this machine, and only if it is the one that it should be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import Certificate, platformTrust, trustRootFromCertificates
from twisted.logger import Logger

from fishchat.client.events import TlsError
from fishchat.net.addresses import is_loopback
from fishchat.net.tls_peer import CheckedPeer

#: Seconds for a connection to stand, and for the gateway to answer.
CONNECT_TIMEOUT = 5.0
#: What is spoken inside (ALPN): a server of another kind on the same port refuses.
PROTOCOL = b"fishchat/1"

#: None: TLS unless the host is this machine. True: TLS. A path: TLS, trusting the authorities in that PEM file alone.
#: False: plain text, to the network too.
Tls = bool | str | os.PathLike[str] | None


def split_address(address: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``. Raises ValueError for what is no address."""
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"no address: {address!r}")
    return host, int(port)


def is_plain(host: str, tls: Tls) -> bool:
    """Whether ``host`` is talked to without TLS. Secrets go there as they are: it is this machine, or said outright."""
    return tls is False or (tls is None and is_loopback(host))


class Security:
    """What a client trusts, and how it connects. Raises OSError or ValueError for a file that holds no certificates."""

    _log = Logger()

    def __init__(self, tls: Tls = None) -> None:
        self._tls = tls
        if tls is None or isinstance(tls, bool):
            self._roots = platformTrust()
            self._otherwise = "if it is your own, say tls=path to the authority's PEM"
        else:
            self._roots = _authorities(Path(tls))
            self._otherwise = f"{os.fspath(tls)} holds others; say tls=path to the authority's PEM"
        self._peers: dict[str, CheckedPeer] = {}
        self._warned: set[str] = set()

    def endpoint(self, reactor: Any, address: str) -> IStreamClientEndpoint:
        """How to connect to ``host:port``. Raises ValueError for what is no address."""
        host, port = split_address(address)
        endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
        if is_plain(host, self._tls):
            return endpoint
        # To read the authorities takes a while, so what is made of them is kept.
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
        """What to tell of the loss of a connection; None when TLS had no part in it."""
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
        """Tell a failure of TLS to whoever reads the log, each once; of other errors nothing."""
        if isinstance(error, TlsError) and str(error) not in self._warned:
            self._warned.add(str(error))
            self._log.warn("{error}", error=error)


def _authorities(path: Path) -> Any:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: no certificates in PEM: {error}") from error
    return trustRootFromCertificates([Certificate(crypto.X509.from_cryptography(one)) for one in found])
