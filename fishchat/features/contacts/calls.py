"""Calls of the scripts by which accounts block each other and keep contacts."""

from __future__ import annotations

from typing import Any

from fishchat.storage.ask import Ask, accepted, nothing, rows
from fishchat.storage.logs.calls import Appended, parse_appended
from fishchat.storage.packing import unpack
from fishchat.storage.script import script

_SET = script("contacts/set")
_LIST = script("contacts/list")
_REMARKS = script("contacts/remarks")
_ASK = script("contacts/ask")
_ACCEPT = script("contacts/accept")
_REFUSE = script("contacts/refuse")
_REQUESTS = script("contacts/requests")

#: The relations that an account may have to another one.
BLOCKED, CONTACT = b"b", b"c"


#: The most accounts that one account may block, and the most contacts that it may have.
RELATED = 1000
#: The most requests that wait at one account, and the most names that one account asks in 90 days.
WAITING, ASKED = 100, 1000


def set_relation(
    account: bytes, other: bytes, kind: bytes, wanted: bool, most: int, remark: bytes | None = None
) -> Ask[None]:
    """Make another account ``BLOCKED`` or a ``CONTACT``, or end this. ``most`` limits an account's relations.

    ``remark`` is about a contact: None leaves it as it is, an empty one removes it.
    """
    return Ask(_SET, (account, other, kind, wanted, most, False if remark is None else remark), nothing)


def related(account: bytes, kind: bytes) -> Ask[list[bytes]]:
    """List the accounts that an account has blocked, or its contacts, by name."""
    return Ask(_LIST, (account, kind), lambda packed: sorted(unpack(packed)))


def remarks(account: bytes, others: list[bytes]) -> Ask[list[bytes]]:
    """Read the remarks of an account about some of its contacts, empty where there is none."""
    return Ask(_REMARKS, (account, others), list)


def ask_contact(
    stream: bytes, account: bytes, other: bytes, text: bytes, body: bytes, accepted_body: bytes
) -> Ask[Appended | None]:
    """Ask an account to become a contact: the notice to it, None where there is none.

    If the other account has asked before, this accepts its request, and the notice has ``accepted_body``.
    """

    def parse(reply: Any) -> Appended | None:
        return parse_appended(reply) if accepted(reply) else None

    return Ask(_ASK, (stream, account, other, text, RELATED, WAITING, ASKED, body, accepted_body), parse)


def accept(stream: bytes, account: bytes, other: bytes, body: bytes) -> Ask[Appended]:
    """Accept the request of an account: the notice to it."""
    return Ask(_ACCEPT, (stream, account, other, RELATED, body), parse_appended)


def refuse(account: bytes, other: bytes) -> Ask[None]:
    """Refuse the request of an account, which is not notified."""
    return Ask(_REFUSE, (account, other), nothing)


def requests(account: bytes) -> Ask[list[tuple[int, bytes, bytes]]]:
    """List the requests that wait for the account, the oldest first: time in ms, account and text."""

    def parse(packed: bytes) -> list[tuple[int, bytes, bytes]]:
        found = []
        for other, request in rows(packed, 2):
            time, _, text = request.partition(b" ")
            found.append((int(time), other, text))
        return sorted(found)

    return Ask(_REQUESTS, (account,), parse)
