"""The list of all limits of ``doc/operations.md`` with their tests, each of which reaches its limit and goes beyond.
Limits that no other test follows from the configuration to a client are tested here.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from twisted.internet import reactor
from twisted.python.reflect import namedAny

from fishchat.cli.printing import local_time
from fishchat.config import describe
from fishchat.config.schema import Limits
from fishchat.features.accounts.administration import Accounts
from fishchat.features.contacts.calls import RELATED
from fishchat.features.entering import REQUESTS
from fishchat.features.links.handlers import LINKS
from fishchat.features.messages.rows import DEFAULT_PAGE
from fishchat.features.topics.ways_in import INVITED
from fishchat.model.secrets.passwords import parse_scram
from fishchat.services.manager.retention import Trimmer
from fishchat.services.router import service
from fishchat.services.running import lease
from fishchat.test.clusters.test_accounts import PASSWORD, WRONG, AccountsCase
from fishchat.test.pages.test_docs import DocsCase, pages
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster
from fishchat.test.support.waiting import until

#: Key or constant → its test, below ``fishchat.test``. A row of the table without an entry here, or an entry without
#: its row or its test, is an error. The limits of the protocol are in its page, each with its test.
TESTS = {
    "fishchat.features.messages.rows.DEFAULT_PAGE": "clusters.test_every_limit.Sizes.test_limit_page",
    "limits.login_seconds": "services.net.test_keepalive.Strangers.test_late",
    "limits.flood": "clusters.test_limits.Flood.test_lifted",
    "limits.rate": "clusters.test_limits.Flood.test_commands",
    "limits.burst": "clusters.test_limits.Flood.test_commands",
    "limits.per_address": "clusters.test_limits.Doors.test_per_address",
    "limits.strangers_per_address": "clusters.test_accounts.Limits.test_strangers_per_address",
    "limits.before_login": "clusters.test_limits.Doors.test_before_login",
    "limits.accepts": "clusters.test_accounts.Limits.test_accepts",
    "limits.exempt": "clusters.test_accounts.Limits.test_exempt",
    "limits.guesses": "clusters.test_accounts.Limits.test_guesses_of_an_account",
    "limits.guesses_per_address": "clusters.test_accounts.Limits.test_guesses_of_an_address",
    "limits.signups": "clusters.test_accounts.Limits.test_signups",
    "limits.signup_seconds": "clusters.test_accounts.Limits.test_signup_seconds",
    "fishchat.services.msg_server.settings.CHANGES": "clusters.test_accounts.Limits.test_new_passwords",
    "limits.guess_seconds": "clusters.test_every_limit.Secrets.test_limit_guess_seconds",
    "accounts.token_days": "clusters.test_every_limit.Secrets.test_limit_token_days",
    "accounts.argon2_memory": "clusters.test_every_limit.Secrets.test_limit_costs",
    "accounts.argon2_passes": "clusters.test_every_limit.Secrets.test_limit_costs",
    "accounts.scram_rounds": "clusters.test_every_limit.Secrets.test_limit_costs",
    "fishchat.services.msg_server.sessions.hashing.THREADS": (
        "services.msg_server.sessions.test_hashing.HashingTests.test_bounded"
    ),
    "fishchat.services.msg_server.sessions.hashing.PATIENCE": (
        "services.msg_server.sessions.test_hashing.HashingTests.test_late"
    ),
    "fishchat.model.secrets.passwords.SHORTEST": "model.secrets.test_passwords.PreparedTests.test_length",
    "msg_server.capacity": "clusters.test_limits.Doors.test_capacity",
    "limits.devices": "clusters.test_every_limit.Sizes.test_limit_devices",
    "limits.device_days": "clusters.test_every_limit.Sizes.test_limit_device_days",
    "limits.topic_members": "clusters.test_every_limit.Sizes.test_limit_topic_members",
    "limits.topics_per_account": "clusters.test_every_limit.Sizes.test_limit_topics_per_account",
    "limits.join_notices": "clusters.test_joining.Notices.test_large",
    "fishchat.features.entering.REQUESTS": "clusters.test_every_limit.Sizes.test_limit_requests",
    "fishchat.features.links.handlers.LINKS": "clusters.test_every_limit.Sizes.test_limit_links",
    "fishchat.features.moderation.calls.ADMINS": "features.moderation.test_roles.Roles.test_full",
    "fishchat.features.moderation.calls.BANS": "features.moderation.test_sanctions.Bans.test_full",
    "fishchat.features.moderation.calls.MUTES": "features.moderation.test_sanctions.Mutes.test_full",
    "limits.lazy": "clusters.test_coming_back.Lazy.test_limit_lazy",
    "fishchat.features.topics.ways_in.INVITED": "clusters.test_every_limit.Sizes.test_limit_invited",
    "fishchat.services.msg_server.queue.items.MESSAGES": "services.msg_server.queue.test_commits.Flights.test_bounds",
    "fishchat.services.msg_server.queue.items.BYTES": "services.msg_server.queue.test_commits.Flights.test_bounds",
    "fishchat.services.msg_server.queue.commits.ANSWERED": (
        "services.msg_server.queue.test_commits.Away.test_within_five_seconds"
    ),
    "fishchat.services.msg_server.queue.items.OPERATIONS": (
        "services.msg_server.queue.test_commits.Flights.test_operations"
    ),
    "fishchat.services.msg_server.queue.items.RECALLS": (
        "services.msg_server.queue.test_commits.Flights.test_bounds_of_work"
    ),
    "fishchat.services.msg_server.queue.items.MENTIONING": (
        "services.msg_server.queue.test_commits.Flights.test_bounds_of_work"
    ),
    "messages.edit_seconds": "features.operations.test_edits.Races.test_too_late",
    "messages.recall_seconds": "features.operations.test_recalls.Recalls.test_too_late",
    "redis.timeout": "clusters.test_every_limit.Times.test_limit_redis_timeout",
    "fishchat.services.running.lease.LEASE": "clusters.test_every_limit.Times.test_limit_leases",
    "fishchat.services.router.service.LEASE": "clusters.test_every_limit.Times.test_limit_leases",
    "fishchat.model.placement.GONE": "model.test_placement.Choosing.test_unheard",
    "retention.p2p.days": "services.manager.test_manager.Trimming.test_by_kind",
    "retention.topic.days": "services.manager.test_manager.Trimming.test_by_kind",
    "retention.notice.days": "services.manager.test_manager.Trimming.test_by_kind",
    "retention.audit.days": "services.manager.test_manager.Trimming.test_audit",
    "retention.audit.count": "services.manager.test_manager.Trimming.test_audit",
    "retention.reports.days": "services.manager.test_manager.Trimming.test_reports",
    "retention.reports.count": "services.manager.test_manager.Trimming.test_reports",
    "fishchat.services.running.audit.WAITING": "services.running.test_audit.Attacked.test_waiting",
    "fishchat.services.running.audit.APART": "services.running.test_audit.Attacked.test_one_address",
}


class Complete(DocsCase):
    """Every limit has a test."""

    def test_rows(self) -> None:
        """Every limit of the table has its test, and so has every key of ``limits``, in the table or not."""
        table = pages()["doc/operations.md"].split("\n## Limits")[1].split("\n## ")[0]
        rows = re.findall(r"^\| [^|]+ \| [0-9.]+ \| `([^`]+)` \|$", table, re.MULTILINE)
        keys = [f"limits.{key}" for key in Limits.__struct_fields__]
        self.assertEqual(sorted({*rows, *keys}), sorted(TESTS))
        self.assertEqual(len(rows), len(set(rows)))

    def test_tests(self) -> None:
        """Each of these tests exists."""
        for name, test in TESTS.items():
            found: Any = namedAny("fishchat.test." + test)
            self.assertTrue(callable(found) and found.__doc__, name)


class Sizes(AccountsCase):
    """Limits of counts."""

    async def begin(self, **settings: Any) -> Cluster:
        """Start one msg_server in mode ``open``."""
        return await self.cluster(servers=1, routers=0, **{"limits__flood": False, **settings})

    async def test_limit_page(self) -> None:
        """A page of history has the 50 newest messages unless the client requests more."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        alice.send(*[f"MSG alice {n}" for n in range(1, DEFAULT_PAGE + 2)])
        await alice.expect(*["OK …"] * (DEFAULT_PAGE + 1))
        for line, first, count in (
            ("HISTORY alice+alice", 2, DEFAULT_PAGE),
            ("@limit=51 HISTORY alice+alice", 1, DEFAULT_PAGE + 1),
        ):
            await alice.ask(line, f"BEGIN REQ_HISTORY {count}")
            await alice.expect(*[f"ITEM … {n}" for n in range(first, DEFAULT_PAGE + 2)], "END …")

    async def test_limit_devices(self) -> None:
        """The devices of an account are limited; its known devices can log in again."""
        cluster = await self.begin(limits__devices=2)
        one, _ = [await cluster.login("alice", device=name) for name in ("one", "two")]
        third = cluster.connect()
        await third.expect("HELLO …")
        await third.ask("@device=three LOGIN alice", "ERR SEND_CLIENT_ID DEVICES limit=2 …")
        one.drop()
        await cluster.login("alice", device="one")
        await cluster.login("bob", device="three")

    async def test_limit_device_days(self) -> None:
        """A new device takes the place of one that was absent long enough, never of a connected one."""
        day = 86400.0
        cluster = await self.begin(limits__devices=2, limits__device_days=0.1 / day)
        await cluster.login("alice", device="here")
        away = await cluster.login("alice", device="away")
        away.drop()
        await cluster.settled()
        until_then = reactor.seconds() + 0.15
        await until(lambda: reactor.seconds() > until_then)
        new = await cluster.login("alice", device="new")
        await new.ask("DEVICES", "BEGIN REQ_DEVICES 2")
        await new.expect("ITEM here …", "ITEM new …", "END …")
        another = cluster.connect()
        await another.expect("HELLO …")
        await another.ask("@device=another LOGIN alice", "ERR SEND_CLIENT_ID DEVICES limit=2 …")

    async def test_limit_topic_members(self) -> None:
        """The members of a topic are limited, including the owner; a leave makes room, members stay."""
        cluster = await self.begin(limits__topic_members=2)
        alice, bob, carol = [await cluster.login(name) for name in ("alice", "bob", "carol")]
        await alice.ask("CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "OK …")
        await carol.ask("JOIN fishing", "ERR JOIN_TOPIC FULL limit=2 …")
        await bob.ask("JOIN fishing", "OK …")
        await bob.ask("LEAVE fishing", "OK …")
        await carol.ask("JOIN fishing", "OK …")

    async def test_limit_topics_per_account(self) -> None:
        """The topics of an account are limited, created or joined; a leave makes room."""
        cluster = await self.begin(limits__topics_per_account=2)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        for name in ("one", "two"):
            await bob.ask(f"CREATE {name}", "OK …")
        await bob.ask("CREATE three", "ERR CREATE_TOPIC FULL limit=2 …")
        await alice.ask("CREATE alices", "OK …")
        await bob.ask("JOIN alices", "ERR JOIN_TOPIC FULL limit=2 …")
        await bob.ask("DISMISS one", "OK …")
        await bob.ask("JOIN alices", "OK …")

    async def test_limit_invited(self) -> None:
        """The open invitations of a topic are limited; a used or repeated one does not count."""
        cluster = await self.begin()
        alice, bob, carol = [await cluster.login(name) for name in ("alice", "bob", "carol")]
        await alice.ask("CREATE fishing", "OK …")
        cluster.redis.command("SADD", "invited:#fishing", *[f"guest{n}" for n in range(INVITED - 1)])
        await alice.ask("INVITE fishing bob", "OK …")
        await alice.ask("INVITE fishing carol", f"ERR INVITE_TOPIC FULL limit={INVITED} …")
        await bob.expect("RESP_NOTICE …")
        await bob.ask("JOIN fishing", "OK …")
        await alice.ask("INVITE fishing carol", "OK …")
        await carol.expect("RESP_NOTICE …")

    async def test_limit_requests(self) -> None:
        """The open requests to join a topic are limited; a repeated one does not count."""
        cluster = await self.begin()
        alice, bob, carol = [await cluster.login(name) for name in ("alice", "bob", "carol")]
        await alice.ask("@kind=approval CREATE fishing", "OK …")
        flat = [part for n in range(REQUESTS - 1) for part in (f"guest{n}", "1795581000123")]
        cluster.redis.command("HSET", "asked:#fishing", *flat)
        for _ in range(2):
            await bob.ask("JOIN fishing", "OK JOIN_TOPIC fishing pending")
        await carol.ask("JOIN fishing", f"ERR JOIN_TOPIC FULL limit={REQUESTS} …")
        await alice.expect("RESP_NOTICE …")
        await alice.ask("REFUSE fishing guest1", "OK …")
        await carol.ask("JOIN fishing", "OK JOIN_TOPIC fishing pending")

    async def test_limit_links(self) -> None:
        """The links of a topic are limited; a revoked one makes room."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        await alice.ask("CREATE fishing", "OK …")
        for _ in range(LINKS):
            alice.send("LINK fishing")
            words = (await alice.take()).split()
        await alice.ask("LINK fishing", f"ERR CREATE_LINK FULL limit={LINKS} …")
        await alice.ask(f"UNLINK fishing {words[3]}", "OK …")
        await alice.ask("LINK fishing", "OK …")

    async def test_limit_related(self) -> None:
        """Blocked accounts and contacts are limited; a contact can be blocked as well, and a removal makes room."""
        cluster = await self.begin()
        alice = await cluster.login("alice")
        pairs = [word for n in range(RELATED - 1) for word in (f"other{n}", "c")]
        cluster.redis.command("HSET", "relations:alice", *pairs)
        await alice.ask("BLOCK bob", "OK …")
        await alice.ask("CONTACT carol", f"ERR ADD_CONTACT FULL limit={RELATED} …")
        await alice.ask("BLOCK carol", f"ERR BLOCK_CLIENT FULL limit={RELATED} …")
        await alice.ask("BLOCK other7", "OK …")
        await alice.ask("UNBLOCK other7", "OK …")
        await alice.ask("CONTACT carol", f"ERR ADD_CONTACT FULL limit={RELATED} …")
        await alice.ask("UNCONTACT other7", "OK …")
        await alice.ask("CONTACT carol", "OK …")


class Secrets(AccountsCase):
    """Limits of guesses, and the lifetime of tokens."""

    async def test_limit_guess_seconds(self) -> None:
        """After all guesses are used up, one more is accepted after the configured seconds, and not a second one."""
        cluster = await self.closed(limits__guesses=1, limits__guess_seconds=1)
        client = await self._greeted(cluster)
        await client.ask("LOGIN alice a wrong password", WRONG)
        began = reactor.seconds()
        await client.ask("LOGIN alice a wrong password", "ERR SEND_CLIENT_ID FLOOD retry=1 …")
        while True:
            client.send("LOGIN alice a wrong password")
            if (line := await client.take()) == WRONG:
                break
            self.assertRegex(line, "^ERR SEND_CLIENT_ID FLOOD ")
            self.assertLess(reactor.seconds() - began, 5.0)
        self.assertGreater(reactor.seconds() - began, 0.5)
        await client.ask("LOGIN alice a wrong password", "ERR SEND_CLIENT_ID FLOOD …")

    async def test_limit_token_days(self) -> None:
        """A token is valid for the configured time after its last use."""
        life = 1.0
        cluster = await self.closed(accounts__token_days=life / 86400, limits__flood=False)
        _, token = await self.come(cluster, "alice")
        client = await self._greeted(cluster)
        await client.ask(f"LOGIN alice {token}", "OK SEND_CLIENT_ID alice")
        used = reactor.seconds()
        await until(lambda: reactor.seconds() > used + life + 0.1)
        client = await self._greeted(cluster)
        await client.ask(f"LOGIN alice {token}", WRONG)

    async def test_limit_costs(self) -> None:
        """The hash of a new password has the cost of the configuration."""
        costs = {"accounts__argon2_memory": 9000, "accounts__argon2_passes": 3, "accounts__scram_rounds": 5000}
        cluster = await self.closed("signup", (), **costs)
        client = await self._greeted(cluster)
        await client.ask(f"SIGNUP carol {PASSWORD}", "OK …")
        argon, scram = cluster.redis.command("HMGET", "account:carol", "argon", "scram")
        self.assertIn(b"$argon2id$v=19$m=9000,t=3,p=1$", argon)
        self.assertEqual(parse_scram(scram)[0], 5000)

    async def _greeted(self, cluster: Cluster) -> Client:
        client = cluster.connect()
        await client.expect("HELLO …")
        return client


def bound(key: str, which: str) -> Any:
    """The highest (``le``) or lowest (``ge``) value that a key allows; None without one."""
    kind: Any = msgspec.inspect.type_info(describe.leaves()[key])
    return getattr(getattr(kind, "type", kind), which, None)


class Bounds(AccountsCase):
    """The configuration allows only numbers that everything can work with."""

    NUMBERS = tuple(key for key in describe.leaves() if describe.allowed(key).startswith(("a number", "a whole")))

    def test_all(self) -> None:
        """Every number has an upper bound."""
        self.assertEqual([key for key in self.NUMBERS if bound(key, "le") is None], [])
        self.assertGreater(len(self.NUMBERS), 20)

    async def test_highest(self) -> None:
        """With the highest of all, everything works: logins, messages, topics, tokens, retention."""
        costly = ("redis.", "accounts.argon2", "accounts.scram", "router.", "up.")
        keys = [key for key in self.NUMBERS if not key.startswith(costly)]
        await self._everything(1, {key: bound(key, "le") for key in keys})

    async def test_lowest(self) -> None:
        """With the lowest rates, a client that is too fast is told how long to wait."""
        cluster = await self.cluster(servers=1, routers=0, limits__rate=bound("limits.rate", "ge"), limits__burst=2)
        alice = cluster.connect()
        await alice.expect("HELLO …")
        alice.send("HELLO 1", "LOGIN alice")
        await alice.expect("OK HELLO …", "OK …", "RESP_SYNCED")
        await alice.ask("MSG alice hi", "ERR SEND_MESSAGE_P2P FLOOD retry=1000 …")

    async def _everything(self, managers: int, values: dict[str, Any]) -> None:
        settings = {key.replace(".", "__"): value for key, value in values.items()}
        cluster = await self.closed("signup", ("bob",), servers=1, managers=managers, **settings)
        alice = cluster.connect()
        await alice.expect("HELLO …")
        await alice.ask(f"SIGNUP alice {PASSWORD}", "OK …")
        await alice.ask("LOGIN alice a wrong password", WRONG)
        await alice.ask(f"LOGIN alice {PASSWORD}", "OK …")
        await alice.expect("RESP_SYNCED")
        await alice.ask("CREATE fishing", "OK …")
        await alice.ask("SEND_MESSAGE_TOPIC fishing hi", "OK …")
        await alice.ask("MSG bob hi", "OK …")
        await self.let_in(cluster, "alice", "ms1", "other")
        devices = await Accounts(cluster.roles["ms1"].parts.speaker, values["accounts.token_days"]).devices(b"alice")
        self.assertEqual(len(devices), 2)
        for device in devices:
            self.assertRegex(local_time(device.token_ends), "^[23][0-9]{3}-")
        trimmer = cluster.roles["manager1"].find(Trimmer)
        await trimmer.round()
        await alice.ask("HISTORY alice+bob", "BEGIN REQ_HISTORY 1")


class Times(AccountsCase):
    """Limits of time."""

    async def test_limit_redis_timeout(self) -> None:
        """A hanging store has the configured seconds for a batch; then the outcome is unknown, not lost."""
        redis = self.own_redis()
        cluster = await self.cluster(servers=1, routers=0, redis=redis, redis__timeout=0.5)
        alice = await cluster.login("alice")
        await alice.ask("@cseq=1 MSG alice one", "OK …")
        redis.pause()
        began = reactor.seconds()
        await alice.ask("@cseq=2 MSG alice two", "ERR SEND_MESSAGE_P2P UNKNOWN retry=1 …")
        self.assertTrue(0.4 < reactor.seconds() - began < 2.5, reactor.seconds() - began)
        redis.resume()
        while not (line := await self._again(alice)).startswith("OK "):
            self.assertRegex(line, "^ERR SEND_MESSAGE_P2P (UNKNOWN|TRYAGAIN) ")
        self.assertRegex(line, "-2$")

    async def _again(self, client: Client) -> str:
        client.send("@cseq=2 MSG alice two")
        return await client.take()

    async def test_limit_leases(self) -> None:
        """A msg_server and a router hold their names no longer than their leases last without being renewed."""
        cluster = await self.cluster(servers=1, routers=1)
        for pattern, seconds in (("lease:ms1", lease.LEASE), ("router:*", service.LEASE)):
            (key,) = cluster.redis.command("KEYS", pattern)
            left = cluster.redis.command("PTTL", key)
            self.assertTrue(0 < left <= seconds * 1000, (pattern, left))
