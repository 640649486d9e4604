"""The client library: bots and programs that talk to FishChat, with the full delivery guarantee.

A bot that answers everybody with their own words::

    import sys
    from twisted.internet import defer, task
    from fishchat.client import Client, ClientError, FileState

    async def main(reactor, server="127.0.0.1:19000"):
        bot = Client("echo", servers=[server], reactor=reactor, state=FileState("echo.json"))
        closed = defer.Deferred()

        def answer(message):
            if message.from_ != bot.account:
                bot.send(message.reply_to, message.text)

        bot.on_message, bot.on_closed = answer, closed.callback
        try:
            await bot.start()
        except ClientError as error:
            sys.exit(f"cannot start: {error}")
        print("connected", flush=True)
        sys.exit(f"closed: {await closed}")

    if __name__ == "__main__":
        task.react(main, sys.argv[1:])

Each message is answered exactly once, even if the bot, a connection or a server fails: the client saves the effects
of ``on_message`` before its return together with the message (see ``Client``). Every call returns a Deferred;
awaiting it is optional.
"""

from __future__ import annotations

from fishchat.client.accounts import create_account
from fishchat.client.connection import Client
from fishchat.client.events import (
    Ban,
    Behind,
    ClientError,
    ClosedError,
    Contact,
    ContactRequest,
    Conversation,
    Device,
    Edited,
    Gap,
    HistoryItem,
    JoinRequest,
    Link,
    ListedTopic,
    Member,
    Message,
    Named,
    NewLink,
    Notice,
    Pinned,
    Presence,
    Reacted,
    ReactionSums,
    Read,
    Readers,
    Recalled,
    RefusedError,
    StateError,
    Status,
    TlsError,
    Topic,
    Typing,
)
from fishchat.client.state import ClientState, FileState

__all__ = [
    "Ban",
    "Behind",
    "Client",
    "ClientError",
    "ClientState",
    "ClosedError",
    "Contact",
    "ContactRequest",
    "Conversation",
    "Device",
    "Edited",
    "FileState",
    "Gap",
    "HistoryItem",
    "JoinRequest",
    "Link",
    "ListedTopic",
    "Member",
    "Message",
    "Named",
    "NewLink",
    "Notice",
    "Pinned",
    "Presence",
    "Reacted",
    "ReactionSums",
    "Read",
    "Readers",
    "Recalled",
    "RefusedError",
    "StateError",
    "Status",
    "TlsError",
    "Topic",
    "Typing",
    "create_account",
]
