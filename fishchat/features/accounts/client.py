"""Requests about accounts and devices, for the client library."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fishchat.features.accounts import rows
from fishchat.features.requests import (
    Events,
    RefusedError,
    Reply,
    Request,
    items,
    line_text,
    name_of,
    nothing,
    request,
    text_of,
)
from fishchat.features.requests import accounts as shown
from fishchat.model.display_names import DISPLAY_LENGTH, display_name


@dataclass(frozen=True, slots=True)
class Status:
    """The status of an account: online or not, last online (seconds since 1970; 0.0: never), and its display name."""

    account: str
    online: bool
    last_seen: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of one's own account: when it was last online (0.0: never) and when its token ends (0.0: no token).

    Both times are in seconds since 1970.
    """

    device: str
    online: bool
    last_seen: float
    token_ends: float


EVENTS: Events = {}


def create_account(account: str, password: str, invite: str | None) -> Request[None]:
    """Create an account."""
    tags = {} if invite is None else {b"invite": line_text(invite, "INVITATION")}
    return request(
        rows.CREATE_CLIENT, name_of(account), text=line_text(password, "PASSWORD"), tags=tags, result=nothing
    )


def redeem_code(account: str, device: str, code: str) -> Request[str]:
    """Exchange a code of the operator for a token of a device, with which it can log in."""

    def result(reply: Reply) -> str:
        return reply.rest.decode().partition(" token=")[2]

    return request(rows.REDEEM_CODE, name_of(account), name_of(device), text=line_text(code, "AUTH"), result=result)


def status(account: str) -> Request[Status]:
    """Return whether an account is online, when it last was, and its display name."""

    def result(reply: Reply) -> Status:
        name, state, seen, *shown = reply.rest.split(b" ", 3)
        return Status(name.decode(), state == b"online", int(seen) / 1000, text_of(b"".join(shown), False))

    return request(rows.REQ_CLIENT_STATUS, name_of(account), result=result)


def names(accounts: Iterable[str]) -> Request[dict[str, str]]:
    """Return the display names of up to 100 accounts, by account; those without a name are left out."""
    text = b" ".join(map(name_of, accounts))

    def result(reply: Reply) -> dict[str, str]:
        return {str(account): account.name for account in shown(reply) if account.name}

    return request(rows.REQ_NAMES, text=text, result=result)


def change_password(password: str) -> Request[None]:
    """Change one's password."""
    return request(rows.SEND_PASSWORD, text=line_text(password, "PASSWORD"), result=nothing)


def delete_account(password: str) -> Request[None]:
    """Delete one's account."""
    return request(rows.DELETE_CLIENT, text=line_text(password, "AUTH"), result=nothing)


def devices() -> Request[list[Device]]:
    """List one's devices."""

    def one(item: bytes, _escaped: bool) -> Device:
        device, state, seen, ends, *_ = item.decode().split(" ")
        return Device(device, state == "online", int(seen) / 1000, int(ends) / 1000)

    return request(rows.REQ_DEVICES, result=items(one))


def revoke_device(device: str) -> Request[None]:
    """Revoke a device's token and close its connection."""
    return request(rows.REVOKE_DEVICE, name_of(device), result=nothing, settled="NOTFOUND")


def set_privacy(privacy: Literal["everyone", "contacts"]) -> Request[None]:
    """Set which accounts may start a conversation."""
    return request(rows.SEND_PRIVACY, name_of(privacy), result=nothing)


def set_name(shown: str) -> Request[None]:
    """Set one's display name."""
    try:
        raw = display_name(shown.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise RefusedError("BADNAME", str(error), {"limit": str(DISPLAY_LENGTH)}) from None
    return request(rows.SEND_NAME, text=raw, result=nothing)
