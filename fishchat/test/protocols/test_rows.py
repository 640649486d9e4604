"""Rows in both directions: what is written is read as what it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import ProtocolError
from fishchat.features.messages.rows import REQ_HISTORY, RESP_MESSAGE_P2P, SEND_ACK, SEND_MESSAGE_P2P
from fishchat.features.registry import MSG_SERVER_COMMANDS, PUSHES, VERBS
from fishchat.features.session.rows import QUIT, RESP_MOVE, RESP_SYNCED
from fishchat.features.topics.rows import CREATE_TOPIC, INVITE_TOPIC
from fishchat.protocols.fields import Field, Tag
from fishchat.protocols.lines import parse_tags
from fishchat.protocols.rows import Push, Row, Text, Verb
from fishchat.services.gateway.rows import GATEWAY_COMMANDS, REQ_MSG_SERVER
from fishchat.test.support import strategies

ID = (b"alice+bob", 7, 1)


class WritingTests(SynchronousTestCase):
    """What ``line`` writes."""

    def test_lines(self) -> None:
        """Fields, text and tags stand where they belong, without the line's ending."""
        for line, written in [
            (QUIT.line(), b"QUIT"),
            (INVITE_TOPIC.line(b"club", b"bob"), b"INVITE_TOPIC club bob"),
            (SEND_ACK.line(ID), b"SEND_ACK alice+bob:7-1"),
            (SEND_MESSAGE_P2P.line(b"bob", text=b"hi  you"), b"SEND_MESSAGE_P2P bob hi  you"),
            (
                SEND_MESSAGE_P2P.line(b"bob", text=rb"a\nb", tags={b"cseq": 7, b"esc": b"", b"id": b"a b"}),
                rb"@cseq=7;esc;id=a\sb SEND_MESSAGE_P2P bob a\nb",
            ),
            (
                REQ_HISTORY.line(b"#a", tags={b"after": ID, b"limit": 5}),
                b"@after=alice+bob:7-1;limit=5 REQ_HISTORY #a",
            ),
            (CREATE_TOPIC.line(b"club", tags={b"kind": b"invitation"}), b"@kind=invitation CREATE_TOPIC club"),
            (RESP_SYNCED.line(), b"RESP_SYNCED"),
            (RESP_MOVE.line(None, 5), b"RESP_MOVE - within=5"),
            (RESP_MOVE.line(b"[::1]:19000", 30), b"RESP_MOVE [::1]:19000 within=30"),
            (RESP_MESSAGE_P2P.line(b"bob", ID, text=b"hi"), b"RESP_MESSAGE_P2P bob alice+bob:7-1 hi"),
        ]:
            self.assertEqual(line, written)

    def test_not_written(self) -> None:
        """A line that the row could not read is not written."""
        wrong: list[tuple[Row, tuple[Any, ...], dict[str, Any]]] = [
            (INVITE_TOPIC, (b"club",), {}),
            (INVITE_TOPIC, (b"club", b"bob", b"carol"), {}),
            (INVITE_TOPIC, (b"club", b"bob"), {"text": b"x"}),
            (SEND_MESSAGE_P2P, (b"bob",), {}),
            (QUIT, (), {"tags": {b"cseq": 1}}),
            (RESP_SYNCED, (), {"tags": {b"id": b"1"}}),
        ]
        for row, values, more in wrong:
            self.assertRaises(ValueError, row.line, *values, **more)

    def test_example(self) -> None:
        """The example of every row is a line of it."""
        for verb in VERBS:
            self.assertIs(MSG_SERVER_COMMANDS.parse(verb.example).verb, verb)
        self.assertIs(GATEWAY_COMMANDS.parse(REQ_MSG_SERVER.example).verb, REQ_MSG_SERVER)
        for push in PUSHES:
            values, text = push.read(push.example.partition(b" ")[2])
            self.assertEqual(push.line(*values, text=text), push.example)
        for row in (*VERBS, *PUSHES):
            for tag in row.tags:
                tag.read(tag.sample)


class ReadingTests(SynchronousTestCase):
    def test_by_name(self) -> None:
        """A field of a command is found by its name."""
        command = MSG_SERVER_COMMANDS.parse(b"INVITE club bob")
        self.assertEqual((command["topic"], command["account"]), (b"club", b"bob"))
        self.assertRaises(KeyError, command.__getitem__, "device")

    def test_longer_push(self) -> None:
        """What a later server adds behind the fields of a push is passed over."""
        self.assertEqual(RESP_MOVE.read(b"- within=5 why=upgrade"), ([None, 5.0], b""))
        self.assertEqual(RESP_SYNCED.read(b"more"), ([], b""))

    def test_short_push(self) -> None:
        """A push without all of its fields is refused."""
        for push in PUSHES:
            if push.fields and push.name != b"RESP_REVOKED":
                self.assertRaises(ProtocolError, push.read, b"")


def _value(one: Field) -> st.SearchStrategy[Any]:
    return strategies.FIELD_VALUES[one.name].map(one.read)


def _tag(row: Row, one: Tag) -> st.SearchStrategy[Any]:
    return strategies.tag_values(row.name, one.name).map(one.read)


@st.composite
def parts(draw: st.DrawFn, row: Row) -> tuple[list[Any], bytes, dict[bytes, Any]]:
    """Values that fit the row."""
    values = [draw(_value(one)) for one in row.fields]
    tags = {tag.name: draw(_tag(row, tag)) for tag in row.tags if draw(st.booleans())}
    text = b""
    if row.text is not Text.NONE:
        text = draw(strategies.written_texts if row.text is Text.REQUIRED else strategies.texts)
        if b"esc" in tags:
            text = text.replace(b"\\", rb"\\")
    return values, text, tags


class PropertyTests(SynchronousTestCase):
    @given(st.sampled_from(VERBS).flatmap(lambda verb: st.tuples(st.just(verb), parts(verb))))
    def test_verbs(self, drawn: tuple[Verb, tuple[list[Any], bytes, dict[bytes, Any]]]) -> None:
        """What a verb's row writes, the server reads as that verb with the same values."""
        verb, (values, text, tags) = drawn
        command = MSG_SERVER_COMMANDS.parse(verb.line(*values, text=text, tags=tags))
        self.assertEqual((command.verb, command.fields, command.text, command.tags), (verb, values, text, tags))

    @given(st.sampled_from(PUSHES).flatmap(lambda push: st.tuples(st.just(push), parts(push))))
    def test_pushes(self, drawn: tuple[Push, tuple[list[Any], bytes, dict[bytes, Any]]]) -> None:
        """What a push's row writes, it reads as the same values."""
        push, (values, text, tags) = drawn
        line = push.line(*values, text=text, tags=tags)
        if line[:1] == b"@":
            raw, _, line = line[1:].partition(b" ")
            found = {name: push.tag_rows[name].read(value) for name, value in parse_tags(raw).items()}
            self.assertEqual(found, tags)
        name, _, rest = line.partition(b" ")
        self.assertEqual((name, push.read(rest)), (push.name, (values, text)))

    @given(st.sampled_from(PUSHES), st.one_of(st.binary(), strategies.streams))
    def test_any_bytes(self, push: Push, rest: bytes) -> None:
        """Any bytes behind the name of a push are values or a ProtocolError, nothing else."""
        try:
            values, _ = push.read(rest)
        except ProtocolError:
            return
        self.assertEqual(len(values), len(push.fields))
