"""The right under which a msg_server writes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fence:
    """A server, its lease and the epoch of the store. Every write carries them, and the scripts check them.

    :ivar writer: the number of the connection that writes. Writes that an earlier connection left in Redis' buffers
        must not take effect late.
    """

    server: bytes
    incarnation: bytes
    epoch: int
    writer: int = 0

    @property
    def token(self) -> bytes:
        """The value of the lease in the store."""
        return b"%s.%d" % (self.incarnation, self.writer)

    @property
    def args(self) -> tuple[bytes, bytes, bytes]:
        """The first three arguments of a fenced script."""
        return self.server, self.token, b"%d" % self.epoch
