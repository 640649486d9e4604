"""Operations on messages, running a topic, and reading, for the small client: a part of ``minimal``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

from fishchat.proof.lab.minimal_books import Item, Send
from fishchat.proof.lab.minimal_wire import Answer, escape, unescape


@dataclass(frozen=True)
class Operation:
    """Something that was done to the message ``of``; ``what`` is the new text, the reason or the reaction."""

    id: str
    conversation: str
    from_: str
    kind: str
    of: str
    what: str


@dataclass(frozen=True)
class Standing:
    """A conversation of one's own: its last number, the number read, and how many messages are unread."""

    conversation: str
    last: int
    read: int
    unread: int


@dataclass(frozen=True)
class ShownItem(Item):
    """A message of the history with what was done to it."""

    edited: str = ""
    recalled: str = ""
    reactions: Mapping[str, int] = field(default_factory=dict)
    pinned: bool = False
    notice: bool = False


def operation_of(verb: str, rest: str, tags: str) -> Operation | None:
    """Return the operation of a push; None if the push is of another kind."""
    if verb == "RESP_EDIT":
        from_, id_, of, text = rest.split(" ", 3)
        return _operation(id_, from_, "edit", of, unescape(tags, text))
    if verb == "RESP_RECALL":
        from_, id_, of, *reason = rest.split(" ", 3)
        return _operation(id_, from_, "recall", of, unescape(tags, "".join(reason)))
    if verb == "RESP_REACTION":
        from_, id_, of, sign, reaction = rest.split(" ")
        return _operation(id_, from_, "react" if sign == "+" else "unreact", of, reaction)
    if verb == "RESP_PIN":
        from_, id_, of, sign = rest.split(" ")
        return _operation(id_, from_, "pin" if sign == "+" else "unpin", of, "")
    return None


def _operation(id_: str, from_: str, kind: str, of: str, what: str) -> Operation:
    return Operation(id_, id_.rpartition(":")[0], from_, kind, of, what)


def item_of(item: str, tags: str) -> ShownItem:
    """Return an item of the history; the text is unescaped already."""
    id_, from_, time, text = item.split(" ", 3)
    values = dict(tag.partition("=")[::2] for tag in tags.split(";"))
    sums = (one.rpartition(":") for one in values.get("react", "").split(",") if one)
    return ShownItem(
        id_,
        from_,
        int(time),
        text,
        values.get("edited", ""),
        values.get("recalled", ""),
        {reaction: int(count) for reaction, _, count in sums},
        "pinned" in values,
        "notice" in values,
    )


class MinimalOperations:
    """The methods of the small client for all that is not plain talking."""

    account: str

    def _queue(self, to: str, send: Send) -> Deferred[str]:
        raise NotImplementedError

    async def _asked(self, words: str, tags: str = "", unless: str = "") -> Answer:
        raise NotImplementedError

    def edit(self, message: str, text: str) -> Deferred[str]:
        """Replace the text of one's message; fires with the id of the edit."""
        text, tag = escape(text)
        return self._operate(message, f"SEND_EDIT {message} {text}", tag)

    def recall(self, message: str, reason: str = "") -> Deferred[str]:
        """Take back a message; fires with the id of the recall."""
        reason, tag = escape(reason)
        return self._operate(message, f"SEND_RECALL {message} {reason}".rstrip(), tag)

    def react(self, message: str, reaction: str) -> Deferred[str]:
        """React to a message; fires with the id of the reaction."""
        return self._operate(message, f"SEND_REACTION {message} {reaction}")

    def unreact(self, message: str, reaction: str) -> Deferred[str]:
        """Take a reaction back; fires with the id of that."""
        return self._operate(message, f"REMOVE_REACTION {message} {reaction}")

    def pin(self, message: str) -> Deferred[str]:
        """Pin a message; fires with the id of that."""
        return self._operate(message, f"SEND_PIN {message}")

    def unpin(self, message: str) -> Deferred[str]:
        """Remove a pin; fires with the id of that."""
        return self._operate(message, f"REMOVE_PIN {message}")

    def _operate(self, message: str, words: str, tag: str = "") -> Deferred[str]:
        conversation = message.rpartition(":")[0]
        one, _, other = conversation.partition("+")
        to = conversation if conversation.startswith("#") else other if one == self.account else one
        return self._queue(to, Send(words, tag, is_operation=True))

    def kick(self, topic: str, account: str) -> Deferred[None]:
        """End another one's membership; after a lost answer it may have ended already."""
        return self._do(f"KICK_MEMBER {topic} {account}", "NOTMEMBER")

    def ban(self, topic: str, account: str) -> Deferred[None]:
        """Keep an account out of a topic."""
        return self._do(f"BAN_MEMBER {topic} {account}")

    def unban(self, topic: str, account: str) -> Deferred[None]:
        """End a ban; after a lost answer it may have ended already."""
        return self._do(f"UNBAN_MEMBER {topic} {account}", "NOTFOUND")

    def mute(self, topic: str, account: str) -> Deferred[None]:
        """Let a member read and not write."""
        return self._do(f"MUTE_MEMBER {topic} {account}")

    def unmute(self, topic: str, account: str) -> Deferred[None]:
        """End a mute; after a lost answer it may have ended already."""
        return self._do(f"UNMUTE_MEMBER {topic} {account}", "NOTFOUND")

    def set_role(self, topic: str, account: str, role: str) -> Deferred[None]:
        """Make a member an admin, or an admin a member."""
        return self._do(f"SET_ROLE {topic} {account} {role}")

    def transfer(self, topic: str, account: str) -> Deferred[None]:
        """Make another member the owner; after a lost answer it may be that already."""
        return self._do(f"TRANSFER_TOPIC {topic} {account}", "RIGHTS")

    def _do(self, words: str, unless: str = "") -> Deferred[None]:
        async def command() -> None:
            await self._asked(words, unless=unless)

        return Deferred.fromCoroutine(command())

    def message(self, message: str) -> Deferred[ShownItem]:
        """Return one message, as the history has it."""

        async def only() -> ShownItem:
            [found] = await self._listed("REQ_MESSAGE " + message)
            return found

        return Deferred.fromCoroutine(only())

    def versions(self, message: str) -> Deferred[list[ShownItem]]:
        """Return all texts of a message, the oldest first."""
        return Deferred.fromCoroutine(self._listed("REQ_VERSIONS " + message))

    async def _listed(self, words: str, tags: str = "") -> list[ShownItem]:
        answer = await self._asked(words, tags)
        return [item_of(item, tag) for item, tag in zip(answer.items, answer.tags, strict=True)]

    def conversations(self) -> Deferred[list[Standing]]:
        """Return all conversations of the account."""

        async def ask() -> list[Standing]:
            answer = await self._asked("REQ_CONVERSATIONS")
            found = [item.split(" ")[:4] for item in answer.items]
            return [Standing(name, int(last), int(read), int(unread)) for name, last, read, unread in found]

        return Deferred.fromCoroutine(ask())
