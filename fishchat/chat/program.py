"""One run of ``fishchat chat``: the connection, the view, and the end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fishchat.chat.errors import ChatError
from fishchat.chat.home import Home, LockedError, Place, base_directory
from fishchat.chat.words import Words
from fishchat.client.security import Tls


@dataclass(frozen=True)
class Wanted:
    """What a person asked for."""

    place: Place
    device: str
    secret: str | None
    tls: Tls
    plain: bool


def run(wanted: Wanted, words: Words, environment: Mapping[str, str]) -> None:
    """Run the chat. Raises ChatError."""
    try:
        home = Home(base_directory(environment), wanted.place, wanted.device)
    except LockedError as error:
        raise ChatError(words("locked", f"{wanted.place} ({wanted.device})", error.holder)) from None
    except OSError as error:
        raise ChatError(str(error)) from error
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    from twisted.internet import asyncioreactor

    # Before anything imports the reactor.
    asyncioreactor.install(loop)
    from twisted.internet import reactor

    running: Any = reactor
    ended: list[BaseException | str] = []

    def begin() -> None:
        task = loop.create_task(_run(wanted, home, words, ended))
        task.add_done_callback(_stop)

    def _stop(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            ended.append(task.exception() or "")
        running.stop()

    running.callWhenRunning(begin)
    # The view has its own way with Ctrl+C.
    running.run(installSignalHandlers=False)
    home.close()
    for why in ended:
        if isinstance(why, str):
            raise ChatError(why)
        raise why


async def _run(wanted: Wanted, home: Home, words: Words, ended: list[BaseException | str]) -> None:
    from twisted.internet import reactor
    from twisted.python.failure import Failure

    from fishchat.chat.core import Chat
    from fishchat.client import Client, ClientError, FileState

    # Twisted must not write to the terminal that the view draws on.
    _log_to(home)
    try:
        client = Client(
            home.place.account,
            secret=wanted.secret,
            device=wanted.device,
            servers=[wanted.place.server],
            tls=wanted.tls,
            reactor=reactor,
            state=FileState(home.state),
            lazy=True,
            own_reads=True,
            operations=True,
        )
    except (OSError, ValueError) as error:
        # A file with authorities, or the state: the text names it.
        raise ChatError(str(error)) from error
    loop = asyncio.get_running_loop()
    view: Any
    if wanted.plain:
        from fishchat.chat.plain import Plain

        view = Plain(words, client.account, lambda text: print(text, flush=True))
    else:
        from fishchat.chat.screens import Screens

        view = Screens(words, home)
    chat = Chat(client, home, words, view, time.time)
    view.chat = chat
    closed: asyncio.Future[str] = loop.create_future()
    client.on_closed = lambda why: None if closed.done() else closed.set_result(why)
    refusals: list[str] = []

    def refused(failure: Failure) -> None:
        failure.trap(ClientError)
        refusals.append(getattr(failure.value, "text", "") or str(failure.value))

    client.start().addErrback(refused)
    watching = loop.create_task(_watch(chat))
    shown = loop.create_task(_show(view, chat, words))
    either: set[asyncio.Future[Any]] = {shown, closed}
    done, _ = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    if closed in done and shown not in done:
        if wanted.plain:
            shown.cancel()
        else:
            view.stop()
        await asyncio.wait([shown])
        why = closed.result()
        ended.append(words(f"ended-{why}", wanted.device if why == "replaced" else "".join(refusals)).strip())
    else:
        await client.stop().asFuture(loop)
        shown.result()


async def _show(view: Any, chat: Any, words: Words) -> None:
    if hasattr(view, "run_async"):
        await view.run_async()
    else:
        from fishchat.chat.plain import run as run_plain

        await run_plain(chat, view, words)


async def _watch(chat: Any) -> None:
    """Show when the connection is lost: the client connects again by itself."""
    while True:
        if not chat.client.is_online and chat.state == "connected":
            chat.lost()
        await asyncio.sleep(0.5)


def _log_to(home: Home) -> None:
    from twisted.logger import globalLogBeginner, textFileLogObserver

    path = home.state.with_suffix(".log")
    globalLogBeginner.beginLoggingTo(
        [textFileLogObserver(path.open("a", encoding="utf-8"))], redirectStandardIO=False, discardBuffer=True
    )
    sys.stderr.flush()
