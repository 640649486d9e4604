"""From a server to a client without a loss: the server's own code, the client's own code, and only bytes in between.

The store returns the worst values that it may hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.internet.task import Clock

from fishchat.client import events
from fishchat.client.machine import Machine
from fishchat.client.replies import parse_error
from fishchat.errors import WORDS, Refusal
from fishchat.features.accounts.client import devices, names, status
from fishchat.features.contacts.client import contact_requests, contacts
from fishchat.features.messages.client import conversations, history
from fishchat.features.messages.conversations import beginning
from fishchat.features.operations import client as operations
from fishchat.features.requests import Request
from fishchat.features.topics.client import members, topics
from fishchat.model.message import ESCAPED, NOTICE
from fishchat.model.names import message_id
from fishchat.proof.fuzz.helpers import Dice, claim, quiet
from fishchat.proof.fuzz.servers import TALK, Wired, msg_server
from fishchat.proof.fuzz.store import EPOCH, Store
from fishchat.protocols.lines import MAX_OUT, LineSplitter, parse_tags, unescape
from fishchat.services.msg_server.service import MsgServer

#: The requests, by the script that answers them.
ASKED: tuple[tuple[str, Callable[[], Request[Any]]], ...] = (
    ("messages/history", lambda: history("alice+bob", None, None, 50)),
    ("operations/message", lambda: operations.message("alice+bob:7-1")),
    ("operations/versions", lambda: operations.versions("alice+bob:7-1")),
    ("operations/reactions", lambda: operations.reactions("#fishing:7-1")),
    ("operations/pins", lambda: operations.pins("#fishing")),
    ("messages/describe_conversations", lambda: conversations(preview=True, limit=50)),
    ("topics/list", topics),
    ("topics/members", lambda: members("fishing")),
    ("accounts/devices", devices),
    ("contacts/list", contacts),
    ("contacts/requests", contact_requests),
    ("accounts/status", lambda: status("bob")),
    ("profiles/names", lambda: names(["alice", "bob"])),
)


class Session:
    """A client of the library, logged in at a server of this process as one of ``alice``'s devices."""

    def __init__(self, server: MsgServer, clock: Clock, device: str) -> None:
        self.machine = Machine("alice", device)
        self.heard: list[object] = []
        self._splitter = LineSplitter(MAX_OUT)
        self._wired = Wired(server.peer("192.0.2.1"), clock)
        self.machine.connected(self._now)
        self.talk()

    @property
    def _now(self) -> float:
        return self._wired.clock.seconds()

    def talk(self) -> None:
        """Carry bytes until neither side has more to send."""
        while True:
            self._wired.settle()
            said = self._wired.transport.value()
            self._wired.transport.clear()
            for line in self._splitter.feed(said):
                self.machine.received(line, self._now)
            self.heard += self.machine.events()
            lines = self.machine.lines(self._now)
            if not said and not lines:
                return
            self._wired.say(b"".join(line + b"\r\n" for line in lines))

    def end(self) -> None:
        """End the connection."""
        self._wired.lose()


def said(data: bytes) -> None:
    """Each byte that does not choose a value chooses the next request."""
    dice = Dice(data)
    with quiet():
        server, store, clock = msg_server(dice)
        phone, desk = (Session(server, clock, device) for device in ("phone", "desk"))
        for one in (phone, desk):
            claim(events.Online() in one.heard and events.Synced() in one.heard, "not let in", one.heard)
        while dice.left:
            for one in (phone, desk):
                one.talk()
                one.heard.clear()
            number = dice.byte() % (len(ASKED) + 4)
            if number < len(ASKED):
                _ask(phone, store, *ASKED[number])
            elif number < len(ASKED) + 2:
                _pushed(phone, server, store, (TALK, b"@alice")[number - len(ASKED)])
            elif number == len(ASKED) + 2:
                _sent(phone, desk, store, dice)
            else:
                _refused(dice)
        phone.end()
        desk.end()


def _ask(session: Session, store: Store, script: str, request: Callable[[], Request[Any]]) -> None:
    key = session.machine.ask(request())
    session.talk()
    [settled] = [event for event in session.heard if isinstance(event, events.Settled)]
    claim(settled.key == key, "the answer to another question", settled)
    given = store.gave[script]
    claim(settled.value == _meant(script, given, store), "another answer", settled.value, given)


def _meant(script: str, given: Any, store: Store) -> Any:
    """Return the events that the client should report for the store's values."""
    if script == "accounts/status":
        online, seen, name = given
        return events.Status("bob", bool(online), seen / 1000, name.decode())
    if script == "profiles/names":
        return {account.decode(): name.decode() for account, name in given if name}
    if script == "operations/reactions":
        reactions: dict[str, list[str]] = {}
        for written, account in given:
            reactions.setdefault(_untagged(written), []).append(account.decode())
        return reactions
    meant = [_MEANT[script](*row) for row in given]
    if script == "operations/message":
        return meant[0]
    if script == "messages/describe_conversations":
        times = dict(store.gave["messages/conversation_times"])
        return [replace(one, time=times[one.conversation.encode()] / 1000) for one in meant]
    return meant


def _text(flag: bytes, text: bytes) -> str:
    return (unescape(text) if flag == ESCAPED else text).decode()


def _history(message: bytes, at: int, body: bytes) -> events.HistoryItem:
    account, _, _, form, text = body.split(b" ", 4)
    kind, *attributes = form.split(b";")
    tags = {name.decode(): _untagged(value) for name, _, value in (one.partition(b"=") for one in attributes)}
    reaction, _, count = tags.get("react", "").rpartition(":")
    return events.HistoryItem(
        message.decode(),
        account.decode(),
        at / 1000,
        _text(kind, text),
        tags.get("edited", ""),
        {reaction: int(count)} if reaction else {},
        (tags["mine"],) if "mine" in tags else (),
        "pinned" in tags,
        tags.get("recalled", ""),
        tags.get("reply", ""),
        tuple(filter(None, tags.get("mention", "").split(","))),
        kind == NOTICE,
    )


def _untagged(value: bytes) -> str:
    """Return a value from the form that it has in a tag."""
    return parse_tags(b"v=" + value)[b"v"].decode()


def _previewed(
    conversation: bytes,
    last: int,
    read: int,
    unread: int,
    at: bytes,
    account: bytes,
    form: bytes,
    text: bytes,
    name: bytes,
    settings: bytes,
    mentions: int,
) -> events.Conversation:
    made = events.Conversation(conversation.decode(), last, read, unread, name=name.decode(), mentions=mentions)
    if settings:
        notify, ends, marks, remark = settings.decode().split(" ", 3)
        made = replace(
            made,
            notify=notify,
            until=int(ends) / 1000 if notify != "all" else 0.0,
            pinned="p" in marks,
            archived="a" in marks,
            remark=remark,
        )
    if not at:
        return made
    shown = _text(form, beginning(text, form == ESCAPED))
    return replace(made, id=f"{conversation.decode()}:{at.decode()}", from_=account.decode(), text=shown)


_MEANT: dict[str, Callable[..., Any]] = {
    "messages/history": _history,
    "operations/message": _history,
    "operations/versions": _history,
    "operations/pins": _history,
    "messages/describe_conversations": _previewed,
    "topics/list": lambda topic, owner, kind, members: events.Topic(
        topic.decode(), owner.decode(), kind.decode(), members
    ),
    "topics/members": lambda account, role, read, name, muted: events.Member(
        account.decode(), role == b"owner", read, name.decode(), role == b"admin", muted / 1000
    ),
    "accounts/devices": lambda name, on, seen, ends: events.Device(name.decode(), bool(on), seen / 1000, ends / 1000),
    "contacts/list": lambda account, name, remark: events.Contact(account.decode(), name.decode(), remark.decode()),
    "contacts/requests": lambda time, account, text, name: events.ContactRequest(
        account.decode(), time / 1000, text.decode(), name.decode()
    ),
}


def _pushed(session: Session, server: MsgServer, store: Store, conversation: bytes) -> None:
    """A message from elsewhere is received as it was stored, and is handed out once."""
    seq, body = store.next(conversation), store.body(conversation)
    server.delivery.rooms.told(conversation, EPOCH, seq, body, 0, 1)
    session.talk()
    account, _, _, flag, text = body.split(b" ", 4)
    kind = events.Notice if conversation[:1] == b"@" else events.Message
    wanted = kind(
        account.decode(), _text(flag, text), message_id(conversation, EPOCH, seq).decode(), conversation.decode()
    )
    claim(session.heard == [wanted], "another message", session.heard, wanted)


def _sent(phone: Session, desk: Session, store: Store, dice: Dice) -> None:
    """A message of one device is stored, and received by the other one as it was sent, with its line breaks."""
    text = dice.text().decode()
    if dice.flag():
        text = text.replace(" ", dice.pick(("\n", "\r\n", "\\n", "\r"))) + "\n"
    phone.machine.send("bob", text)
    phone.talk()
    desk.talk()
    [settled] = [event for event in phone.heard if isinstance(event, events.Settled)]
    [body] = store.gave["logs/send"]
    claim(_text(*body.split(b" ", 4)[3:]) == text, "another one is stored", body, text)
    wanted = events.Message("alice", text, str(settled.value), "alice+bob")
    claim([event for event in desk.heard if isinstance(event, events.Message)] == [wanted], "another message", wanted)


def _refused(dice: Dice) -> None:
    """A refusal is received with its word, its pairs and its sentence."""
    keys = ("expected", "retry", "limit", "last", "shortest", "longest")
    extra = {key: str(dice.number()) for key in keys if dice.byte() % 4 == 1}
    refusal = Refusal(dice.pick(tuple(WORDS)), **extra)
    line = refusal.line(b"SEND_PING")
    error = parse_error(line.split(b" ", 2)[2])
    claim((error.word, error.text, error.extra) == (refusal.word, refusal.text, extra), "another error", line, error)
