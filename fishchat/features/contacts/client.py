"""Requests about contacts and blocks, for the client library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fishchat.features.contacts import rows
from fishchat.features.requests import (
    Events,
    Named,
    Request,
    accounts,
    line_text,
    name_of,
    nothing,
    request,
    tagged_items,
    text_of,
)

EVENTS: Events = {}


class Contact(Named):
    """A contact: a string, with the display name as ``name`` and one's own remark about it as ``remark``."""

    __slots__ = ("remark",)

    def __new__(cls, account: str, name: str = "", remark: str = "") -> Contact:
        """Make the contact with this name and remark."""
        made = str.__new__(cls, account)
        made.name, made.remark = name, remark
        return made

    remark: str


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """A request of an account to become a contact; ``time`` is in seconds since 1970, ``name`` its display name."""

    account: str
    time: float
    text: str = ""
    name: str = ""


def block(account: str) -> Request[None]:
    """Block an account."""
    return request(rows.BLOCK_CLIENT, name_of(account), result=nothing)


def unblock(account: str) -> Request[None]:
    """Unblock an account."""
    return request(rows.UNBLOCK_CLIENT, name_of(account), result=nothing)


def blocked() -> Request[list[Named]]:
    """List the accounts that one has blocked, with their display names."""
    return request(rows.REQ_BLOCKED, result=accounts)


def add_contact(account: str, remark: str | None = None) -> Request[None]:
    """Add a contact, with a remark; an empty one is removed."""
    text = b"" if remark is None else line_text(remark or "-", "BADNAME")
    return request(rows.ADD_CONTACT, name_of(account), text=text, result=nothing)


def remove_contact(account: str) -> Request[None]:
    """Remove a contact."""
    return request(rows.REMOVE_CONTACT, name_of(account), result=nothing)


def contacts() -> Request[list[Contact]]:
    """List one's contacts, with their display names and the remarks about them."""

    def one(item: bytes, tags: Mapping[bytes, bytes]) -> Contact:
        account, _, name = item.decode().partition(" ")
        return Contact(account, name, text_of(tags.get(b"remark", b""), False))

    return request(rows.REQ_CONTACTS, result=tagged_items(one))


def ask_contact(account: str, text: str = "") -> Request[None]:
    """Ask an account to become a contact."""
    said = line_text(text, "CONTROL") if text else b""
    return request(rows.ASK_CONTACT, name_of(account), text=said, result=nothing)


def contact_requests() -> Request[list[ContactRequest]]:
    """List the requests of other accounts, the oldest first."""

    def one(item: bytes, tags: Mapping[bytes, bytes]) -> ContactRequest:
        account, time, *text = item.decode().split(" ", 2)
        return ContactRequest(account, int(time) / 1000, "".join(text), text_of(tags.get(b"name", b""), False))

    return request(rows.REQ_CONTACT_REQUESTS, result=tagged_items(one))


def accept_contact(account: str) -> Request[None]:
    """Accept the request of an account."""
    return request(rows.ACCEPT_CONTACT, name_of(account), result=nothing, settled="NOTFOUND")


def refuse_contact(account: str) -> Request[None]:
    """Refuse the request of an account."""
    return request(rows.REFUSE_CONTACT, name_of(account), result=nothing, settled="NOTFOUND")
