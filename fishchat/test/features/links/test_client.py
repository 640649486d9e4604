"""Links, requests and the directory, as the client library sees them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.client import JoinRequest, Link, ListedTopic, NewLink, RefusedError
from fishchat.features.links import client as links
from fishchat.features.requests import Reply
from fishchat.features.topics import client as topics


class Replies(SynchronousTestCase):
    """What is made of the replies."""

    def test_joining(self) -> None:
        """Whether one is a member now, also in a topic that is called pending."""
        self.assertEqual([topics.join("a").result(Reply(rest)) for rest in (b"a", b"a pending")], [True, False])
        self.assertTrue(topics.join("pending").result(Reply(b"pending")))
        found = [links.join_link("fcj_a").result(Reply(rest)) for rest in (b"a", b"a pending", b"pending")]
        self.assertEqual(found, [("a", True), ("a", False), ("pending", True)])

    def test_links(self) -> None:
        """A new link has a code and an id; a list has what is left of each."""
        self.assertEqual(links.create_link("a").result(Reply(b"fcj_x 0123456789")), NewLink("fcj_x", "0123456789"))
        self.assertEqual(links.revoke_link("a", "all").result(Reply(b"a 3")), 3)
        items = [(b"0123456789 alice 2 1795581000123 direct", False), (b"abcdefabcd bob - 7 approval", False)]
        one, two = Link("0123456789", "alice", 2, 1795581000.123, False), Link("abcdefabcd", "bob", None, 0.007, True)
        self.assertEqual(links.links("a").result(Reply(items=items)), [one, two])

    def test_requests(self) -> None:
        """With a text, which may have blanks, or without."""
        found = links.join_requests("a").result(Reply(items=[(b"bob 5 let  me in", False), (b"carol 6", False)]))
        self.assertEqual(found, [JoinRequest("bob", 0.005, "let  me in"), JoinRequest("carol", 0.006)])

    def test_directory(self) -> None:
        """With a title or without."""
        found = links.directory().result(Reply(items=[(b"a open 2 All of us", False), (b"b approval 3", False)]))
        self.assertEqual(found, [ListedTopic("a", "open", 2, "All of us"), ListedTopic("b", "approval", 3)])

    def test_impossible(self) -> None:
        """What no line can hold is refused at once."""
        for code in ("", "a b", "x" * 41, "é", "a\nb"):
            self.assertRaises(RefusedError, links.join_link, code)
        self.assertRaises(RefusedError, links.join_link, "fcj_a", "two\nlines")
        self.assertRaises(RefusedError, topics.join, "a", "two\nlines")
        self.assertRaises(RefusedError, links.directory, "Fish")

    def test_repeated(self) -> None:
        """After an unknown outcome, the refusal of the second attempt may mean that the first one succeeded."""
        self.assertEqual(links.accept_member("a", "bob").settled, "EXISTS")
        self.assertEqual(links.refuse_member("a", "bob").settled, "NOTFOUND")
