"""From pushes to events: each has one, and what is unknown is passed over."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.client import pushes
from fishchat.client.machine import Machine
from fishchat.client.pushes import EVENTS, parse_push
from fishchat.errors import ProtocolError
from fishchat.features.messages.client import Gap, Message, Read
from fishchat.features.messages.rows import RESP_MESSAGE_TOPIC
from fishchat.features.registry import PUSHES
from fishchat.protocols.fields import Field
from fishchat.protocols.rows import Push, Text
from fishchat.test.client.test_machine import LOGIN, Talk
from fishchat.test.support import strategies

#: Said to a client that knows nothing of them.
UNKNOWN = """
    S RESP_WEATHER rain
    S @a=1;b=\\:;c RESP_WEATHER
    S RESP_
    S @edited=alice+bob:7-1;mood=fine\\sday;x RESP_MESSAGE_P2P bob alice+bob:7-1 hi
    event Message('bob', 'hi', 'alice+bob:7-1', 'alice+bob', edited='alice+bob:7-1')
    S @reply=alice+bob:7-1;esc RESP_MESSAGE_P2P bob alice+bob:7-2 two\\nlines
    event Message('bob', 'two\\nlines', 'alice+bob:7-2', 'alice+bob', reply='alice+bob:7-1')
    S @why=retention RESP_GAP alice+bob 3 5
    event Gap('alice+bob', 3, 5)
    ask conversations
    C REQ_CONVERSATIONS
    S @new=1 BEGIN REQ_CONVERSATIONS 1
    S @mood=fine;since=1 ITEM alice+bob 7 5 2
    S @new=1 END REQ_CONVERSATIONS
    event Settled(1, [Conversation('alice+bob', 7, 5, 2)])
    at 1
    C SEND_ACK alice+bob:7-2
"""


class PassingOverTests(SynchronousTestCase):
    """A later server may say more than this client knows."""

    def test_unknown(self) -> None:
        """Unknown pushes are passed over, unknown tags are no matter, on pushes and on replies."""
        Talk(self, Machine("alice")).play(LOGIN + UNKNOWN)

    def test_more_fields(self) -> None:
        """So are fields that a later server adds to a push."""
        self.assertEqual(parse_push(b"RESP_GAP", b"alice+bob 1 2 retention", False), Gap("alice+bob", 1, 2))
        self.assertEqual(parse_push(b"RESP_READ", b"bob alice+bob:7-1 now", False), Read("bob", "alice+bob:7-1"))
        self.assertIsNone(parse_push(b"RESP_WEATHER", b"rain", False))


class _Weather:
    """An event of a feature that the library has no callback for."""


class FeatureTests(SynchronousTestCase):
    """The library takes pushes and their events from the features."""

    def test_complete(self) -> None:
        """Every push has an event, and it is the one that its row names."""
        self.assertEqual(set(EVENTS), set(PUSHES))
        for push in PUSHES:
            name, _, rest = push.example.partition(b" ")
            self.assertEqual(type(parse_push(name, rest, False)).__name__, push.event)

    def test_new_event(self) -> None:
        """The event of a push that only a feature knows comes out of the machine as it is."""
        weather = Push(b"RESP_WEATHER", "tells the weather", event="_Weather")
        self.patch(pushes, "_BY_NAME", {weather.name: (weather, _Weather)})
        machine = Machine("alice")
        Talk(self, machine).play(LOGIN.replace("S RESP_SYNCED", "").replace("event Synced()", ""))
        machine.received(b"RESP_WEATHER", 0.0)
        self.assertEqual([type(event) for event in machine.events()], [_Weather])


def _raw(one: Field) -> st.SearchStrategy[bytes]:
    return strategies.FIELD_VALUES[one.name]


@st.composite
def pushed(draw: st.DrawFn) -> tuple[Push, list[Any], bytes]:
    """A push with values that fit it."""
    push = draw(st.sampled_from(PUSHES))
    values = [one.read(draw(_raw(one))) for one in push.fields]
    return push, values, b"" if push.text is Text.NONE else draw(strategies.written_texts)


class PropertyTests(SynchronousTestCase):
    @given(pushed())
    def test_understood(self, drawn: tuple[Push, list[Any], bytes]) -> None:
        """The line of any push becomes its event, which holds what was written."""
        push, values, text = drawn
        name, _, rest = push.line(*values, text=text).partition(b" ")
        event: Any = parse_push(name, rest, False)
        self.assertEqual(type(event).__name__, push.event)
        if isinstance(event, Message):
            self.assertEqual((event.text, event.topic is None), (text.decode(), push is not RESP_MESSAGE_TOPIC))

    @given(st.sampled_from(PUSHES), st.one_of(st.binary(), strategies.streams), st.booleans())
    def test_any_bytes(self, push: Push, rest: bytes, escaped: bool) -> None:
        """Any bytes behind its name are an event, or what the machine takes for a broken connection."""
        try:
            event = parse_push(push.name, rest, escaped)
        except (ValueError, ProtocolError):
            return
        self.assertEqual(type(event).__name__, push.event)
