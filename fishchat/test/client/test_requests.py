"""Requests of the client library: each line is the command that it means, and every verb has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from fishchat.client import Device, Readers, Topic
from fishchat.client.addresses import GatewayQuestion
from fishchat.client.security import Security
from fishchat.features.accounts import client as accounts
from fishchat.features.contacts import client as contacts
from fishchat.features.items import sums_of
from fishchat.features.links import client as links
from fishchat.features.messages import client as messages
from fishchat.features.moderation import client as moderation
from fishchat.features.operations import client as operations
from fishchat.features.preferences import client as preferences
from fishchat.features.registry import MSG_SERVER_COMMANDS, VERBS
from fishchat.features.reports import client as reports
from fishchat.features.requests import Numbered, RefusedError, Reply, Request, line_text
from fishchat.features.session import client as session
from fishchat.features.topics import client as topics
from fishchat.features.watching import client as watching
from fishchat.protocols.lines import MAX_TEXT
from fishchat.protocols.table import Command
from fishchat.services.gateway.rows import GATEWAY_COMMANDS, REQ_MSG_SERVER
from fishchat.test.protocols.test_table import ID, said

MESSAGE = "alice+bob:471893-17"
#: What the machine says itself, or a person at a keyboard.
NOT_REQUESTED = {
    *(b"HELLO", b"SEND_CLIENT_ID", b"SEND_AUTH", b"SEND_MESSAGE_P2P", b"SEND_MESSAGE_TOPIC", b"SEND_ACK", b"QUIT"),
    *(b"HELP", b"LOCATE_TOPIC_MSG_ADDR"),
}


#: The tag of a link, which is a keyword of Python.
SECONDS: dict[str, Any] = {"for": 60}


class GatewayTests(SynchronousTestCase):
    def test_question(self) -> None:
        """The question for a msg_server is the gateway's verb, which the library cannot import."""
        question = GatewayQuestion(Security(False), "127.0.0.1:17000")
        question.makeConnection(transport := StringTransport())
        self.assertIs(GATEWAY_COMMANDS.parse(transport.value().rstrip()).verb, REQ_MSG_SERVER)


class RequestTests(SynchronousTestCase):
    def test_requests(self) -> None:
        """What the client library writes is what it means."""
        samples: list[tuple[Request[Any], Command]] = [
            (session.ping(), said("SEND_PING")),
            (topics.create_topic("a", "open"), said("CREATE_TOPIC", b"a")),
            (topics.create_topic("a", "invitation"), said("CREATE_TOPIC", b"a", kind=b"invitation")),
            (
                topics.create_topic("a", "approval", "admins", "all", listed=True),
                said("CREATE_TOPIC", b"a", kind=b"approval", write=b"admins", history=b"all", listed=b""),
            ),
            (topics.join("a"), said("JOIN_TOPIC", b"a")),
            (watching.watch("bob"), said("WATCH_CLIENT", b"bob")),
            (watching.unwatch("bob"), said("UNWATCH_CLIENT", b"bob")),
            (watching.watch_conversation("#a"), said("WATCH_CONVERSATION", b"#a")),
            (watching.unwatch_conversation("bob"), said("UNWATCH_CONVERSATION", b"bob")),
            (watching.typing("bob+alice"), said("SEND_TYPING", b"alice+bob")),
            (watching.readers("alice+bob:471893-17"), said("REQ_READERS", ID)),
            (topics.join("a", "let me in"), said("JOIN_TOPIC", b"a", text="let me in")),
            (links.create_link("a"), said("CREATE_LINK", b"a")),
            (links.create_link("a", 60, 3, approval=True), said("CREATE_LINK", b"a", uses=3, approval=b"", **SECONDS)),
            (links.revoke_link("a", "all"), said("REVOKE_LINK", b"a", b"all")),
            (links.links("a"), said("REQ_LINKS", b"a")),
            (links.join_link("fcj_a", "may I?"), said("JOIN_LINK", b"fcj_a", text="may I?")),
            (links.join_requests("a"), said("REQ_REQUESTS", b"a")),
            (links.accept_member("a", "bob"), said("ACCEPT_MEMBER", b"a", b"bob")),
            (links.refuse_member("a", "bob", "not now"), said("REFUSE_MEMBER", b"a", b"bob", text="not now")),
            (links.directory(), said("REQ_DIRECTORY")),
            (links.directory("fi", "fish", 3), said("REQ_DIRECTORY", text="fi", after=b"fish", limit=3)),
            (topics.leave("a"), said("LEAVE_TOPIC", b"a")),
            (topics.invite("a", "bob"), said("INVITE_TOPIC", b"a", b"bob")),
            (topics.dismiss("a"), said("DISMISS_TOPIC", b"a")),
            (
                moderation.set_topic("a", "about", "fish  & boats"),
                said("SET_TOPIC", b"a", b"about", text="fish  & boats"),
            ),
            (moderation.set_topic("a", "name", ""), said("SET_TOPIC", b"a", b"name", text="-")),
            (moderation.describe("a"), said("REQ_TOPIC", b"a")),
            (moderation.set_role("a", "bob", "admin"), said("SET_ROLE", b"a", b"bob", b"admin")),
            (moderation.transfer("a", "bob"), said("TRANSFER_TOPIC", b"a", b"bob")),
            (moderation.kick("a", "bob"), said("KICK_MEMBER", b"a", b"bob")),
            (moderation.ban("a", "bob", "spam", 60), said("BAN_MEMBER", b"a", b"bob", text="spam", **{"for": 60})),
            (moderation.unban("a", "bob"), said("UNBAN_MEMBER", b"a", b"bob")),
            (moderation.banned("a", "bob", 7), said("REQ_BANNED", b"a", after=b"bob", limit=7)),
            (moderation.mute("a", "bob"), said("MUTE_MEMBER", b"a", b"bob")),
            (moderation.unmute("a", "bob"), said("UNMUTE_MEMBER", b"a", b"bob")),
            (messages.mark_read("alice+bob:471893-17"), said("SEND_READ", ID)),
            (messages.mark_read("bob"), said("SEND_READ", b"bob")),
            (messages.history("bob+alice", None, None, 50), said("REQ_HISTORY", b"alice+bob", limit=50)),
            (accounts.status("bob"), said("REQ_CLIENT_STATUS", b"bob")),
            (messages.history("#a", None, None, 50), said("REQ_HISTORY", b"#a", limit=50)),
            (
                messages.history("alice+bob", "alice+bob:471893-17", "alice+bob:471893-17", 1),
                said("REQ_HISTORY", b"alice+bob", limit=1, before=ID, after=ID),
            ),
            (messages.conversations(), said("REQ_CONVERSATIONS")),
            (
                messages.conversations(True, 7, "1795581000123-#a"),
                said("REQ_CONVERSATIONS", preview=b"", limit=7, before=(1795581000123, b"#a")),
            ),
            (accounts.delete_account("correct horse"), said("DELETE_CLIENT", text="correct horse")),
            (accounts.names(["bob", "carol"]), said("REQ_NAMES", text="bob carol")),
            (topics.topics(), said("REQ_TOPICS")),
            (topics.members("a"), said("REQ_MEMBERS", b"a")),
            (
                accounts.create_account("alice", "correct horse", "fci_x"),
                said("CREATE_CLIENT", b"alice", text="correct horse", invite=b"fci_x"),
            ),
            (accounts.redeem_code("alice", "phone", "fcc_x"), said("REDEEM_CODE", b"alice", b"phone", text="fcc_x")),
            (accounts.change_password("correct  horse"), said("SEND_PASSWORD", text="correct  horse")),
            (accounts.devices(), said("REQ_DEVICES")),
            (accounts.revoke_device("a"), said("REVOKE_DEVICE", b"a")),
            (contacts.block("bob"), said("BLOCK_CLIENT", b"bob")),
            (contacts.unblock("bob"), said("UNBLOCK_CLIENT", b"bob")),
            (contacts.blocked(), said("REQ_BLOCKED")),
            (contacts.add_contact("bob"), said("ADD_CONTACT", b"bob")),
            (contacts.remove_contact("bob"), said("REMOVE_CONTACT", b"bob")),
            (contacts.contacts(), said("REQ_CONTACTS")),
            (contacts.add_contact("bob", "Bob from work"), said("ADD_CONTACT", b"bob", text="Bob from work")),
            (contacts.add_contact("bob", ""), said("ADD_CONTACT", b"bob", text="-")),
            (contacts.ask_contact("bob"), said("ASK_CONTACT", b"bob")),
            (contacts.ask_contact("bob", "hello there"), said("ASK_CONTACT", b"bob", text="hello there")),
            (contacts.contact_requests(), said("REQ_CONTACT_REQUESTS")),
            (contacts.accept_contact("bob"), said("ACCEPT_CONTACT", b"bob")),
            (contacts.refuse_contact("bob"), said("REFUSE_CONTACT", b"bob")),
            (
                preferences.set_conversation("bob", "notify", "none"),
                said("SET_CONVERSATION", b"bob", b"notify", text="none"),
            ),
            (preferences.set_conversation("#a", "remark", ""), said("SET_CONVERSATION", b"#a", b"remark", text="-")),
            (reports.report_message("alice+bob:471893-17"), said("REPORT_MESSAGE", ID)),
            (reports.report_message("alice+bob:471893-17", "spam"), said("REPORT_MESSAGE", ID, text="spam")),
            (accounts.set_privacy("contacts"), said("SEND_PRIVACY", b"contacts")),
            (operations.message(MESSAGE), said("REQ_MESSAGE", ID)),
            (operations.versions(MESSAGE), said("REQ_VERSIONS", ID)),
            (operations.reactions(MESSAGE), said("REQ_REACTIONS", ID)),
            (operations.pins("bob"), said("REQ_PINS", b"bob")),
            (accounts.set_name("Bob the Builder"), said("SEND_NAME", text="Bob the Builder")),
        ]
        changes: list[tuple[Numbered, Command]] = [
            (operations.edit(MESSAGE, "x"), said("SEND_EDIT", ID, text="x")),
            (
                operations.edit(MESSAGE, "a\nb", MESSAGE, ["bob", "carol"]),
                said("SEND_EDIT", ID, text=r"a\nb", esc=b"", was=ID, mention=b"bob,carol"),
            ),
            (operations.edit(MESSAGE, "@bob", mention=()), said("SEND_EDIT", ID, text="@bob", mention=b"")),
            (operations.recall(MESSAGE), said("SEND_RECALL", ID)),
            (operations.recall(MESSAGE, "a\\\nb"), said("SEND_RECALL", ID, text=r"a\\\nb", esc=b"")),
            (operations.react(MESSAGE, "+1"), said("SEND_REACTION", ID, b"+1")),
            (operations.unreact(MESSAGE, "\u9c7c"), said("REMOVE_REACTION", ID, "\u9c7c".encode())),
            (operations.pin(MESSAGE), said("SEND_PIN", ID)),
            (operations.unpin(MESSAGE), said("REMOVE_PIN", ID)),
        ]
        for change, meant in changes:
            self.assertEqual(MSG_SERVER_COMMANDS.parse(change.line), meant)
            self.assertEqual((change.verb, change.conversation), (meant.verb.name, ID[0]))
        for request, command in samples:
            self.assertEqual(MSG_SERVER_COMMANDS.parse(request.line), command)
            self.assertEqual(request.verb, command.verb.name)
        self.assertEqual(
            {verb.name for verb in VERBS} - {one.verb for one, _ in samples} - {one.verb for one, _ in changes},
            NOT_REQUESTED,
        )

    def test_refused(self) -> None:
        """What no server could accept is not sent."""
        wrong: list[tuple[str, Callable[[], object]]] = [
            ("BADID", lambda: operations.edit("alice+bob", "x")),
            ("BADID", lambda: operations.edit(MESSAGE, "x", was="7-1")),
            ("FIELDS", lambda: operations.edit(MESSAGE, "")),
            ("NUL", lambda: operations.edit(MESSAGE, "a\0")),
            ("TEXTTOOLONG", lambda: operations.recall(MESSAGE, "x" * (MAX_TEXT + 1))),
            ("BADNAME", lambda: operations.edit(MESSAGE, "x", mention=["Bob"])),
            ("BADTAG", lambda: operations.edit(MESSAGE, "x", mention=["bob"] * 17)),
            ("FIELDS", lambda: operations.react(MESSAGE, "")),
            ("FIELDS", lambda: operations.react(MESSAGE, "two words")),
            ("FIELDS", lambda: operations.unreact(MESSAGE, "a,b")),
            ("BADID", lambda: operations.pins("#A")),
        ]
        for word, make in wrong:
            self.assertEqual(self.assertRaises(RefusedError, make).word, word)


class ReplyTests(SynchronousTestCase):
    def test_further_fields(self) -> None:
        """A later server may add fields to the items of lists."""
        lists: list[tuple[Request[Any], list[bytes], Any]] = [
            (accounts.devices(), [b"web online 2000 3000 new"], [Device("web", True, 2.0, 3.0)]),
            (topics.topics(), [b"fishing alice open 2 new"], [Topic("fishing", "alice", "open", 2)]),
            (watching.readers(MESSAGE), [b"1 2 new", b"bob new"], Readers(1, 2, ["bob"])),
            (operations.reactions(MESSAGE), [b"+1 bob new"], {"+1": ["bob"]}),
        ]
        for request, items, wanted in lists:
            self.assertEqual(request.result(Reply(items=[(item, False) for item in items])), wanted)

    def test_missing_fields(self) -> None:
        """A reply without what belongs to it settles the call with an error; it never stops the client."""
        for request in (links.create_link("fishing"), links.revoke_link("fishing", "all")):
            for rest in (b"", b"fcj_code"):
                self.assertRaises(ValueError, request.result, Reply(rest=rest))
        self.assertRaises(ValueError, sums_of, "2")


class LineTextTests(SynchronousTestCase):
    def test_scripts(self) -> None:
        """A line holds the blanks of all scripts, the joiner within emoji, and tabs."""
        for text in ("你好\u3000世界", "a\xa0b", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "a\tb", "\u202e"):
            self.assertEqual(line_text(text, "FIELDS"), text.encode())

    def test_controls(self) -> None:
        """A line holds no line ends, no other controls and no halves of letters."""
        for text in ("", "a\nb", "a\rb", "a\0b", "\x1b[A", "\x7f", "\x85", "\ud800"):
            self.assertEqual(self.assertRaises(RefusedError, line_text, text, "FIELDS").word, "FIELDS")
