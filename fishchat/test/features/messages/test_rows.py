"""The engine writes the pushes of messages itself, many thousands a second: just as their rows would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.features.messages.rows import RESP_GAP, RESP_MESSAGE_P2P, RESP_MESSAGE_TOPIC, RESP_NOTICE
from fishchat.model.conversation import gap_line
from fishchat.model.message import ESCAPED, NOTICE, PLAIN, push_line
from fishchat.model.names import split_id
from fishchat.protocols.fields import NO_TAGS
from fishchat.test.support import strategies

_TALKS = strategies.conversations.filter(lambda one: one[:1] != b"@")


class PropertyTests(SynchronousTestCase):
    @given(_TALKS, strategies.numbers, strategies.numbers, strategies.names, strategies.written_texts, st.booleans())
    def test_messages(self, talk: bytes, epoch: int, seq: int, sender: bytes, text: bytes, escaped: bool) -> None:
        """A message to an account and to a topic, with escapes or without."""
        message_id = b"%s:%d-%d" % (talk, epoch, seq)
        tags = {b"esc": b""} if escaped else NO_TAGS
        if talk[:1] == b"#":
            line = RESP_MESSAGE_TOPIC.line(talk[1:], sender, split_id(message_id), text=text, tags=tags)
        else:
            line = RESP_MESSAGE_P2P.line(sender, split_id(message_id), text=text, tags=tags)
        flag = ESCAPED if escaped else PLAIN
        self.assertEqual(push_line(talk, message_id, sender, flag, text), line + b"\r\n")

    @given(strategies.ids, strategies.names, strategies.written_texts)
    def test_notices(self, message_id: bytes, sender: bytes, text: bytes) -> None:
        """A notice, in whatever conversation."""
        line = RESP_NOTICE.line(sender, split_id(message_id), text=text)
        talk = split_id(message_id)[0]
        self.assertEqual(push_line(talk, message_id, sender, NOTICE, text), line + b"\r\n")

    @given(strategies.conversations, strategies.numbers, strategies.numbers)
    def test_gaps(self, talk: bytes, first: int, last: int) -> None:
        """A gap."""
        self.assertEqual(gap_line(talk, first, last), RESP_GAP.line(talk, first, last) + b"\r\n")
