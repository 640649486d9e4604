"""Who a message is from, and what somebody who has no part in a conversation can do to it: generated from the table.

A verb that is new in the table is tried without a change here. What it may do to others' topics is nothing, unless it
is named in ``Strangers.PUBLIC``.
"""

from __future__ import annotations

import re
from typing import Any

from fishchat.features.registry import VERBS
from fishchat.protocols.rows import State, Text, Verb
from fishchat.test.clusters.test_accounts import PASSWORD, AccountsCase
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster
from fishchat.test.support.rfc5802 import ScramClient
from fishchat.test.support.waiting import until

#: A good value for a field of each kind, and for a tag. The device is not the one that connections here log in as.
FIELDS = {
    "account": "alice",
    "topic": "mine",
    "device": "another",
    "mechanism": "SCRAM-SHA-256",
    "privacy": "everyone",
    "setting": "remark",
    "named-conversation": "alice+mallory",
    "mark": "alice+mallory:1-1",
    "id": "alice+mallory:1-1",
    "version": "1",
    "code": "fcj_nobody-has-it",
    "link": "all",
    "reaction": "+1",
    "role": "admin",
    "topic-setting": "about",
}
TAGS = {
    "id": "x",
    "cseq": "1",
    "esc": "",
    "preview": "",
    "device": "another",
    "invite": "fci_nobody-has-it",
    "kind": "open",
    "before": "alice+mallory:1-1",
    "after": "alice+mallory:1-1",
    "limit": "10",
    "approval": "",
    "for": "60",
    "history": "all",
    "listed": "",
    "mention": "alice",
    "reply": "alice+mallory:1-1",
    "uses": "3",
    "was": "alice+mallory:1-1",
    "with": "ops",
    "write": "all",
}
#: The way to an account that wants contacts only. It is answered as for nobody, and reaches the account.
ASKED = b"ASK_CONTACT", "dave"
#: Verbs that can be said by who is logged in, but for the one that ends it.
SAYABLE = [verb for verb in VERBS if State.ONLINE in verb.states and verb.name != b"QUIT"]


def typed(verb: Verb, text: str | None = None, **fields: str) -> str:
    """A line with this verb, its fields from ``FIELDS`` where no others are given."""
    if text is None:
        text = PASSWORD if verb.text is Text.REQUIRED else ""
    values = [fields.get(one.name, FIELDS[one.name]) for one in verb.fields]
    return " ".join([verb.name.decode(), *values, *([text] if text else [])])


async def say(client: Client, *lines: str) -> list[str]:
    """What is heard until all of these lines are answered."""
    client.send(*lines, "@id=marked SEND_PING")
    heard: list[str] = []
    while (line := await client.take()) != "@id=marked OK SEND_PING":
        heard.append(line)
    return heard


class PeopleCase(AccountsCase):
    """A cluster with accounts, whose store can be compared."""

    ACCOUNTS = ("alice", "bob", "carol", "dave", "erin", "mallory")
    timeout = 120

    async def begin(self, **more: Any) -> Cluster:
        """Begin."""
        settings = {"servers": 1, "routers": 0, "limits__flood": False, **more}
        self.cluster_ = await self.closed("closed", self.ACCOUNTS, **settings)
        return self.cluster_

    async def online(self, account: str, device: str = "main") -> Client:
        """Somebody who is logged in and has heard what was missed."""
        client, _ = await self.let_in(self.cluster_, account, "ms1", device)
        await until(lambda: "RESP_SYNCED" in client.lines)
        client.lines.clear()
        return client

    async def stored(self) -> dict[str, object]:
        """Everything that the store holds, once nothing is under way."""
        await self.cluster_.settled()
        return {key.decode(): self._held(key) for key in self.cluster_.redis.command("KEYS", "*")}

    def _held(self, key: bytes) -> object:
        # Not DUMP: of a large hash the same content has several.
        command = self.cluster_.redis.command
        kind = command("TYPE", key)
        if kind == b"hash":
            flat = command("HGETALL", key)
            return dict(zip(flat[::2], flat[1::2], strict=True))
        if kind == b"set":
            return set(command("SMEMBERS", key))
        if kind == b"zset":
            return command("ZRANGE", key, 0, -1, "WITHSCORES")
        return command("XRANGE", key, "-", "+") if kind == b"stream" else command("GET", key)

    async def assert_unchanged(self, before: dict[str, object], what: object, but: str = "") -> None:
        """Nothing was written since then, except to the keys of the account ``but`` and of its topic ``mine``."""
        now = await self.stored()
        # The record of refusals grows by itself.
        changed = {key for key in {*before, *now} - {"audit"} if before.get(key) != now.get(key)}
        streams = {"/sysctrl/send", "count:/sysctrl/send"}
        own = {key for key in changed if but and (key in streams or {but, "mine"} & set(re.split("[:/+#]", key)))}
        self.assertEqual(sorted(changed - own), [], what)

    def bodies(self) -> list[str]:
        """The bodies of all messages that are stored."""
        redis = self.cluster_.redis
        keys = redis.command("KEYS", "log:*")
        return [entry[1][3].decode() for key in keys for entry in redis.command("XRANGE", key, "-", "+")]


class Forged(PeopleCase):
    """Who a message is from is who is logged in."""

    #: What looks like a line, a body or a tag of somebody else's.
    TEXTS = (
        "bob main -1 - hi",
        "RESP_MESSAGE_P2P bob alice+bob:1-1 hi",
        "@from=bob hi",
        "bob: hi",
        "x\\r\\nRESP_MESSAGE_P2P bob alice+bob:1-1 hi",
        "x\\nbob main -1 - hi",
    )
    MARKS = ("", "@esc ", "@from=bob ", "@device=main ", "@account=bob ", "@id=bob;sender=bob ", "@id=bob ")

    async def test_nobody_else(self) -> None:
        """For every text in every place, all stored and delivered messages name the account that sent them."""
        cluster = await self.begin()
        alice, mallory = await self.online("alice"), await self.online("mallory", "laptop")
        await say(mallory, "CREATE mine", "INVITE mine alice", "MSG alice hello")
        await say(alice, "JOIN mine", "SAY mine hello", "MSG mallory hello")
        await say(mallory)
        before = self.bodies()
        for verb in SAYABLE:
            # These would end what the others are tried in.
            if verb.name in (b"DISMISS_TOPIC", b"BLOCK_CLIENT", b"DELETE_CLIENT"):
                continue
            for text in self.TEXTS if verb.text is not Text.NONE else (None,):
                for mark in self.MARKS:
                    for name in ("alice", "bob"):
                        await say(mallory, mark + typed(verb, text, account=name))
        await cluster.settled()
        new = [body for body in self.bodies() if body not in before]
        self.assertGreater(len(new), 20)
        self.assertEqual({tuple(body.split(" ")[:2]) for body in new}, {("mallory", "laptop")})
        heard = [line.removeprefix("@esc ").split(" ") for line in await say(alice)]
        self.assertGreater(len(heard), 20)
        self.assertEqual({words[2 if words[0] == "RESP_MESSAGE_TOPIC" else 1] for words in heard}, {"mallory"})

    async def test_login(self) -> None:
        """The account of a login is that of its secret: no tag, no second name, no name in a proof changes it."""
        cluster = await self.begin()
        for line in (
            f"@from=bob LOGIN alice {PASSWORD}",
            f"@account=bob LOGIN alice {PASSWORD}",
            f"LOGIN alice bob {PASSWORD}",
            f"LOGIN alice {PASSWORD} bob",
            f"LOGIN alice {PASSWORD}x",
            "LOGIN alice",
            "AUTH SCRAM-SHA-256 n,a=bob,n=alice,r=abcdefgh",
            "AUTH SCRAM-SHA-256 n,,n=alice,n=bob,r=abcdefgh",
            "AUTH SCRAM-SHA-256 n,,n=al=2Cice,r=abcdefgh",
        ):
            client = cluster.connect()
            await client.expect("HELLO …")
            heard = await say(client, line, "MSG bob hello")
            self.assertRegex(heard[0], r"^ERR (SEND_CLIENT_ID|SEND_AUTH) (AUTH|BADTAG|FIELDS|BADNAME) ", line)
            self.assertRegex(heard[1], r"^ERR SEND_MESSAGE_P2P STATE ", line)
        client, scram = cluster.connect(), ScramClient("alice", PASSWORD)
        await client.expect("HELLO …")
        found = await client.ask(f"AUTH SCRAM-SHA-256 {scram.first}", "OK SEND_AUTH $challenge")
        await client.ask(f"AUTH SCRAM-SHA-256 n=bob,{scram.final(found['challenge'])}", "ERR SEND_AUTH …")

    async def test_token_of_another(self) -> None:
        """A token is good for its account and its device alone."""
        cluster = await self.begin()
        token = (await self.operator(cluster).grant(b"mallory", b"phone", 10)).decode()
        for line in (f"LOGIN alice {token}", f"LOGIN mallory {token}", f"@device=phone LOGIN alice {token}"):
            client = cluster.connect()
            await client.expect("HELLO …")
            await client.ask(line, "ERR SEND_CLIENT_ID AUTH …")
        client = cluster.connect()
        await client.expect("HELLO …")
        await client.ask(f"@device=phone LOGIN mallory {token}", "OK SEND_CLIENT_ID mallory")


class Strangers(PeopleCase):
    """Somebody who has no part in a conversation, with every verb that names one."""

    #: The refusals that say no more than that there is such a topic, which is no secret: its name is taken.
    CLOSED = ("NOTMEMBER", "INVITEONLY", "OWNER", "EXISTS", "NOTFOUND")
    #: What everybody may ask of a topic.
    PUBLIC = (b"LOCATE_TOPIC_MSG_ADDR",)

    async def settle(self) -> Client:
        """Alice and bob talk, alone and in topics; some want nothing of mallory, who is given back."""
        cluster = await self.begin()
        alice, bob, carol, dave = self.others = [await self.online(name) for name in self.ACCOUNTS[:4]]
        await say(alice, "MSG bob one", "@kind=invitation CREATE closed", "INVITE closed bob", "SAY closed two")
        await say(bob, "MSG alice three", "JOIN closed", "SAY closed four")
        await say(alice, "CREATE gone", "SAY gone five", "DISMISS gone")
        await say(carol, "BLOCK mallory")
        await say(dave, "PRIVACY contacts")
        await self.operator(cluster).erase(b"erin")
        self.epoch = int(cluster.redis.command("GET", "epoch"))
        mallory = await self.online("mallory")
        await say(mallory, "CREATE mine")
        await self.assert_heard_nothing(again=True)
        return mallory

    async def assert_heard_nothing(self, again: bool = False) -> None:
        """Nobody else was told anything (``again``: from now on)."""
        await self.cluster_.settled()
        for client in self.others:
            heard = await say(client)
            self.assertTrue(again or not heard, heard)

    def lines(self, verb: Verb, kind: str, value: str) -> list[str]:
        """The verb about something, alone and with each tag that it may have."""
        line = typed(verb, **{kind: value})
        tags = {name: TAGS[name] for name in sorted(tag.decode() for tag in verb.tag_rows)}
        if verb.name in (b"REQ_MEMBERS", b"REQ_BANNED"):
            tags["after"] = "bob"
        if kind == "named-conversation":
            tags |= {name: f"{value}:1-1" for name in ("before", "after") if name in tags}
        return [line, *(f"@{name}={said} {line}" for name, said in tags.items())]

    async def assert_like_nothing(self, mallory: Client, kind: str, there: list[str], nothing: str) -> None:
        """Commands about existing things are answered as for missing ones, and change nothing of others'."""
        tried = [verb for verb in SAYABLE if kind in verb.places]
        self.assertTrue(tried)
        for verb in tried:
            expected = [await self.answer(mallory, line, nothing) for line in self.lines(verb, kind, nothing)]
            for value in there:
                if (verb.name, value) == ASKED:
                    continue
                before = await self.stored()
                heard = [await self.answer(mallory, line, value) for line in self.lines(verb, kind, value)]
                self.assertEqual(heard, expected, (verb.name, value))
                refused = all(" ERR " in f" {lines[-1]}" for lines in heard)
                await self.assert_unchanged(before, (verb.name, value), but="" if refused else "mallory")
        await self.assert_heard_nothing()

    async def answer(self, client: Client, line: str, value: str) -> list[str]:
        """The answer, with the name that was asked for taken out."""
        return [heard.replace(value, "<it>") for heard in await say(client, line)]

    async def test_two_others(self) -> None:
        """A conversation of two others, or somebody's notices: there or not, the answer is the same."""
        mallory = await self.settle()
        there = ["alice+bob", "alice+carol", "@alice", "@bob", "alice+alice"]
        for kind in ("named-conversation", "mark"):
            await self.assert_like_nothing(mallory, kind, there, "aaaa+nobody")
        ids = [f"{one}:{epoch}-{seq}" for one in there for epoch in (1, self.epoch) for seq in (0, 1, 2, 99)]
        for kind in ("id", "mark"):
            await self.assert_like_nothing(mallory, kind, ids, "aaaa+nobody:1-1")

    async def test_messages_of_topics(self) -> None:
        """Of a topic by invitation, and of one that is over, a stranger reads nothing and learns of no message."""
        mallory = await self.settle()
        for kind in ("named-conversation", "mark"):
            await self.assert_like_nothing(mallory, kind, ["#closed", "#gone"], "#never")
        ids = [f"#{topic}:{self.epoch}-{seq}" for topic in ("closed", "gone") for seq in (1, 2, 99)]
        for kind in ("id", "mark"):
            await self.assert_like_nothing(mallory, kind, ids, "#never:1-1")

    async def test_topics(self) -> None:
        """Nothing can be done in a topic of others but what everybody may ask, and nothing changes."""
        mallory = await self.settle()
        for verb in SAYABLE:
            for topic in ("closed", "gone", "never") if "topic" in verb.places else ():
                if verb.name == b"CREATE_TOPIC" and topic != "closed":
                    continue  # that name is free
                before = await self.stored()
                for line in self.lines(verb, "topic", topic):
                    heard = await say(mallory, line)
                    if topic == "closed" and verb.name in self.PUBLIC:
                        self.assertNotIn("ERR", heard[-1].split(" "))
                        continue
                    found = re.search(rf"ERR {verb.name.decode()} (\S+) ", heard[-1])
                    self.assertIn(found and found[1], self.CLOSED if topic == "closed" else ("NOTFOUND",), heard)
                await self.assert_unchanged(before, (verb.name, topic))
        await self.assert_heard_nothing()

    async def test_unreachable_accounts(self) -> None:
        """Who has blocked one, wants contacts only or was deleted is, to every verb, like one who never was."""
        mallory = await self.settle()
        await self.assert_like_nothing(mallory, "account", ["carol", "dave", "erin"], "nobody")

    async def test_talked_before(self) -> None:
        """Also somebody who had talked with one before, and then blocks."""
        mallory = await self.settle()
        carol = self.others[2]
        await say(carol, "UNBLOCK mallory")
        await say(mallory, "MSG carol hello")
        await carol.expect("RESP_MESSAGE_P2P mallory … hello")
        await say(carol, "MSG mallory hello", "BLOCK mallory")
        await mallory.expect("RESP_MESSAGE_P2P carol … hello")
        await self.assert_like_nothing(mallory, "account", ["carol"], "nobody")

    async def test_after_leaving(self) -> None:
        """Who has left a topic hears and reads nothing that is said later, and changes nothing there."""
        await self.settle()
        alice, bob = self.others[:2]
        await say(bob, "LEAVE closed")
        await say(alice, "SAY closed secret")
        self.assertEqual(await say(bob), [])
        before = await self.stored()
        heard = await say(bob, "HISTORY #closed", "CONVERSATIONS", "MEMBERS closed", "SAY closed hello", "JOIN closed")
        self.assertNotIn("secret", "\n".join(heard))
        self.assertEqual([line.split(" ")[2] for line in heard[-3:]], ["NOTMEMBER", "NOTMEMBER", "INVITEONLY"])
        # Hers are the cursors, which are stored in their own time.
        await self.assert_unchanged(before, "after leaving", but="alice")

    def test_verbs(self) -> None:
        """Every kind of field and every tag of the table has a value here."""
        self.assertEqual({one.name for verb in VERBS for one in verb.fields}, FIELDS.keys())
        self.assertEqual({tag.decode() for verb in VERBS for tag in verb.tag_rows}, TAGS.keys())
