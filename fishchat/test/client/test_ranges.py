"""Ranges of messages that were not pushed: kept until they are handled, across connections and restarts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.client import Client
from fishchat.client.events import Behind
from fishchat.client.machine import Machine
from fishchat.client.ranges import Ranges
from fishchat.client.state import ClientState
from fishchat.test.client.test_machine import LOGIN, Talk

ALL = """
    connect
    S HELLO fishchat/1 server=ms1 auth=open maxline=8192 maxtext=7168 caps=ack,lazy,ops,time
    C HELLO 1 caps=ack,lazy,ops
    S OK HELLO fishchat/1 caps=ack,lazy,ops
    C @device=main SEND_CLIENT_ID alice
    S OK SEND_CLIENT_ID alice
    event Online()
"""
AWAY = """
    S RESP_BEHIND alice+bob 3 950
    event Behind('alice+bob', 3, 950)
    S RESP_MESSAGE_P2P bob alice+bob:7-951 new
    event Message('bob', 'new', 'alice+bob:7-951', 'alice+bob')
"""
FIRST = Behind("alice+bob", 3, 950)
ranges = st.tuples(st.integers(1, 30), st.integers(1, 30)).map(lambda ends: Behind("#pond", min(ends), max(ends)))


def numbers(of: list[Behind]) -> list[int]:
    """Return the numbers in these ranges."""
    return [number for one in of for number in range(one.first, one.last + 1)]


class Kept(SynchronousTestCase):
    """A machine whose driver says what is handled."""

    def machine(self, state: ClientState | None = None) -> Machine:
        """Return a machine with all capabilities."""
        return Machine("alice", state=state, manual_ack=True, lazy=True, own_reads=True)

    def test_before_the_acknowledgement(self) -> None:
        """The state that is saved before an acknowledgement has the range; handled, it is gone."""
        machine = self.machine()
        talk = Talk(self, machine)
        talk.play(ALL + AWAY + "S RESP_SYNCED\nevent Synced()\nfinish alice+bob:7-951")
        self.assertTrue(machine.changed)
        self.assertEqual(machine.snapshot().behind, {"alice+bob": [(3, 950)]})
        machine.saved()
        talk.play("at 1\nC SEND_ACK alice+bob:7-951")
        machine.finish_range(FIRST)
        self.assertTrue(machine.changed)
        self.assertEqual(machine.snapshot().behind, {})
        self.assertRaises(ValueError, machine.finish_range, FIRST)

    def test_again(self) -> None:
        """A range that the server repeats is reported once; a part that is new, alone."""
        talk = Talk(self, self.machine())
        talk.play(ALL + AWAY + "lost" + ALL + "S RESP_BEHIND alice+bob 3 960\nevent Behind('alice+bob', 951, 960)")

    def test_restart(self) -> None:
        """A program that starts again learns the ranges that it had not handled."""
        machine = self.machine()
        Talk(self, machine).play(ALL + AWAY)
        state = ClientState.from_json(machine.snapshot().to_json())
        again = self.machine(state)
        self.assertEqual(again.events(), [FIRST])
        again.finish_range(FIRST)
        self.assertEqual(again.snapshot().behind, {})

    def test_older_state(self) -> None:
        """A state from before there were ranges is still read."""
        self.assertEqual(ClientState.from_json(b'{"account":"alice"}').behind, {})

    def test_older_server(self) -> None:
        """A server without these capabilities pushes everything, and is used all the same."""
        older = ALL.replace("OK HELLO fishchat/1 caps=ack,lazy,ops", "OK HELLO fishchat/1 caps=ack")
        Talk(self, self.machine()).play(older)

    def test_not_asked_for(self) -> None:
        """Without being told to, a client asks for neither."""
        self.assertIn("C HELLO 1 caps=ack\n", LOGIN)
        Talk(self, Machine("alice")).play(LOGIN)

    def test_own_reads(self) -> None:
        """What another device has read is a read receipt of one's own account."""
        Talk(self, self.machine()).play(ALL + "S RESP_READ alice #fishing:7-2\nevent Read('alice', '#fishing:7-2')")

    @given(st.lists(ranges, max_size=8))
    def test_each_number_once(self, told: list[Behind]) -> None:
        """Every number of a range is reported once, and kept."""
        kept = Ranges()
        reported = [part for one in told for part in kept.told(one)]
        self.assertEqual(sorted(numbers(reported)), sorted(set(numbers(told))))
        state = ClientState("alice")
        kept.save(state)
        self.assertEqual(Ranges().restore(state), reported)


class Callbacks(SynchronousTestCase):
    """``on_behind`` of a Client."""

    def setUp(self) -> None:
        """A client that is not connected; a state has a range for it."""
        self.clock = Clock()
        state = ClientState("alice", behind={"alice+bob": [(3, 950)]})
        self.client = Client("alice", reactor=self.clock, state=state)

    def turn(self) -> None:
        """Let the client do what it does whenever it has anything to do."""
        self.client.send("bob", "hi")
        self.clock.advance(0)

    def test_handled(self) -> None:
        """A range is handled when the callback's Deferred is done."""
        called: list[Behind] = []
        waiting: Deferred[None] = Deferred()

        def on_behind(behind: Behind) -> Deferred[None]:
            called.append(behind)
            return waiting

        self.client.on_behind = on_behind
        self.turn()
        self.assertEqual((called, self.client.state.behind), ([FIRST], {"alice+bob": [(3, 950)]}))
        waiting.callback(None)
        self.assertEqual(self.client.state.behind, {})

    def test_no_callback(self) -> None:
        """Without a callback it stays in the state."""
        self.turn()
        self.assertEqual(self.client.state.behind, {"alice+bob": [(3, 950)]})
