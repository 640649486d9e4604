"""A session that only remembers what it is told."""

from __future__ import annotations


class Owner:
    """The owner of a device in a test.

    :ivar lines: what was pushed.
    :ivar ends: why the session was to end, each time.
    """

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.ends: list[str] = []
        self.push = self.lines.append

    def replaced(self) -> None:
        """See ISessionOwner."""
        self.ends.append("replaced")

    def evicted(self) -> None:
        """See ISessionOwner."""
        self.ends.append("evicted")

    def revoked(self, why: str) -> None:
        """See ISessionOwner."""
        self.ends.append(why)


class Unending(Owner):
    """One whose session must not end."""

    def replaced(self) -> None:
        """See ISessionOwner."""
        raise AssertionError("replaced")

    evicted = replaced

    def revoked(self, why: str) -> None:
        """See ISessionOwner."""
        raise AssertionError(why)
