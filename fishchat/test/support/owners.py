"""A session that only records its calls."""

from __future__ import annotations


class Owner:
    """The owner of a device in a test.

    :ivar lines: the pushed lines.
    :ivar ends: the reason of each request to end the session.
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
    """An owner whose session must not end."""

    def replaced(self) -> None:
        """See ISessionOwner."""
        raise AssertionError("replaced")

    evicted = replaced

    def revoked(self, why: str) -> None:
        """See ISessionOwner."""
        raise AssertionError(why)
