"""Requests about contacts and blocks, for the client library."""

from __future__ import annotations

from fishchat.features.contacts import rows
from fishchat.features.requests import Events, Named, Request, accounts, name_of, nothing, request

EVENTS: Events = {}


def block(account: str) -> Request[None]:
    """Block an account."""
    return request(rows.BLOCK_CLIENT, name_of(account), result=nothing)


def unblock(account: str) -> Request[None]:
    """Unblock an account."""
    return request(rows.UNBLOCK_CLIENT, name_of(account), result=nothing)


def blocked() -> Request[list[Named]]:
    """List the accounts that one has blocked, with their display names."""
    return request(rows.REQ_BLOCKED, result=accounts)


def add_contact(account: str) -> Request[None]:
    """Add a contact."""
    return request(rows.ADD_CONTACT, name_of(account), result=nothing)


def remove_contact(account: str) -> Request[None]:
    """Remove a contact."""
    return request(rows.REMOVE_CONTACT, name_of(account), result=nothing)


def contacts() -> Request[list[Named]]:
    """List one's contacts, with their display names."""
    return request(rows.REQ_CONTACTS, result=accounts)
