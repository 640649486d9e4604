"""What the client library makes of replies and pushes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.client import Presence, Readers, Typing
from fishchat.client.pushes import parse_push
from fishchat.errors import ProtocolError
from fishchat.features.requests import RefusedError, Reply
from fishchat.features.watching import client, rows


class ClientTests(SynchronousTestCase):
    """Events, results and refusals."""

    def test_events(self) -> None:
        """Each push is an event; a state that is none is no part of the protocol."""
        for state, is_online in ((b"online", True), (b"offline", False)):
            push = parse_push(rows.RESP_PRESENCE.name, b"bob %s 1795581000123" % state, False)
            self.assertEqual(push, Presence("bob", is_online, 1795581000.123))
        self.assertEqual(parse_push(rows.RESP_TYPING.name, b"bob #fishing", False), Typing("bob", "#fishing"))
        self.assertRaises(ProtocolError, parse_push, rows.RESP_PRESENCE.name, b"bob away 1", False)

    def test_readers(self) -> None:
        """The first item of the list is the count; there may be no names."""
        parse = client.readers("#fishing:7-1").result
        items = [(b"120 500", False), (b"alice", False), (b"bob", False)]
        self.assertEqual(parse(Reply(items=items)), Readers(120, 500, ["alice", "bob"]))
        self.assertEqual(parse(Reply(items=[(b"0 3", False)])), Readers(0, 3, []))

    def test_refused(self) -> None:
        """What no server could accept is refused before it is sent."""
        for call, bad, word in (
            (client.watch, "Bob", "BADNAME"),
            (client.unwatch, "", "BADNAME"),
            (client.watch_conversation, "a+b+c", "BADID"),
            (client.unwatch_conversation, "#", "BADID"),
            (client.typing, "b c", "BADID"),
            (client.readers, "#fishing", "BADID"),
        ):
            self.assertEqual(self.assertRaises(RefusedError, call, bad).word, word)
