"""Accounts, over whole servers: logins, their cost, and revocations."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from fishchat.bus import channels
from fishchat.errors import Refusal
from fishchat.features.accounts.administration import Accounts
from fishchat.model.secrets.passwords import Costs, make, parse_scram
from fishchat.model.secrets.tokens import fingerprint
from fishchat.services.msg_server.sessions.hashing import THREADS, WAITING, Hashing
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.rfc5802 import ScramClient
from fishchat.test.support.waiting import until

PASSWORD = "correct horse battery"
CHEAP = Costs(8192, 1, 4096)
WRONG = "ERR SEND_CLIENT_ID AUTH login failed; check the name and the password or token"


class AccountsCase(ClusterCase):
    """A test with clusters with accounts, whose hashes are as cheap as the configuration allows."""

    async def closed(self, mode: str = "closed", accounts: tuple[str, ...] = ("alice", "bob"), **more: Any) -> Cluster:
        """Start a cluster with these accounts, all with the same password."""
        cheap = {"argon2_memory": CHEAP.memory, "argon2_passes": CHEAP.passes, "scram_rounds": CHEAP.rounds}
        settings = {"accounts__mode": mode, **{f"accounts__{key}": value for key, value in cheap.items()}}
        cluster = await self.cluster(**{**settings, **more})
        verifier = make(PASSWORD.encode(), CHEAP)
        for name in accounts:
            await self.operator(cluster).add(name.encode(), verifier)
        return cluster

    def operator(self, cluster: Cluster) -> Accounts:
        """Return the accounts as the command line manages them."""
        return Accounts(cluster.roles["ms1"].parts.speaker, 30)

    def occupy(self, hashing: Hashing, count: int) -> Callable[[], Deferred[Any]]:
        """Occupy hash threads and waiting places, until the returned function is called."""
        over = Event()
        self.addCleanup(over.set)
        # Hashes that have waited too long are refused.
        ends = [hashing.run(over.wait, 30.0).addErrback(lambda failure: failure.trap(Refusal)) for _ in range(count)]

        def release() -> Deferred[Any]:
            over.set()
            return gatherResults(ends)

        return release

    async def come(
        self, cluster: Cluster, account: str, server: str = "ms1", device: str = "main"
    ) -> tuple[Client, str]:
        """Return a client that has logged in by password, and its token."""
        client, token = await self.let_in(cluster, account, server, device)
        await client.expect("RESP_SYNCED")
        return client, token

    async def let_in(self, cluster: Cluster, account: str, server: str, device: str) -> tuple[Client, str]:
        """Log in by password, and return before the replay."""
        client = cluster.connect(server, account)
        await client.expect("HELLO fishchat/1 …")
        line = f"@device={device} SEND_CLIENT_ID {account} {PASSWORD}"
        found = await client.ask(line, f"OK SEND_CLIENT_ID {account} token=$token")
        return client, found["token"]


class Ways(AccountsCase):
    """Logins by password, by token, by SCRAM."""

    async def test_token_costs_no_hash(self) -> None:
        """A login by password makes one hash, by token or SCRAM none; a token stays valid."""
        cluster = await self.closed()
        hashing = cluster.server("ms1").hashing
        alice, token = await self.come(cluster, "alice")
        self.assertEqual(hashing.made, 1)
        for _ in range(3):
            alice.drop()
            alice = cluster.connect()
            await alice.expect("HELLO …")
            await alice.ask(f"LOGIN alice {token}", "OK SEND_CLIENT_ID alice")
        await self._prove(cluster.connect(), ScramClient("bob", PASSWORD))
        self.assertEqual(hashing.made, 1)

    async def test_scram(self) -> None:
        """A client written from the RFC proves its password, and the server proves that it knows the verifier."""
        cluster = await self.closed()
        scram = ScramClient("alice", PASSWORD)
        alice = cluster.connect()
        found = await self._prove(alice, scram)
        await alice.expect("RESP_SYNCED")
        self.assertTrue(scram.accepts(found["verdict"]))
        self.assertEqual(scram.rounds, CHEAP.rounds)
        again = cluster.connect()
        await again.expect("HELLO …")
        await again.ask(f"LOGIN alice {found['token']}", "OK SEND_CLIENT_ID alice")

    async def test_scram_wrong(self) -> None:
        """A wrong password is refused, and the answer does not show whether the account exists."""
        cluster = await self.closed()
        told = []
        for name in ("alice", "nobody"):
            client, scram = cluster.connect(), ScramClient(name, "another password")
            await client.expect("HELLO …")
            found = await client.ask(f"AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH $challenge")
            client.send(f"AUTH {scram.mechanism} {scram.final(found['challenge'])}")
            told.append(
                (await client.take(), len(found["challenge"]) - len(scram.nonce), scram.rounds, len(scram.salt))
            )
            await client.ask(f"LOGIN alice {PASSWORD}", "OK …")
        self.assertEqual(told[0], told[1])
        self.assertEqual(told[0][0], WRONG.replace("SEND_CLIENT_ID", "SEND_AUTH"))

    async def test_tags(self) -> None:
        """The first step names the device. A device at the second step is an error that ends the login."""
        cluster = await self.closed()
        client, scram = cluster.connect(), ScramClient("alice", PASSWORD)
        await client.expect("HELLO …")
        found = await client.ask(f"@id=a;device=desk AUTH {scram.mechanism} {scram.first}", "@id=a OK SEND_AUTH $it")
        final = scram.final(found["it"])
        await client.ask(f"@device=desk AUTH {scram.mechanism} {final}", "ERR SEND_AUTH BADTAG …")
        await client.ask(f"AUTH {scram.mechanism} {final}", "ERR SEND_AUTH FIELDS …")
        scram = ScramClient("alice", PASSWORD)
        found = await client.ask(f"@device=desk AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH $it")
        await client.ask(f"AUTH {scram.mechanism} {scram.final(found['it'])}", "OK SEND_AUTH v=…")
        await client.expect("RESP_SYNCED")
        await client.ask("DEVICES", "BEGIN REQ_DEVICES 1")
        await client.expect("ITEM desk online …", "END …")

    async def test_pipelined(self) -> None:
        """Commands after a login wait for it, however long a hash takes; the answers are in order."""
        cluster = await self.closed("signup", ())
        alice = cluster.connect()
        alice.send(
            "@id=1 PING",
            f"@id=2 SIGNUP alice {PASSWORD}",
            f"@id=3 LOGIN alice {PASSWORD}",
            "@id=4 MSG alice to myself",
            "@id=5 PASSWORD another password",
            "@id=6 PING",
        )
        await alice.expect("HELLO …", "@id=1 OK …", "@id=2 OK …", "@id=3 OK …", "RESP_SYNCED", "@id=4 OK …")
        await alice.expect("@id=5 OK SEND_PASSWORD", "@id=6 OK SEND_PING")

    async def test_same_answers(self) -> None:
        """A wrong password for a missing account costs as many hashes and has the same answer."""
        cluster = await self.closed()
        hashing = cluster.server("ms1").hashing
        await self.operator(cluster).add(b"bare", None)
        for name in ("alice", "nobody", "bare"):
            client, before = cluster.connect(host=f"2001:db8:{len(name)}::1"), hashing.made
            await client.expect("HELLO …")
            await client.ask(f"LOGIN {name} another password", WRONG)
            self.assertEqual(hashing.made, before + 1, name)
            await client.ask(f"LOGIN {name} fct_madeup", WRONG)
            self.assertEqual(hashing.made, before + 1, name)

    async def test_harder(self) -> None:
        """After the cost of hashes is raised, the next login by password makes new ones; token and SCRAM stay valid."""
        cluster = await self.closed(accounts__argon2_memory=9000, accounts__scram_rounds=5000)
        alice, _ = await self.come(cluster, "alice")
        redis = cluster.redis

        def is_harder() -> bool:
            argon, scram = redis.command("HMGET", "account:alice", "argon", "scram")
            return b"$m=9000,t=1,p=1$" in argon and parse_scram(scram)[0] == 5000

        await until(is_harder)
        kept = redis.command("HGET", "account:alice", "argon")
        alice.drop()
        await self.come(cluster, "alice")
        self.assertEqual(redis.command("HGET", "account:alice", "argon"), kept)
        await self._prove(cluster.connect(), ScramClient("alice", PASSWORD))

    async def _prove(self, client: Client, scram: ScramClient) -> dict[str, str]:
        await client.expect("HELLO … sasl=SCRAM-SHA-256")
        found = await client.ask(f"SEND_AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH $challenge")
        final = scram.final(found["challenge"])
        return await client.ask(f"SEND_AUTH {scram.mechanism} {final}", "OK SEND_AUTH $verdict token=$token")


class Going(AccountsCase):
    """Revocations of rights."""

    async def test_disabled_everywhere(self) -> None:
        """Every device on every server is notified within a second, and cannot log in again."""
        cluster = await self.closed()
        alice, token = await self.come(cluster, "alice")
        phone, _ = await self.come(cluster, "alice", "ms2", "phone")
        bob, _ = await self.come(cluster, "bob")
        began = reactor.seconds()
        self.assertEqual(await self.operator(cluster).disable(b"alice"), 2)
        for client in (alice, phone):
            await client.expect("RESP_REVOKED disabled")
            await client.gone()
        self.assertLess(reactor.seconds() - began, 1.0)
        await bob.ask("MSG alice you are away", "OK …")
        await cluster.settled()
        self.assertEqual(cluster.redis.command("EXISTS", "at:alice", "session:alice"), 0)
        await self.operator(cluster).enable(b"alice")
        alice = cluster.connect()
        await alice.expect("HELLO …")
        await alice.ask(f"LOGIN alice {token}", "OK …")
        await alice.expect("RESP_MESSAGE_P2P bob … you are away")

    async def test_news_lost(self) -> None:
        """A server that misses the notification detects it by the store's count, within a second and a sweep."""
        cluster = await self.closed()
        alice, _ = await self.come(cluster, "alice")
        await until(lambda: cluster.server("ms1").revocations._number is not None)
        cluster.bus("ms1").losing = lambda channel, _: channel == channels.CLIENT_STATUS
        began = reactor.seconds()
        await self.operator(cluster).disable(b"alice")
        await alice.expect("RESP_MOVE …", seconds=5)
        await alice.gone()
        self.assertLess(reactor.seconds() - began, 2.5)

    async def test_nothing_more_is_stored(self) -> None:
        """A message of a disabled account is not stored, even before its server knows."""
        cluster = await self.closed()
        alice, _ = await self.come(cluster, "alice")
        cluster.bus("ms1").losing = lambda channel, _: channel == channels.CLIENT_STATUS
        await self.operator(cluster).disable(b"alice")
        await alice.ask("MSG bob one more", "ERR SEND_MESSAGE_P2P TRYAGAIN …")
        self.assertEqual(cluster.redis.command("EXISTS", "log:alice+bob"), 0)

    async def test_deleted(self) -> None:
        """Messages of a deleted account are erased, those of others stay; devices that missed them receive the gap."""
        cluster = await self.closed(accounts=("alice", "bob", "carol"))
        alice, _ = await self.come(cluster, "alice")
        bob, _ = await self.come(cluster, "bob")
        await alice.ask("CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "OK …")
        await alice.ask("SAY fishing one", "OK …")
        await bob.expect("RESP_MESSAGE_TOPIC fishing alice … one")
        await bob.ask("SAY fishing two", "OK …")
        await alice.expect("RESP_MESSAGE_TOPIC fishing bob … two")
        for text in ("a", "b"):
            await bob.ask(f"MSG alice {text}", "OK …")
            await alice.expect(f"RESP_MESSAGE_P2P bob … {text}")
        bob.drop()
        await cluster.settled()
        await alice.ask("MSG bob c", "OK …")
        await alice.ask("SAY fishing three", "OK …")
        erased = await self.operator(cluster).erase(b"alice")
        await alice.expect("RESP_REVOKED deleted")
        self.assertEqual((erased.messages, erased.memberships, erased.topics_passed_on, erased.sessions), (3, 1, 1, 1))
        bob, _ = await self.come(cluster, "bob")
        heard = cluster.connect()
        await heard.expect("HELLO …")
        await bob.ask("HISTORY alice+bob", "BEGIN REQ_HISTORY 2")
        await bob.expect("ITEM … bob … a", "ITEM … bob … b", "END …")
        await bob.ask("MEMBERS fishing", "BEGIN REQ_MEMBERS 1")
        await bob.expect("ITEM bob owner …", "END …")
        await bob.ask("MSG alice hello?", "ERR SEND_MESSAGE_P2P NOTFOUND …")
        await bob.ask("SAY fishing alone", "OK SEND_MESSAGE_TOPIC #fishing:…-5")
        left = [key for key in cluster.redis.command("KEYS", "*") if b":alice" in key]
        self.assertEqual([key for key in left if not key.endswith(b":alice+bob")], [b"account:alice"])

    async def come(
        self, cluster: Cluster, account: str, server: str = "ms1", device: str = "main"
    ) -> tuple[Client, str]:
        """Return a client that has logged in, and skip what it has missed."""
        client, token = await self.let_in(cluster, account, server, device)
        while await client.take() != "RESP_SYNCED":
            pass
        return client, token


class Limits(AccountsCase):
    """The cost that an unauthenticated client may cause."""

    async def test_guesses_of_an_account(self) -> None:
        """Five wrong secrets for one account from anywhere use up its budget; right secrets use nothing up."""
        cluster = await self.closed()
        for n in range(8):
            client = cluster.connect(host=f"192.0.2.{n}")
            await client.expect("HELLO …")
            await client.ask(f"LOGIN alice {PASSWORD}", "OK SEND_CLIENT_ID alice token=…")
        for n in range(5):
            client = cluster.connect(host=f"198.51.100.{n}")
            await client.expect("HELLO …")
            await client.ask("LOGIN alice another password", WRONG)
        client = cluster.connect(host="203.0.113.1")
        await client.expect("HELLO …")
        found = await client.ask("LOGIN alice another password", "ERR SEND_CLIENT_ID FLOOD retry=$wait …")
        self.assertTrue(55 <= int(found["wait"]) <= 60, found)
        await client.ask(f"LOGIN bob {PASSWORD}", "OK …")

    async def test_guesses_of_an_address(self) -> None:
        """Wrong secrets from one source use up its budget, for any accounts; a /64 of IPv6 is one source."""
        cluster = await self.closed(limits__guesses_per_address=5)
        for n in range(5):
            client = cluster.connect(host=f"2001:db8:7::{n:x}")
            await client.expect("HELLO …")
            await client.ask(f"LOGIN someone{n} fct_madeup", WRONG)
        client = cluster.connect(host="2001:db8:7:0:ffff::1")
        await client.expect("HELLO …")
        await client.ask("LOGIN other fct_madeup", "ERR SEND_CLIENT_ID FLOOD retry=…")
        await client.ask(f"LOGIN alice {PASSWORD}", "ERR SEND_CLIENT_ID FLOOD retry=…")
        client = cluster.connect(host="2001:db8:8::1")
        await client.expect("HELLO …")
        await client.ask(f"LOGIN alice {PASSWORD}", "OK …")

    async def test_an_office(self) -> None:
        """Wrong passwords for one account lock only this account: others at the same address log in and sign up."""
        cluster = await self.closed("signup")
        typist, other = [cluster.connect(host="192.0.2.7") for _ in range(2)]
        await typist.expect("HELLO …")
        await other.expect("HELLO …")
        for _ in range(5):
            await typist.ask("LOGIN alice another password", WRONG)
        await typist.ask(f"LOGIN alice {PASSWORD}", "ERR SEND_CLIENT_ID FLOOD retry=…")
        await other.ask(f"SIGNUP carol {PASSWORD}", "OK …")
        await other.ask(f"LOGIN bob {PASSWORD}", "OK …")

    async def test_a_class(self) -> None:
        """Thirty people behind one address sign up and log in, one after the other; successes are no guesses."""
        cluster = await self.closed("signup", ())
        for n in range(30):
            client = cluster.connect(host="192.0.2.7")
            await client.expect("HELLO …")
            await client.ask(f"SIGNUP pupil{n} {PASSWORD}", f"OK CREATE_CLIENT pupil{n}")
            await client.ask(f"LOGIN pupil{n} {PASSWORD}", f"OK SEND_CLIENT_ID pupil{n} token=…")
        self.assertEqual(cluster.redis.command("EXISTS", "guesses:@192.0.2.7"), 0)

    async def test_signups(self) -> None:
        """An address creates so many accounts at once; beyond that no password is hashed, and it still logs in."""
        cluster = await self.closed("signup", limits__signups=2, limits__signup_seconds=30)
        hashing = cluster.server("ms1").hashing
        client = cluster.connect(host="192.0.2.7")
        await client.expect("HELLO …")
        for n in range(2):
            await client.ask(f"SIGNUP new{n} {PASSWORD}", "OK …")
        made = hashing.made
        found = await client.ask(f"SIGNUP new2 {PASSWORD}", "ERR CREATE_CLIENT SIGNUPS retry=$wait …")
        self.assertTrue(20 <= int(found["wait"]) <= 30, found)
        await client.ask(f"SIGNUP new1 {PASSWORD}", "ERR CREATE_CLIENT EXISTS …")
        await client.ask(f"@invite=used SIGNUP new3 {PASSWORD}", "ERR CREATE_CLIENT INVITATION …")
        self.assertEqual(hashing.made, made)
        await client.ask(f"LOGIN alice {PASSWORD}", "OK …")

    async def test_name_of_the_server(self) -> None:
        """Nobody gets the name that stands for the server in notices: not by sign-up, nor by a first login."""
        told = "BADNAME the name - stands for the server in notices; choose another one"
        cluster = await self.closed("signup")
        client = cluster.connect()
        await client.expect("HELLO …")
        await client.ask(f"SIGNUP - {PASSWORD}", f"ERR CREATE_CLIENT {told}")
        with self.assertRaises(Refusal) as caught:
            await self.operator(cluster).add(b"-", None)
        self.assertEqual(caught.exception.word, "BADNAME")
        await cluster.end()
        client = (await self.cluster()).connect()
        await client.expect("HELLO …")
        await client.ask("LOGIN -", f"ERR SEND_CLIENT_ID {told}")
        await client.ask("LOGIN --", "OK SEND_CLIENT_ID --")

    async def test_signup_seconds(self) -> None:
        """After the configured seconds an address may create one more account."""
        cluster = await self.closed("signup", limits__signups=1, limits__signup_seconds=0.2, limits__burst=10_000)
        client = cluster.connect(host="192.0.2.7")
        await client.expect("HELLO …")
        for n in range(3):
            began = reactor.seconds()
            while True:
                client.send(f"SIGNUP new{n} {PASSWORD}")
                if (line := await client.take()).startswith("OK "):
                    break
                self.assertRegex(line, "^ERR CREATE_CLIENT SIGNUPS retry=1 ")
                self.assertLess(reactor.seconds() - began, 5.0)

    async def test_invalid_invitations(self) -> None:
        """A used-up invitation is answered as such until the address has used up its guesses."""
        cluster = await self.closed(limits__guesses=2, limits__guesses_per_address=3)
        code = (await self.operator(cluster).invite(1, 1)).decode()
        client = cluster.connect(host="192.0.2.7")
        await client.expect("HELLO …")
        await client.ask(f"@invite={code} SIGNUP carol {PASSWORD}", "OK …")
        for _ in range(3):
            await client.ask(f"@invite={code} SIGNUP dora {PASSWORD}", "ERR CREATE_CLIENT INVITATION …")
        await client.ask(f"@invite={code} SIGNUP dora {PASSWORD}", "ERR CREATE_CLIENT FLOOD retry=…")

    async def test_new_passwords(self) -> None:
        """Five new passwords of one account, then one a minute, because logins wait for their hashes."""
        cluster = await self.closed()
        alice = cluster.connect(host="192.0.2.7")
        await alice.expect("HELLO …")
        await alice.ask(f"LOGIN alice {PASSWORD}", "OK …")
        await alice.expect("RESP_SYNCED")
        hashing = cluster.server("ms1").hashing
        for n in range(5):
            await alice.ask(f"PASSWORD another password {n}", "OK SEND_PASSWORD")
        made = hashing.made
        await alice.ask("PASSWORD another password", "ERR SEND_PASSWORD FLOOD retry=…")
        self.assertEqual(hashing.made, made)
        client = cluster.connect(host="192.0.2.8")
        await client.expect("HELLO …")
        await client.ask("LOGIN alice another password 4", "OK …")

    async def test_exempt(self) -> None:
        """An exempt address is not counted, because many clients share it."""
        cluster = await self.closed(limits__exempt=["192.0.2.0/24"], limits__per_address=1)
        for n in range(7):
            client = cluster.connect(host="192.0.2.9")
            await client.expect("HELLO …")
            await client.ask(f"LOGIN someone{n} fct_madeup", WRONG)

    async def test_strangers_per_address(self) -> None:
        """One source may have sixteen unauthenticated connections; a login makes room for another."""
        cluster = await self.closed()
        alice = cluster.connect(host="192.0.2.7")
        for _ in range(15):
            await cluster.connect(host="192.0.2.7").expect("HELLO …")
        await cluster.connect(host="192.0.2.7").expect("ERR - BUSY limit=16 retry=5 …")
        await cluster.connect(host="192.0.2.8").expect("HELLO …")
        alice.send(f"LOGIN alice {PASSWORD}")
        await alice.expect("HELLO …", "OK …", "RESP_SYNCED")
        await cluster.connect(host="192.0.2.7").expect("HELLO …")

    async def test_accepts(self) -> None:
        """New connections are limited per second."""
        cluster = await self.closed(limits__accepts=3)
        for n in range(3):
            await cluster.connect(host=f"192.0.2.{n}").expect("HELLO …")
        await cluster.connect(host="192.0.2.9").expect("ERR - BUSY limit=3/s retry=5 …")

    async def test_rate_of_an_account(self) -> None:
        """All devices of an account on one server share one limit of commands."""
        cluster = await self.closed(limits__rate=0.1, limits__burst=9)
        devices = []
        for device in ("main", "phone"):
            client = cluster.connect("ms1", "alice")
            await client.expect("HELLO …")
            # A client that has not said HELLO is slowed down instead.
            client.send("HELLO 1", f"@device={device} LOGIN alice {PASSWORD}")
            await client.expect("OK HELLO …", "OK SEND_CLIENT_ID …", "RESP_SYNCED")
            devices.append(client)
        alice, phone = devices
        for n in range(7):
            await devices[n % 2].ask("PING", "OK SEND_PING")
        await phone.ask("PING", "ERR SEND_PING FLOOD …")
        await alice.ask("PING", "ERR SEND_PING FLOOD …")

    async def test_waiting_hashes(self) -> None:
        """If too many logins wait for a hash, the next one gets ``TRYAGAIN``, and nothing else is slower."""
        cluster = await self.closed(limits__flood=False)
        release = self.occupy(cluster.server("ms1").hashing, THREADS)
        clients = [cluster.connect() for _ in range(WAITING + 1)]
        for client in clients:
            client.send(f"LOGIN alice {PASSWORD}")
        await clients[WAITING].expect("HELLO …", "ERR SEND_CLIENT_ID TRYAGAIN retry=1 too many …")
        bob = cluster.connect()
        bob.send("PING")
        await bob.expect("HELLO …", "OK SEND_PING")
        await release()
        for client in clients[:WAITING]:
            await client.expect("HELLO …", "OK SEND_CLIENT_ID alice token=…")

    async def test_no_time(self) -> None:
        """A login answered with ``TRYAGAIN`` is no guess: even ten of them cause no waiting time."""
        cluster = await self.closed()
        hashing = cluster.server("ms1").hashing
        release = self.occupy(hashing, THREADS + WAITING)
        alice = cluster.connect(host="192.0.2.7")
        await alice.expect("HELLO …")
        for _ in range(10):
            await alice.ask(f"LOGIN alice {PASSWORD}", "ERR SEND_CLIENT_ID TRYAGAIN retry=1 too many …")
        await release()
        await alice.ask(f"LOGIN alice {PASSWORD}", "OK SEND_CLIENT_ID alice token=…")


class InTime(AccountsCase):
    """Every client is answered within five seconds, whatever the store does."""

    async def test_steps_together(self) -> None:
        """A command of several steps has five seconds in all; then the outcome is unknown and the connection ends."""
        redis = self.own_redis()
        cluster = await self.closed("signup", redis=redis, limits__flood=False)
        bob, _ = await self.come(cluster, "bob")
        alice, carol = cluster.connect(), cluster.connect()
        await alice.expect("HELLO …")
        await carol.expect("HELLO …")
        server = cluster.server("ms1")
        release = self.occupy(server.hashing, THREADS)
        asked: list[object] = []
        run = server.hashing.run

        def counted(*args: Any) -> Deferred[Any]:
            asked.append(args)
            return run(*args)

        self.patch(server.hashing, "run", counted)
        redis.pause()
        began = reactor.seconds()
        alice.send(f"LOGIN alice {PASSWORD}")
        carol.send(f"SIGNUP carol {PASSWORD}")
        bob.send("PASSWORD another password")
        # Late enough for the first step to succeed; the next step has no store again.
        await deferLater(reactor, 2.7)
        redis.resume()
        await until(lambda: len(asked) == 3)
        redis.pause()
        await release()
        for client in (alice, carol, bob):
            while not (line := await client.take(8)).startswith("ERR"):
                self.assertTrue(line.startswith("RESP_"), line)
            self.assertRegex(line, r"^ERR (SEND_CLIENT_ID|CREATE_CLIENT|SEND_PASSWORD) (UNKNOWN|TRYAGAIN) ")
        self.assertLess(reactor.seconds() - began, 5.0)
        redis.resume()

    async def test_right_is_no_guess(self) -> None:
        """A right password uses up no guess, even if the login fails."""
        cluster = await self.closed(limits__devices=1)
        await self.come(cluster, "alice")
        for _ in range(7):
            client = cluster.connect()
            await client.expect("HELLO …")
            await client.ask(f"@device=phone LOGIN alice {PASSWORD}", "ERR SEND_CLIENT_ID DEVICES limit=1 …")
            await until(lambda: cluster.redis.command("EXISTS", "guesses:alice") == 0)


class Secrets(AccountsCase):
    """Secrets are written nowhere."""

    async def test_store(self) -> None:
        """Neither a password nor a token nor an invitation is in the store, in its file or in its log."""
        redis = self.own_redis()
        # Compressed, a secret would not be found.
        redis.command("CONFIG", "SET", "rdbcompression", "no")
        cluster = await self.closed("signup", redis=redis)
        code = (await self.operator(cluster).invite(1, 1)).decode()
        carol = cluster.connect()
        carol.send(f"@invite={code} SIGNUP carol carols very own password")
        await carol.expect("HELLO …", "OK CREATE_CLIENT carol")
        _, token = await self.come(cluster, "alice")
        granted = (await self.operator(cluster).grant(b"bob", b"lamp", 10)).decode()
        await cluster.settled()
        redis.command("BGREWRITEAOF")
        await until(lambda: b"aof_rewrite_in_progress:0" in redis.command("INFO", "persistence"))
        texts = [path.read_bytes() for path in redis.data.rglob("*") if path.is_file()]
        texts += [redis.command("DUMP", key) or b"" for key in redis.command("KEYS", "*")]
        written = b"".join(texts)
        self.assertIn(fingerprint(token.encode()), written)
        for secret in (PASSWORD, "carols very own password", token, granted, code):
            self.assertNotIn(secret.encode(), written)
