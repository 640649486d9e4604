"""Every verb in every state, by each of its words: generated from the command table, over a real cluster.

A verb that is not allowed is answered with its error word, reaches no handler, and changes nothing in the store.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from fishchat.features.accounts.administration import Accounts
from fishchat.features.registry import PUSHES, VERBS
from fishchat.protocols.rows import State
from fishchat.services.gateway import connection as gateway
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.services.running.lease import Lease
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster
from fishchat.test.support.matrix import MatrixCase, answer_to, greeted, holding, line_of, words_of
from fishchat.test.support.rfc5802 import ScramClient
from fishchat.test.support.waiting import until

#: Words between the servers of the original on the ports of clients, and similar words of our own.
SERVER_VERBS = [
    "SEND_CLIENT_ID_FOR_TOPIC",
    "SUBSCRIBE_CHANNEL",
    "ROUTE_MESSAGE_P2P",
    "ROUTE_MESSAGE_TOPIC",
    "STORE_SESSION",
    "STORE_TOPIC",
    "STORE_OFFLINE_MSG",
    "STORE_MESSAGE",
    "CACHE_SESSION",
    "CACHE_TOPIC",
    "P2P_ACK",
    "PUBLISH_MESSAGE",
    "SELECT_MSG_SERVER_FOR_CLIENT",
    "RESP_",
    "ROUTE_",
    "SUBSCRIBE_",
    "CLIENT_STATUS",
    "TOPIC_STATUS",
    "TOPIC_SYNC",
    "REGISTER",
    "RETIRE",
    "REAP",
    "ERASE",
    "DISABLE",
    "ENROL",
    "GRANT",
    "AUTH_AS",
    "SUDO",
    "ADMIN",
    "CONFIG",
    "EVAL",
    "EVALSHA",
    "FLUSHALL",
    "PUBLISH",
]
#: The beginnings of the server's own lines, except pushes.
REPLIES = ["OK", "ERR", "BEGIN", "ITEM", "END"]
#: Fields after such a word, as an attacker would try them.
TAILS = ("", " alice", " alice bob hello", " /msg_server/ms1 x", ' {"server": "ms1", "came": ["alice/main"]}')

ALL_WORDS = [word for verb in VERBS for word in words_of(verb)]


class States(MatrixCase):
    """Every verb, by each of its words, in every state of a connection."""

    async def _sweep(self, cluster: Cluster, state: State, come: Any) -> None:
        client: Client = await come()
        tried = 0
        for verb in VERBS:
            for word in words_of(verb):
                line = line_of(verb, word=word)
                tried += 1
                self.reached.take()
                if state not in verb.states:
                    await self.refuses(cluster, client, verb, line, "STATE")
                    continue
                # A client that sent an allowed verb may be in another state afterwards.
                one: Client = await come()
                self.reached.take()
                answer = await answer_to(one, line, verb.free)
                self.assertEqual(self.reached.take()[:1], [verb.name], line)
                self.assertNotRegex(answer, "^ERR (-|[A-Z0-9_]+ (INTERNAL|[A-Z]+_VERB)) ", line)
                one.drop()
                await cluster.settled()
        self.assertEqual(tried, len(ALL_WORDS))
        # After any number of refusals the client is in the same state.
        self.assertEqual(await answer_to(client, "PING"), "OK SEND_PING")

    async def test_before_login(self) -> None:
        """Before a login, with or without HELLO, and with or without secrets."""
        for mode in ("open", "closed", "signup"):
            cluster = await self.begin(mode)
            for hello in (False, True):

                async def come(cluster: Cluster = cluster, hello: bool = hello) -> Client:
                    return await greeted(cluster, hello=hello)

                await self._sweep(cluster, State.GREETED, come)
            await cluster.end()

    async def test_between_two_steps(self) -> None:
        """Between the steps of SCRAM only the second step is allowed; a refused verb does not end it."""
        cluster = await self.begin("closed")

        async def come() -> Client:
            client = await greeted(cluster)
            scram = ScramClient("mallory", "a password of hers")
            await client.ask(f"SEND_AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH r=…")
            return client

        await self._sweep(cluster, State.PROVING, come)

    async def test_after_login(self) -> None:
        """After a login, in both profiles."""
        cluster = await self.begin()
        for acks in (False, True):
            devices = iter(range(1000))

            async def come(acks: bool = acks, devices: Any = devices) -> Client:
                # A device other than the one under test; and an account has a limited number of them.
                number = next(devices)
                device = f"{acks}-{number and 1 + number % 3}".lower()
                client = await cluster.login("mallory", device=device, acks=acks, synced=False)
                while await client.take() != "RESP_SYNCED":
                    pass
                return client

            await self._sweep(cluster, State.ONLINE, come)

    async def test_gateway(self) -> None:
        """The gateway carries out the verbs of its own table, and refuses those of a msg_server by name."""
        cluster = await self.begin()
        called: list[bytes] = []

        def noting(name: bytes, handler: Any) -> Any:
            def note(connection: Any, command: Any) -> None:
                called.append(name)
                handler(connection, command)

            return note

        known = {name: noting(name, handler) for name, handler in gateway.HANDLERS.items()}
        self.patch(gateway, "HANDLERS", known)
        own = {verb.name for verb in GATEWAY_VERBS}
        self.assertEqual(known.keys(), own)
        before = holding(cluster.redis)
        for hello in (False, True):
            client = await greeted(cluster, "gateway", hello=hello)
            for verb in (*VERBS, *GATEWAY_VERBS):
                for word in words_of(verb):
                    one = await greeted(cluster, "gateway", hello=hello) if verb.name in own else client
                    called.clear()
                    answer = await answer_to(one, line_of(verb, word=word))
                    if verb.name in own:
                        self.assertEqual(called, [verb.name])
                        one.drop()
                    else:
                        self.assertRegex(answer, rf"^ERR {verb.name.decode()} STATE not a verb of the gateway; ")
                        self.assertEqual(called, [])
            await client.quiet()
        self.assertEqual((self.reached.take(), holding(cluster.redis)), ([], before))


class Ends(MatrixCase):
    """States in which no line is processed: verbs sent there have no effect."""

    #: One line for every word of the table.
    lines = [f"@id=never {line_of(verb, word=word)}" for verb in VERBS for word in words_of(verb)]

    async def _nothing(self, cluster: Cluster, client: Client, before: dict[bytes, bytes], *allowed: bytes) -> None:
        self.assertEqual([name for name in self.reached.take() if name not in allowed], [])
        self.assertEqual([line for line in client.lines if "@id=never" in line], [])
        self.assertEqual(holding(cluster.redis), before)

    async def test_while_logging_in(self) -> None:
        """Lines wait while a login is under way; after a disconnection in this time none of them has an effect."""
        cluster = await self.begin()
        server = cluster.server("ms1")
        client = await greeted(cluster)
        before = holding(cluster.redis)
        # Without the server's right to write the login waits.
        fenced = self.patch(Lease, "fence", None)
        client.send("LOGIN mallory", *self.lines)
        self.assertEqual([one.state for one in server.connections], [State.LOGGING_IN])
        await self._nothing(cluster, client, before, b"SEND_CLIENT_ID")
        client.drop()
        fenced.restore()
        server.commits.go_on()
        await cluster.settled()
        seen = b"seen:mallory"
        after = holding(cluster.redis)
        self.assertEqual(after.pop(seen) != before.pop(seen), True)
        self.assertEqual((after, self.reached.take()), (before, []))

    async def test_behind_a_refused_login(self) -> None:
        """Lines after a refused login are answered as before any login."""
        cluster = await self.begin("closed")
        for verb in VERBS:
            if State.GREETED in verb.states:
                continue
            client = await greeted(cluster)
            client.send("LOGIN mallory a wrong password", f"@id=m {line_of(verb)}")
            await client.expect("ERR SEND_CLIENT_ID AUTH …", f"@id=m ERR {verb.name.decode()} STATE …")
            self.assertEqual(self.reached.take(), [b"SEND_CLIENT_ID"])
            client.drop()

    async def test_after_quit(self) -> None:
        """After QUIT no line is processed, logged in or not."""
        cluster = await self.begin()
        client = await greeted(cluster)
        client.send("QUIT", *self.lines)
        await client.expect("OK QUIT")
        await client.gone()
        self.assertEqual(self.reached.take(), [b"QUIT"])
        client = await cluster.login("mallory")
        await cluster.settled()
        self.reached.take()
        # Here QUIT waits for an answer from the store.
        client.send("MSG bob hello", "QUIT", *self.lines)
        await client.expect("OK SEND_MESSAGE_P2P …", "OK QUIT")
        await client.gone()
        self.assertEqual(self.reached.take(), [b"SEND_MESSAGE_P2P", b"QUIT"])

    async def test_revoked(self) -> None:
        """Lines of a client after the push of its revocation are not processed."""
        cluster = await self.begin()
        client = await cluster.login("mallory")
        await cluster.settled()
        [connection] = [one for one in cluster.server("ms1").connections if one.device is not None]
        before = holding(cluster.redis)
        self.reached.take()
        connection.revoked("disabled")
        client.send(*self.lines)
        await self._nothing(cluster, client, before)
        await client.expect("RESP_REVOKED disabled")
        await client.gone()

    async def test_replaced(self) -> None:
        """Lines of a client that was replaced by the same device elsewhere are not processed."""
        cluster = await self.begin()
        first = await cluster.login("mallory")
        [connection] = [one for one in cluster.server("ms1").connections if one.device is not None]
        await cluster.login("mallory")
        await until(lambda: connection.state is State.CLOSING)
        self.reached.take()
        first.send(*self.lines)
        await first.expect("RESP_REPLACED")
        await first.gone()
        self.assertEqual(self.reached.take(), [])

    async def test_draining(self) -> None:
        """A stopping server begins no more commands."""
        cluster = await self.begin()
        server = cluster.server("ms1")
        clients = [await cluster.login("mallory"), await greeted(cluster)]
        await cluster.settled()
        self.reached.take()
        stopping = Deferred.fromCoroutine(cluster.stop("ms1"))
        self.assertFalse(server.running)
        for client in clients:
            client.send(*self.lines)
        await stopping
        self.assertEqual(self.reached.take(), [])
        for client in clients:
            await client.expect("RESP_MOVE - within=1")
            await client.gone()

    async def test_deleted_and_not_yet_told(self) -> None:
        """A deleted account cannot create anything again by commands sent before its server knows."""
        cluster = await self.begin()
        for number, verb in enumerate(VERBS):
            if State.ONLINE not in verb.states:
                continue
            name = f"gone-{verb.name.decode().lower()}."
            client = await cluster.login(name)
            await client.ask(f"CREATE topic{number}", "OK …")
            bus = cluster.bus("ms1")
            bus.losing = lambda *_: True
            accounts = Accounts(cluster.roles["ms1"].parts.speaker, 30)
            await accounts.erase(name.encode())
            await cluster.settled()
            client.send(line_of(verb, {"topic": f"topic{number}"}), line_of(verb), line_of(verb, {"account": name}))
            await cluster.settled()
            bus.losing = None
            client.drop()
            await cluster.settled()
            left = [key for key in cluster.redis.command("KEYS", f"*{name}*") if key != b"account:" + name.encode()]
            self.assertEqual(left, [], verb.name)
            self.assertEqual(cluster.redis.command("HKEYS", f"account:{name}"), [b"deleted"], verb.name)


class Foreign(MatrixCase):
    """Words that no client may send: those between servers, and those of the server alone."""

    async def test_words(self) -> None:
        """Each is unknown, in every state, on both ports, with any fields; nothing is reached or changed."""
        cluster = await self.begin()
        states = [
            await greeted(cluster),
            await greeted(cluster, hello=True),
            await cluster.login("mallory"),
            await greeted(cluster, "gateway"),
            await greeted(cluster, "gateway", hello=True),
        ]
        words = [*SERVER_VERBS, *(push.name.decode() for push in PUSHES), *REPLIES]
        own = {word.decode() for verb in (*VERBS, *GATEWAY_VERBS) for word in words_of(verb)}
        self.assertEqual(own & set(words), set())
        await cluster.settled()
        self.reached.take()
        before = holding(cluster.redis)
        for client in states:
            for word in words:
                for tail in TAILS:
                    for spelled in (word, word.lower()):
                        answer = await answer_to(client, spelled + tail)
                        self.assertRegex(answer, "^ERR - (UNKNOWN_VERB|SERVER_VERB) ", spelled + tail)
            await client.quiet()
        self.reached.verbs.remove(b"SEND_PING")
        self.assertEqual(set(self.reached.take()), {b"SEND_PING"})
        self.assertEqual(holding(cluster.redis), before)
