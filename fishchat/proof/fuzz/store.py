"""The store of a msg_server under test: replies of the right form, filled with arbitrary values.

It is not a second implementation of the scripts: it knows the possible replies of each, but not their meaning. It
remembers its replies, which are compared with the client's events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock

from fishchat.model.display_names import is_display_name
from fishchat.model.message import ESCAPED, NOTICE, PLAIN, pack_body, pack_form
from fishchat.model.names import message_id, p2p
from fishchat.proof.fuzz.helpers import Dice
from fishchat.protocols.lines import escape_tag
from fishchat.storage.header import parse
from fishchat.storage.loader import names, read
from fishchat.storage.packing import pack
from fishchat.storage.wire import ReplyError, Unavailable, Unknown
from fishchat.testing.fake_store import Asked, FakeStore

EPOCH = 7

#: The value after a word with which a script refuses.
VALUES = {"limit": 5, "ms": 1500, "needs": b"needs=admin", "until": b"until=1795581000123"}
#: The value after a word for one message of a batch.
EACH = {
    "needs": b"needs=admin",
    "until": b"until=1795581000123",
    "expected": b"expected=3",
    "position and time": b"7-1 1700000000000",
    "limit": b"limit=8",
    "current": b"current=alice+bob:7-1",
    "number": b"3",
}


def refusals(name: str) -> list[Any]:
    """Return the replies with which a script may refuse, from its header, without those of the fence."""
    found = parse(read(name))
    words = {word: value for word, value in found.refuses.items() if word not in ("LEASE", "EPOCH")}
    if not found.reply.startswith("OK"):
        return [word.encode() for word in words]
    return [[word.encode(), VALUES[value]] if value else [word.encode()] for word, value in words.items()]


#: Script → the replies with which it may refuse.
REFUSALS = {name: refusals(name) for name in names()}
#: The possible replies for one message of a batch in place of a number.
UNSTORED = [
    b"%s %s" % (word.encode(), EACH[value]) if value else word.encode()
    for word, value in parse(read("logs/send")).each.items()
]
#: The same for one operation.
UNDONE = [
    b"%s %s" % (word.encode(), EACH[value]) if value else word.encode()
    for word, value in parse(read("logs/operate")).each.items()
]
FAILURES = (Unavailable("away"), Unknown("lost"), ReplyError("OOM full"), ReplyError("ERR what?"))


class Store(FakeStore):
    """A store that answers normally while it is ``calm``; else it refuses some calls, and some fail."""

    calm = True

    def __init__(self, clock: Clock, dice: Dice) -> None:
        super().__init__()
        self.clock = clock
        self.dice = dice
        #: Script → the values of its last reply, in the form for the client.
        self.gave: dict[str, Any] = {}
        self.verifiers: tuple[bytes, bytes] = (b"", b"")
        #: Conversation → its last number, and its membership version. These agree with each other, as in the store:
        #: else the server reads until they do.
        self._numbers: dict[bytes, int] = {}
        self._versions: dict[bytes, int] = {}
        #: Conversation and sender → the last number from that sender.
        self._cseqs: dict[bytes, int] = {}
        self._sessions: dict[bytes, bytes] = {}

    def was_asked(self) -> None:
        """Answer in a later turn, in the order of the calls."""
        reply = self._reply(self.asked[-1])
        self.clock.callLater(0, self.answer, reply)

    def _reply(self, asked: Asked) -> Any:
        if asked.script is None:
            # Only the key of the decoys exists.
            return b"k" * 32 if asked.values[:2] == ["GET", "decoy"] else None
        name = asked.script.name
        if not self.calm and self.dice.byte() % 8 == 7:
            return self.dice.pick(FAILURES)
        if not self.calm and REFUSALS[name] and self.dice.flag():
            return self.dice.pick(REFUSALS[name])
        answer: Callable[..., Any] = getattr(self, "_" + name.replace("/", "_"), self._done)
        return answer(*asked.values)

    def _done(self, *args: Any) -> Any:
        return [b"OK", 1, 1]

    # -- writes

    def _logs_send(
        self, _s: bytes, _t: bytes, _e: bytes, stream: bytes, who: Any, flat: list[Any], marked: list[int]
    ) -> Any:
        results: list[Any] = []
        self.gave["logs/send"] = flat[3::6]
        for conversation, sender, cseq in zip(flat[::6], flat[1::6], flat[2::6], strict=True):
            numbered = conversation + sender
            if cseq == 0:
                # A client that has lost its counter asks for it.
                results.append(b"GAP expected=%d" % (self._cseqs.get(numbered, 0) + 1))
            elif not self.calm and self.dice.byte() % 4 == 3:
                results.append(self.dice.pick(UNSTORED))
            else:
                self._cseqs[numbered] = max(self._cseqs.get(numbered, 0), cseq)
                results.append(self.next(conversation))
        topics = {name for name in flat[::6] if name[:1] == b"#"}
        versions = [value for name in sorted(topics) for value in (name, self._version(name))]
        return [b"OK", results, versions, b"1700000000000"]

    def _version(self, conversation: bytes, more: int = 0) -> int:
        least = 1 if conversation[:1] == b"#" else 0
        self._versions[conversation] = self._versions.get(conversation, least) + more
        return self._versions[conversation]

    def next(self, conversation: bytes) -> int:
        """Return the number of one more message."""
        self._numbers[conversation] = self._numbers.get(conversation, 0) + 1
        return self._numbers[conversation]

    def _logs_operate(
        self, _s: bytes, _t: bytes, _e: bytes, _stream: bytes, _vital: bool, _limits: Any, flat: Any
    ) -> Any:
        results: list[Any] = []
        for conversation, sender, cseq in zip(flat[::9], flat[1::9], flat[2::9], strict=True):
            numbered = conversation + sender
            if cseq == 0:
                results.append(b"GAP expected=%d" % (self._cseqs.get(numbered, 0) + 1))
            elif not self.calm and self.dice.byte() % 4 == 3:
                results.append(self.dice.pick(UNDONE))
            else:
                self._cseqs[numbered] = max(self._cseqs.get(numbered, 0), cseq)
                results.append(self.next(conversation))
        topics = {name for name in flat[::9] if name[:1] == b"#"}
        versions = [value for name in sorted(topics) for value in (name, self._version(name))]
        return [b"OK", results, versions, b"1700000000000"]

    def _session_login(
        self, server: bytes, token: bytes, epoch: bytes, account: bytes, device: bytes, *more: Any
    ) -> Any:
        session = b"%s %s %d" % (server, token.partition(b".")[0], more[0])
        self._sessions[account + b"/" + device] = session
        return [b"OK", b"", pack(*self._flat_talks(account))]

    def _flat_talks(self, account: bytes) -> list[Any]:
        if self.calm:
            return []
        talks: list[Any] = []
        for peer in (b"bob", b"zed")[: self.dice.byte() % 3]:
            name = p2p(account, peer)
            talks += (name, b"%d-%d" % (EPOCH, self._numbers.setdefault(name, 3)), b"", b"0-0:", 0)
        return talks

    def _topics_create(self, _s: bytes, _t: bytes, _e: bytes, account: bytes, topic: bytes, *_: Any) -> Any:
        return [b"OK", self._version(b"#" + topic, 1), self._last(b"#" + topic)]

    def _topics_join(
        self, _s: bytes, _t: bytes, _e: bytes, _r: bytes, _a: bytes, _d: bytes, topic: bytes, *_: Any
    ) -> Any:
        if not self.calm and self.dice.flag():
            return [b"OK", 0, b"", []]
        name = b"#" + topic
        version, last = self._version(name, 1), self._last(name)
        notice = [b"OK", name, EPOCH, self.next(name), b"alice main -1 n JOINED alice", version, self.dice.number()]
        return [b"OK", version, last, [notice] if self.dice.flag() else []]

    _links_accept = _topics_join

    def _links_join_link(self, *args: Any) -> Any:
        topic = self.dice.name()
        return [*self._topics_join(*args[:6], topic), topic]

    def _links_refuse(
        self, _s: bytes, _t: bytes, _e: bytes, _r: bytes, _a: bytes, _p: bytes, guest: bytes, body: bytes
    ) -> Any:
        return [b"OK", b"@" + guest, EPOCH, self.next(b"@" + guest), body, 0, self.dice.number()]

    def _topics_leave(self, _s: bytes, _t: bytes, _e: bytes, account: bytes, topic: bytes, *_: Any) -> Any:
        return [b"OK", self._version(b"#" + topic, 1)]

    def _last(self, conversation: bytes) -> bytes:
        return b"%d-%d" % (EPOCH, self._numbers.get(conversation, 0))

    def _topics_invite(
        self, _s: bytes, _t: bytes, _e: bytes, account: bytes, topic: bytes, guest: bytes, *rest: Any
    ) -> Any:
        return [b"OK", b"@" + guest, EPOCH, self.next(b"@" + guest), rest[-1], 0, self.dice.number()]

    def _topics_dismiss(self, _s: bytes, _t: bytes, _e: bytes, account: bytes, topic: bytes, *rest: Any) -> Any:
        name = b"#" + topic
        return [b"OK", name, EPOCH, self.next(name), rest[-1], self._version(name, 1), self.dice.number()]

    def _messages_read(
        self, _s: bytes, _t: bytes, _e: bytes, _stream: bytes, _a: bytes, name: bytes, *rest: Any
    ) -> Any:
        return [b"OK", (b"", b"alice", b"alice bob")[self.dice.byte() % 3], rest[0] or self._last(name)]

    def _session_begin_guess(self, *_: Any) -> Any:
        return [b"OK", *self.verifiers, b"1"]

    # -- reads

    def _logs_device_conversations(self, account: bytes, device: bytes) -> Any:
        return [self._sessions.get(account + b"/" + device, b""), pack(*self._flat_talks(account))]

    def _logs_device_conversation(self, account: bytes, device: bytes, conversation: bytes) -> Any:
        return [self._last(conversation), b"", b"0-0:", self._version(conversation)]

    def _logs_members_among(self, conversation: bytes, accounts: list[bytes]) -> Any:
        flat = [value for account in accounts for value in (account, b"0-0")]
        return [self._version(conversation), self._last(conversation), flat]

    def _logs_page(self, conversation: bytes, after: bytes, upto: bytes, count: int, only: bool) -> Any:
        number = int(after.partition(b"-")[2])
        flat: list[bytes] = []
        for seq in () if only else range(number + 1, self._numbers.get(conversation, 0) + 1)[:count]:
            flat += (b"%d-%d" % (EPOCH, seq), b"%d" % self.dice.number(), self.body(conversation))
        return [self._version(conversation), 0, flat]

    def body(self, conversation: bytes) -> bytes:
        """Return a message in its stored form."""
        account = self.dice.name()
        if conversation[:1] == b"@":
            return pack_body(account, b"main", -1, NOTICE, b"INVITED " + self.dice.name())
        flag = self.dice.pick((PLAIN, ESCAPED))
        text = self.dice.text()
        if flag == ESCAPED:
            text = text.replace(b"\\", b"\\\\").replace(b" ", self.dice.pick((b"\\n", b" ", b"\\r")))
        return pack_body(account, self.dice.name(), self.dice.number() - 1, flag, text)

    def _messages_history(self, account: bytes, conversation: bytes, *_: Any) -> Any:
        return self._listed("messages/history", conversation)

    def shown(self, conversation: bytes) -> bytes:
        """Return a message as history shows it, with what was done to it."""
        account, device, cseq, form, text = self.body(conversation).split(b" ", 4)
        kind = form if conversation[:1] != b"@" else PLAIN
        dice = self.dice
        reaction = escape_tag(dice.pick((b"+1", b"a:b", b";", b"\\", "\u9c7c".encode())))
        tags = {
            b"edited": b"%s:7-9" % conversation,
            b"mention": b",".join(dice.name() for _ in range(1 + dice.byte() % 3)),
            b"mine": reaction,
            b"pinned": b"",
            b"react": b"%s:%d" % (reaction, 1 + dice.number()),
            b"recalled": dice.name(),
            b"reply": b"%s:7-1" % conversation,
        }
        return b" ".join(
            [account, device, cseq, pack_form(kind, {tag: tags[tag] for tag in tags if dice.flag()}), text]
        )

    def _operations_message(self, _account: bytes, conversation: bytes, position: bytes) -> Any:
        body, at = self.shown(conversation), self.dice.number()
        self.gave["operations/message"] = [(b"%s:%s" % (conversation, position), at, body)]
        return [b"OK", b"%d" % at, body]

    def _operations_versions(self, _account: bytes, conversation: bytes, *_: Any) -> Any:
        return [b"OK", self._listed("operations/versions", conversation)]

    def _operations_pins(self, _account: bytes, conversation: bytes) -> Any:
        return [b"OK", self._listed("operations/pins", conversation)]

    def _listed(self, script: str, conversation: bytes) -> list[bytes]:
        flat: list[bytes] = []
        given = []
        for seq in range(1, 1 + self.dice.byte() % 4):
            body, at = self.shown(conversation), self.dice.number()
            flat += (b"%d-%d" % (EPOCH, seq), b"%d" % at, body)
            given.append((message_id(conversation, EPOCH, seq), at, body))
        self.gave[script] = given
        return flat

    def _operations_reactions(self, *_: Any) -> Any:
        pairs = {(self.dice.name(), self.dice.pick((b"+1", b"\\:", b"a:b"))) for _ in range(self.dice.byte() % 4)}
        self.gave["operations/reactions"] = sorted((written, account) for account, written in pairs)
        return [b"OK", b"0", [value for pair in pairs for value in pair]]

    def _messages_conversations(self, *_: Any) -> Any:
        self.gave["messages/describe_conversations"] = self.gave["messages/conversation_times"] = []
        return [b"0", [b"#" + self.dice.name() for _ in range(self.dice.byte() % 4)]]

    def _messages_conversation_times(self, _: bytes, names: list[bytes]) -> Any:
        times = [self.dice.number() for _ in names]
        self.gave["messages/conversation_times"] = list(zip(names, times, strict=True))
        return times

    def _messages_describe_conversations(self, _account: bytes, names: list[bytes], preview: bool, longest: int) -> Any:
        dice = self.dice
        found = []
        for name in names:
            account, _, _, form, text = self.body(name).split(b" ", 4)
            message = (b"7-1", account, form, text[:longest]) if preview and dice.flag() else (b"",) * 4
            numbers = dice.number(), dice.number(), dice.number()
            found.append(
                (name, *numbers, *message, self._shown() if preview else b"", self._settings(), dice.byte() % 3)
            )
        self.gave["messages/describe_conversations"] = found
        return pack(*[value for one in found for value in one])

    def _settings(self) -> bytes:
        """The settings of a conversation, or nothing."""
        dice = self.dice
        if dice.flag():
            return b""
        notify, marks = dice.pick((b"all", b"mentions", b"none")), dice.pick((b"-", b"p", b"a", b"pa"))
        return b"%s %d %s %s" % (notify, dice.number(), marks, self._shown())

    def _topics_list(self, *_: Any) -> Any:
        dice = self.dice
        kinds = (b"open", b"approval", b"invitation")
        return self._rows("topics/list", lambda: (dice.name(), dice.name(), dice.pick(kinds), dice.number()))

    def _links_list_links(self, *_: Any) -> Any:
        dice = self.dice
        left, ways = (b"", b"3"), (b"", b"1")

        def row() -> tuple[Any, ...]:
            return dice.name(), dice.name(), dice.pick(left), dice.number(), dice.pick(ways)

        return [b"OK", self._rows("links/list_links", row)]

    def _links_list_requests(self, *_: Any) -> Any:
        dice = self.dice
        return [b"OK", self._rows("links/list_requests", lambda: (dice.name(), b"%d" % dice.number()))]

    def _links_directory(self, *_: Any) -> Any:
        dice = self.dice
        kinds = (b"open", b"approval")
        return self._rows("links/directory", lambda: (dice.name(), dice.pick(kinds), dice.number(), self._shown()))

    def _topics_member_names(self, *_: Any) -> Any:
        self.gave["topics/members"] = []
        return [b"OK", b"0", sorted({self.dice.name() for _ in range(self.dice.byte() % 4)}), self.dice.number()]

    def _topics_release(self, *_: Any) -> Any:
        return 0

    def _topics_members(self, _account: bytes, _topic: bytes, names: list[bytes]) -> Any:
        dice = self.dice
        kinds = (b"owner", b"admin", b"member")
        found = [
            (name, dice.pick(kinds), dice.number(), self._shown(), dice.pick((0, 1 + dice.number()))) for name in names
        ]
        self.gave["topics/members"] = found
        return [b"OK", pack(*[value for one in found for value in one])]

    def _shown(self) -> bytes:
        """A display name, or nothing."""
        name = self.dice.text().strip()
        return name if is_display_name(name) else b""

    def _accounts_devices(self, *_: Any) -> Any:
        dice = self.dice
        return self._rows("accounts/devices", lambda: (dice.name(), dice.byte() % 2, dice.number(), dice.number()))

    def _contacts_list(self, *_: Any) -> Any:
        # In Redis every account is once in the list.
        given = sorted({self.dice.name() for _ in range(self.dice.byte() % 4)})
        self.gave["contacts/list"] = [(name, b"", b"") for name in given]
        return pack(*given)

    def _contacts_remarks(self, _: bytes, accounts: list[bytes]) -> Any:
        about = [self._shown() for _ in accounts]
        named = self.gave["profiles/names"]
        self.gave["contacts/list"] = [(*row, remark) for row, remark in zip(named, about, strict=True)]
        return about

    def _contacts_requests(self, *_: Any) -> Any:
        dice = self.dice
        names = sorted({dice.name() for _ in range(dice.byte() % 4)})
        given = [(dice.number(), name, dice.text() if dice.flag() else b"") for name in names]
        self.gave["contacts/requests"] = [(*row, b"") for row in sorted(given)]
        return pack(*[value for time, name, text in given for value in (name, b"%d %s" % (time, text))])

    def _profiles_names(self, asker: bytes, accounts: list[bytes]) -> Any:
        names = [self._shown() for _ in accounts]
        self.gave["profiles/names"] = list(zip(accounts, names, strict=True))
        waiting = self.gave.get("contacts/requests", ())
        if [row[1] for row in waiting] == accounts:
            self.gave["contacts/requests"] = [(*row[:3], name) for row, name in zip(waiting, names, strict=True)]
        return pack(*names)

    def _rows(self, script: str, row: Callable[[], tuple[Any, ...]]) -> bytes:
        given = [row() for _ in range(self.dice.byte() % 4)]
        self.gave[script] = sorted(given)
        return pack(*[value for one in given for value in one])

    def _accounts_status(self, *_: Any) -> Any:
        given = [self.dice.byte() % 2, self.dice.number(), self._shown()]
        self.gave["accounts/status"] = given
        return given

    def _topics_exists(self, *_: Any) -> Any:
        return self.dice.byte() % 2
