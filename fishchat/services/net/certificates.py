"""The certificate of the TLS listeners: read at the start and on SIGHUP, and checked for its expiry."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.net.addresses import advertised
from fishchat.services.net import pem
from fishchat.services.net.authority import days_left, names_of
from fishchat.services.net.listen import CHAT
from fishchat.services.net.tls import Creator, server_context
from fishchat.services.running.errors import StartError
from fishchat.services.running.heartbeat import Load

#: Seconds between two checks of the expiry, and the days left below which the log warns.
EVERY = 12 * 3600.0
WARN_DAYS = 21

_ADVICE = "create a new pair with `fishchat cert server HOST`"


class CertificateError(StartError):
    """The certificate or its key cannot be used. The text names the file and the remedy."""


@dataclass
class Shown:
    """A pair that passed all checks, and its contexts, one for each protocol."""

    chain: list[x509.Certificate]
    key: Any = field(repr=False)
    contexts: dict[bytes, SSL.Context] = field(default_factory=dict, repr=False)

    def context(self, protocol: bytes) -> SSL.Context:
        """Return the context for ``protocol``."""
        if protocol not in self.contexts:
            self.contexts[protocol] = server_context(self.chain, self.key, protocol)
        return self.contexts[protocol]


class Certificates(Service):
    """Holds the pair of ``tls.certificate`` and ``tls.key``; no pair before the start.

    ``clock`` times the checks of the expiry date, ``wall`` returns the time of day.
    """

    log = Logger()

    def __init__(self, config: Config, clock: IReactorTime, wall: Callable[[], float] = time.time) -> None:
        self.certificate, self.key = pair_paths(config)
        self._listen = config.msg_server.listen_tls
        self._advertise = config.msg_server.advertise_tls
        self._wall = wall
        self._shown: Shown | None = None
        self._looks = LoopingCall(self._look)
        self._looks.clock = clock

    def check(self) -> None:
        """Raise CertificateError if the pair cannot be used now."""
        self._read()

    def privilegedStartService(self) -> None:
        """Read the pair while ``twistd`` still has its rights. CertificateError if it cannot be used."""
        self._load()
        super().privilegedStartService()

    def startService(self) -> None:
        """Read the pair if necessary, and begin to check its expiry."""
        self._load()
        super().startService()
        self._looks.start(EVERY)

    def stopService(self) -> None:
        """Stop checking the expiry."""
        super().stopService()
        if self._looks.running:
            self._looks.stop()

    def reload(self) -> bool:
        """Read the pair again; existing connections keep theirs. A pair that is not good changes nothing."""
        try:
            self._shown = self._read()
        except CertificateError as error:
            self.log.error("the certificate in use stays: {why}", why=str(error))
            return False
        names = ", ".join(self.names)
        self.log.info("from now on the certificate is {path}, for {names}", path=str(self.certificate), names=names)
        self._look()
        return True

    def creator(self, protocol: bytes) -> Creator:
        """Return the connection creator of a listener whose clients may ask for ``protocol``."""
        return Creator(lambda: self.context(protocol))

    def context(self, protocol: bytes) -> SSL.Context:
        """Return the context of the next connection that may ask for ``protocol``."""
        return self._current.context(protocol)

    @property
    def current(self) -> x509.Certificate:
        """The certificate that the next handshake shows."""
        return self._current.chain[0]

    @property
    def names(self) -> list[str]:
        """The DNS names and IP addresses of the certificate."""
        return names_of(self.current)

    @property
    def days(self) -> float:
        """Days until the certificate expires."""
        return days_left(self.current, self._now())

    def address(self) -> str:
        """Return the address that clients of the msg_server's TLS listener should connect to.

        This is ``msg_server.advertise_tls``, else ``listen_tls``; if that is every address of the machine, the
        certificate's first name.
        """
        return advertised(self._listen, self._advertise, self.names)

    def counted(self, load: Callable[[], Load]) -> Callable[[], Load]:
        """Return a role's ``load`` with the days that the certificate has left."""

        def with_days() -> Load:
            said = load()
            return replace(said, figures={**said.figures, "certificate_days": round(self.days, 1)})

        return with_days

    @property
    def _current(self) -> Shown:
        assert self._shown is not None, "it has not been started"
        return self._shown

    def _load(self) -> None:
        if self._shown is None:
            self._shown = self._read()

    def _read(self) -> Shown:
        shown = read_pair(self.certificate, self.key, self._now())
        if self._listen and not advertised(self._listen, self._advertise, names_of(shown.chain[0])):
            raise CertificateError(
                f"{self.certificate} names no single host; set `msg_server.advertise_tls` to the address of this server"
            )
        return shown

    def _look(self) -> None:
        days, path = self.days, str(self.certificate)
        if days <= 0:
            self.log.critical("the certificate {path} has expired: clients refuse it; replace it", path=path)
        elif days < WARN_DAYS:
            self.log.warn("the certificate {path} expires in {days:.0f} days; replace it", path=path, days=days)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), timezone.utc)


def pair_paths(config: Config) -> tuple[Path, Path]:
    """Return the paths of the certificate and its key: as configured, else in the data directory."""
    directory = data_path(config) / "tls"
    tls = config.tls
    return Path(tls.certificate or directory / "server.pem"), Path(tls.key or directory / "server.key")


def certificate_names(config: Config) -> list[str]:
    """Return the DNS names and IP addresses of the certificate of a configuration; none if it cannot be read."""
    try:
        return names_of(pem.read_certificates(pair_paths(config)[0])[0])
    except pem.PemError:
        return []


def read_pair(certificate: Path, key: Path, now: datetime) -> Shown:
    """Read a pair and check it. CertificateError, which names the file, when it is not good."""
    try:
        shown = Shown(*pem.read_pair(certificate, key))
    except pem.PemError as error:
        raise CertificateError(f"{error}; {_ADVICE}") from None
    chain = shown.chain
    _check_purpose(certificate, chain[0])
    if not names_of(chain[0]):
        raise _error(certificate, "names no host (as a subject alternative name), so every client would refuse it")
    if days_left(chain[0], now) <= 0:
        raise _error(certificate, f"has expired on {chain[0].not_valid_after_utc:%Y-%m-%d}")
    if chain[0].not_valid_before_utc > now:
        raise _error(certificate, f"is not valid before {chain[0].not_valid_before_utc:%Y-%m-%d %H:%M} UTC")
    try:
        shown.context(CHAT)
    except SSL.Error as error:
        reasons = [reason[-1] for reason in error.args[0]] if error.args else []
        raise _error(certificate, f"is refused by OpenSSL ({', '.join(reasons)})") from None
    return shown


def _check_purpose(path: Path, certificate: x509.Certificate) -> None:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(purposes):
        raise _error(path, "is not for a server")


def _error(path: Path, what: str) -> CertificateError:
    return CertificateError(f"{path} {what}; {_ADVICE}")
