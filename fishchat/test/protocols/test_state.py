"""The life of a connection."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS, VERBS
from fishchat.protocols.rows import State
from fishchat.protocols.state import TRANSITIONS, Event, after, guard
from fishchat.services.gateway.rows import GATEWAY_VERBS


class TransitionTests(SynchronousTestCase):
    def test_a_life(self) -> None:
        """A login that is refused may be tried again; after one that is not comes the end."""
        state = State.GREETED
        for event, next_state in [
            (Event.LOGIN, State.LOGGING_IN),
            (Event.REFUSED, State.GREETED),
            (Event.LOGIN, State.LOGGING_IN),
            (Event.WELCOME, State.ONLINE),
            (Event.END, State.CLOSING),
        ]:
            state = after(state, event)
            self.assertIs(state, next_state)

    def test_missing(self) -> None:
        """A second login, or an answer to none, is a defect of ours and shows at once."""
        for state, event in [
            (State.ONLINE, Event.LOGIN),
            (State.LOGGING_IN, Event.LOGIN),
            (State.CLOSING, Event.LOGIN),
            (State.GREETED, Event.WELCOME),
            (State.ONLINE, Event.WELCOME),
            (State.GREETED, Event.REFUSED),
        ]:
            self.assertRaises(KeyError, after, state, event)

    def test_end(self) -> None:
        """Every state may end, and nothing leads out of the end."""
        for state in State:
            self.assertIs(after(state, Event.END), State.CLOSING)
        self.assertEqual({to for (at, _), to in TRANSITIONS.items() if at is State.CLOSING}, {State.CLOSING})


class GuardTests(SynchronousTestCase):
    def test_table(self) -> None:
        """A verb is allowed in the states of its row; in others STATE says what to do instead."""
        for state in State:
            for verb in (*VERBS, *GATEWAY_VERBS):
                if state in verb.states:
                    guard(state, verb)
                else:
                    refusal = self.assertRaises(Refusal, guard, state, verb)
                    self.assertEqual(refusal.word, "STATE")
                    self.assertTrue(refusal.text)

    def test_rows(self) -> None:
        """Nothing that needs an account is possible without one, and nothing at all while closing."""
        before = {verb.name for verb in VERBS if State.GREETED in verb.states}
        logins = {b"SEND_CLIENT_ID", b"SEND_AUTH", b"CREATE_CLIENT", b"REDEEM_CODE"}
        self.assertEqual(before, {b"HELLO", b"SEND_PING", b"HELP", b"QUIT"} | logins)
        for verb in VERBS:
            self.assertNotIn(State.CLOSING, verb.states)

    def test_hint(self) -> None:
        """Before the login the refusal says how to log in."""
        verb = MSG_SERVER_COMMANDS.find(b"MSG")
        assert verb is not None
        refusal = self.assertRaises(Refusal, guard, State.GREETED, verb)
        self.assertIn("LOGIN", refusal.text)
