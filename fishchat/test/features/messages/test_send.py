"""What the commit point promises: ``send.lua``."""

from __future__ import annotations

from dataclasses import replace

import hiredis
from hypothesis import given
from hypothesis import strategies as st

from fishchat.storage.fence import Fence
from fishchat.storage.wire import ReplyError
from fishchat.test.support.script_runner import (
    EPOCH,
    MS1,
    MS2,
    PROPERTY,
    STREAM,
    Said,
    ScriptCase,
    batch,
    on_each_redis,
)

AB = "alice+bob"


class SendCase(ScriptCase):
    """Three accounts, all of them on the first msg_server."""

    def setUp(self) -> None:
        """Logged in, no conversation yet."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.login(account)


@on_each_redis
class Storing(SendCase):
    """A message is stored once, in its place, or refused by itself."""

    def test_number_from_one(self) -> None:
        """The messages of a conversation are numbered from 1, without holes."""
        self.assertEqual([self.said("alice", "bob", text) for text in "abc"], [1, 2, 3])
        self.assertEqual(self.log(AB), [("7-1", "a"), ("7-2", "b"), ("7-3", "c")])

    def test_refused_attribute(self) -> None:
        """A first message that is refused for an attribute begins no conversation; the next one does."""
        answer = Said("alice", "bob", "x", form=b"-;reply=alice+bob:7-1")
        self.assertEqual(self.send(answer), ["NOTFOUND"])
        self.assertEqual(self.command("EXISTS", "talks:alice", "talks:bob"), 0)
        self.assertEqual(self.send(answer, Said("alice", "bob", "y"), answer), ["NOTFOUND", 1, 2])
        self.assertEqual(self.command("HGETALL", "talks:bob"), [AB, "0-0:"])

    def test_one_order_for_both(self) -> None:
        """Both sides write into one conversation, and one row of numbers."""
        self.said("alice", "bob", "hello")
        self.assertEqual(self.said("bob", "alice", "hi"), 2)
        self.assertEqual([text for _, text in self.log(AB)], ["hello", "hi"])

    def test_order_of_the_batch(self) -> None:
        """Messages of one batch take effect in its order, whoever sent them and wherever they go."""
        results = self.send(
            Said("alice", "bob", "1"),
            Said("bob", "alice", "2"),
            Said("alice", "carol", "x"),
            Said("alice", "bob", "3"),
        )
        self.assertEqual(results, [1, 2, 1, 3])
        self.assertEqual([text for _, text in self.log(AB)], ["1", "2", "3"])

    def test_stored_form(self) -> None:
        """The log holds the server's time and the body, byte for byte."""
        before = int(self.command("TIME")[0]) * 1000
        self.said("alice", "bob", "\u9c7c  \x09 two spaces", device="phone")
        [(at, fields)] = self.command("XRANGE", "log:" + AB, "-", "+")
        self.assertEqual((at, fields[0], fields[2]), ("7-1", "t", "m"))
        self.assertEqual(fields[3], "alice phone -1 - \u9c7c  \x09 two spaces")
        self.assertTrue(before <= int(fields[1]) < before + 60_000, fields[1])

    def test_first_message_begins_the_conversation(self) -> None:
        """Both accounts have the conversation from its first message on, and see all of it."""
        self.said("alice", "bob", "hello")
        for account in ("alice", "bob"):
            self.assertEqual(self.history(account, AB), ["hello"])
        self.assertEqual(self.history("carol", AB), "NOTFOUND")

    def test_to_oneself(self) -> None:
        """An account may write to itself."""
        self.assertEqual(self.said("alice", "alice", "note"), 1)
        self.assertEqual(self.conversations("alice"), {"alice+alice": [1, 1, 0]})

    def test_unknown_recipient(self) -> None:
        """Nobody can write to an account that does not exist; the attempt leaves nothing behind."""
        before = self.dump()
        self.assertEqual(self.said("alice", "nobody", "hello"), "NOTFOUND")
        self.assert_unchanged(before)

    def test_one_bad_message_fails_alone(self) -> None:
        """What is refused in the middle of a batch changes nothing for the others."""
        results = self.send(
            Said("alice", "bob", "1"),
            Said("alice", "nobody", "2"),
            Said("alice", "#nothing", "3"),
            Said("alice", "bob", "4"),
        )
        self.assertEqual(results, [1, "NOTFOUND", "NOTFOUND", 2])

    def test_empty_batch(self) -> None:
        """A batch of nothing is fine."""
        self.assertEqual(self.send(), [])

    def test_full_batch(self) -> None:
        """As many messages as the server puts into a batch, from as many senders to as many recipients."""
        for number in range(0, 1000, 2):
            self.command("HSET", f"account:a{number + 1}", "created", 1)
        messages = [Said(f"a{number}", f"a{number + 1}", "x", 1) for number in range(0, 1000, 2)]
        self.assertEqual(self.send(*messages), [1] * 500)
        self.command("HSET", "topic:#t", "owner", "a0")
        for message in messages:
            self.command("HSET", "members:#t", message.account, "0-0")
        crowd = [replace(message, to="#t") for message in messages]
        self.assertEqual(self.send(*crowd), list(range(1, 501)))

    def test_sender_has_read_it(self) -> None:
        """A sender has read up to the sent message; for all other members it is unread."""
        self.send(Said("alice", "bob", "1"), Said("alice", "bob", "2"))
        self.assertEqual(self.conversations("alice")[AB], [2, 2, 0])
        self.assertEqual(self.conversations("bob")[AB], [2, 0, 2])


@on_each_redis
class Numbered(SendCase):
    """``cseq``: a client that numbers its messages and repeats them causes each once."""

    def test_next_is_stored(self) -> None:
        """Each message under the next number is stored."""
        self.assertEqual([self.said("alice", "bob", "m", cseq) for cseq in (1, 2, 3)], [1, 2, 3])

    def test_repeated_gives_its_first_id(self) -> None:
        """The same number with the same text is not stored again and names where it was."""
        self.said("alice", "bob", "one", 1)
        self.said("bob", "alice", "between")
        self.said("alice", "bob", "two", 2)
        self.assertEqual(self.said("alice", "bob", "one", 1), "DUP 7-1")
        self.assertEqual(self.said("alice", "bob", "two", 2), "DUP 7-3")
        self.assertEqual(len(self.log(AB)), 3)

    def test_repeated_with_another_text(self) -> None:
        """The same number with another text is refused, with the number that comes next."""
        self.said("alice", "bob", "one", 1)
        self.assertEqual(self.said("alice", "bob", "other", 1), "CONFLICT expected=2")
        self.assertEqual(len(self.log(AB)), 1)

    def test_ahead(self) -> None:
        """A number that leaves some out is refused, with the one expected; it is not used up."""
        self.said("alice", "bob", "one", 1)
        self.assertEqual(self.said("alice", "bob", "three", 3), "GAP expected=2")
        self.assertEqual([self.said("alice", "bob", text, n) for n, text in ((2, "two"), (3, "three"))], [2, 3])

    def test_zero(self) -> None:
        """A client that lost its counter asks with 0: never stored, answered with what is expected."""
        self.said("alice", "bob", "one", 1)
        self.assertEqual(self.said("alice", "bob", "?", 0), "GAP expected=2")
        self.assertEqual(len(self.log(AB)), 1)

    def test_after_a_refusal(self) -> None:
        """A number that was refused is not used up."""
        self.assertEqual(self.said("alice", "#fishing", "x", 1), "NOTFOUND")
        self.create("alice", "fishing")
        self.assertEqual(self.said("alice", "#fishing", "x", 1), 1)

    def test_looks_back_a_thousand(self) -> None:
        """A repetition is recognised among the conversation's last 1,000 messages; what is older is ``OLD``."""
        self.said("alice", "bob", "one", 1)
        self.said("alice", "bob", "two", 2)
        for _ in range(2):
            self.send(*[Said("bob", "alice", "noise")] * 499)
        self.assertEqual(self.said("alice", "bob", "one", 1), "DUP 7-1")
        self.said("bob", "alice", "one more")
        self.assertEqual(self.said("alice", "bob", "one", 1), "OLD")
        self.assertEqual(self.said("alice", "bob", "two", 2), "DUP 7-2")
        self.assertEqual(self.said("alice", "bob", "three", 3), 1002)

    def test_twice_in_one_batch(self) -> None:
        """Repetitions and mistakes within one batch are told apart just so."""
        results = self.send(
            Said("alice", "bob", "one", 1),
            Said("alice", "bob", "one", 1),
            Said("alice", "bob", "other", 1),
            Said("alice", "bob", "three", 3),
            Said("alice", "bob", "two", 2),
        )
        self.assertEqual(results, [1, "DUP 7-1", "CONFLICT expected=2", "GAP expected=2", 2])

    def test_senders_do_not_share_a_counter(self) -> None:
        """Every device of every account counts for itself, and for each conversation anew."""
        results = self.send(
            Said("alice", "bob", "a", 1),
            Said("alice", "bob", "b", 1, device="phone"),
            Said("bob", "alice", "c", 1),
            Said("alice", "carol", "d", 1),
            Said("alice", "bob", "e", 2),
        )
        self.assertEqual(results, [1, 2, 3, 1, 4])
        self.assertEqual(self.said("alice", "bob", "f", 2, device="phone"), 5)

    def test_unnumbered_do_not_count(self) -> None:
        """Messages without a number are stored each time and leave the counter alone."""
        self.assertEqual([self.said("alice", "bob", "x", n) for n in (1, -1, -1, 2)], [1, 2, 3, 4])

    def test_a_text_that_looks_like_another(self) -> None:
        """Only the device's own number counts, not a text made up to look like a stored message."""
        self.said("alice", "bob", "bob main 1 - hello")
        self.said("bob", "alice", "hello", 1)
        self.assertEqual(self.said("bob", "alice", "hello", 1), "DUP 7-2")

    def test_across_epochs(self) -> None:
        """A repetition after a restart of the store is recognised too, under its first id."""
        self.said("alice", "bob", "one", 1)
        fence, _ = self.grow_epoch()
        self.assertEqual(self.said("alice", "bob", "one", 1, fence=fence), "DUP 7-1")
        self.assertEqual(self.said("alice", "bob", "two", 2, fence=fence), 2)

    def test_trimmed(self) -> None:
        """What retention removed cannot be compared: ``OLD``, and never stored twice."""
        self.said("alice", "bob", "one", 1)
        self.command("XTRIM", "log:" + AB, "MAXLEN", 0)
        self.assertEqual(self.said("alice", "bob", "one", 1), "OLD")

    @PROPERTY
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["alice/main", "alice/phone", "bob/main"]),
                st.integers(-1, 6),
                st.sampled_from("xy"),
            ),
            max_size=30,
        ),
        st.integers(1, 8),
    )
    def test_any_sequence(self, tries: list[tuple[str, int, str]], size: int) -> None:
        """For every sequence of batches: each number is stored once and in order, and every reply is correct."""
        self.empty()
        for account in ("alice", "bob"):
            self.login(account)
        log: list[tuple[str, int, str]] = []
        expected = []
        for sender, cseq, text in tries:
            expected.append(model(log, sender, cseq, text))
        results = []
        for start in range(0, len(tries), size):
            results += self.send(*[said(*each) for each in tries[start : start + size]])
        self.assertEqual(results, expected)
        self.assertEqual([text for _, text in self.log(AB)], [text for _, _, text in log])


def said(sender: str, cseq: int, text: str) -> Said:
    """A message of the property above."""
    account, device = sender.split("/")
    return Said(account, "bob" if account == "alice" else "alice", text, cseq, device)


def model(log: list[tuple[str, int, str]], sender: str, cseq: int, text: str) -> int | str:
    """What DESIGN, section 6, says of ``@cseq``, over a list of what was stored."""
    mine = {number: (at, stored) for at, (who, number, stored) in enumerate(log, 1) if who == sender and number > 0}
    following = len(mine) + 1
    if cseq == 0 or cseq > following:
        return f"GAP expected={following}"
    if 0 < cseq < following:
        at, stored = mine[cseq]
        return f"DUP {EPOCH}-{at}" if stored == text else f"CONFLICT expected={following}"
    log.append((sender, cseq, text))
    return len(log)


@on_each_redis
class Topics(SendCase):
    """Writing to a topic."""

    def setUp(self) -> None:
        """Alice's topic, with Bob."""
        super().setUp()
        self.create("alice", "fishing")
        self.join("bob", "fishing")

    def test_members_only(self) -> None:
        """Members write, nobody else does; a topic that is not there is another thing."""
        results = self.send(Said("bob", "#fishing", "1"), Said("carol", "#fishing", "2"), Said("bob", "#sailing", "3"))
        self.assertEqual(results, [1, "NOTMEMBER", "NOTFOUND"])

    def test_after_leaving(self) -> None:
        """Who left writes no more."""
        self.leave("bob", "fishing")
        self.assertEqual(self.said("bob", "#fishing", "x"), "NOTMEMBER")

    def test_after_dismissing(self) -> None:
        """Nobody writes to a topic that was dismissed, its owner neither."""
        self.dismiss("alice", "fishing")
        self.assertEqual(self.said("alice", "#fishing", "x"), "NOTFOUND")

    def test_versions(self) -> None:
        """The reply names the membership version of each topic, so that the server notices a change."""
        flat = [value for each in (Said("bob", "#fishing", "1"), Said("bob", "alice", "2")) for value in each.flat]
        self.assertEqual(
            self.fenced("logs/send", STREAM, ["alice", "bob"], flat, [])[:3], ["OK", [1, 1], ["#fishing", 2]]
        )
        self.join("carol", "fishing")
        self.assertEqual(self.fenced("logs/send", STREAM, ["bob"], flat[:6], [])[:3], ["OK", [2], ["#fishing", 3]])


@on_each_redis
class Fencing(SendCase):
    """P6: who lost its lease or its epoch stores nothing."""

    def assert_refused(self, refusal: list[str], fence: Fence) -> None:
        """The whole batch, and not one byte changes."""
        before = self.dump()
        self.assertEqual(self.send(Said("alice", "bob", "x", 1), Said("alice", "carol", "y"), fence=fence), refusal)
        self.assert_unchanged(before)

    def test_no_lease(self) -> None:
        """The lease ended."""
        self.command("DEL", "lease:ms1")
        self.assert_refused(["LEASE"], MS1)

    def test_another_incarnation(self) -> None:
        """The name is another process' now."""
        self.register(replace(MS1, incarnation=b"cccc"))
        self.assert_refused(["LEASE"], MS1)

    def test_an_earlier_connection(self) -> None:
        """The server has connected anew: what its earlier connection left in Redis' buffers is not done late."""
        self.register(replace(MS1, writer=1))
        self.assert_refused(["LEASE"], MS1)
        self.assertEqual(self.said("alice", "bob", "x", 1, fence=replace(MS1, writer=1)), 1)

    def test_device_elsewhere(self) -> None:
        """A device that has logged in on another server goes on numbering there: here nothing of it is stored."""
        self.login("alice", fence=MS2)
        batch_here = batch(Said("alice", "bob", "late", 1))
        self.assertEqual(self.fenced("logs/send", STREAM, *batch_here)[1], ["TRYAGAIN"])
        self.assertEqual(self.fenced("logs/send", STREAM, *batch_here, fence=MS2)[1], [1])
        [first] = self.fenced("logs/send", STREAM, *batch_here)[1]
        [[_, [_, time, *_]]] = self.command("XRANGE", "log:alice+bob", "-", "+")
        self.assertEqual(first, f"DUP 7-1 {time}")

    def test_another_device_here(self) -> None:
        """Another device of the account, or one of a similar name, does not stand for it."""
        self.login("alice", "phone")
        self.login("alice", "main2")
        self.login("alice", "main", fence=MS2)
        self.assertEqual(self.fenced("logs/send", STREAM, *batch(Said("alice", "bob", "late")))[1], ["TRYAGAIN"])

    def test_old_epoch(self) -> None:
        """The store was restarted, and the server has not noticed: it is told the epoch."""
        self.grow_epoch()
        self.assert_refused(["EPOCH", "8"], MS1)

    def test_no_epoch(self) -> None:
        """The store was emptied under the server."""
        self.command("DEL", "epoch")
        self.assert_refused(["EPOCH", "0"], MS1)


@on_each_redis
class Epochs(SendCase):
    """No id names two messages."""

    def test_ids_grow(self) -> None:
        """After a restart of the store numbers go on, under a higher epoch."""
        self.said("alice", "bob", "before")
        fence, _ = self.grow_epoch()
        self.assertEqual(self.said("alice", "bob", "after", fence=fence), 2)
        self.assertEqual(self.log(AB), [("7-1", "before"), ("8-2", "after")])

    def test_ids_grow_when_the_tail_was_lost(self) -> None:
        """A store that lost its tail gives the same number again, but not the same id."""
        self.said("alice", "bob", "kept")
        kept = [(key, self.runner.command("DUMP", key)) for key in ("log:" + AB, "meta:" + AB)]
        self.said("alice", "bob", "lost")
        for key, value in kept:
            self.runner.command("RESTORE", key, 0, value, "REPLACE")
        fence, _ = self.grow_epoch()
        self.said("alice", "bob", "new", fence=fence)
        self.assertEqual(self.log(AB), [("7-1", "kept"), ("8-2", "new")])


@on_each_redis
class Routes(SendCase):
    """What the router is left with."""

    def test_nobody_elsewhere(self) -> None:
        """Where all devices are on the sender's server, nothing is left."""
        self.said("alice", "bob", "x")
        self.assertEqual(self.routed(), [])

    def test_recipient_elsewhere(self) -> None:
        """The recipient's server is told of the message and its number."""
        self.login("bob", "phone", MS2)
        self.said("alice", "bob", "x")
        self.assertEqual(self.routed(), [{"ms2": [AB, 1, "alice main -1 - x", 0]}])

    def test_own_device_elsewhere(self) -> None:
        """So is the server of the sender's other devices."""
        self.login("alice", "phone", MS2)
        self.said("alice", "bob", "x")
        self.assertEqual([list(each) for each in self.routed()], [["ms2"]])

    def test_offline_recipient(self) -> None:
        """For somebody without a session nobody is told: the log has it."""
        self.login("dora", fence=MS2)
        self.fenced("session/logout", ["dora", "main", 4], fence=MS2)
        self.said("alice", "dora", "x")
        self.assertEqual(self.routed(), [])

    def test_one_entry_for_a_batch(self) -> None:
        """A batch leaves one entry, and each server is told what is for it."""
        ms3 = Fence(b"ms3", b"cccc", EPOCH)
        self.register(ms3)
        self.login("bob", "phone", MS2)
        self.login("carol", "phone", ms3)
        self.send(Said("alice", "bob", "1"), Said("alice", "carol", "2"), Said("carol", "bob", "3"))
        [told] = self.routed()
        self.assertEqual(
            {server: flat[0::4] for server, flat in told.items()},
            {"ms2": [AB, "bob+carol"], "ms3": ["alice+carol", "bob+carol"]},
        )

    def test_refused_are_not_told(self) -> None:
        """Repetitions and refusals are not carried anywhere."""
        self.login("bob", "phone", MS2)
        self.send(Said("alice", "bob", "x", 1), Said("alice", "bob", "x", 1), Said("alice", "bob", "y", 9))
        [told] = self.routed()
        self.assertEqual(told["ms2"][1::4], [1])

    def test_topic_goes_to_all_servers(self) -> None:
        """A topic's message goes to every other msg_server, with the version of its membership."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", "#fishing", "x")
        self.assertEqual(self.routed(), [{"ms2": ["#fishing", 1, "alice main -1 - x", 2]}])

    def test_topic_with_one_server(self) -> None:
        """With a single msg_server nothing is left for the router."""
        self.call("servers/retire", "ms2", "bbbb")
        self.create("alice", "fishing")
        self.said("alice", "#fishing", "x")
        self.assertEqual(self.routed(), [])

    def test_entries_are_numbered(self) -> None:
        """The entries of a shard are numbered without holes, so that the router notices what was cut."""
        self.login("bob", "phone", MS2)
        for _ in range(3):
            self.said("alice", "bob", "x")
        self.assertEqual([at for at, _ in self.command("XRANGE", STREAM, "-", "+")], ["7-1", "7-2", "7-3"])

    def test_bounded_without_a_router(self) -> None:
        """With no router the stream does not grow for ever."""
        self.login("bob", "phone", MS2)
        fill = "for i = 1, 101000 do redis.call('XADD', KEYS[1], '7-' .. i, 'b', '', 'r', '') end"
        self.command("EVAL", fill, 1, STREAM)
        self.command("SET", "count:" + STREAM, 101000)
        self.said("alice", "bob", "x")
        self.assertLessEqual(self.command("XLEN", STREAM), 100_200)


@on_each_redis
class Trouble(SendCase):
    """A store that has no room, or wrong data."""

    def test_out_of_memory(self) -> None:
        """With the memory full the whole batch is refused by Redis' own word, and nothing of it is stored."""
        self.said("alice", "bob", "before", 1)
        before = self.dump()
        self.fill_memory()
        for recipient in ("bob", "carol"):
            error = self.assertRaises(
                hiredis.ReplyError, self.send, Said("alice", recipient, "x", 2), Said("bob", "alice", "y")
            )
            self.assertEqual(ReplyError(str(error)).word, "OOM")
        self.assert_unchanged(before)

    def test_repetition_without_memory(self) -> None:
        """What was stored before the memory was full is still recognised."""
        self.said("alice", "bob", "x", 1)
        self.fill_memory()
        self.assertEqual(self.said("alice", "bob", "x", 1), "DUP 7-1")

    def test_broken_log(self) -> None:
        """A conversation whose log is no log refuses its own messages only."""
        self.command("SET", "log:" + AB, "no stream")
        results = self.send(Said("alice", "carol", "1"), Said("alice", "bob", "2"), Said("carol", "alice", "3"))
        self.assertEqual(results, [1, "INTERNAL", 2])

    def test_broken_log_first(self) -> None:
        """Also when it comes first in the batch."""
        self.command("SET", "log:" + AB, "no stream")
        results = self.send(Said("alice", "bob", "1", 1), Said("alice", "carol", "2", 1), Said("alice", "bob", "3", 1))
        self.assertEqual(results, ["INTERNAL", 1, "INTERNAL"])

    def test_log_ahead(self) -> None:
        """A log that is ahead of its counter refuses rather than writing over it."""
        self.said("alice", "bob", "1")
        self.command("XADD", "log:" + AB, "7-2", "t", 1, "m", "bob main -1 - from nowhere")
        self.assertEqual(self.send(Said("alice", "bob", "2"), Said("alice", "carol", "3")), ["INTERNAL", 1])

    def test_refused_first_message_begins_nothing(self) -> None:
        """A refused message puts no conversation into anybody's list."""
        before = self.dump()
        self.assertEqual(self.said("alice", "bob", "x", 5), "GAP expected=1")
        self.assert_unchanged(before)
