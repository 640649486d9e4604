"""HTTP Basic authentication of a site: some accounts may use it, with their tokens."""

from __future__ import annotations

import base64
import binascii
import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from fishchat.config.schema import Limits
from fishchat.errors import Refusal
from fishchat.model.bucket import Bucket
from fishchat.model.names import is_name
from fishchat.model.sources import Sources
from fishchat.storage.redis import StoreError

#: Sources of wrong attempts that are remembered; beyond that the longest unseen one is forgotten.
MOST = 10_000
#: Characters of the header that are examined: a name, a token, and room.
LONGEST = 512


class Tokens(Protocol):
    """The store of tokens."""

    async def check_token(self, account: bytes, token: bytes) -> bytes | None:
        """Return the device that owns this token; None when no device does."""


REALM = 'Basic realm="FishChat", charset="UTF-8"'


class Wrong(Exception):
    """A refused attempt. ``retry`` is 0, or the seconds to wait after too many attempts."""

    def __init__(self, retry: int = 0) -> None:
        super().__init__(retry)
        self.retry = retry

    @property
    def status(self) -> int:
        """The status of the answer."""
        return 429 if self.retry else 401

    @property
    def headers(self) -> dict[str, str]:
        """Additional headers of the answer."""
        return {"Retry-After": str(self.retry)} if self.retry else {"WWW-Authenticate": REALM}


class Guard:
    """Checks requests. Wrong attempts of one source are bounded by ``limits.guesses`` and ``guess_seconds``."""

    def __init__(self, accounts: Iterable[str], tokens: Tokens, limits: Limits, clock: IReactorTime) -> None:
        self._accounts = {account.encode() for account in accounts}
        self._tokens = tokens
        self._limits = limits
        self._clock = clock
        self._sources = Sources(limits.exempt)
        self._guesses: OrderedDict[str, Bucket] = OrderedDict()

    async def check(self, header: bytes | None, address: str) -> None:
        """Return when the ``Authorization`` of a request from ``address`` is right, else raise Wrong.

        Fails with StoreError when the store is away.
        """
        if not header:
            raise Wrong
        source = self._sources.name(address)
        # Taken before the check, so that simultaneous attempts are all counted.
        self._charge(source)
        try:
            right = await self._is_right(header)
        except StoreError:
            self._give_back(source)
            raise
        if not right:
            raise Wrong
        self._give_back(source)

    async def _is_right(self, header: bytes) -> bool:
        account, token = _parse(header)
        if account not in self._accounts:
            return False
        try:
            return await self._tokens.check_token(account, token) is not None
        except Refusal:
            return False

    def _charge(self, source: str) -> None:
        limits, now = self._limits, self._clock.seconds()
        if not limits.flood or not source:
            return
        bucket = self._guesses.pop(source, None) or Bucket(1 / limits.guess_seconds, limits.guesses, now)
        self._guesses[source] = bucket
        if len(self._guesses) > MOST:
            self._guesses.popitem(last=False)
        if wait := bucket.take(now):
            raise Wrong(math.ceil(wait))

    def _give_back(self, source: str) -> None:
        bucket = self._guesses.get(source)
        if bucket is not None:
            bucket.give_back()


def _parse(header: bytes) -> tuple[bytes, bytes]:
    """Return name and secret of a Basic ``Authorization``; both empty when it is malformed."""
    scheme, _, text = header.partition(b" ")
    if scheme.lower() != b"basic" or len(text) > LONGEST:
        return b"", b""
    try:
        account, colon, token = base64.b64decode(text.strip(), validate=True).partition(b":")
    except binascii.Error:
        return b"", b""
    return (account, token) if colon and is_name(account) else (b"", b"")
