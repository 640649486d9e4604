"""A message in the store, and the line that a client gets of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.client.events import Message as Told
from fishchat.client.pushes import parse_push
from fishchat.errors import WORDS, Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS, VERBS
from fishchat.features.requests import text_of
from fishchat.model.conversation import gap_line
from fishchat.model.message import ESCAPED, NOTICE, PLAIN, from_body, item_line, pack_body, push_line
from fishchat.model.names import message_id, p2p, topic_conversation
from fishchat.protocols.help import help_lines
from fishchat.protocols.lines import MAX_LINE, MAX_OUT, MAX_TEXT
from fishchat.protocols.replies import error_line, list_lines, ok_line
from fishchat.test.support import strategies

flags = st.sampled_from([PLAIN, ESCAPED])


class PushTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Each kind has its verb, and escaped text its mark."""
        for conversation, flag, line in [
            (b"alice+bob", PLAIN, b"RESP_MESSAGE_P2P alice alice+bob:7-1 hi  you\r\n"),
            (b"#fishing", PLAIN, b"RESP_MESSAGE_TOPIC fishing alice #fishing:7-1 hi  you\r\n"),
            (b"alice+bob", ESCAPED, b"@esc RESP_MESSAGE_P2P alice alice+bob:7-1 hi  you\r\n"),
            (b"@bob", NOTICE, b"RESP_NOTICE alice @bob:7-1 hi  you\r\n"),
            (b"#fishing", NOTICE, b"RESP_NOTICE alice #fishing:7-1 hi  you\r\n"),
        ]:
            self.assertEqual(push_line(conversation, conversation + b":7-1", b"alice", flag, b"hi  you"), line)

    @given(strategies.conversations, strategies.numbers, strategies.numbers, strategies.names, flags, strategies.texts)
    def test_through_the_store(
        self, conversation: bytes, epoch: int, seq: int, name: bytes, flag: bytes, text: bytes
    ) -> None:
        """What was packed comes out as it was, blanks and all, in the push and in the history."""
        if conversation[:1] == b"@":
            conversation = b"#" + conversation[1:]
        body = pack_body(name, b"phone", -1, flag, text)
        message = from_body(conversation, epoch, seq, body, 17)
        self.assertEqual((message.position, message.sender), ((epoch, seq), name + b"/phone"))
        id_ = message_id(conversation, epoch, seq)
        self.assertEqual(message.line, push_line(conversation, id_, name, flag, text))
        item = b"%s %s 1795446772956 %s" % (id_, name, text)
        self.assertEqual(
            item_line(conversation, b"%d-%d" % (epoch, seq), b"1795446772956", body),
            (item, b"esc" if flag == ESCAPED else b""),
        )

    @given(strategies.conversations.filter(lambda one: one[:1] != b"@"), strategies.names, strategies.texts)
    def test_understood(self, conversation: bytes, name: bytes, text: bytes) -> None:
        """The client library reads the same message."""
        line = push_line(conversation, conversation + b":7-1", name, PLAIN, text)
        verb, _, rest = line[:-2].partition(b" ")
        told = parse_push(verb, rest, False)
        assert isinstance(told, Told)
        self.assertEqual(
            (told.from_, told.text, told.id), (name.decode(), text_of(text, False), f"{conversation.decode()}:7-1")
        )


class LimitTests(SynchronousTestCase):
    def test_line_out(self) -> None:
        """The longest line that the server can say stays under its limit."""
        name, other, text = b"a" * 32, b"b" * 32, b"\\" * MAX_TEXT
        id_ = message_id(p2p(name, other), 10**15 - 1, 10**15 - 1)
        tags = {b"id": b" " * 64}
        command = MSG_SERVER_COMMANDS.parse(b"@id=" + rb"\s" * 64 + b" HELP")
        self.assertEqual(command.tags, tags)
        body = pack_body(name, other, 10**15 - 1, ESCAPED, text)
        item = item_line(p2p(name, other), b"%d-%d" % (10**15 - 1, 10**15 - 1), b"9" * 15, body)
        said = [
            push_line(topic_conversation(name), b"#" + id_[:64], other, ESCAPED, text),
            push_line(p2p(name, other), id_, name, ESCAPED, text),
            gap_line(p2p(name, other), 1, 10**15 - 1),
            list_lines(command, [item]),
            ok_line(command, id_),
            help_lines(MSG_SERVER_COMMANDS, command),
        ]
        said += [error_line(Refusal(word, expected=10**15), verb, tags) for word in WORDS for verb in VERBS]
        longest = max(len(line) for lines in said for line in lines.splitlines(keepends=True))
        self.assertLess(longest, MAX_OUT)
        self.assertLess(longest, MAX_LINE, "as it stands, a client may use the same limit in both directions")
