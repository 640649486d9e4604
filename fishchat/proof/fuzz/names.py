"""Names, ids, addresses, URLs and sources: an accepted value is well-formed, and equal when it is written again."""

from __future__ import annotations

import contextlib
import ipaddress
import re

from fishchat.client.security import split_address
from fishchat.config.redis_url import parse_url
from fishchat.model.display_names import DISPLAY_LENGTH, is_display_name
from fishchat.model.names import (
    accounts_of,
    concerns,
    format_position,
    is_conversation,
    is_name,
    message_id,
    p2p,
    parse_position,
    split_id,
)
from fishchat.model.sources import Sources
from fishchat.net.addresses import format_address, is_everywhere, is_ip, is_loopback, parse_address
from fishchat.proof.fuzz import grammar
from fishchat.proof.fuzz.helpers import Dice, claim

_SOURCES = Sources(["192.0.2.0/24", "2001:db8::/32"])
_SECRET = re.compile(r"^[a-z]+://[^/?#]*?:([^/?#@]{6,})@")


def names(data: bytes) -> None:
    """Names follow the grammar, and an id equals its composed parts."""
    claim(is_name(data) == bool(re.fullmatch(grammar.NAME, data)), "a name or not", data)
    well = bool(re.fullmatch(grammar.CONVERSATION, data)) and grammar._in_order(data)
    claim(is_conversation(data) == well, "a conversation or not", data)
    if well:
        for account in accounts_of(data):
            claim(is_name(account) and concerns(data, account), "an account of it", data, account)
    _ids(data)
    if is_display_name(data):
        text = data.decode()
        claim(0 < len(text) <= DISPLAY_LENGTH and text.strip(), "nothing to be seen", text)
        claim(not re.search("[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", text), "not to be shown", text)
    dice = Dice(data)
    one, other = dice.name(), dice.name()
    claim(p2p(one, other) == p2p(other, one) and is_conversation(p2p(one, other)), "two names of one", one, other)


def _ids(data: bytes) -> None:
    form = bool(re.fullmatch(grammar.ID, data)) and grammar._in_order(data)
    try:
        conversation, epoch, seq = split_id(data)
    except ValueError:
        claim(not form, "an id, and refused", data)
        return
    claim(form, "no id, and taken", data)
    claim(split_id(message_id(conversation, epoch, seq)) == (conversation, epoch, seq), "another id", data)
    position = epoch, seq
    claim(parse_position(format_position(position)) == position, "another position", data)


def addresses(data: bytes) -> None:
    """Check ``host:port``, and the sources of connections."""
    text = data.decode("utf-8", "replace")
    try:
        host, port = parse_address(text)
    except ValueError:
        pass
    else:
        claim(0 <= port <= 65535 and host and ":" not in host.replace(":", "", 7), "no address", text)
        claim(parse_address(format_address(host, port)) == (host, port), "another address", text)
        if port:
            claim(split_address(format_address(host, port)) == (host, port), "the client reads another one", text)
        claim(not (is_loopback(host) and is_everywhere(text)), "this machine alone, and all of them", text)
        claim(is_ip(host) or not re.fullmatch(r"[0-9.]+", host), "a number that is no address", text)
    with contextlib.suppress(ValueError):
        split_address(text)
    _source(text, data)


def _source(text: str, data: bytes) -> None:
    name = _SOURCES.name(text)
    claim(_SOURCES.name(name) == name, "the source of a source is another one", text, name)
    six = ipaddress.IPv6Address(data[:8].ljust(8, b"\1") + data[8:16].ljust(8, b"\1"))
    neighbour = ipaddress.IPv6Address(data[:8].ljust(8, b"\1") + b"\2" * 8)
    if six.ipv4_mapped is None and neighbour.ipv4_mapped is None:
        claim(_SOURCES.name(str(six)) == _SOURCES.name(str(neighbour)), "two sources of one network", six, neighbour)
    four = ipaddress.IPv4Address(data[:4].ljust(4, b"\1"))
    claim(_SOURCES.name(f"::ffff:{four}") == _SOURCES.name(str(four)), "two sources of one address", four)


def urls(data: bytes) -> None:
    """Check the URL of a Redis: a refusal contains no secret; an accepted one shows none and keeps its meaning."""
    url = data.decode("utf-8", "replace")
    secret = _SECRET.match(url)
    try:
        address = parse_url(url)
    except ValueError as error:
        claim(secret is None or secret[1] not in str(error), "a secret in an error", url, str(error))
        claim(error.__suppress_context__ or error.__context__ is None, "a context that may hold a secret", url)
        return
    shown = f"{address} {address!r}"
    if len(address.password) >= 6 and address.password not in f"{address.host}{address.path}{address.username}":
        claim(address.password not in shown, "a secret is shown", shown)
    claim(bool(address.path) != bool(address.host), "a path or a host", address)
    claim(0 < address.port <= 65535 and address.db >= 0, "no port, or no database", address)
    if address.host and re.fullmatch(r"[A-Za-z0-9.:-]+", address.host):
        again = parse_url(str(address))
        claim(
            (again.host, again.port, again.db, again.tls) == (address.host, address.port, address.db, address.tls),
            "another address",
            url,
            str(address),
        )
