"""What the client trusts: TLS on real loopback sockets with real certificates, and logins by secrets over it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto
from scramp import ScramException, ScramMechanism
from twisted.internet import reactor as the_reactor
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import (
    IHostnameResolver,
    IOpenSSLServerConnectionCreator,
    IResolutionReceiver,
)
from twisted.internet.ssl import CertificateOptions
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer, provider

from fishchat.client import Client, ClosedError, FileState, RefusedError, TlsError, create_account
from fishchat.client.security import PROTOCOL, Security, is_plain, split_address
from fishchat.net.tls_peer import binding
from fishchat.services.net.authority import Pair, new_authority, server_pair
from fishchat.test.client.test_connection import LittleConnection, LittleGateway, LittleServer
from fishchat.test.support.tls_fixture import HOSTS, authority, signed
from fishchat.test.support.waiting import until

# Its interfaces promise less than it does.
reactor: Any = the_reactor

PASSWORD = "correct horse"
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def shown(certificate: x509.Certificate, key: Any) -> CertificateOptions:
    """What a server shows that has this pair."""
    return CertificateOptions(
        privateKey=crypto.PKey.from_cryptography_key(key),
        certificate=crypto.X509.from_cryptography(certificate),
        acceptableProtocols=[PROTOCOL],
    )


def unusual(names: list[x509.GeneralName] | None) -> CertificateOptions:
    """What a server shows that has a certificate from our authority for these names, or with none at all."""
    key = ec.generate_private_key(ec.SECP256R1())
    return shown(signed(key, names), key)


def usual(pair: Pair) -> CertificateOptions:
    """What a server shows that has a pair in PEM."""
    return shown(x509.load_pem_x509_certificate(pair.certificate), load_pem_private_key(pair.key, None))


def ours() -> CertificateOptions:
    """What a server shows that is what it should be."""
    return usual(Pair(authority().server.read_bytes(), authority().server_key.read_bytes()))


@implementer(IOpenSSLServerConnectionCreator)
class SecretServer(LittleServer):
    """A little server that asks for a secret: a password by SCRAM, or a token that it gave.

    :ivar options: what it shows to those who come by TLS.
    :ivar offered: the mechanisms in its greeting.
    """

    def __init__(self, options: CertificateOptions | None = None, password: str = PASSWORD) -> None:
        super().__init__()
        self.options = options or ours()
        self.offered = "SCRAM-SHA-256,SCRAM-SHA-256-PLUS"
        self.tokens: list[str] = []
        self.accounts = {"alice": password}

    def buildProtocol(self, addr: object) -> LittleConnection:
        connection = SecretConnection(self)
        self.connections.append(connection)
        return connection

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:
        """A new connection, with what is shown now."""
        return SSL.Connection(self.options.getContext(), None)

    def listen_tls(self, case: TestCase, host: str = "127.0.0.1") -> str:
        """Listen with TLS on a free port until the test is over; the address."""
        port = reactor.listenSSL(0, self, self, interface=host)
        case.addCleanup(port.stopListening)
        case.addCleanup(self.drop)
        return f"[{host}]:{port.getHost().port}" if ":" in host else f"{host}:{port.getHost().port}"

    @property
    def binding(self) -> bytes | None:
        """What ties to the certificate that is shown."""
        assert self.options.certificate is not None
        return binding(self.options.certificate.to_cryptography())


class SecretConnection(LittleConnection):
    """One connection to it."""

    server: SecretServer
    scram: Any = None

    def connectionMade(self) -> None:
        self.say(f"HELLO fishchat/1 server=little auth=closed caps=ack sasl={self.server.offered}")

    def carry_out(self, line: str) -> None:
        verb, _, rest = (line.partition(" ")[2] if line.startswith("@") else line).partition(" ")
        if verb == "SEND_CLIENT_ID" and rest.partition(" ")[2] not in self.server.tokens:
            self.say("ERR SEND_CLIENT_ID AUTH the login was refused")
        elif verb == "SEND_AUTH":
            try:
                self.prove(*rest.split(" "))
            except ScramException as error:
                self.say(f"ERR SEND_AUTH AUTH {error}")
        elif verb == "CREATE_CLIENT":
            self.create(*rest.split(" ", 1))
        else:
            super().carry_out(line)

    def prove(self, mechanism: str, message: str) -> None:
        if self.scram is None:
            salt, stored, key, rounds = ScramMechanism().make_auth_info(self.server.accounts["alice"])
            self.scram = ScramMechanism(mechanism).make_server(
                lambda _: (salt, stored, key, rounds), channel_binding=("tls-server-end-point", self.server.binding)
            )
            self.scram.set_client_first(message)
            self.say("OK SEND_AUTH " + self.scram.get_server_first())
        else:
            self.scram.set_client_final(message)
            self.server.tokens.append(f"fct_{len(self.server.tokens):043}")
            self.server.logins += 1
            self.server.online["alice"] = self
            self.account = "alice"
            self.say(f"OK SEND_AUTH {self.scram.get_server_final()} token={self.server.tokens[-1]}")
            self.say("RESP_SYNCED")

    def connectionLost(self, reason: object = None) -> None:
        self.connected = 0

    def create(self, account: str, password: str) -> None:
        if account in self.server.accounts:
            self.say("ERR CREATE_CLIENT EXISTS the name is taken")
        else:
            self.server.accounts[account] = password
            self.say(f"OK CREATE_CLIENT {account}")


class RuleTests(SynchronousTestCase):
    """What needs no connection."""

    def test_plain(self) -> None:
        """Without TLS only this machine is talked to, unless it is said outright."""
        for host in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", "LocalHost"):
            self.assertEqual([is_plain(host, tls) for tls in (None, True, "ca.pem", False)], [True, False, False, True])
        for host in ("10.0.0.1", "2001:db8::1", "::", "0.0.0.0", "chat.example.org", "localhost.example"):
            self.assertEqual([tls for tls in (None, True, "ca.pem", False) if is_plain(host, tls)], [False])

    def test_addresses(self) -> None:
        """A host and a port, the host in brackets when it has colons."""
        self.assertEqual(split_address("[::1]:19000"), ("::1", 19000))
        for wrong in ("", "host", "host:", ":1", "host:0", "host:65536", "host:x"):
            self.assertRaises(ValueError, split_address, wrong)

    def test_binding(self) -> None:
        """It is the certificate under its signature's hash (RFC 5929); where there is no such hash, there is none."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = signed(key, None)
        self.assertEqual(binding(certificate), certificate.fingerprint(hashes.SHA256()))
        self.assertIsNone(binding(signed(key, None, ed25519.Ed25519PrivateKey.generate())))

    def test_no_authorities(self) -> None:
        """A file that holds no certificates, or is not there, is an error at once, and names the file."""
        path = Path(self.mktemp())
        self.assertRaises(OSError, Security, path)
        path.write_text("no certificate")
        error = self.assertRaises(ValueError, Client, "alice", tls=path, reactor=reactor)
        self.assertIn(str(path), str(error))


@implementer(IHostnameResolver)
class Loopback:
    """A resolver for which every name is this machine: those of some machines do not know ``localhost.``."""

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        resolution: Any = object()
        resolutionReceiver.resolutionBegan(resolution)
        resolutionReceiver.addressResolved(IPv4Address("TCP", "127.0.0.1", portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution


class TlsCase(TestCase):
    timeout = 10

    def setUp(self) -> None:
        self.warnings: list[str] = []

        @provider(ILogObserver)
        def hear(event: LogEvent) -> None:
            if event.get("log_level") == LogLevel.warn and "fishchat.client" in event["log_namespace"]:
                self.warnings.append(str(event["error"]))

        globalLogPublisher.addObserver(hear)
        self.addCleanup(globalLogPublisher.removeObserver, hear)

    def client(self, address: str, **options: Any) -> Client:
        options.setdefault("tls", authority().ca)
        options.setdefault("secret", PASSWORD)
        if "gateway" not in options:
            options["servers"] = [address]
        client = Client("alice", reactor=reactor, **options)
        self.addCleanup(client.stop)
        return client

    async def refused(self, server: SecretServer, words: str, tls: Any = None) -> None:
        """A server that shows the wrong thing is told of once, tried again, and not talked to until that is mended."""
        address = server.listen_tls(self)
        client = self.client(address, tls=authority().ca if tls is None else tls)
        start = client.start()
        await until(lambda: client.failures >= 3)
        (warning,) = self.warnings
        self.assertIn(address, warning)
        self.assertIn(words, warning)
        self.assertEqual(server.heard, [])
        if tls is None:
            server.options = ours()
            await start
        else:
            start.addErrback(lambda failure: None)


class CertificateTests(TlsCase):
    """Who is believed."""

    async def test_right(self) -> None:
        """By address, IPv6 too, and by name; the protocol is agreed on, and nothing is warned of."""
        for host, said in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("127.0.0.1", "localhost")):
            server = SecretServer()
            port = server.listen_tls(self, host).rpartition(":")[2]
            client = self.client(f"{said}:{port}")
            await client.start()
            await client.ping()
            self.assertEqual(server.online["alice"].transport.negotiatedProtocol, PROTOCOL)
        self.assertEqual(self.warnings, [])

    async def test_dot_at_the_end(self) -> None:
        """A name that ends with a dot is that name, in the certificate's check and in TLS; ``localhost.`` is here."""
        self.assertTrue(is_plain("localhost.", None))
        server = SecretServer()
        port = server.listen_tls(self).rpartition(":")[2]
        self.addCleanup(reactor.installNameResolver, reactor.installNameResolver(Loopback()))
        client = self.client(f"localhost.:{port}")
        await client.start()
        self.assertEqual(server.online["alice"].transport.getHandle().get_servername(), b"localhost")
        self.assertEqual(self.warnings, [])

    async def test_another_name(self) -> None:
        """A certificate for another host is refused."""
        pair = server_pair(authority().pair, ["chat.example.org"], NOW)
        await self.refused(SecretServer(usual(pair)), "is not for 127.0.0.1; connect by a name")

    async def test_no_name(self) -> None:
        """So is one of the right authority without any name, whatever its subject says."""
        await self.refused(SecretServer(unusual(None)), "is not for 127.0.0.1")

    async def test_malformed_name(self) -> None:
        """And one whose name is a pattern for half of the world."""
        await self.refused(SecretServer(unusual([x509.DNSName("*.org")])), "is not for 127.0.0.1")

    async def test_expired(self) -> None:
        """A certificate that was good is refused."""
        pair = server_pair(authority().pair, HOSTS, NOW - 400 * DAY)
        await self.refused(SecretServer(usual(pair)), "has expired")

    async def test_another_authority(self) -> None:
        """A certificate of an authority that is not in the file is refused, and told what to do."""
        pair = server_pair(new_authority(NOW), HOSTS, NOW)
        await self.refused(SecretServer(usual(pair)), "say tls=path to the authority's PEM")

    async def test_system_authorities(self) -> None:
        """The system knows nothing of our authority."""
        await self.refused(SecretServer(), "say tls=path to the authority's PEM", tls=True)

    async def test_no_tls(self) -> None:
        """A server that speaks in plain text is not talked to, and it is told why."""
        server = LittleServer()
        address = server.listen(self)
        client = self.client(address)
        client.start().addErrback(lambda failure: None)
        await until(lambda: self.warnings)
        self.assertIn(f"TLS with {address} failed", self.warnings[0])
        self.assertIn("tls=False", self.warnings[0])
        self.assertEqual(server.heard, [])

    async def test_gateway(self) -> None:
        """The gateway is asked by TLS, and the servers that it names are talked to by TLS too."""
        server = SecretServer()
        gateway = LittleGateway(f"SELECT_MSG_SERVER_FOR_CLIENT {server.listen_tls(self)}")
        pair = server_pair(authority().pair, ["chat.example.org"], NOW)
        front = SecretServer(usual(pair))
        front.buildProtocol = gateway.buildProtocol  # type: ignore[method-assign,assignment]
        client = self.client("", gateway=front.listen_tls(self))
        start = client.start()
        await until(lambda: self.warnings)
        self.assertIn("is not for 127.0.0.1", self.warnings[0])
        self.assertEqual((gateway.asked, server.heard), (0, []))
        front.options = ours()
        await start
        self.assertEqual((gateway.asked, server.logins, len(self.warnings)), (1, 1, 1))

    async def test_moved(self) -> None:
        """A server that another one names has to prove itself too."""
        first, other = SecretServer(), SecretServer(unusual(None))
        client = self.client(first.listen_tls(self))
        await client.start()
        first.online["alice"].say(f"RESP_MOVE {other.listen_tls(self)} within=0.01")
        await until(lambda: self.warnings and first.logins == 2)
        self.assertEqual(other.heard, [])


class SecretTests(TlsCase):
    """Logins by secrets over TLS."""

    def setUp(self) -> None:
        super().setUp()
        self.server = SecretServer()
        self.address = self.server.listen_tls(self)

    def logins(self) -> list[str]:
        """What the server heard of logins, without what differs each time."""
        heard = [line.removeprefix("@device=main ").split(",n=")[0] for line in self.server.heard]
        return [line for line in heard if line.startswith(("SEND_CLIENT_ID", "SEND_AUTH")) and "c=" not in line]

    async def failure(self, call: Any, kind: type[Exception]) -> Any:
        """The error that ``call`` fails with."""
        error: Any = self.assertFailure(call, kind)
        return await error

    async def test_token(self) -> None:
        """The first login proves the password, tied to the certificate; the next, of a new program too, say a token."""
        file = FileState(self.mktemp())
        client = self.client(self.address, state=file)
        await client.start()
        await client.ping()
        saved = file.load()
        assert saved is not None
        self.assertEqual((saved.token, file.path.stat().st_mode & 0o777), (self.server.tokens[0], 0o600))
        self.server.drop()
        await until(lambda: self.server.logins == 2)
        await client.stop()
        other = self.client(self.address, secret=None, state=file)
        await other.start()
        by_token = f"SEND_CLIENT_ID alice {self.server.tokens[0]}"
        plus = "SEND_AUTH SCRAM-SHA-256-PLUS p=tls-server-end-point,"
        self.assertEqual(self.logins(), [plus, by_token, by_token])
        self.assertFalse([line for line in self.server.heard if PASSWORD in line])

    async def test_token_taken_back(self) -> None:
        """A token that is taken back is replaced by means of the password, and what waits is sent after that."""
        file = FileState(self.mktemp())
        client = self.client(self.address, state=file)
        closed: list[str] = []
        client.on_closed = closed.append
        await client.start()
        del self.server.tokens[:]
        self.server.tokens.append("fct_another")
        self.server.online["alice"].say("RESP_REVOKED revoked")
        self.server.online["alice"].transport.loseConnection()
        self.assertEqual(await client.send("bob", "hi"), "alice+bob:1-1")
        saved = file.load()
        assert saved is not None
        self.assertEqual((saved.token, len(self.logins()), closed), (self.server.tokens[1], 2, []))

    async def test_revoked(self) -> None:
        """An account that is disabled ends the client, and says so."""
        client = self.client(self.address)
        closed: list[str] = []
        client.on_closed = closed.append
        await client.start()
        self.server.twist = lambda connection, line: True
        send = client.send("bob", "unanswered")
        self.server.online["alice"].say("RESP_REVOKED disabled")
        error = await self.failure(send, ClosedError)
        self.assertEqual(str(error), "the client is closed: revoked (disabled)")
        await client.stop()
        self.assertEqual(closed, ["revoked"])

    async def test_wrong_signature(self) -> None:
        """A server that only pretends to know the password is not logged in to; it need not close for us to."""

        def pretend(connection: LittleConnection, line: str) -> bool:
            if ",p=" not in line:
                return False
            connection.say(f"OK SEND_AUTH v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4= token=fct_{'x' * 43}")
            return True

        self.server.twist = pretend
        client = self.client(self.address)
        error = await self.failure(client.start(), RefusedError)
        self.assertEqual((error.word, client.state.token), ("AUTH", None))

    async def test_stripped_list(self) -> None:
        """Where somebody takes PLUS out of the greeting, the server finds out by the client's first message."""
        self.server.offered = "SCRAM-SHA-256"
        client = self.client(self.address)
        error = await self.failure(client.start(), RefusedError)
        self.assertEqual(error.word, "AUTH")
        self.assertIn("server-does-support-channel-binding", error.text)
        self.assertEqual(self.logins(), ["SEND_AUTH SCRAM-SHA-256 y,"])

    async def test_wrong_password(self) -> None:
        """It ends the client."""
        client = self.client(self.address, secret="battery staple")
        error = await self.failure(client.start(), RefusedError)
        self.assertEqual(error.word, "AUTH")
        self.assertNotIn("battery", str(error))


class SignUpTests(TlsCase):
    """Making an account."""

    def setUp(self) -> None:
        super().setUp()
        self.server = SecretServer()
        self.where: dict[str, Any] = {"server": self.server.listen_tls(self), "tls": authority().ca, "reactor": reactor}

    async def refusal(self, kind: type[Exception], *args: Any, **options: Any) -> Any:
        """The error with which it is refused."""
        try:
            await create_account(*args, **{**self.where, **options})
        except kind as error:
            return error
        self.fail("it was not refused")

    async def test_made(self) -> None:
        """One line with the invitation's code, and the account is there."""
        await create_account("bob", "battery  staple", invite="fci_x;y", **self.where)
        self.assertEqual(self.server.heard, ["@invite=fci_x\\:y CREATE_CLIENT bob battery  staple"])
        self.assertEqual(self.server.accounts["bob"], "battery  staple")

    async def test_by_gateway(self) -> None:
        """The gateway is asked for a server."""
        gateway = LittleGateway(f"SELECT_MSG_SERVER_FOR_CLIENT {self.where.pop('server')}")
        front = SecretServer()
        front.buildProtocol = gateway.buildProtocol  # type: ignore[method-assign,assignment]
        await create_account("bob", PASSWORD, gateway=front.listen_tls(self), **self.where)
        self.assertIn("bob", self.server.accounts)

    async def test_refused(self) -> None:
        """Refusals are RefusedErrors, those that need no server too."""
        self.assertEqual((await self.refusal(RefusedError, "alice", PASSWORD)).word, "EXISTS")
        self.assertEqual((await self.refusal(RefusedError, "Alice", PASSWORD)).word, "BADNAME")
        self.assertEqual((await self.refusal(RefusedError, "bob", "two\nlines")).word, "PASSWORD")
        self.assertEqual(len(self.server.heard), 1)

    async def test_insecure(self) -> None:
        """A server that cannot prove itself does not get the password."""
        error = await self.refusal(TlsError, "bob", PASSWORD, tls=True)
        self.assertIn("tls=path", str(error))
        self.assertEqual(self.server.heard, [])
