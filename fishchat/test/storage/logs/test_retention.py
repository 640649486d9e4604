"""Retention: ``trim``, and ``survey``, which tells beforehand what it removes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fishchat.test.support.script_runner import PROPERTY, ScriptCase, on_each_redis

CONVERSATION = "alice+bob"
LOG = "log:" + CONVERSATION
#: Nothing is older than this; more than there is.
NEVER, ALL = 0, 10**9


@on_each_redis
class Trimming(ScriptCase):
    """Age first, then count, by steps, and never more than that."""

    def fill(self, *times: int, epoch: int = 7) -> None:
        """A log with one message at each time."""
        self.command("DEL", LOG)
        add = "for i = 2, #ARGV do redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. i - 1, 't', ARGV[i], 'm', '') end"
        self.command("EVAL", add, 1, LOG, epoch, *times)

    def trim(self, oldest: int = NEVER, count: int = ALL, most: int = 1000, earliest: int = 0) -> list[int]:
        """How many were removed, and whether there may be more."""
        reply: list[int] = self.call("logs/trim", CONVERSATION, earliest, oldest, count, most)
        return reply

    def survey(self, oldest: int = NEVER, count: int = ALL, earliest: int = 0) -> list[int]:
        """How many entries there are, how many would go, and the time of the last one."""
        reply: list[int] = self.call("logs/survey", [CONVERSATION], earliest, oldest, count)
        return reply

    def left(self) -> list[int]:
        """The numbers that are left."""
        return [int(at.split("-")[1]) for at, _ in self.command("XRANGE", LOG, "-", "+")]

    def taken(self) -> str | None:
        """The last number that retention took, as it is stored."""
        found: str | None = self.command("HGET", "meta:" + CONVERSATION, "t")
        return found

    def test_remembers_what_it_took(self) -> None:
        """The last number that went is stored: what is missing above it was erased."""
        self.command("HSET", "meta:" + CONVERSATION, "n", 6, "e", 7)
        self.fill(10, 20, 30, 40, 50, 60)
        self.trim(10)
        self.assertIsNone(self.taken())
        self.trim(30)
        self.assertEqual(self.taken(), "2")
        self.trim(count=2)
        self.assertEqual(self.taken(), "4")
        self.trim(100)
        self.assertEqual(self.taken(), "6")

    def test_erased_then_trimmed(self) -> None:
        """A node of the log whose last entry was erased goes with the others: some Redis load none without entries."""
        for name, value in (("stream-node-max-entries", 100), ("stream-node-max-bytes", 0)):
            [_, before] = self.command("CONFIG", "GET", name)
            self.addCleanup(self.server.command, "CONFIG", "SET", name, before)
            self.command("CONFIG", "SET", name, value)
        self.fill(*range(1, 201))
        self.command("XDEL", LOG, "7-100")
        self.assertEqual(self.nodes(), 2)
        self.assertEqual(self.trim(100), [99, 0])
        self.assertEqual((self.left()[0], self.taken(), self.nodes()), (101, "99", 1))

    def test_erased_to_the_end(self) -> None:
        """If everything after the old entries was erased, nothing is left of the log."""
        self.command("HSET", "meta:" + CONVERSATION, "n", 4, "e", 7)
        self.fill(10, 20, 30, 40)
        self.command("XDEL", LOG, "7-3", "7-4")
        self.assertEqual(self.trim(25), [2, 0])
        self.assertEqual(self.command("EXISTS", LOG), 0)
        self.assertEqual(self.taken(), "2")

    def nodes(self) -> int:
        """The nodes of the log's tree: one without live entries would be one too many."""
        fields = self.command("XINFO", "STREAM", LOG)
        return int(dict(zip(fields[::2], fields[1::2], strict=True))["radix-tree-keys"])

    def test_nothing_to_do(self) -> None:
        """What is young enough and not too much stays."""
        self.fill(10, 20, 30)
        self.assertEqual(self.trim(10, 3), [0, 0])
        self.assertEqual(self.left(), [1, 2, 3])

    def test_age(self) -> None:
        """What is older goes; what is exactly that old stays."""
        self.fill(10, 20, 30, 40)
        self.assertEqual(self.trim(30), [2, 0])
        self.assertEqual(self.left(), [3, 4])

    def test_count(self) -> None:
        """Of what is left the newest stay."""
        self.fill(10, 20, 30, 40)
        self.assertEqual(self.trim(count=3), [1, 0])
        self.assertEqual(self.left(), [2, 3, 4])

    def test_age_and_count(self) -> None:
        """Both at once."""
        self.fill(10, 20, 30, 40, 50)
        self.assertEqual(self.trim(20, 2), [3, 0])
        self.assertEqual(self.left(), [4, 5])

    def test_everything(self) -> None:
        """A conversation that is old as a whole is emptied; its numbers go on."""
        self.login("alice")
        self.login("bob")
        self.said("alice", "bob", "old")
        now = int(self.command("TIME")[0]) * 1000
        self.assertEqual(self.trim(now + 60_000), [1, 0])
        self.assertEqual(self.command("EXISTS", LOG), 0)
        self.assertEqual(self.history("bob", CONVERSATION), [])
        self.assertEqual(self.said("alice", "bob", "new"), 2)

    def test_age_in_steps(self) -> None:
        """One call looks at so many at most and says that there may be more."""
        self.fill(*[1] * 450, *[9] * 50)
        self.assertEqual([self.trim(5, most=200) for _ in range(3)], [[200, 1], [200, 1], [50, 0]])
        self.assertEqual(self.left(), list(range(451, 501)))

    def test_count_in_steps(self) -> None:
        """The same when there are too many."""
        self.fill(*[1] * 450)
        self.assertEqual([self.trim(count=50, most=200) for _ in range(3)], [[200, 1], [200, 0], [0, 0]])
        self.assertEqual(self.left(), list(range(401, 451)))

    def test_a_clock_that_went_back(self) -> None:
        """An old time behind a young one goes when its turn comes: what is young is never removed for it."""
        self.fill(10, 50, 20, 60)
        self.trim(30)
        self.assertEqual(self.left(), [2, 3, 4])

    def test_a_clock_that_was_not_set(self) -> None:
        """A message with a time before the first FishChat is as old as the next one with a time that can be right."""
        self.fill(1, 2, 100, 110, 1, 120)
        self.assertEqual(self.survey(105, earliest=50), [6, 3, 120])
        self.assertEqual(self.trim(100, earliest=50), [0, 0])
        self.assertEqual(self.trim(105, earliest=50), [3, 0])
        self.assertEqual(self.trim(115, earliest=50), [1, 0])
        self.assertEqual(self.left(), [5, 6])

    def test_a_clock_that_was_never_set(self) -> None:
        """Without any time that can be right, nothing is removed for its age, and no call repeats itself."""
        self.fill(*[1] * 1100)
        self.assertEqual(self.survey(100, earliest=50), [1100, 0, 1])
        self.assertEqual(self.trim(100, earliest=50), [0, 0])
        self.assertEqual(self.trim(100, 1050, earliest=50), [50, 0])

    def test_several_epochs(self) -> None:
        """Restarts of the store make no difference."""
        self.fill(10, 20)
        self.command("XADD", LOG, "8-3", "t", 30, "m", "")
        self.command("XADD", LOG, "9-4", "t", 40, "m", "")
        self.command("XADD", LOG, "20-5", "t", 50, "m", "")
        expected = [(10, 0), (11, 1), (25, 2), (35, 3), (45, 4), (55, 5)]
        self.assertEqual([(oldest, self.survey(oldest)[1]) for oldest, _ in expected], expected)
        self.trim(35)
        self.assertEqual(self.left(), [4, 5])

    def test_several_conversations(self) -> None:
        """Conversations are examined together; one that vanished meanwhile counts as empty."""
        self.fill(10, 20)
        reply = self.call("logs/survey", ["#none", CONVERSATION], 0, 15, ALL)
        self.assertEqual(reply, [0, 0, 0, 2, 1, 20])

    def test_no_such_log(self) -> None:
        """A conversation that vanished meanwhile is no error."""
        self.assertEqual(self.trim(5, 1), [0, 0])

    def test_without_memory(self) -> None:
        """Trimming is what makes room in a full memory."""
        self.fill(*range(10))
        self.fill_memory()
        self.assertEqual(self.trim(5), [5, 0])

    @PROPERTY
    @given(
        st.lists(st.integers(1, 5), max_size=300).map(sorted),
        st.integers(0, 6),
        st.integers(1, 320),
        st.sampled_from([100, 200, 1000]),
    )
    def test_any_log(self, times: list[int], oldest: int, count: int, most: int) -> None:
        """For any step size, trimming ends, and exactly the newest messages that are young enough are left."""
        self.fill(*times)
        told = self.survey(oldest, count)
        more, removed = 1, 0
        for _ in range(10):
            step, more = self.trim(oldest, count, most)
            self.assertLessEqual(step, 2 * most)
            removed += step
            if not more:
                break
        self.assertEqual(more, 0)
        young = [number for number, time in enumerate(times, 1) if time >= oldest]
        self.assertEqual(self.left(), young[-count:])
        self.assertEqual(removed, len(times) - len(young[-count:]))
        self.assertEqual(told, [len(times), removed, times[-1] if times else 0])

    @PROPERTY
    @given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(0, 6), st.integers(1, 40), st.data())
    def test_never_too_low(self, times: list[int], oldest: int, count: int, data: st.DataObject) -> None:
        """Whatever the clock did, and after erasures, no more goes than was told before."""
        self.fill(*times)
        for number in data.draw(st.sets(st.integers(1, len(times)), max_size=5)):
            self.command("XDEL", LOG, f"7-{number}")
        told = self.survey(oldest, count)[1]
        self.assertLessEqual(self.trim(oldest, count)[0], told)
