"""How a server is reached: by TLS unless it is on this machine, and only if it is the one that it should be."""

from __future__ import annotations

import ipaddress
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256
from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.ssl import Certificate, TLSVersion, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.client.events import TlsError

#: Seconds for a connection to stand, and for the gateway to answer.
CONNECT_TIMEOUT = 5.0
#: What is spoken inside (ALPN): a server of another kind on the same port refuses.
PROTOCOL = b"fishchat/1"

#: None: TLS unless the host is this machine. True: TLS. A path: TLS, trusting the authorities in that PEM file alone.
#: False: plain text, to the network too.
Tls = bool | str | os.PathLike[str] | None

_UNTIMELY = (SSL.X509VerificationCodes.ERR_CERT_HAS_EXPIRED, SSL.X509VerificationCodes.ERR_CERT_NOT_YET_VALID)


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
    return tls is False or (tls is None and _is_loopback(host))


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _ip(host)
    if address is None:
        return host.lower() == "localhost"
    # An IPv4 address inside an IPv6 one reaches what the IPv4 address does; Python knows that from 3.13 on.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def binding_of(certificate: x509.Certificate) -> bytes | None:
    """What ties a login to this certificate (RFC 5929, ``tls-server-end-point``); None where that is not defined."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        return None
    return certificate.fingerprint(SHA256() if isinstance(algorithm, (MD5, SHA1)) else algorithm)


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
        self._creators: dict[tuple[str, str], _Creator] = {}
        self._warned: set[str] = set()

    def endpoint(self, reactor: Any, address: str) -> IStreamClientEndpoint:
        """How to connect to ``host:port``. Raises ValueError for what is no address."""
        host, port = split_address(address)
        endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
        if is_plain(host, self._tls):
            return endpoint
        # To read the authorities takes a while, so what is made of them is kept.
        key = host, address
        if key not in self._creators:
            self._creators[key] = _Creator(host, address, self._roots, self._otherwise)
        return wrapClientTLS(self._creators[key], endpoint)

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


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """TLS to one address.

    The check of the certificate is ours: Twisted's logs a certificate that has no name at all, or a malformed one, and
    then accepts it for every host.
    """

    def __init__(self, host: str, address: str, roots: Any, otherwise: str) -> None:
        self._host = host
        self._address = address
        self._otherwise = otherwise
        self._options = optionsForClientTLS(
            host,
            trustRoot=roots,
            acceptableProtocols=[PROTOCOL],
            extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_2},
        )

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """The connection that ``protocol`` will use."""
        connection: SSL.Connection = self._options.clientConnectionForTLS(protocol)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._check(protocol))
        return connection

    def _check(self, protocol: TLSMemoryBIOProtocol) -> Callable[..., bool]:
        # The connection holds the function, and the protocol the connection.
        connected = weakref.ref(protocol)

        def check(_connection: object, certificate: crypto.X509, code: int, depth: int, good: bool) -> bool:
            problem = self._problem(certificate.to_cryptography, code, depth, good)
            # Whoever is connected is told the first reason; that of the whole chain is only "verify failed".
            if problem is not None and (told := connected()) is not None:
                told.failVerification(Failure(TlsError(f"the certificate of {self._address} {problem}")))
            return problem is None

        return check

    def _problem(self, certificate: Callable[[], x509.Certificate], code: int, depth: int, good: int) -> str | None:
        if code in _UNTIMELY:
            return "has expired or is not valid yet: it must be made anew, if this machine's clock is right"
        if not good:
            return f"is not from an authority that is trusted here; {self._otherwise}"
        if depth:
            return None
        try:
            if _ip(self._host) is None:
                verify_certificate_hostname(certificate(), self._host)
            else:
                verify_certificate_ip_address(certificate(), self._host)
        except (VerificationError, CertificateError, ValueError) as error:
            return (
                f"is not for {self._host}; connect by a name that it has, or have one made that has this name"
                f" ({type(error).__name__})"
            )
        return None
