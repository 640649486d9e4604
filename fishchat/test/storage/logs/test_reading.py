"""Reading: ``ack``, ``read``, ``page``, ``history``, ``conversations``."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fishchat.test.support.script_runner import EPOCH, MS2, PROPERTY, STREAM, Said, ScriptCase, on_each_redis

AB = "alice+bob"


class ReadingCase(ScriptCase):
    """Alice and Bob, and what Alice wrote."""

    said_before = 5

    def setUp(self) -> None:
        """Messages ``1``, ``2``, … from Alice to Bob."""
        super().setUp()
        self.begin()

    def begin(self) -> None:
        """Log in and write."""
        self.login("alice")
        self.login("bob")
        self.send(*[Said("alice", "bob", str(number)) for number in range(1, self.said_before + 1)])

    def restore(self, *, keep: int) -> Any:
        """As if the store was put back from a copy: only the first messages are left, under a new epoch."""
        self.command("DEL", "log:" + AB)
        for number in range(1, keep + 1):
            self.command("XADD", "log:" + AB, f"7-{number}", "t", number, "m", f"alice main -1 - {number}")
        self.command("HSET", "meta:" + AB, "n", keep)
        return self.grow_epoch()[0]


@on_each_redis
class Acknowledging(ReadingCase):
    """P4: a cursor moves by acknowledgement only, and never back."""

    def test_forward(self) -> None:
        """Acknowledging moves the device's cursor."""
        self.assertEqual(self.ack("bob", AB, "7-3"), 1)
        self.assertEqual(self.cursor("bob", AB), "7-3")

    def test_never_back(self) -> None:
        """A late or repeated acknowledgement changes nothing."""
        self.ack("bob", AB, "7-3")
        before = self.dump()
        self.assertEqual([self.ack("bob", AB, at) for at in ("7-2", "7-3", "6-5")], [0, 0, 0])
        self.assert_unchanged(before)

    def test_by_number(self) -> None:
        """Positions compare as numbers, not as texts."""
        self.ack("bob", AB, "7-9")
        self.assertEqual(self.ack("bob", AB, "7-10"), 1)
        self.assertEqual(self.ack("bob", AB, "7-9"), 0)

    def test_devices_apart(self) -> None:
        """Each device has its own cursor; the account's furthest is the highest of them."""
        self.login("bob", "phone")
        self.ack("bob", AB, "7-4")
        self.ack("bob", AB, "7-2", "phone")
        self.assertEqual(self.cursor("bob", AB, "phone"), "7-2")
        self.assertEqual(self.command("HGET", "cursor:bob", AB), "7-4")

    def test_many_at_once(self) -> None:
        """One call takes the cursors of many devices and conversations."""
        self.said("bob", "bob", "note")
        acks = ["bob", "main", AB, "7-3", "alice", "main", AB, "7-5", "bob", "main", "bob+bob", "7-1"]
        self.assertEqual(self.fenced("logs/ack", acks), ["OK", 3])

    def test_nothing(self) -> None:
        """A call without cursors is fine."""
        self.assertEqual(self.fenced("logs/ack", []), ["OK", 0])

    def test_older_epoch_known(self) -> None:
        """What was given out before a restart of the store can be acknowledged after it."""
        fence, _ = self.grow_epoch()
        self.assertEqual(self.ack("bob", AB, "7-3", fence=fence), 1)

    def test_older_epoch_unknown(self) -> None:
        """What a restored store does not know cannot be acknowledged: it would hide nothing less than the loss."""
        fence = self.restore(keep=3)
        self.assertEqual(self.ack("bob", AB, "7-5", fence=fence), 0)
        self.assertEqual(self.ack("bob", AB, "7-3", fence=fence), 1)

    def test_older_epoch_trimmed(self) -> None:
        """What retention removed meanwhile can be acknowledged."""
        fence, _ = self.grow_epoch()
        self.command("XTRIM", "log:" + AB, "MINID", "7-4")
        self.assertEqual(self.ack("bob", AB, "7-2", fence=fence), 1)

    def test_older_epoch_all_trimmed(self) -> None:
        """Also when nothing is left of the conversation."""
        fence, _ = self.grow_epoch()
        self.command("XTRIM", "log:" + AB, "MAXLEN", 0)
        self.assertEqual(self.ack("bob", AB, "7-2", fence=fence), 1)

    def test_without_memory(self) -> None:
        """Acknowledging goes on when the memory is full."""
        self.fill_memory()
        self.assertEqual(self.ack("bob", AB, "7-3"), 1)
        self.assertEqual(self.cursor("bob", AB), "7-3")


@on_each_redis
class ReadNumbers(ReadingCase):
    """What a person has read."""

    def read(self, account: str, conversation: str, at: str, fence: Any = None, topic: str = "") -> Any:
        """The reply."""
        more = {"fence": fence} if fence else {}
        return self.fenced("messages/read", STREAM, account, conversation, at, topic, **more)

    def test_forward_only(self) -> None:
        """The read number grows; an older one changes nothing and is no error."""
        self.assertEqual(self.read("bob", AB, "7-3"), ["OK", "bob alice", "7-3"])
        for at in ("7-3", "7-1"):
            self.assertEqual(self.read("bob", AB, at), ["OK", "", at])
        self.assertEqual(self.conversations("bob")[AB], [5, 3, 2])

    def test_each_account_for_itself(self) -> None:
        """Reading is nobody else's reading."""
        self.said("bob", "alice", "6")
        self.read("alice", AB, "7-6")
        self.assertEqual(self.conversations("bob")[AB], [6, 6, 0])

    def test_ahead(self) -> None:
        """Nobody reads what was not written yet."""
        before = self.dump()
        for at in ("7-6", "8-1"):
            self.assertEqual(self.read("bob", AB, at), ["AHEAD"])
        self.assert_unchanged(before)

    def test_all(self) -> None:
        """Without a position everything is read that the account may see; once more changes nothing."""
        for told in ("bob alice", ""):
            self.assertEqual(self.read("bob", AB, ""), ["OK", told, "7-5"])
        self.assertEqual(self.conversations("bob")[AB], [5, 5, 0])
        self.create("alice", "fishing")
        self.assertEqual(self.read("alice", "#fishing", ""), ["OK", "", "0-0"])

    def test_all_of_a_former_member(self) -> None:
        """A former member reads up to the end of its membership."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.send(Said("alice", "#fishing", "a"))
        self.leave("bob", "fishing")
        self.send(Said("alice", "#fishing", "b"))
        self.assertEqual(self.read("bob", "#fishing", ""), ["OK", "bob", "7-1"])

    def test_never(self) -> None:
        """An id that no message ever had is refused, and nobody is told."""
        before = self.dump()
        for at in ("1-1", "6-3", "6-5", "7-0", "0-1"):
            self.assertEqual(self.read("bob", AB, at), ["NEVER"], at)
        self.assert_unchanged(before)

    def test_of_another_epoch(self) -> None:
        """Numbers of two epochs: only those that messages had."""
        fence = self.restore(keep=3)
        self.said("alice", "bob", "new", fence=fence)
        self.said("alice", "bob", "newer", fence=fence)
        for at in ("7-4", "7-5", "8-3", "8-1"):
            self.assertEqual(self.read("bob", AB, at, fence), ["NEVER"], at)
        for at in ("7-3", "8-4", "8-5"):
            self.assertEqual(self.read("bob", AB, at, fence), ["OK", "bob alice", at])

    def test_gone(self) -> None:
        """What was removed since then can still be marked: it was read before."""
        self.command("XDEL", "log:" + AB, "7-1", "7-3")
        for at in ("7-1", "7-3"):
            self.assertEqual(self.read("bob", AB, at), ["OK", "bob alice", at])
        self.command("DEL", "log:" + AB)
        self.assertEqual(self.read("bob", AB, "7-4"), ["OK", "bob alice", "7-4"])

    def test_topic_meant(self) -> None:
        """A name that is only one of the account's topics is answered with a word of its own."""
        self.create("bob", "fishing")
        self.assertEqual(self.read("bob", "bob+fishing", "", topic="#fishing"), ["TOPIC"])
        self.assertEqual(self.read("alice", "alice+fishing", "", topic="#fishing"), ["NOTFOUND"])
        self.assertEqual(self.call("messages/history", "bob", "bob+fishing", "", "", 1, "#fishing"), "TOPIC")
        self.assertEqual(self.call("messages/history", "alice", "alice+fishing", "", "", 1, "#fishing"), "NOTFOUND")

    def test_of_a_lost_epoch(self) -> None:
        """An id that a restored store does not know does not mark what comes in its place as read."""
        fence = self.restore(keep=3)
        self.said("alice", "bob", "new", fence=fence)
        self.assertEqual(self.read("bob", AB, "7-5", fence), ["AHEAD"])
        self.assertEqual(self.conversations("bob")[AB], [4, 0, 4])

    def test_not_theirs(self) -> None:
        """Only who has the conversation reads in it."""
        self.login("carol")
        self.assertEqual(self.read("carol", AB, "7-1"), ["NOTFOUND"])

    def test_tells_the_other_side(self) -> None:
        """The other side's server is told, once for each step forward."""
        self.login("alice", fence=MS2)
        for at in ("7-3", "7-2", "7-3"):
            self.read("bob", AB, at)
        self.assertEqual(self.routed(), [{"ms2": ["bob alice", 0, "RESP_READ bob alice+bob:7-3", 0]}])

    def test_tells_oneself(self) -> None:
        """In topics, in notes to oneself and among notices, own devices are told, and who watches a topic."""
        self.login("alice", "phone", MS2)
        self.create("alice", "fishing")
        self.send(Said("alice", "alice", "x"))
        self.command("DEL", STREAM)
        self.command("XADD", "log:#fishing", "7-1", "t", 1, "m", "alice main -1 - x")
        self.command("HSET", "meta:#fishing", "n", 1, "e", EPOCH)
        self.assertEqual(self.read("alice", "#fishing", "7-1"), ["OK", "alice #fishing", "7-1"])
        self.assertEqual(self.routed(), [{"ms2": ["alice #fishing", 0, "RESP_READ alice #fishing:7-1", 0]}])

    def test_alone(self) -> None:
        """No entry is left for the router while all devices concerned are on this server."""
        self.command("DEL", STREAM)
        self.assertEqual(self.read("bob", AB, "7-3"), ["OK", "bob alice", "7-3"])
        self.assertEqual(self.routed(), [])


@on_each_redis
class Pages(ReadingCase):
    """``page``: what feeds a device."""

    def page(self, after: str, upto: str = "", count: int = 100) -> list[str]:
        """Positions on the page."""
        version, trimmed, flat = self.call("logs/page", AB, after, upto, count)
        self.assertEqual((version, trimmed), (0, 0))
        return list(flat[::3])

    def test_bounds(self) -> None:
        """Without its lower bound, with its upper one, so many at most."""
        self.assertEqual(self.page("0-0"), ["7-1", "7-2", "7-3", "7-4", "7-5"])
        self.assertEqual(self.page("7-2", "7-4"), ["7-3", "7-4"])
        self.assertEqual(self.page("7-1", count=2), ["7-2", "7-3"])
        self.assertEqual(self.page("7-5"), [])
        self.assertEqual(self.page("7-4", "7-2"), [])
        self.assertEqual(self.call("logs/page", "alice+carol", "0-0", "", 10), [0, 0, []])


@on_each_redis
class Newest(ReadingCase):
    """``newest``: what a device that is far behind is told instead of pushed."""

    def newest(self, count: int, *spans: str, conversation: str = AB) -> list[str]:
        """First and last position besides the newest, for each span."""
        flat = [end for span in spans for end in span.split(":")]
        version, trimmed, ranges = self.call("logs/newest", conversation, flat, count)
        self.assertEqual((version, trimmed), (0, 0))
        return list(ranges)

    def test_bounds(self) -> None:
        """All but the newest ones, without the lower bound, with the upper one; nothing if there are no more."""
        self.assertEqual(self.newest(2, "0-0:"), ["7-1", "7-3"])
        self.assertEqual(self.newest(1, "7-1:7-3"), ["7-2", "7-2"])
        self.assertEqual([self.newest(5, "0-0:"), self.newest(2, "7-3:"), self.newest(2, "7-5:")], [["", ""]] * 3)
        self.assertEqual(self.newest(2, "0-0:", conversation="alice+carol"), ["", ""])

    def test_trimmed(self) -> None:
        """What retention took is in no range; its last number is in the reply."""
        self.call("logs/trim", AB, 0, 0, 3, 1000)
        self.assertEqual(self.call("logs/newest", AB, ["0-0", ""], 1), [0, 2, ["7-3", "7-4"]])

    @settings(PROPERTY, max_examples=100)
    @given(
        st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), min_size=1, max_size=4),
        st.booleans(),
        st.sets(st.integers(1, 30)),
        st.integers(1, 12),
    )
    def test_any_spans(self, steps: list[tuple[int, int]], is_open: bool, erased: set[int], count: int) -> None:
        """Over any memberships and holes, the messages outside of all ranges are the newest visible ones."""
        self.command("DEL", "log:#t")
        for number in range(1, 31):
            epoch = 7 if number < 15 else 9
            self.command("XADD", "log:#t", f"{epoch}-{number}", "t", 1, "m", f"alice main -1 - {number}")
            if number in erased:
                self.command("XDEL", "log:#t", f"{epoch}-{number}")
        spans: list[tuple[int, int]] = []
        for skip, length in steps:
            first = (spans[-1][1] if spans else 0) + skip
            spans.append((first, first + length))
        if is_open:
            spans[-1] = (min(spans[-1][0], 29), 30)
        raw = [f"{7 if a < 15 else 9}-{a}:{7 if b < 15 else 9}-{b}" for a, b in spans]
        if is_open:
            raw[-1] = raw[-1].partition(":")[0] + ":"
        ranges = self.newest(count, *raw, conversation="#t")
        visible = [[n for n in range(a + 1, min(b, 30) + 1) if n not in erased] for a, b in spans]
        wanted = [number for seen in visible for number in seen][-count:]
        for lowest, highest, seen in zip(ranges[::2], ranges[1::2], visible, strict=True):
            old = [number for number in seen if number not in wanted]
            found = [int(end.partition("-")[2]) for end in (lowest, highest) if end]
            self.assertEqual(found, [old[0], old[-1]] if old else [])


@on_each_redis
class History(ReadingCase):
    """``history``: what people ask for."""

    def test_newest(self) -> None:
        """A limit alone gives the newest ones, oldest first."""
        self.assertEqual(self.history("bob", AB, limit=2), ["4", "5"])
        self.assertEqual(self.history("bob", AB), ["1", "2", "3", "4", "5"])

    def test_row(self) -> None:
        """Each row is the position, the time in ms and the body."""
        [at, time, body] = self.call("messages/history", "bob", AB, "", "", 1, "")
        self.assertEqual((at, body), ("7-5", "alice main -1 - 5"))
        self.assertTrue(time.isdigit(), time)

    def test_bytes(self) -> None:
        """A page ends early rather than grow large, in both directions; what is left comes with the next one."""
        self.send(*[Said("alice", "bob", f"{number} " + "x" * 6993) for number in range(6, 36)])
        newest = [text.split()[0] for text in self.history("bob", AB, limit=30)]
        self.assertEqual(newest, [str(number) for number in range(36 - len(newest), 36)])
        self.assertIn(len(newest), range(17, 20))
        oldest = [text.split()[0] for text in self.history("bob", AB, after="7-5", limit=30)]
        self.assertEqual(oldest, [str(number) for number in range(6, 6 + len(newest))])

    def test_before(self) -> None:
        """Backwards: the newest ones below a message, without it."""
        self.assertEqual(self.history("bob", AB, before="7-4", limit=2), ["2", "3"])
        self.assertEqual(self.history("bob", AB, before="7-1"), [])
        self.assertEqual(self.history("bob", AB, before="9-9"), ["1", "2", "3", "4", "5"])

    def test_before_the_beginning(self) -> None:
        """A bound below everything gives an empty page, no error."""
        self.assertEqual(self.history("bob", AB, before="0-0"), [])
        self.assertEqual(self.history("bob", AB, before="0-0", after="0-0"), [])

    def test_after(self) -> None:
        """Forwards: the next ones above a message, without it."""
        self.assertEqual(self.history("bob", AB, after="7-2", limit=2), ["3", "4"])
        self.assertEqual(self.history("bob", AB, after="7-5"), [])

    def test_between(self) -> None:
        """Both bounds: the first ones above the lower, none of the upper or beyond."""
        self.assertEqual(self.history("bob", AB, after="7-1", before="7-5"), ["2", "3", "4"])
        self.assertEqual(self.history("bob", AB, after="7-1", before="7-5", limit=2), ["2", "3"])
        self.assertEqual(self.history("bob", AB, after="7-3", before="7-2"), [])

    def test_largest_bounds(self) -> None:
        """The largest ids that can be typed are bounds like any other."""
        most = "9999999999999999-9999999999999999"
        self.assertEqual(self.history("bob", AB, before=most), ["1", "2", "3", "4", "5"])
        self.assertEqual(self.history("bob", AB, after=most), [])

    def test_not_theirs(self) -> None:
        """Who has no part in a conversation is told that there is none."""
        self.login("carol")
        self.assertEqual(self.history("carol", AB), "NOTFOUND")

    def test_trimmed(self) -> None:
        """What retention removed is not there, and no error."""
        self.command("XTRIM", "log:" + AB, "MAXLEN", 2)
        self.assertEqual(self.history("bob", AB), ["4", "5"])
        self.command("XTRIM", "log:" + AB, "MAXLEN", 0)
        self.assertEqual(self.history("bob", AB), [])

    @settings(PROPERTY, max_examples=100)
    @given(
        st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=4),
        st.booleans(),
        st.integers(0, 14),
        st.integers(0, 14),
        st.integers(1, 14),
    )
    def test_any_page(self, steps: list[tuple[int, int]], is_open: bool, before: int, after: int, limit: int) -> None:
        """Over any memberships and under any bounds a page is what a list of all that is visible would give."""
        spans: list[tuple[int, int]] = []
        visible: list[int] = []
        at = 0
        for skip, length in steps:
            first, at = at + skip, at + skip + length
            spans.append((first, at))
            visible += range(first + 1, at + 1)
        if is_open:
            visible = [*visible, *range(at + 1, 13)]
        raw = ",".join(f"7-{first}:7-{last}" for first, last in spans)
        self.command("HSET", "talks:bob", "#t", raw[: raw.rindex(":") + 1] if is_open else raw)
        self.command("DEL", "log:#t")
        for number in range(1, 13):
            self.command("XADD", "log:#t", f"7-{number}", "t", 1, "m", f"alice main -1 - {number}")
        shown = [number for number in visible if number <= 12]
        shown = [number for number in shown if not (before and number >= before) and not (after and number <= after)]
        expected = shown[:limit] if after else shown[-limit:]
        bounds = {"before": f"7-{before}" if before else "", "after": f"7-{after}" if after else ""}
        page = self.history("bob", "#t", limit=limit, **bounds)
        self.assertEqual(page, [str(number) for number in expected])


@on_each_redis
class Conversations(ReadingCase):
    """``conversations``: what there is, and what is unread."""

    def test_unread(self) -> None:
        """Last number, read number and what is between, of every conversation."""
        self.create("bob", "fishing")
        self.assertEqual(self.conversations("bob"), {AB: [5, 0, 5], "#fishing": [0, 0, 0]})
        self.fenced("messages/read", STREAM, "bob", AB, "7-2", "")
        self.assertEqual(self.conversations("bob")[AB], [5, 2, 3])

    def test_what_is_gone(self) -> None:
        """What retention took, or an erasure at either end, is not unread; what was erased in between still counts."""
        self.call("logs/trim", AB, 0, 0, 3, 1000)
        self.assertEqual(self.conversations("bob")[AB], [5, 0, 3])
        self.command("XDEL", "log:" + AB, "7-4")
        self.assertEqual(self.conversations("bob")[AB], [5, 0, 3])
        self.command("XDEL", "log:" + AB, "7-5")
        self.assertEqual(self.conversations("bob")[AB], [5, 0, 1])
        self.command("XDEL", "log:" + AB, "7-3")
        self.assertEqual(self.conversations("bob")[AB], [5, 0, 0])

    def test_nothing(self) -> None:
        """An account that talks to nobody has an empty list."""
        self.login("carol")
        self.assertEqual(self.conversations("carol"), {})

    def test_in_spans(self) -> None:
        """What was said while somebody was not in the topic is not unread."""
        self.create("alice", "fishing")
        for text in ("1", "2"):
            self.join("bob", "fishing")
            self.send(*[Said("alice", "#fishing", text)] * 2)
            self.leave("bob", "fishing")
            self.send(*[Said("alice", "#fishing", "out")] * 3)
        self.assertEqual(self.conversations("bob")["#fishing"], [7, 0, 4])
        self.fenced("messages/read", STREAM, "bob", "#fishing", "7-6", "")
        self.assertEqual(self.conversations("bob")["#fishing"], [7, 6, 1])
