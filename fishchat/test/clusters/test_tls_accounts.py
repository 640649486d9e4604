"""Secrets over TLS: proofs that are bound to the connection, and the client library against real servers."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from fishchat.client import Client, ClientState, RefusedError
from fishchat.client.accounts import create_account
from fishchat.features.accounts.administration import Accounts
from fishchat.model.secrets.passwords import Costs, make
from fishchat.net.tls_peer import binding
from fishchat.test.services.net.test_tls_listen import TlsCase
from fishchat.test.support.rfc5802 import ScramClient
from fishchat.test.support.tls_clients import SocketClient, begin_tls, connect_tls
from fishchat.test.support.tls_fixture import authority
from fishchat.test.support.waiting import until

PASSWORD = "correct horse battery"
CHEAP = Costs(8192, 1, 4096)


class AccountsCase(TlsCase):
    """A msg_server with TLS and accounts; alice has one."""

    async def closed(self, mode: str = "closed") -> None:
        """Begin."""
        cheap: dict[str, Any] = {
            "argon2_memory": CHEAP.memory,
            "argon2_passes": CHEAP.passes,
            "scram_rounds": CHEAP.rounds,
        }
        await self.begin(accounts__mode=mode, **{f"accounts__{key}": value for key, value in cheap.items()})
        self.accounts = Accounts(self.cluster_.roles["ms1"].parts.speaker, 30)
        await self.accounts.add(b"alice", make(PASSWORD.encode(), CHEAP))

    async def prove(self, client: SocketClient, scram: ScramClient) -> str:
        """Both steps; what is answered to the second."""
        found = await client.ask(f"SEND_AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH $challenge")
        client.send(f"SEND_AUTH {scram.mechanism} {scram.final(found['challenge'])}")
        return await client.take()


class Bound(AccountsCase):
    """SCRAM-SHA-256-PLUS by a client written from the RFC."""

    async def test_plus(self) -> None:
        """A proof that is bound to the certificate that the client was shown is taken."""
        await self.closed()
        client, _ = await begin_tls(self.port)
        self.addCleanup(client.drop)
        await client.expect("HELLO … sasl=SCRAM-SHA-256,SCRAM-SHA-256-PLUS")
        scram = ScramClient("alice", PASSWORD, binding(client.shown()))
        answer = await self.prove(client, scram)
        self.assertTrue(scram.accepts(answer.split(" ")[2]), answer)
        await client.expect("RESP_SYNCED")

    async def test_somebody_between(self) -> None:
        """A proof that was made for somebody else's certificate is refused, although the password is right."""
        await self.closed()
        client = await connect_tls(self.port)
        self.addCleanup(client.drop)
        answer = await self.prove(client, ScramClient("alice", PASSWORD, b"x" * 32))
        self.assertTrue(answer.startswith("ERR SEND_AUTH AUTH "), answer)

    async def test_stripped(self) -> None:
        """A client that could bind and was not offered it says so, and that is refused here, where it is offered."""
        await self.closed()
        client = await connect_tls(self.port)
        self.addCleanup(client.drop)
        scram = ScramClient("alice", PASSWORD, flag="y")
        await client.ask(f"SEND_AUTH {scram.mechanism} {scram.first}", "ERR SEND_AUTH AUTH …")
        answer = await self.prove(client, ScramClient("alice", PASSWORD))
        self.assertTrue(answer.startswith("OK SEND_AUTH v="), answer)


class Library(AccountsCase):
    """The client library, with its defaults, against the real server."""

    def client(self, secret: str | None = PASSWORD, *, account: str = "alice", **more: Any) -> Client:
        """A client that trusts the tests' authority."""
        where = [f"localhost:{self.port}"]
        made = Client(account, secret=secret, servers=where, tls=authority().ca, reactor=reactor, **more)
        self.addCleanup(made.stop)
        return made

    async def test_password_then_token(self) -> None:
        """The password is proved once; from then on the token is enough, and no hash is made at all."""
        await self.closed()
        state = ClientState("alice")
        first = self.client(state=state)
        await first.start()
        await first.stop()
        kept = first.state
        self.assertTrue((kept.token or "").startswith("fct_"))
        second = self.client(secret=None, state=kept)
        await second.start()
        self.assertEqual([device.device for device in await second.devices()], ["main"])
        self.assertEqual(self.server.hashing.made, 0)

    async def test_wrong_password(self) -> None:
        """A wrong password is refused, and not tried for ever."""
        await self.closed()
        error: Any = await self.assertFailure(self.client("another password").start(), RefusedError)
        self.assertEqual(error.word, "AUTH")

    async def test_revoked(self) -> None:
        """A token that ended sends the client back to its password; without one it is through."""
        await self.closed()
        client = self.client()
        await client.start()
        before = client.state.token
        closed: list[str] = []
        client.on_closed = closed.append
        await self.accounts.revoke(b"alice", b"main")
        await until(lambda: client.state.token not in (None, before))
        bare = self.client(secret=None, state=ClientState("alice", token=before))
        error: Any = await self.assertFailure(bare.start(), RefusedError)
        self.assertEqual(error.word, "AUTH")
        await until(lambda: not closed)
        await self.accounts.disable(b"alice")
        await until(lambda: closed == ["revoked"])

    async def test_sign_up(self) -> None:
        """An account is made, and used."""
        await self.closed("signup")
        where: dict[str, Any] = {"server": f"localhost:{self.port}", "tls": authority().ca, "reactor": reactor}
        await create_account("bob", "a password of bob's", **where)
        again = Deferred.fromCoroutine(create_account("bob", "another password", **where))
        error: Any = await self.assertFailure(again, RefusedError)
        self.assertEqual(error.word, "EXISTS")
        bob = self.client("a password of bob's", account="bob")
        await bob.start()
        alice = self.client()
        await alice.start()
        heard: list[str] = []
        alice.on_message = lambda message: heard.append(message.text)
        await bob.send("alice", "hello")
        await until(lambda: heard == ["hello"])
        await alice.block("bob")
        error = await self.assertFailure(bob.send("alice", "hello again"), RefusedError)
        self.assertEqual(error.word, "NOTFOUND")
