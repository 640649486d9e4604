"""Requests to become a contact, settings of conversations and reports, on real servers: bad values, leaks, limits."""

from __future__ import annotations

from fishchat.features.contacts.calls import ASKED, RELATED, WAITING
from fishchat.features.contacts.rows import ASK_LENGTH
from fishchat.features.preferences.calls import KEPT
from fishchat.features.reports.rows import DAILY, REASON_LENGTH
from fishchat.test.support.cluster import ClusterCase
from fishchat.test.support.matrix import MatrixCase, holding

#: A letter that changes the direction of writing.
BIDI = "\u202e"
LONG = "x" * 65


class Values(MatrixCase):
    """Every setting, request, remark and reason with values that are none: refused, and nothing is stored."""

    async def test_bad_values(self) -> None:
        """The word says what is wrong; the store is not asked."""
        cluster = await self.begin()
        client = await cluster.login("mallory")
        await client.ask("MSG bob hello", "OK …")
        await cluster.settled()
        before = holding(cluster.redis)
        self.reached.calls()
        settings = {
            "notify": ("", "everything", "ALL", "all ", "mentions none", "-", BIDI),
            "until": ("", "-1", "1.5", "tomorrow", "9" * 16, "1 2", "+1", "٣"),
            "pinned": ("", "1", "true", "Yes", "yes no", "-"),
            "archived": ("", "1", "true", "NO", "no yes", "-"),
            "remark": (LONG, f"a{BIDI}b", "\u2800", "a\u2028b", "\ufff9"),
        }
        tried = 0
        for setting, values in settings.items():
            word = "BADNAME" if setting == "remark" else "FIELDS"
            for value in values:
                await client.ask(f"KEEP bob {setting} {value}", f"ERR SET_CONVERSATION {word} …")
                tried += 1
        for verb, field, most in (
            ("ASK_CONTACT", "bob", ASK_LENGTH),
            ("REPORT_MESSAGE", "bob+mallory:1-1", REASON_LENGTH),
        ):
            too_long = f"ERR {verb} TEXTTOOLONG limit={most} …"
            await client.ask(f"{verb} {field} {'x' * (most + 1)}", too_long)
            await client.ask(f"{verb} {field} {'鱼' * (most // 3 + 1)}", too_long)
            for text in (f"a{BIDI}b", "a\u2028b", "\u2066"):
                await client.ask(f"{verb} {field} {text}", f"ERR {verb} CONTROL …")
                tried += 1
        for remark in (LONG, f"a{BIDI}b", "\u2800"):
            await client.ask(f"CONTACT bob {remark}", "ERR ADD_CONTACT BADNAME limit=64 …")
        self.assertEqual((tried, self.reached.calls()), (38, 0))
        self.assertEqual(holding(cluster.redis), before)

    async def test_longest(self) -> None:
        """Values of the greatest length are accepted."""
        cluster = await self.begin()
        client = await cluster.login("mallory")
        await client.ask("MSG bob hello", "OK SEND_MESSAGE_P2P bob+mallory:…")
        [[position, _]] = cluster.redis.command("XRANGE", "log:bob+mallory", "-", "+")
        await client.ask(f"KEEP bob remark {'鱼' * 64}", "OK …")
        await client.ask("KEEP bob until 999999999999999", "OK …")
        await client.ask(f"CONTACT bob {'鱼' * 64}", "OK …")
        await client.ask(f"ASK bob {'x' * ASK_LENGTH}", "OK …")
        await client.ask(f"REPORT bob+mallory:{position.decode()} {'x' * REASON_LENGTH}", "OK …")

    async def test_who_exists(self) -> None:
        """The answer to a request is that of any name, and takes as many calls of the store."""
        cluster = await self.begin()
        bob = await cluster.login("bob")
        for account in ("carol", "dora"):
            client = await cluster.login(account)
            await client.ask("BLOCK mallory" if account == "carol" else "PRIVACY contacts", "OK …")
            client.drop()
        full = [word for n in range(WAITING) for word in (f"other{n}", "1 hello")]
        (await cluster.login("frank")).drop()
        cluster.redis.command("HSET", "contact_asked:frank", *full)
        cluster.redis.command("HSET", "account:erin", "deleted", 1)
        mallory = await cluster.login("mallory")
        await cluster.settled()
        self.reached.calls()
        for name in ("bob", "carol", "dora", "erin", "frank", "nobody", "mallory", "bob"):
            await mallory.ask(f"ASK {name} hello", f"OK ASK_CONTACT {name}")
            self.assertEqual(self.reached.calls(), 1, name)
        await bob.expect("RESP_NOTICE mallory @bob:… ASKED mallory hello")
        for verb in ("ACCEPT_CONTACT", "REFUSE_CONTACT"):
            for name in ("bob", "carol", "nobody"):
                await mallory.ask(f"{verb} {name}", f"ERR {verb} NOTFOUND …")
        waiting = {
            name: cluster.redis.command("HEXISTS", f"contact_asked:{name}", "mallory") for name in ("bob", "carol")
        }
        self.assertEqual(waiting, {"bob": 1, "carol": 0})


class Limits(ClusterCase):
    """How many requests, settings and reports there may be."""

    async def test_requests(self) -> None:
        """An account that has asked too many or has too many contacts is told."""
        cluster = await self.cluster(servers=1, limits__flood=False)
        alice = await cluster.login("alice")
        now = int(cluster.redis.command("TIME")[0]) * 1000
        asked = [word for n in range(ASKED) for word in (f"other{n}", now)]
        cluster.redis.command("HSET", "contact_asks:alice", *asked)
        await alice.ask("ASK bob", f"ERR ASK_CONTACT FULL limit={ASKED} …")
        await alice.ask("ASK other7", "OK ASK_CONTACT other7")
        cluster.redis.command("DEL", "contact_asks:alice")
        cluster.redis.command("HSET", "relations:alice", *[word for n in range(RELATED) for word in (f"other{n}", "c")])
        await alice.ask("ASK bob", f"ERR ASK_CONTACT FULL limit={RELATED} …")
        await alice.ask("ASK other7", "OK ASK_CONTACT other7")

    async def test_settings(self) -> None:
        """So many conversations have settings."""
        cluster = await self.cluster(servers=1, limits__flood=False)
        alice = await cluster.login("alice")
        (await cluster.login("bob")).drop()
        await alice.ask("MSG bob hello", "OK …")
        for start in range(0, KEPT, 1000):
            pairs = [word for n in range(start, start + 1000) for word in (f"#t{n}", "none 0 - ")]
            cluster.redis.command("HSET", "prefs:alice", *pairs)
        await alice.ask("KEEP bob pinned yes", f"ERR SET_CONVERSATION FULL limit={KEPT} …")
        await alice.ask("KEEP bob pinned no", "OK …")
        await alice.ask("KEEP #t7 notify all", "ERR SET_CONVERSATION NOTFOUND …")

    async def test_reports(self) -> None:
        """So many messages are reported in a day; the record has each once, without the text."""
        cluster = await self.cluster(servers=1, limits__flood=False)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        for number in range(DAILY + 1):
            await bob.ask(f"MSG alice secret{number}", "OK …")
            await alice.expect("RESP_MESSAGE_P2P …")
        ids = [f"alice+bob:{at.decode()}" for at, _ in cluster.redis.command("XRANGE", "log:alice+bob", "-", "+")]
        for message in ids[:DAILY]:
            for _ in range(2):
                await alice.ask(f"REPORT {message} spam", f"OK REPORT_MESSAGE {message}")
        await alice.ask(f"REPORT {ids[-1]}", f"ERR REPORT_MESSAGE FULL limit={DAILY} …")
        await bob.ask(f"REPORT {ids[-1]}", "OK …")
        self.assertEqual(cluster.redis.command("XLEN", "reports"), DAILY + 1)
        audit = cluster.server("ms1").audit
        await audit.flush()
        await audit.flush()
        events = [
            dict(zip(flat[::2], flat[1::2], strict=True))
            for _, flat in cluster.redis.command("XRANGE", "audit", "-", "+")
        ]
        reported = [event for event in events if event[b"kind"] == b"reported"]
        self.assertEqual([event[b"what"].decode() for event in reported], ids)
        self.assertEqual({event[b"account"] for event in reported}, {b"alice", b"bob"})
        self.assertNotIn(b"secret", repr(events).encode())


class Devices(ClusterCase):
    """What the devices of an account learn, on two servers and after an absence."""

    async def test_missed(self) -> None:
        """A device that was away receives the settings and the requests with its login, in their order."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2", "phone")
        await bob.ask("MSG alice hello", "OK …")
        await alice.expect("RESP_MESSAGE_P2P …")
        bob.drop()
        await cluster.settled()
        laptop = await cluster.login("bob", "ms1", "laptop")
        await alice.ask("ASK bob", "OK ASK_CONTACT bob")
        await laptop.expect("RESP_NOTICE alice @bob:… ASKED alice")
        await laptop.ask("KEEP alice notify none", "OK SET_CONVERSATION alice+bob notify none")
        await laptop.ask("ACCEPT_CONTACT alice", "OK ACCEPT_CONTACT alice")
        await alice.expect("RESP_NOTICE bob @alice:… CONTACT bob")
        phone = await cluster.login("bob", "ms2", "phone", synced=False)
        await phone.expect(
            "RESP_NOTICE alice @bob:… ASKED alice",
            "RESP_NOTICE bob @bob:… SET alice+bob notify none",
            "RESP_SYNCED",
        )
        await laptop.ask("@limit=2 CONVERSATIONS", "BEGIN REQ_CONVERSATIONS 2")
        await laptop.expect("@time=…", "@time=…", "END …")

    async def test_both_at_once(self) -> None:
        """Two accounts that have asked each other become contacts; the order does not matter."""
        cluster = await self.cluster()
        alice, bob = await cluster.login("alice"), await cluster.login("bob", "ms2")
        await alice.ask("ASK bob hello", "OK …")
        await bob.expect("RESP_NOTICE alice @bob:… ASKED alice hello")
        await bob.ask("ASK alice hello", "OK ASK_CONTACT alice")
        await alice.expect("RESP_NOTICE bob @alice:… CONTACT bob")
        for client, other in ((alice, "bob"), (bob, "alice")):
            await client.ask("CONTACTS", "BEGIN REQ_CONTACTS 1")
            await client.expect(f"ITEM {other}", "END REQ_CONTACTS")
            await client.ask("ASKED", "BEGIN REQ_CONTACT_REQUESTS 0")
            await client.expect("END REQ_CONTACT_REQUESTS")

    async def test_names(self) -> None:
        """A request shows the display name, if the account may see it."""
        cluster = await self.cluster(servers=1)
        alice, bob = await cluster.login("alice"), await cluster.login("bob")
        await alice.ask("NAME Alice; Liddell", "OK …")
        await alice.ask("ASK bob hello  there", "OK …")
        await bob.expect("RESP_NOTICE alice @bob:… ASKED alice hello  there")
        await bob.ask("ASKED", "BEGIN REQ_CONTACT_REQUESTS 1")
        await bob.expect(r"@name=Alice\:\sLiddell ITEM alice … hello  there", "END REQ_CONTACT_REQUESTS")
