"""The engine writes the pushes of messages by hand, because they are the hot path, and as their rows would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.features.messages.rows import RESP_GAP, RESP_MESSAGE_P2P, RESP_MESSAGE_TOPIC, RESP_NOTICE
from fishchat.model.conversation import gap_line
from fishchat.model.message import ESCAPED, NOTICE, PLAIN, TIMED_LINES, from_body, pack_body, pack_form, push_line
from fishchat.model.names import split_id
from fishchat.protocols.fields import NO_TAGS, Tag
from fishchat.protocols.lines import escape_tag
from fishchat.protocols.rows import Push
from fishchat.test.support import strategies

_TALKS = strategies.conversations.filter(lambda one: one[:1] != b"@")
#: Attributes of a stored form as a later feature may add them: name → value before it is escaped.
_ATTRIBUTES = st.dictionaries(
    st.sampled_from([b"client", b"reply", b"x"]), st.binary(max_size=8).filter(lambda one: b"\0" not in one), max_size=3
)
_TIMES = st.none() | strategies.numbers


def written(row: Push, tags: Mapping[bytes, bytes], *values: Any, text: bytes) -> bytes:
    """Return what ``row`` writes, with all ``tags`` as rows of their own."""
    known = tuple(Tag(name, "", bytes, b"x") for name in tags)
    return replace(row, tags=known).line(*values, text=text, tags=tags) + b"\r\n"


def form_of(kind: bytes, attributes: Mapping[bytes, bytes]) -> bytes:
    """Return the stored form with these attributes."""
    return pack_form(kind, {name: escape_tag(value) for name, value in attributes.items()})


def pushed(talk: bytes, epoch: int, seq: int, sender: bytes, form: bytes, text: bytes, time: int | None) -> bytes:
    """Return the engine's push of a stored message, to a client that asked for times or for none."""
    message = from_body(talk, epoch, seq, pack_body(sender, b"phone", -1, form, text), time or 0)
    return message.line if time is None else message.rendered(TIMED_LINES)


def tags_of(time: int | None, attributes: Mapping[bytes, bytes], escaped: bool = False) -> dict[bytes, bytes]:
    """Return the tags of a push in their order."""
    timed = {} if time is None else {b"time": b"%d" % time}
    return {**timed, **dict(sorted(attributes.items())), **({b"esc": b""} if escaped else {})}


class PropertyTests(SynchronousTestCase):
    @given(
        _TALKS,
        strategies.numbers,
        strategies.numbers,
        strategies.names,
        strategies.written_texts,
        st.booleans(),
        _ATTRIBUTES,
        _TIMES,
    )
    def test_messages(
        self,
        talk: bytes,
        epoch: int,
        seq: int,
        sender: bytes,
        text: bytes,
        escaped: bool,
        attributes: dict[bytes, bytes],
        time: int | None,
    ) -> None:
        """A message to an account and to a topic: plain, with escapes, with attributes, with its time."""
        id_ = split_id(b"%s:%d-%d" % (talk, epoch, seq))
        tags = tags_of(time, attributes, escaped)
        if talk[:1] == b"#":
            line = written(RESP_MESSAGE_TOPIC, tags, talk[1:], sender, id_, text=text)
        else:
            line = written(RESP_MESSAGE_P2P, tags, sender, id_, text=text)
        form = form_of(ESCAPED if escaped else PLAIN, attributes)
        self.assertEqual(pushed(talk, epoch, seq, sender, form, text, time), line)

    @given(_TALKS, strategies.numbers, strategies.numbers, strategies.names, strategies.written_texts, st.booleans())
    def test_rows_alone(self, talk: bytes, epoch: int, seq: int, sender: bytes, text: bytes, escaped: bool) -> None:
        """The tags that a row has today are enough for messages with escapes and without."""
        message_id = b"%s:%d-%d" % (talk, epoch, seq)
        tags = {b"esc": b""} if escaped else NO_TAGS
        if talk[:1] == b"#":
            line = RESP_MESSAGE_TOPIC.line(talk[1:], sender, split_id(message_id), text=text, tags=tags)
        else:
            line = RESP_MESSAGE_P2P.line(sender, split_id(message_id), text=text, tags=tags)
        flag = ESCAPED if escaped else PLAIN
        self.assertEqual(push_line(talk, message_id, sender, flag, text), line + b"\r\n")

    @given(strategies.ids, strategies.names, strategies.written_texts, _ATTRIBUTES, _TIMES)
    def test_notices(
        self, message_id: bytes, sender: bytes, text: bytes, attributes: dict[bytes, bytes], time: int | None
    ) -> None:
        """A notice in any conversation, with attributes and its time."""
        id_ = split_id(message_id)
        talk, epoch, seq = id_
        line = written(RESP_NOTICE, tags_of(time, attributes), sender, id_, text=text)
        self.assertEqual(pushed(talk, epoch, seq, sender, form_of(NOTICE, attributes), text, time), line)

    @given(strategies.conversations, strategies.numbers, strategies.numbers)
    def test_gaps(self, talk: bytes, first: int, last: int) -> None:
        """A gap."""
        self.assertEqual(gap_line(talk, first, last), RESP_GAP.line(talk, first, last) + b"\r\n")
