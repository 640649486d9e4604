"""The scrub, with the files of a real Redis, interrupted anywhere, and while clients talk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred, fail, gatherResults
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from fishchat.features.accounts.administration import Accounts
from fishchat.features.accounts.calls import erase_requests
from fishchat.features.reports.calls import drop, trim
from fishchat.interfaces import IStore
from fishchat.services.manager import scrub as module
from fishchat.services.manager.nightly_scrub import AFTER_FAILURE, EVERY, NightlyScrub, latest
from fishchat.services.manager.scrub import Scrub, ScrubError
from fishchat.storage.redis import Connection, ReplyError, Unavailable, parse_url
from fishchat.storage.script import Script
from fishchat.storage.scrub import calls
from fishchat.test.support.cluster import ClusterCase
from fishchat.test.support.redis_fixture import RedisServer, executables
from fishchat.test.support.waiting import until
from fishchat.testing.settings import configured

# Its interfaces promise less than it does.
reactor: Any = the_reactor

STREAM = b"/sysctrl/send"
MARK = b"the-text-that-was-erased"
KEPT = b"the-text-that-stays"
CONVERSATIONS = (b"alice+bob", b"#fishing", b"alice+alice", b"@alice")


@implementer(IStore)
class Through:
    """A store through which every command goes. A subclass changes what happens to some."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.connected = True
        self.timeout = store.timeout
        self.on_connected: list[Callable[[], None]] = []
        self.on_lost: list[Callable[[], None]] = []

    def run(self, *args: Any, timeout: Any = None) -> Deferred[Any]:
        """Run a command."""
        return self.pass_on(str(args[0]), lambda: self._store.run(*args))

    def call(self, script: Script, *values: Any) -> Deferred[Any]:
        """Run a script."""
        return self.pass_on(script.name, lambda: self._store.call(script, *values))

    def drop(self, reason: str) -> None:
        """Do nothing."""

    def pass_on(self, name: str, ask: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        """Do what was asked."""
        return ask()


class Dying(Through):
    """A process that is killed after some calls."""

    def __init__(self, store: Any, calls: int) -> None:
        super().__init__(store)
        self.left = calls

    def pass_on(self, name: str, ask: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        """Do what was asked, while it lives."""
        if self.left == 0:
            self.connected = False
            return fail(Unavailable("killed"))
        self.left -= 1
        return ask()


class Answering(Through):
    """A store that answers one command with something else."""

    def __init__(self, store: Any, name: str, answer: Any) -> None:
        super().__init__(store)
        self.name = name
        self.answer = answer
        self.asked: list[str] = []

    def pass_on(self, name: str, ask: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        """Do what was asked, or return the other answer."""
        self.asked.append(name)
        if name == self.name and isinstance(self.answer, Exception):
            return fail(self.answer)
        return ask().addCallback(lambda reply: self.answer(reply) if name == self.name else reply)


class StoreCase(TestCase):
    """A Redis of this test's own, with a connection to it."""

    timeout = 120
    executable = executables()[0]

    async def begin(self) -> None:
        """Start both."""
        self.redis = RedisServer(self.executable)
        self.addCleanup(self.redis.close)
        # Compressed bytes would hide a text.
        self.redis.command("CONFIG", "SET", "rdbcompression", "no")
        self.store = Connection(parse_url(self.redis.url))
        self.store.startService()
        self.addCleanup(self.store.stopService)
        await self.store.when_connected()

    def fill(self, conversations: tuple[bytes, ...] = CONVERSATIONS) -> None:
        """Two accounts that have said something to each other, in a topic, and alone."""
        command = self.redis.command
        for name in ("alice", "bob"):
            command("HSET", f"account:{name}", "created", 1)
        command("MSET", "epoch", 7, "format", 2)
        for conversation in conversations:
            for number in range(1, 61):
                author, text = ((b"alice", MARK), (b"bob", KEPT))[number % 2]
                body = b"%s main -1 - %s" % (author, text)
                command("XADD", b"log:" + conversation, f"7-{number}", "t", number, "m", body)
            command("HSET", b"meta:" + conversation, "n", 60, "e", 7)
            command("HSET", "talks:alice", conversation, "0-0:")
        command("XADD", STREAM, "7-1", "b", MARK, "r", "x", "t", 1)
        command("XADD", STREAM, "7-2", "b", KEPT, "r", "x", "t", 1)
        command("XTRIM", STREAM, "MINID", "7-2")

    def scrub(self, store: Any = None) -> Scrub:
        """Return a scrub by another process each time."""
        return Scrub(store or self.store, reactor, configured({}))

    def keys_with(self, text: bytes) -> set[bytes]:
        """Return the keys in whose bytes a text is."""
        command = self.redis.command
        return {key for key in command("KEYS", "*") if text in (command("DUMP", key) or b"")}

    def files_with(self, text: bytes) -> set[str]:
        """Return the names of Redis' files in which a text is."""
        found = set()
        for directory, _, names in os.walk(self.redis.data):
            for name in names:
                path = Path(directory, name)
                if path.is_file() and text in path.read_bytes():
                    found.add(name)
        return found

    def logs(self) -> dict[bytes, Any]:
        """Return the entries of all streams."""
        command = self.redis.command
        keys = [key for key in command("KEYS", "*") if command("TYPE", key) == b"stream"]
        return {key: command("XRANGE", key, "-", "+") for key in sorted(keys)}


class Files(StoreCase):
    """Nothing of what was erased is left in any key or file."""

    async def test_account(self) -> None:
        """The texts of a deleted account are in memory and files before the scrub, and nowhere after it."""
        await self.begin()
        self.fill()
        await Accounts(self.store, 0).erase(b"alice")
        before = self.logs()
        self.assertEqual(self.keys_with(MARK), {b"log:alice+bob", b"log:#fishing", STREAM})
        self.assertNotEqual(self.files_with(MARK), set())
        done = await self.scrub().run()
        self.assertEqual((done.conversations, done.entries, done.postponed, done.complete), (4, 61, 0, True))
        self.assertEqual(self.keys_with(MARK), set())
        await until(lambda: not self.files_with(MARK))
        self.assertEqual(self.logs(), before)
        self.assertEqual(self.keys_with(KEPT), {b"log:alice+bob", b"log:#fishing", STREAM})
        self.redis.restart()
        self.assertEqual((self.logs(), self.keys_with(MARK)), (before, set()))

    async def test_reports(self) -> None:
        """The copy in a report that was removed is gone, too, however it was removed; the others stay."""
        for remove in ("drop", "trim", "account"):
            await self.begin()
            self.fill()
            texts = zip((7, 8), (MARK, KEPT), strict=True)
            ids = [self.redis.command("XADD", "reports", f"{at}-0", "by", "alice", "text", text) for at, text in texts]
            self.redis.command("HSET", "reported:alice", "alice+bob:7-1", b"1 " + ids[0])
            if remove == "drop":
                await drop(ids[0]).of(self.store)
            elif remove == "trim":
                self.assertEqual(await trim(1).of(self.store), 1)
            else:
                await erase_requests(b"alice", 100).of(self.store)
            self.assertIn(b"reports", self.keys_with(MARK))
            done = await self.scrub().run()
            self.assertTrue(done.complete)
            self.assertNotIn(b"reports", self.keys_with(MARK))
            self.assertIn(b"reports", self.keys_with(KEPT))
            self.assertFalse((await self.scrub().state()).is_due)

    async def test_slow_calls(self) -> None:
        """The list of slow calls holds arguments; after a scrub it does not hold earlier ones."""
        await self.begin()
        self.redis.command("CONFIG", "SET", "slowlog-log-slower-than", 0)
        self.fill()
        self.assertIn(MARK, repr(self.redis.command("SLOWLOG", "GET", -1)).encode())
        await self.scrub().mark_all()
        await self.scrub().run()
        self.assertNotIn(MARK, repr(self.redis.command("SLOWLOG", "GET", -1)).encode())

    async def test_snapshot(self) -> None:
        """A snapshot that is taken afterwards has nothing of it either."""
        await self.begin()
        self.fill()
        await Accounts(self.store, 0).erase(b"alice")
        self.redis.command("SAVE")
        self.assertIn("dump.rdb", self.files_with(MARK))
        await self.scrub().run()
        self.redis.command("SAVE")
        await until(lambda: not self.files_with(MARK))

    async def test_nothing_to_do(self) -> None:
        """The state says what waits, what is only in the file, and when the last scrub was."""
        await self.begin()
        self.fill()
        self.assertEqual(await self.scrub().state(), calls.Progress(0, 0, 0))
        await self.scrub().mark_all()
        self.assertEqual(await self.scrub().state(), calls.Progress(4, 0, 0))
        await self.scrub().run()
        found = await self.scrub().state()
        self.assertEqual((found.waiting, found.unwritten, found.is_due), (0, 0, False))
        self.assertGreater(found.last, 1_577_836_800_000)
        self.assertEqual(self.redis.command("EXISTS", "scrubber", "unscrubbed", "scrubbing"), 0)

    async def test_killed_anywhere(self) -> None:
        """A scrub that is killed between any two calls is completed by the next one; at no moment a message is lost."""
        await self.begin()
        self.patch(module, "STEP", 20)
        survived = 0
        while True:
            self.redis.command("FLUSHALL")
            self.fill((b"alice+bob",))
            await Accounts(self.store, 0).erase(b"alice")
            before = self.logs()
            dying = Dying(self.store, survived)
            try:
                await self.scrub(dying).run()
                break
            except Unavailable:
                kept = {key: value for key, value in self.logs().items() if not key.startswith(b"scrub:")}
                self.assertEqual(kept, before)
            # Its lease ends.
            self.redis.command("DEL", "scrubber")
            if (await self.scrub().state()).is_due:
                await self.scrub().run()
            self.assertEqual((self.logs(), self.keys_with(MARK)), (before, set()), survived)
            await until(lambda: not self.files_with(MARK))
            survived += 1
        self.assertGreater(survived, 15)


class FilesOfTheNewest(Files):
    """The same with the newest Redis that is installed."""

    executable = executables()[-1]


class Refusals(StoreCase):
    """A scrub that cannot be done says why, and changes nothing that another one could not continue."""

    async def refused(self, store: Any) -> str:
        """Return the text of the error; the lease is free again."""
        error = await self.assertFailure(ensureDeferred(self.scrub(store).run()), ScrubError)
        self.assertEqual(self.redis.command("EXISTS", "scrubber"), 0)
        return str(error)

    async def erased(self) -> None:
        """Something waits."""
        await self.begin()
        self.fill()
        await Accounts(self.store, 0).erase(b"alice")

    async def test_no_file(self) -> None:
        """A Redis without an append-only file is not scrubbed."""
        await self.erased()
        self.redis.command("CONFIG", "SET", "appendonly", "no")
        self.assertIn("Redis keeps no append-only file; set `appendonly yes`", await self.refused(self.store))
        self.assertEqual((await self.scrub().state()).waiting, 4)

    async def test_not_allowed(self) -> None:
        """A user who may not write the file anew is named the command."""
        await self.erased()
        store = Answering(self.store, "BGREWRITEAOF", ReplyError("NOPERM this user has no permissions"))
        self.assertIn("Redis refused BGREWRITEAOF: NOPERM", await self.refused(store))
        self.assertEqual((await self.scrub().state()).unwritten, 4)
        await self.scrub().run()
        self.assertEqual((await self.scrub().state()).unwritten, 0)

    async def test_disk_full(self) -> None:
        """If the file could not be written, the scrub is not complete."""
        await self.erased()
        store = Answering(
            self.store, "INFO", lambda told: told.replace(b"last_bgrewrite_status:ok", b"last_bgrewrite_status:err")
        )
        self.assertIn("could not write its append-only file anew", await self.refused(store))
        self.assertTrue((await self.scrub().state()).is_due)

    async def test_file_in_progress(self) -> None:
        """A file whose writing began before the copies is not enough: another one is written after it."""
        await self.erased()
        left = [3]

        def busy(told: bytes) -> bytes:
            left[0] -= 1
            return told if left[0] < 0 else told.replace(b"aof_rewrite_in_progress:0", b"aof_rewrite_in_progress:1")

        self.patch(module, "ASK_EVERY", 0.005)
        store = Answering(self.store, "INFO", busy)
        await self.scrub(store).run()
        self.assertLess(left[0], 0)
        self.assertGreater(
            store.asked.index("BGREWRITEAOF"), [i for i, name in enumerate(store.asked) if name == "INFO"][3]
        )

    async def test_two_at_once(self) -> None:
        """The second one is refused, and does not take the lease of the first."""
        await self.erased()
        self.redis.command("SET", "scrubber", "another", "PX", 60_000)
        error = await self.assertFailure(ensureDeferred(self.scrub().run()), ScrubError)
        self.assertIn("another process scrubs this store", str(error))
        self.assertEqual(self.redis.command("GET", "scrubber"), b"another")

    async def test_stopped(self) -> None:
        """A manager that stops leaves the rest to the next one."""
        await self.erased()
        scrub = Scrub(self.store, reactor, configured({}), lambda: False)
        done = await scrub.run()
        self.assertEqual((done.conversations, done.complete), (0, False))
        self.assertEqual((await scrub.state()).waiting, 4)


class Nightly(StoreCase):
    """The time of day."""

    async def manager(self, at: str = "04:00") -> None:
        """A manager whose rounds the test makes."""
        await self.begin()
        self.clock = Clock()
        self.now = latest("04:00", 1_800_000_000) + 7200
        self.nightly = self.started(at)

    def started(self, at: str = "04:00") -> NightlyScrub:
        """Return a manager that has just been started."""
        nightly = NightlyScrub(self.store, configured({"retention.scrub": at}), self.clock, lambda: self.now)
        # Started without the loop that makes rounds.
        Service.startService(nightly)
        return nightly

    async def round(self, seconds: float) -> int:
        """Let time pass, then make a round. Returns the conversations that were scrubbed."""
        self.now += seconds
        before = self.nightly.figures()["scrubbed"]
        work = ensureDeferred(self.nightly.round())
        while not work.called:
            self.clock.advance(1)
            await deferLater(reactor, 0.001)
        await work
        return self.nightly.figures()["scrubbed"] - before

    async def test_once_a_day(self) -> None:
        """What is erased during the day is scrubbed at the next time of day, and the figures say so."""
        await self.manager()
        self.fill()
        self.assertEqual(await self.round(EVERY), 0)
        await self.scrub().mark_all()
        self.assertEqual(await self.round(EVERY), 0)
        self.assertEqual(self.nightly.figures(), {"unscrubbed": 4, "scrubbed": 0, "scrubbed_at": 0})
        self.assertEqual(await self.round(20 * 3600), 0)
        self.assertEqual(await self.round(2 * 3600), 4)
        figures = self.nightly.figures()
        self.assertEqual((figures["unscrubbed"], figures["scrubbed"]), (0, 4))
        self.assertGreater(figures["scrubbed_at"], 0)

    async def test_missed(self) -> None:
        """A machine that was off at that time scrubs after its start."""
        await self.manager()
        self.fill()
        await self.scrub().mark_all()
        self.assertEqual(await self.round(EVERY), 4)

    async def test_never(self) -> None:
        """Without a time, only the command does it."""
        await self.manager("")
        self.fill()
        await self.scrub().mark_all()
        self.assertEqual(await self.round(5 * 86400), 0)

    async def test_failed(self) -> None:
        """A scrub that fails is repeated after an hour, not every minute."""
        await self.manager()
        self.fill()
        await self.scrub().mark_all()
        self.redis.command("SET", "scrubber", "another")
        self.assertEqual(await self.round(EVERY), 0)
        self.redis.command("DEL", "scrubber")
        self.assertEqual(await self.round(EVERY), 0)
        self.clock.advance(AFTER_FAILURE)
        self.assertEqual(await self.round(EVERY), 4)


class TimeOfDay(SynchronousTestCase):
    """The last moment with a time of day."""

    def test_latest(self) -> None:
        """It is today or yesterday, and never in the future."""
        now = latest("12:00", 1_800_000_000)
        self.assertEqual(latest("12:00", now), now)
        self.assertEqual(latest("11:59", now), now - 60)
        self.assertEqual(latest("12:00", now - 1), now - 86400)
        self.assertEqual(latest("12:01", now), now + 60 - 86400)


class Load(ClusterCase):
    """Scrubs while clients talk."""

    timeout = 120
    MESSAGES = 150

    async def test_load(self) -> None:
        """On three servers, everybody receives every message once and in order, and so it is in the log."""
        redis = self.own_redis()
        cluster = await self.cluster(servers=3, redis=redis, limits__flood=False)
        names = ("alice", "bob", "carol")
        clients = [await cluster.login(name, f"ms{at}") for at, name in enumerate(names, 1)]
        await clients[0].ask("CREATE_TOPIC fishing", "OK CREATE_TOPIC fishing")
        for client in clients[1:]:
            await client.ask("JOIN_TOPIC fishing", "OK JOIN_TOPIC …")
        self.patch(module, "STEP", 20)
        self.patch(module, "ASK_EVERY", 0.01)
        store = Connection(parse_url(redis.url))
        store.startService()
        self.addCleanup(store.stopService)
        await store.when_connected()
        talking = True
        scrubs = []

        async def scrub() -> None:
            while talking:
                await calls.mark([b"#fishing"]).of(store)
                scrubs.append(await Scrub(store, reactor, configured({})).run())

        over = ensureDeferred(scrub())
        # Some more, if the machine was too busy for two scrubs in this time.
        await gatherResults([ensureDeferred(self.talk(client)) for client in clients])
        await until(lambda: len(scrubs) > 1, 60)
        received = [await client.texts(2 * self.MESSAGES, 60) for client in clients]
        talking = False
        await over
        await cluster.settled()
        bodies = [entry[1][3].decode().split(" ", 4) for entry in redis.command("XRANGE", "log:#fishing", "-", "+")]
        stored = [(body[0], body[4]) for body in bodies if body[3] == "-"]
        for name, texts in zip(names, received, strict=True):
            said = [text for author, text in stored if author == name]
            self.assertEqual(said, [f"{name} {number}" for number in range(self.MESSAGES)])
            self.assertEqual(texts, [text for author, text in stored if author != name], name)
        for client in clients:
            self.assertEqual([line for line in client.lines if line.startswith("RESP_")], [])
        self.assertGreater(len(scrubs), 1)
        self.assertGreater(sum(done.conversations for done in scrubs), 0)

    async def talk(self, client: Any) -> None:
        """Send numbered messages."""
        for number in range(self.MESSAGES):
            client.send(f"SEND_MESSAGE_TOPIC fishing {client.name} {number}")
            await deferLater(reactor, 0.004)
