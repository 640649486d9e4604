"""Watching: presence, typing, and who has read a message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fishchat.errors import Refusal
from fishchat.features.engine import Engine, Handlers, ICall, ISession, ISignals, IWatchers
from fishchat.features.watching import calls, rows
from fishchat.model.names import accounts_of, concerns, conversation_with, format_position
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.table import Command

#: The members of one step that looks whether they saw a message before they left and joined again: less than 5 ms.
LATER = 100


class Watching:
    """The verbs of watching.

    :param call: calls the store through the queue.
    :param stream: the stream to which scripts add signals for other servers.
    """

    def __init__(self, call: ICall, watchers: IWatchers, signals: ISignals, stream: bytes) -> None:
        self._call = call
        self._watchers = watchers
        self._signals = signals
        self._stream = stream
        #: Session and conversation → when it last typed there (seconds), oldest first; only what may still be too soon.
        self._typed: dict[tuple[bytes, bytes], float] = {}

    # -- accounts

    def watch(self, session: ISession, command: Command) -> None:
        """Carry out WATCH_CLIENT: push the presence of an account now, and with each change."""
        device, account = session.device, command.fields[0]
        assert device is not None
        # Before the store is asked: a change after its answer finds the watcher.
        self._watchers.watch_account(device, account, rows.WATCHED)

        def take(found: list[calls.Seen]) -> bytes:
            is_online, ms = found[0]
            if self._watchers.told_first(device, account, is_online):
                device.push(rows.presence_line(account, is_online, ms))
            return ok_line(command, account)

        session.ask(command, calls.presences([(device.account, account)]), take)

    def unwatch(self, session: ISession, command: Command) -> None:
        """Carry out UNWATCH_CLIENT; an account that is not watched is no error."""
        device, account = session.device, command.fields[0]
        assert device is not None
        self._watchers.unwatch_account(device, account)
        session.answer(ok_line(command, account))

    # -- conversations

    def open(self, session: ISession, command: Command) -> None:
        """Carry out WATCH_CONVERSATION: push what happens in a conversation besides its messages."""
        device, conversation = session.device, _conversation(session, command)
        assert device is not None
        answer = ok_line(command, conversation)
        self._watchers.watch_conversation(device, conversation, rows.OPENED)
        if conversation[:1] != b"#":
            session.answer(answer)
            return

        ask = calls.may_open(device.account, conversation[1:])

        def parse(reply: Any) -> None:
            try:
                ask.parse(reply)
            except Refusal:
                self._watchers.unwatch_conversation(device, conversation)
                raise

        session.ask(command, replace(ask, parse=parse), lambda _: answer)

    def close(self, session: ISession, command: Command) -> None:
        """Carry out UNWATCH_CONVERSATION; a conversation that is not watched is no error."""
        device, conversation = session.device, _conversation(session, command)
        assert device is not None
        self._watchers.unwatch_conversation(device, conversation)
        session.answer(ok_line(command, conversation))

    def typing(self, session: ISession, command: Command) -> None:
        """Carry out SEND_TYPING. It is answered in the same way whether or not it is shown to anybody."""
        device, conversation = session.device, _conversation(session, command)
        assert device is not None
        account, answer = device.account, ok_line(command, conversation)
        others = [one for one in accounts_of(conversation) if one != account]
        is_shown = conversation[:1] == b"#" or bool(others)
        if not is_shown or self._is_too_soon((device.session, conversation), session.clock.seconds()):
            session.answer(answer)
            return

        def take(is_allowed: bool) -> bytes:
            if is_allowed:
                self._signals.push([conversation], rows.RESP_TYPING.line(account, conversation))
            return answer

        session.ask(command, calls.typing(self._stream, account, conversation, b"".join(others)), take)

    def _is_too_soon(self, key: tuple[bytes, bytes], now: float) -> bool:
        """Return whether this session has just typed there; otherwise note that it does."""
        typed = self._typed
        while typed and typed[oldest := next(iter(typed))] + rows.TYPING_SECONDS <= now:
            del typed[oldest]
        if key in typed:
            return True
        typed[key] = now
        return False

    # -- read marks

    def readers(self, session: ISession, command: Command) -> None:
        """Carry out REQ_READERS: return which members have read up to a message."""
        conversation, *position = command.fields[0]
        if not concerns(conversation, session.account):
            raise Refusal("NOTFOUND")

        at = format_position((position[0], position[1]))
        session.perform(command, self._readers(command, session.account, conversation, at), changes=False)

    async def _readers(self, command: Command, account: bytes, conversation: bytes, at: bytes) -> bytes:
        found = await self._call(calls.readers(account, conversation, at))
        names = found.names
        for start in range(0, len(found.later), LATER):
            names += await self._call(calls.saw(conversation, at, found.later[start : start + LATER]))
        items = [b"%d %d" % (len(names), found.members), *sorted(names)[: rows.READERS]]
        return list_lines(command, [(item, b"") for item in items])


def _conversation(session: ISession, command: Command) -> bytes:
    """Return the conversation that a command names. Raises Refusal for one of other accounts."""
    conversation = conversation_with(command.fields[0], session.account)
    if not concerns(conversation, session.account):
        raise Refusal("NOTFOUND")
    return conversation


def make(engine: Engine) -> Handlers:
    """Return the handler of each verb."""
    watching = Watching(engine.call, engine.watchers, engine.signals, engine.stream)
    return {
        rows.WATCH_CLIENT.name: watching.watch,
        rows.UNWATCH_CLIENT.name: watching.unwatch,
        rows.WATCH_CONVERSATION.name: watching.open,
        rows.UNWATCH_CONVERSATION.name: watching.close,
        rows.SEND_TYPING.name: watching.typing,
        rows.REQ_READERS.name: watching.readers,
    }
