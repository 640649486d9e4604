"""The life of the small client: the gateway, the login, reconnections and the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from fishchat.proof.lab.minimal_wire import LOST, Link, log

#: The longest delay in seconds between two connections, and the time limit of connecting.
PATIENCE, CONNECT = 2.0, 5.0


class Closed(Exception):
    """The client ended for this reason before the answer was received."""


class Again(Exception):
    """An attempt failed; after ``retry`` seconds another one may succeed."""

    def __init__(self, why: str, retry: float = 0.0) -> None:
        super().__init__(why)
        self.retry = retry


class Life:
    """Keeps an account logged in; a subclass handles what it receives.

    :ivar on_closed: is called with the reason at the end: ``stopped``, ``replaced``, ``refused …``.
    """

    #: What the client asks for in ``HELLO``.
    capabilities = "ack"

    def __init__(self, account: str, gateway: str, reactor: Any) -> None:
        self.account = account
        self.on_closed: Callable[[str], object] = lambda reason: None
        self._gateway, self._reactor = gateway, reactor
        self._random = Random(account)
        self._factory = Factory.forProtocol(partial(Link, reactor, self._pushed))
        self._factory.noisy = False
        #: The newest connection, and the one that is logged in.
        self._newest: Link | None = None
        self._link: Link | None = None
        self._idle: set[Deferred[None]] = set()
        self._pauses: set[Deferred[None]] = set()
        self._started: Deferred[None] = Deferred()
        self._ended: Deferred[None] = Deferred()
        self._life: Deferred[None] | None = None
        self._tries = 0
        self._reason = ""
        self._stopping = False

    def _pushed(self, link: Link, verb: str, rest: str, tags: str) -> None:
        raise NotImplementedError

    def _ready(self) -> None:
        raise NotImplementedError

    def _fail(self, closed: Closed) -> None:
        raise NotImplementedError

    def start(self) -> Deferred[None]:
        """Log in; fires when everything missed was received. Fails with :class:`Closed`."""
        self._life = Deferred.fromCoroutine(self._live())
        self._life.addBoth(self._over)
        return self._started

    def stop(self) -> Deferred[None]:
        """Acknowledge all received messages and close; fires when that is done. Calls without an answer then fail."""
        stopped: Deferred[None] = Deferred()
        self._ended.addBoth(lambda result: stopped.callback(None))
        self._stopping = True
        if self._link is not None:
            self._link.leave()
        elif self._life is not None:
            self._life.cancel()
        elif not self._reason:
            self._over(None)
        return stopped

    async def _logged_in(self) -> Link:
        while self._link is None or not self._link.usable:
            await self._wait(Deferred(), self._idle)
        return self._link

    async def _pause(self, seconds: float) -> None:
        pause: Deferred[None] = Deferred(lambda pause: call.cancel())
        call = self._reactor.callLater(seconds, pause.callback, None)
        await self._wait(pause, self._pauses)

    async def _wait(self, waiting: Deferred[None], among: set[Deferred[None]]) -> None:
        among.add(waiting)
        try:
            if self._reason:
                waiting.cancel()
            await waiting
        except CancelledError:
            if self._reason:
                raise Closed(self._reason) from None
            raise
        finally:
            among.discard(waiting)

    async def _live(self) -> None:
        """Connect again and again; return when stopped, and fail when the server ends it for good."""
        place = ""
        while not self._stopping:
            delay = min(PATIENCE, 0.05 * 2.0**self._tries) * self._random.uniform(0.5, 1.0)
            self._tries = min(self._tries + 1, 10)
            try:
                link = await self._connect(place)
                await self._log_in(link)
                await self._serve(link)
                place = link.move.removeprefix("-")
            except Again as again:
                place, delay = "", max(delay, again.retry)
            if not self._stopping:
                await self._pause(delay)

    async def _connect(self, place: str) -> Link:
        why = "no msg_server"
        for server in [place] if place else await self._servers():
            try:
                return await self._dial(server)
            except Again as again:
                why = str(again)
        raise Again(why)

    async def _servers(self) -> list[str]:
        link = await self._dial(self._gateway)
        answer = await link.ask("REQ_MSG_SERVER")
        link.leave()
        await link.lost
        if answer.word != "OK":
            raise Again(answer.word, answer.retry)
        return answer.text.split(" ")

    async def _dial(self, place: str) -> Link:
        host, _, port = place.rpartition(":")
        try:
            endpoint = HostnameEndpoint(self._reactor, host.strip("[]"), int(port), timeout=CONNECT)
            link = await endpoint.connect(self._factory)
        except (ConnectError, OSError, ValueError) as failed:
            raise Again(str(failed)) from failed
        assert isinstance(link, Link)
        self._newest = link
        greeting = await link.greeted
        if greeting.word != "OK":
            link.abort()
            raise Again(greeting.word, greeting.retry)
        return link

    async def _log_in(self, link: Link) -> None:
        for asked in [link.ask("HELLO 1 caps=" + self.capabilities), link.ask("SEND_CLIENT_ID " + self.account)]:
            answer = await asked
            if answer is LOST or answer.passes or answer.word == "INTERNAL":
                link.abort()
                raise Again(answer.word, answer.retry)
            if answer.word != "OK":
                raise Closed(f"refused {answer.word} {answer.text}")

    async def _serve(self, link: Link) -> None:
        self._link = link
        for waiting in list(self._idle):
            waiting.callback(None)
        self._ready()
        if await link.synced:
            self._tries = 0
            if not self._started.called:
                self._started.callback(None)
        await link.lost
        self._link = None
        if link.end:
            raise Closed(link.end)

    def _tell(self, whom: Callable[[Any], object], what: object) -> None:
        try:
            whom(what)
        except Exception:
            log.failure("a handler failed")

    def _over(self, result: object) -> None:
        """Close open connections, then report the end."""
        failure = result if isinstance(result, Failure) else None
        if self._stopping or failure is None:
            self._reason = "stopped"
        elif failure.check(Closed):
            self._reason = failure.getErrorMessage()
        else:
            log.failure("a defect of this client", failure)
            self._reason = "refused by a defect of this client"
        if self._newest is None:
            self._close()
        else:
            self._newest.abort()
            self._newest.lost.addCallback(lambda lost: self._close())

    def _close(self) -> None:
        self._link = None
        for waiting in [*self._idle, *self._pauses]:
            waiting.cancel()
        closed = Closed(self._reason)
        self._fail(closed)
        self._tell(self.on_closed, self._reason)
        # Before the start nothing waits for it.
        if self._life is not None and not self._started.called:
            self._started.errback(closed)
        self._ended.callback(None)
