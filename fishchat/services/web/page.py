"""Resources that answer with a whole body, at once or later, each under its own content security policy."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

#: The policy of a page for which a browser needs to run, frame and load nothing.
NOTHING = "default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Answer:
    """Status, body and headers; ``headers`` are added to those that every answer has."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Page(Resource):
    """A resource without children.

    :param policy: its ``Content-Security-Policy``.
    """

    isLeaf = True
    log = Logger()

    def __init__(self, policy: str) -> None:
        super().__init__()
        self._policy = policy

    def answer(self, request: Request) -> Answer | Coroutine[Any, Any, Answer]:
        """Return the answer, or a coroutine that returns it later."""
        raise NotImplementedError

    def render(self, request: Request) -> bytes | int:
        """Render the answer. Twisted calls this."""
        answer = self.answer(request)
        if isinstance(answer, Answer):
            return self._begin(request, answer)
        gone = request.notifyFinish()
        answering = Deferred.fromCoroutine(answer)
        # The client may have disconnected by now.
        gone.addErrback(lambda _: answering.cancel())
        answering.addErrback(self._failed)
        answering.addCallback(lambda found: None if found is None else self._finish(request, found))
        return NOT_DONE_YET

    def _failed(self, failure: Failure) -> Answer | None:
        if failure.check(CancelledError):
            return None
        self.log.failure("a page failed", failure)
        return Answer(b"internal error\n", "text/plain; charset=utf-8", 500)

    def _begin(self, request: Request, answer: Answer) -> bytes:
        """Set status and headers; return the body."""
        request.setResponseCode(answer.status)
        headers = {"Content-Type": answer.content_type, "Content-Security-Policy": self._policy, **answer.headers}
        for name, text in headers.items():
            request.setHeader(name, text)
        return answer.body

    def _finish(self, request: Request, answer: Answer) -> None:
        body = self._begin(request, answer)
        request.setHeader("Content-Length", str(len(body)))
        # Twisted omits the body of an answer to HEAD only when render returns it.
        request.write(b"" if request.method == b"HEAD" else body)
        request.finish()
