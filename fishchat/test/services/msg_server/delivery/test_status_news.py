"""What watchers are told when answers of the store and news cross, and what one change costs."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.bus import channels
from fishchat.errors import Refusal
from fishchat.model.device import Device
from fishchat.services.msg_server.delivery.status_news import GRACE, WATCHES, StatusNews
from fishchat.services.msg_server.delivery.watchers import Watchers
from fishchat.storage.wire import Unknown
from fishchat.test.support.owners import Unending
from fishchat.testing.fake_store import FakeStore

ONLINE, OFFLINE = [1, 5], [0, 9]
#: The pushes for these answers.
CAME, WENT = b"RESP_PRESENCE bob online 5\r\n", b"RESP_PRESENCE bob offline 9\r\n"


class NewsCase(SynchronousTestCase):
    """A server on which alice may watch bob."""

    def setUp(self) -> None:
        """Nobody watches."""
        self.store, self.clock, self.watchers = FakeStore(), Clock(), Watchers()
        self.news = StatusNews(self.store, self.watchers, self.clock)
        self.owner = Unending()
        self.lines = self.owner.lines
        self.alice = self.device("alice")

    def device(self, account: str) -> Device:
        """Return a device whose lines are those of the test."""
        name = account.encode()
        return Device(name, name + b"/main", b"ms1 a 1", self.owner, frozenset(), set())

    def watch(self, is_online: bool) -> None:
        """Let alice watch bob, who is online or not."""
        self.watchers.watch_account(self.alice, b"bob", 200)
        self.assertTrue(self.watchers.told_first(self.alice, b"bob", is_online))
        self.look(int(is_online))
        self.assertEqual((self.store.asked, self.lines), ([], []))

    def say(self, **status: list[str] | dict[str, str]) -> None:
        """Receive news."""
        self.news._heard(channels.ClientStatus(server="ms2", **status).encode())  # type: ignore[arg-type]

    def look(self, *answers: object) -> None:
        """Look once; ``answers`` are those of the store: first whether bob is online, then what is seen of him."""
        self.news.look()
        for answer in answers:
            self.store.answer([answer] if isinstance(answer, int) else answer)


class Crossing(NewsCase):
    """The order of answers."""

    def test_change_before_the_first_answer(self) -> None:
        """An account that comes while the store is asked for the first time is told by the next look."""
        self.watchers.watch_account(self.alice, b"bob", 200)
        self.say(came=["bob/main"])
        self.assertTrue(self.watchers.told_first(self.alice, b"bob", False))
        self.look(1, ONLINE)
        self.assertEqual(self.lines, [CAME])
        self.look(1)
        self.assertEqual((self.store.asked, self.lines), ([], [CAME]))

    def test_first_answer_late(self) -> None:
        """A first answer that is older than what was told meanwhile is not told; a newer change is not missed."""
        self.watchers.watch_account(self.alice, b"bob", 200)
        self.look(1, ONLINE)
        self.assertEqual(self.lines, [CAME])
        self.assertFalse(self.watchers.told_first(self.alice, b"bob", False))
        self.look(1)
        self.assertEqual((self.store.asked, self.lines), ([], [CAME]))

    def test_no_first_answer(self) -> None:
        """A watch that the store did not answer is told by the next look, also one that was told before."""
        self.watch(True)
        self.watchers.watch_account(self.alice, b"bob", 200)
        self.look(1, ONLINE)
        self.assertEqual(self.lines, [CAME])

    def test_another_watcher(self) -> None:
        """A watcher that begins between going and coming, of which the others are told nothing, ends with the truth."""
        self.watch(True)
        late = self.device("carol")
        self.watchers.watch_account(late, b"bob", 200)
        self.assertTrue(self.watchers.told_first(late, b"bob", False))
        self.look(1, ONLINE)
        self.assertEqual(self.lines, [CAME])

    def test_gone_while_told(self) -> None:
        """An account that leaves between the two questions of a look is told neither as online nor, yet, as offline."""
        self.watch(False)
        self.say(came=["bob/main"])
        self.look(1, OFFLINE)
        self.say(went=["bob/main"])
        self.look(0)
        self.clock.advance(GRACE)
        self.look(0)
        self.assertEqual((self.store.asked, self.lines), ([], []))

    def test_back_while_told(self) -> None:
        """An account that returns between the two questions of a look stays online."""
        self.watch(True)
        self.say(went=["bob/main"])
        self.clock.advance(GRACE)
        self.look(0, ONLINE)
        self.say(came=["bob/main"])
        self.look(1)
        self.assertEqual((self.store.asked, self.lines), ([], []))

    def test_revoked(self) -> None:
        """A revoked session is news like any other end of one."""
        self.watch(True)
        self.say(revoked={"bob/main": "disabled ms2 x 1"})
        self.clock.advance(GRACE - 1)
        self.look(0)
        self.assertEqual(self.lines, [])
        self.clock.advance(1)
        self.look(0, OFFLINE)
        self.assertEqual(self.lines, [WENT])

    def test_no_answer(self) -> None:
        """After a question without an answer everything is asked again, however far the look had come."""
        self.watch(False)
        self.say(came=["bob/main"])
        self.look(1, Unknown("no reply"))
        self.look(Unknown("no reply"))
        self.look(1, ONLINE)
        self.assertEqual(self.lines, [CAME])

    def test_away(self) -> None:
        """Without a connection nothing is asked; afterwards all watched accounts are looked at."""
        self.watch(False)
        self.store.drop("test")
        self.look()
        self.store.connect()
        self.look(1, ONLINE)
        self.assertEqual(self.lines, [CAME])


class Many(NewsCase):
    """One account with very many watchers."""

    def test_steps(self) -> None:
        """They are told in steps, so that other clients need not wait; one that leaves meanwhile is no matter."""
        devices = [self.device(f"p{number}") for number in range(10_000)]
        for device in devices:
            self.watchers.watch_account(device, b"bob", 200)
        self.look(0)
        self.say(came=["bob/main"])
        self.look(1)
        steps = 0
        while self.store.asked:
            [watches] = self.store.asked[0].values
            self.assertLessEqual(len(watches), 2 * WATCHES)
            self.store.answer(ONLINE * (len(watches) // 2))
            steps += 1
            if steps == 1:
                self.watchers.forget(devices[-1])
        self.assertEqual((steps, self.lines), (10_000 // WATCHES, [CAME] * 9_999))

    def test_nobody(self) -> None:
        """A server without watchers keeps nothing and asks nothing."""
        self.watch(True)
        self.watchers.forget(self.alice)
        self.say(came=["bob/main", "carol/main"], went=["dave/main"])
        self.look()
        self.assertEqual((self.store.asked, self.news._due, self.news._leaving), ([], set(), {}))


class Registry(NewsCase):
    """Who watches what."""

    def test_limit(self) -> None:
        """One more is refused, and takes no place."""
        for name in (b"a", b"b", b"a"):
            self.watchers.watch_account(self.alice, name, 2)
            self.watchers.watch_conversation(self.alice, b"alice+" + name, 2)
        for refused in (
            lambda: self.watchers.watch_account(self.alice, b"c", 2),
            lambda: self.watchers.watch_conversation(self.alice, b"alice+c", 2),
        ):
            self.assertEqual(self.assertRaises(Refusal, refused).extra, {"limit": 2})
        self.assertEqual(set(self.watchers.accounts), {b"a", b"b"})
        self.assertEqual(list(self.watchers.of(b"alice+c")), [])

    def test_forgotten(self) -> None:
        """Nothing is left of a device that has disconnected, nor of one that stops watching; twice is no matter."""
        empty = vars(Watchers())
        for name in (b"bob", b"carol"):
            self.watchers.watch_account(self.alice, name, 200)
            self.watchers.watch_conversation(self.alice, b"alice+" + name, 8)
        self.assertEqual(list(self.watchers.of(b"alice+bob")), [self.alice])
        for _ in range(2):
            self.watchers.unwatch_account(self.alice, b"bob")
            self.watchers.unwatch_conversation(self.alice, b"alice+bob")
        for _ in range(2):
            self.watchers.forget(self.alice)
        self.assertEqual(vars(self.watchers), empty)
        self.assertFalse(self.watchers.told_first(self.alice, b"bob", True))
