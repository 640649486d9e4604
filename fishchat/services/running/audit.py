"""The audit record of a server: who logged in, who was refused, what changed; in the log, in the store, as figures.

Nothing waits for it. Events gather for a second; then they are logged, and stored by one call. While the store is away
they wait here, up to a bound, and those beyond it are counted. Under an attack, the refusals of one address beyond the
first ones of a second are one event with their number.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.config.schema import KeepAudit
from fishchat.interfaces import IStore
from fishchat.model.audit import Event, line
from fishchat.storage.audit.calls import append
from fishchat.storage.redis import StoreError

#: The name is stable, because programs search the log for it.
log = Logger(namespace="fishchat.audit")

#: Events that wait for the store.
WAITING = 5000
#: Events in one call.
BATCH = 500
#: Refusals of one address in a second that are events of their own, and addresses that are counted apart.
APART, SOURCES = 10, 1000
#: Lines in the log for one second; the record in the store has the other events too.
LINES = 200


class Audit:
    """Record events.

    :param server: the name that its events bear.
    :ivar counts: how many events of each kind there were.
    :ivar lost: how many are in no record.
    """

    def __init__(self, server: bytes, store: IStore, keep: KeepAudit) -> None:
        self._server = server
        self._store = store
        self._most = keep.count
        self._waiting: list[Event] = []
        #: How many of them were logged.
        self._logged = 0
        self._refused: Counter[bytes] = Counter()
        self._told = 0
        self._writing = False
        self.counts: Counter[str] = Counter()
        self.lost = 0

    def note(self, kind: str, address: str = "", **fields: bytes) -> None:
        """Record an event, within a second."""
        self.counts[kind] += 1
        source = address.encode()
        if kind == "refused" and self._is_one_of_many(source):
            return
        self._add({"kind": kind, "address": source, "server": self._server, **fields})

    def figures(self) -> dict[str, float]:
        """Return the counts by the names of the heartbeat's figures."""
        logins, refused, signups = (self.counts[kind] for kind in ("login", "refused", "signup"))
        return {"logins": logins, "refused": refused, "signups": signups, "unrecorded": self.lost}

    def flush(self) -> Deferred[Any]:
        """Log and store what has gathered. Call this once a second."""
        self._sum_up()
        self._log()
        if self._writing or not self._waiting or not self._store.connected:
            return succeed(None)
        self._writing = True
        return ensureDeferred(self._write()).addErrback(self._failed).addBoth(self._written)

    def _is_one_of_many(self, source: bytes) -> bool:
        if source not in self._refused and len(self._refused) >= SOURCES:
            source = b""
        self._refused[source] += 1
        return self._refused[source] > APART

    def _sum_up(self) -> None:
        """Make one event of the further refusals of each address, and one of those that are lost."""
        for source, count in self._refused.items():
            if count > APART:
                more = b"%d" % (count - APART)
                self._add({"kind": "refused", "address": source, "server": self._server, "more": more})
        self._refused.clear()
        if self.lost > self._told and len(self._waiting) < WAITING:
            more, self._told = b"%d" % (self.lost - self._told), self.lost
            self._add({"kind": "lost", "server": self._server, "more": more})

    def _add(self, event: Event) -> None:
        if len(self._waiting) < WAITING:
            self._waiting.append(event)
        else:
            self.lost += 1

    def _log(self) -> None:
        fresh, self._logged = self._waiting[self._logged :], len(self._waiting)
        for event in fresh[:LINES]:
            log.info("audit {line}", line=line(event))
        if len(fresh) > LINES:
            more: Event = {"kind": "lost", "server": self._server, "more": b"%d" % (len(fresh) - LINES)}
            log.info("audit {line} (in the store only)", line=line(more))

    async def _write(self) -> None:
        # Events of the present second are logged first, at its end.
        while self._logged and self._store.connected:
            batch = self._waiting[: min(BATCH, self._logged)]
            await append(batch, self._most).of(self._store)
            # After an unknown outcome they are written again: twice is better than never.
            del self._waiting[: len(batch)]
            self._logged -= len(batch)

    def _written(self, result: Any) -> Any:
        self._writing = False
        return result

    def _failed(self, failure: Failure) -> None:
        # The events wait for the next call.
        if failure.check(StoreError) is None:
            log.failure("the audit record could not be written", failure)
