"""The scripts of the scrub, on every Redis: what is left of a stream, and of its erased entries."""

from __future__ import annotations

import re
from typing import Any

import hiredis
from hypothesis import given
from hypothesis import strategies as st

from fishchat.services.manager.scrub import LEASE, STEP, STEP_BYTES
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS2, PROPERTY, STREAM, on_each_redis

TOKEN = "token"
CONVERSATION = "alice+bob"
LOG = "log:" + CONVERSATION
MARK = "the-text-that-was-erased"


class Scrubbing(AccountCase):
    """The steps of one scrub.

    :ivar keeps_replaced: whether texts that were replaced by edits are kept.
    """

    keeps_replaced = True

    def setUp(self) -> None:
        """Take the lease."""
        super().setUp()
        # Compressed bytes would hide a text.
        self.command("CONFIG", "SET", "rdbcompression", "no")
        self.hold()

    def hold(self) -> None:
        """Take the lease."""
        self.assertEqual(self.call("scrub/hold", TOKEN, LEASE)[0], "OK")

    def fill(self, count: int, stream: str = LOG, first: int = 1) -> None:
        """Add entries of epoch 7."""
        for number in range(first, first + count):
            self.command("XADD", stream, f"7-{number}", "t", number, "m", f"alice main -1 - text {number}.")

    def erase_one(self, number: int) -> None:
        """Erase one message, as a recall does."""
        self.assertEqual(self.command("XDEL", LOG, f"7-{number}"), 1)
        self.call("scrub/mark", [CONVERSATION])

    def begin(self) -> None:
        """Begin the conversation."""
        self.assertEqual(self.call("scrub/begin", TOKEN, LEASE, CONVERSATION), ["OK"])

    def copy(self, after: str = "", count: int = STEP, what: str = "log", conversation: str = CONVERSATION) -> Any:
        """Do one step. Returns the position to go on after and the entries copied, or the word."""
        reply = self.call("scrub/copy", TOKEN, LEASE, what, conversation, after, count, STEP_BYTES, self.keeps_replaced)
        return reply[1:] if reply[0] == "OK" else reply[0]

    def copy_all(self, count: int = STEP, what: str = "log", conversation: str = CONVERSATION) -> int:
        """Copy a whole stream. Returns the number of steps."""
        after, steps = "", 0
        while steps == 0 or after:
            after, _ = self.copy(after, count, what, conversation)
            steps += 1
        return steps

    def finish(self) -> str:
        """Finish the conversation."""
        word: str = self.call("scrub/finish", TOKEN, LEASE, CONVERSATION)[0]
        return word

    def entries(self, stream: str = LOG) -> list[Any]:
        """Return everything that a stream holds."""
        found: list[Any] = self.command("XRANGE", stream, "-", "+")
        return found

    def last_id(self, stream: str = LOG) -> str:
        """Return the id above which the next one has to be."""
        fields = self.command("XINFO", "STREAM", stream)
        found: str = dict(zip(fields[::2], fields[1::2], strict=True))["last-generated-id"]
        return found

    def holds(self, text: str, key: str = LOG) -> bool:
        """Return whether the bytes of a key contain a text, in an entry or not."""
        return text.encode() in (self.runner.command("DUMP", key) or b"")

    def progress(self) -> list[int]:
        """Return waiting, unwritten, last."""
        copied, written, last = (
            int(value or 0) for value in self.command("HMGET", "scrub", "copied", "written", "last")
        )
        waiting = len(self.command("SUNION", "unscrubbed", "scrubbing"))
        return [waiting, copied - written, last]


@on_each_redis
class Copies(Scrubbing):
    """A stream whose copy takes its place."""

    def test_nothing_is_left(self) -> None:
        """The bytes of an erased message are in the stream until it is scrubbed; everything else stays."""
        self.command("XADD", LOG, "7-1", "t", 1, "m", "alice main -1 - one")
        self.command("XADD", LOG, "7-2", "t", 2, "m", f"alice main -1 - {MARK}")
        self.command("XADD", LOG, "7-3", "t", 3, "m", "alice main 4 -;reply=x two  blanks \xfc", "x", "y")
        self.erase_one(2)
        before = self.entries()
        self.assertTrue(self.holds(MARK))
        self.begin()
        self.assertEqual(self.copy(), ["", 2])
        self.assertEqual(self.entries(), before)
        self.assertFalse(self.holds(MARK))
        self.assertEqual(self.finish(), "OK")
        self.assertEqual(self.progress(), [0, 1, 0])
        self.assertEqual(self.command("EXISTS", "scrub:" + LOG), 0)

    def test_last_erased(self) -> None:
        """The id of an erased last message is not assigned again."""
        self.fill(3)
        self.erase_one(3)
        self.begin()
        self.assertEqual(self.copy(), ["", 2])
        self.assertEqual(self.last_id(), "7-3")
        with self.assertRaises(hiredis.ReplyError):
            self.command("XADD", LOG, "7-3", "t", 1, "m", "x")

    def test_all_erased(self) -> None:
        """A stream without entries is deleted; numbers come from the counters, so they go on."""
        for account in ("alice", "bob"):
            self.login(account)
        self.said("alice", "bob", MARK)
        self.erase_one(1)
        self.begin()
        self.assertEqual(self.copy(), ["", 0])
        self.assertEqual(self.command("EXISTS", LOG), 0)
        self.assertEqual(self.said("alice", "bob", "next"), 2)

    def test_no_such_stream(self) -> None:
        """Most conversations have no operations."""
        self.assertEqual(self.copy(what="ops"), ["", 0])
        self.assertEqual(self.command("KEYS", "*ops*"), [])

    def test_operations(self) -> None:
        """The operations of a conversation are scrubbed as its messages are."""
        ops = "ops:" + CONVERSATION
        self.fill(30, ops)
        self.command("XADD", ops, "7-31", "t", 1, "m", f"alice main -1 edit {MARK}")
        self.command("XDEL", ops, "7-31")
        self.call("scrub/mark", [CONVERSATION])
        before = self.entries(ops)
        self.begin()
        self.copy_all(20, "ops")
        self.assertEqual((self.entries(ops), self.holds(MARK, ops)), (before, False))

    def test_messages_meanwhile(self) -> None:
        """Messages that are stored between two steps are copied, in their order."""
        self.fill(100)
        self.erase_one(50)
        self.begin()
        after, copied = self.copy(count=40)
        self.assertEqual((after, copied), ("7-40", 40))
        self.fill(70, first=101)
        steps = 1
        while after:
            after, _ = self.copy(after, 40)
            steps += 1
        self.assertEqual(steps, 5)
        self.assertEqual([at for at, _ in self.entries()], [f"7-{n}" for n in range(1, 171) if n != 50])
        self.assertEqual(self.finish(), "OK")

    def test_erased_meanwhile(self) -> None:
        """A message that was copied and then erased is in no copy: the conversation is begun again."""
        self.fill(100)
        self.erase_one(50)
        self.begin()
        after, _ = self.copy(count=60)
        self.erase_one(10)
        self.assertEqual(self.copy(after), "AGAIN")
        self.assertEqual(self.command("EXISTS", "scrub:" + LOG), 0)
        self.begin()
        self.copy_all()
        self.assertEqual(self.finish(), "OK")
        self.assertFalse(self.holds("text 10.") or self.holds("text 50."))
        self.assertEqual(len(self.entries()), 98)

    def test_erased_after_the_copy(self) -> None:
        """What is erased between the copy and the end has to wait for another copy."""
        self.fill(3)
        self.erase_one(1)
        self.begin()
        self.copy_all()
        self.erase_one(2)
        self.assertEqual(self.finish(), "AGAIN")
        self.assertEqual(self.progress(), [1, 0, 0])

    def test_retention_meanwhile(self) -> None:
        """What retention removes meanwhile does not return."""
        self.fill(100)
        self.erase_one(50)
        self.begin()
        after, _ = self.copy(count=60)
        self.call("logs/trim", CONVERSATION, 0, 30, 1_000_000, 1000)
        self.assertEqual(self.copy(after), "AGAIN")
        self.begin()
        self.copy_all()
        self.assertEqual([at for at, _ in self.entries()], [f"7-{n}" for n in range(30, 101) if n != 50])

    def test_everything_removed_meanwhile(self) -> None:
        """Retention may even take the whole log."""
        self.fill(50)
        self.begin()
        after, _ = self.copy(count=20)
        self.command("DEL", LOG)
        self.assertEqual(self.copy(after), "AGAIN")

    def test_interrupted(self) -> None:
        """A scrub that died is not continued from the middle: the next one begins the conversation again."""
        self.fill(100)
        self.erase_one(50)
        self.begin()
        self.copy(count=60)
        self.assertEqual(self.progress()[0], 1)
        self.begin()
        self.copy_all()
        self.assertEqual((self.finish(), len(self.entries()), self.progress()[0]), ("OK", 99, 0))

    def test_lease(self) -> None:
        """Another process is refused at every step, until the lease is released or ends."""
        self.fill(3)
        self.erase_one(1)
        before = self.dump()
        steps: list[tuple[str, tuple[Any, ...]]] = [
            ("hold", ()),
            ("begin", (CONVERSATION,)),
            ("copy", ("log", CONVERSATION, "", 10, 1000, True)),
            ("finish", (CONVERSATION,)),
            ("written", (1,)),
        ]
        for name, values in steps:
            self.assertEqual(self.call(f"scrub/{name}", "other", LEASE, *values), ["LEASE"], name)
        self.call("scrub/release", "other")
        self.assert_unchanged(before)
        self.call("scrub/release", TOKEN)
        for name, values in steps[1:]:
            self.assertEqual(self.call(f"scrub/{name}", TOKEN, LEASE, *values), ["LEASE"], name)
        self.assertEqual(self.call("scrub/hold", "other", LEASE), ["OK", 0])

    def test_written(self) -> None:
        """The file covers the conversations that were copied before it was begun."""
        self.begin()
        self.finish()
        self.assertEqual(self.call("scrub/hold", TOKEN, LEASE), ["OK", 1])
        self.begin()
        self.finish()
        self.call("scrub/written", TOKEN, LEASE, 1)
        waiting, unwritten, last = self.progress()
        self.assertEqual((waiting, unwritten), (0, 1))
        self.assertLess(abs(last - int(self.command("TIME")[0]) * 1000), 5000)

    def test_stream_of_the_router(self) -> None:
        """What the router has read is gone, what it has not read stays, and the next id is above all of them."""
        for account in ("alice", "bob"):
            self.login(account)
        self.place("bob", "phone", fence=MS2)
        self.said("alice", "bob", MARK)
        self.said("alice", "bob", "second")
        self.call("routes/take", STREAM, "router", 60_000, 0)
        self.call("routes/store", STREAM, "router", 60_000, 1, "7-1", [], 0)
        before = self.entries(STREAM)
        self.assertEqual([at for at, _ in before], ["7-2"])
        self.assertTrue(self.holds(MARK, STREAM))
        self.assertEqual(self.copy(what=STREAM, conversation=""), ["", 1])
        self.assertEqual((self.entries(STREAM), self.holds(MARK, STREAM)), (before, False))
        self.call("routes/store", STREAM, "router", 60_000, 1, "7-2", [], 0)
        self.assertEqual(self.copy(what=STREAM, conversation=""), ["", 0])
        self.assertEqual(self.command("EXISTS", STREAM), 0)
        self.said("alice", "bob", "third")
        self.assertEqual([at for at, _ in self.entries(STREAM)], ["7-3"])

    @PROPERTY
    @given(st.integers(0, 90), st.sets(st.integers(1, 90), max_size=40), st.sampled_from([1, 20, 40, 200]), st.data())
    def test_any_stream(self, length: int, erased: set[int], count: int, data: st.DataObject) -> None:
        """For any log, any erasures and any steps, with messages stored meanwhile, the copy is the log."""
        self.empty()
        self.hold()
        self.fill(length)
        for number in sorted(number for number in erased if number <= length):
            self.erase_one(number)
        self.begin()
        after, last = "", length
        while True:
            after, _ = self.copy(after, count)
            if not after:
                break
            more = data.draw(st.integers(0, 15))
            self.fill(more, first=last + 1)
            last += more
        kept = [n for n in range(1, last + 1) if n not in erased or n > length]
        self.assertEqual([at for at, _ in self.entries()], [f"7-{n}" for n in kept])
        for number in erased - set(kept):
            self.assertFalse(self.holds(f" {number}."), number)


class Edited(Scrubbing):
    """A message whose text was replaced by an edit."""

    def setUp(self) -> None:
        """Alice has sent a message with a number of her own, and has edited it twice."""
        super().setUp()
        for account in ("alice", "bob"):
            self.login(account)
        self.said("alice", "bob", MARK, 1)
        self.said("alice", "bob", "another", 2)
        ops = "ops:" + CONVERSATION
        for number, before in ((3, "-"), (4, "7-3")):
            body = f"alice main {number} edit;of=7-1 edit {number} of {MARK[:8]}"
            self.command("XADD", ops, f"7-{number}", "t", 1, "m", body, "p", before)
        self.command("HSET", "amended:" + CONVERSATION, 1, "a 7-4 2 ok:1")
        self.command("ZADD", "changed:" + CONVERSATION, 1, 1)
        self.command("HSET", f"react:{CONVERSATION}:1", "bob ok", "7-9")
        self.command("HSET", "pins:" + CONVERSATION, "7-1", "7-10")
        self.command("HSET", "meta:" + CONVERSATION, "n", 10, "k", 2)


@on_each_redis
class Kept(Edited):
    """Replaced texts are kept."""

    def test_kept(self) -> None:
        """The log stays as it is."""
        before = self.entries()
        self.begin()
        self.copy_all()
        self.assertEqual(self.entries(), before)

    def test_erased_again(self) -> None:
        """After a restore, nothing is left of an erased message: text, edits, reactions, pin, unread."""
        self.assertEqual(self.call("scrub/erase_again", ["alice", 5, f"{CONVERSATION}:7-1", 6]), 1)
        self.assertEqual([at for at, _ in self.entries()], ["7-2"])
        self.assertEqual(self.entries("ops:" + CONVERSATION), [])
        for key in ("amended:", "changed:", "pins:"):
            self.assertEqual(self.command("EXISTS", key + CONVERSATION), 0, key)
        self.assertEqual(self.command("EXISTS", f"react:{CONVERSATION}:1"), 0)
        self.assertEqual(self.command("ZRANGE", "quiet:" + CONVERSATION, 0, -1), ["1"])
        self.assertEqual(self.command("SMEMBERS", "unscrubbed"), [CONVERSATION])
        erasures = self.command("ZRANGE", "erasures", 0, -1, "WITHSCORES")
        self.assertEqual(erasures, ["alice", "5", f"{CONVERSATION}:7-1", "6"])
        self.assertEqual(self.call("scrub/erase_again", [f"{CONVERSATION}:7-1", 9]), 0)
        self.assertEqual(self.command("ZSCORE", "erasures", f"{CONVERSATION}:7-1"), "6")

    def test_replaced_again(self) -> None:
        """A text that an edit has replaced for ever is erased again, unless the store has that edit or a later one."""
        edit = self.command("HGET", "amended:" + CONVERSATION, 1).split(" ")[1]
        for at in (edit, "7-1"):
            self.assertEqual(self.call("scrub/erase_again", [f"{CONVERSATION}:7-1 {at}", 5]), 0)
        self.assertEqual(len(self.entries()), 2)
        later = f"{CONVERSATION}:7-1 7-99"
        self.assertEqual(self.call("scrub/erase_again", [later, 6]), 1)
        self.assertEqual([at for at, _ in self.entries()], ["7-2"])
        self.assertEqual(self.entries("ops:" + CONVERSATION), [])
        self.assertEqual(self.command("ZSCORE", "erasures", later), "6")

    def test_replaced_before_the_first_edit(self) -> None:
        """So is the text of a message that was not edited yet when the backup was made."""
        self.assertEqual(self.call("scrub/erase_again", [f"{CONVERSATION}:7-2 7-99", 6]), 1)
        self.assertEqual([at for at, _ in self.entries()], ["7-1"])

    def test_without_earlier_texts(self) -> None:
        """Also a message is erased whose texts before the last edit are gone."""
        ops = "ops:" + CONVERSATION
        self.command("DEL", ops)
        self.command("XADD", ops, "7-4", "t", 1, "m", f"alice main 4 edit;of=7-1 {MARK}", "p", "x")
        self.assertEqual(self.call("scrub/erase_again", [f"{CONVERSATION}:7-1", 6]), 1)
        self.assertEqual(self.entries("ops:" + CONVERSATION), [])

    def test_mentions(self) -> None:
        """A mention in a message that is erased again does not count any more."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", "#fishing", "@bob look")
        self.command("HSET", "mentions:bob", "#fishing", "1 5")
        self.call("scrub/erase_again", ["#fishing:7-1", 6])
        self.assertEqual(self.command("HGET", "mentions:bob", "#fishing"), "5")


@on_each_redis
class Replaced(Edited):
    """Replaced texts are erased."""

    keeps_replaced = False

    def test_replaced(self) -> None:
        """Nothing is left of the first text; the entry, the other messages and the edits stay."""
        self.begin()
        self.copy_all()
        self.copy_all(what="ops")
        self.assertEqual([fields[3] for _, fields in self.entries()], ["alice main 1 - ", "alice main 2 - another"])
        self.assertFalse(self.holds(MARK))
        self.assertEqual(len(self.entries("ops:" + CONVERSATION)), 2)

    def test_sent_again(self) -> None:
        """A client that sends the message again is told its id: there is no text to compare."""
        self.begin()
        self.copy_all()
        self.assertEqual(self.said("alice", "bob", MARK, 1), "DUP 7-1")
        self.assertEqual(self.said("alice", "bob", "something else", 2), "CONFLICT expected=3")


@on_each_redis
class Time(Scrubbing):
    """How long a step keeps Redis busy."""

    #: Entries, and the most ms of a step.
    ENTRIES, MOST = 100_000, 5.0

    def test_time(self) -> None:
        """The steps of a long log take less than 5 ms, the one that puts the copy in its place included.

        Other processes of this machine disturb Redis. So each step counts as its fastest one in three scrubs, and one
        in a hundred may take longer.
        """
        self.command(
            "EVAL",
            "for i = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '7-' .. i, 't', '1795581000123', 'm',"
            " 'alice phone ' .. i .. ' - ' .. string.rep('x', 100)) end",
            1,
            LOG,
            self.ENTRIES,
        )
        self.erase_one(5)
        fastest = [min(times) for times in zip(*(self.times() for _ in range(3)), strict=True)]
        self.assertEqual((len(self.entries()), len(fastest)), (self.ENTRIES - 1, self.ENTRIES // STEP))
        self.assertLess(sorted(fastest)[-len(fastest) // 100], self.MOST)
        self.assertLess(min(fastest[-1], *(self.times()[-1] for _ in range(3))), self.MOST)

    def times(self) -> list[float]:
        """Scrub once. Returns the time of each step."""
        self.begin()
        after = ""
        times: list[float] = []
        while not times or after:
            before = self.processor()
            after, _ = self.copy(after)
            times.append(self.processor() - before)
        return times

    def processor(self) -> float:
        """Return the time that Redis has used until now, in ms."""
        told = self.command("INFO", "cpu")
        return 1000 * sum(float(used) for used in re.findall(r"^used_cpu_(?:user|sys):([\d.]+)", told, re.MULTILINE))
