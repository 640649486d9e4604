"""What the store has about one account, and what the account has said: line by line, in steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from fishchat.features.accounts import calls
from fishchat.interfaces import IStore
from fishchat.model.message import ESCAPED, PLAIN
from fishchat.model.names import START, format_position
from fishchat.protocols.lines import unescape
from fishchat.storage.logs import calls as logs

#: Entries of a log, and fields of a hash, that one step reads.
STEP = 500

Line = dict[str, Any]


async def export(store: IStore, account: bytes, token_life: int) -> AsyncIterator[Line]:
    """Yield profile, devices, relations, settings, topics, reports and messages of an account, then a line with their
    number.

    Times are in ms since 1970. Raises Refusal if there is no such account. Hashes of secrets are never included.
    """
    portrait = await calls.describe(account).of(store)
    yield {"type": "account", **asdict(portrait)}
    for device in await calls.devices(account, token_life).of(store):
        yield {"type": "device", **asdict(device)}
    async for other, kinds in _pairs(store, b"relations:" + account):
        for kind, name in ((b"c", "contact"), (b"b", "blocked")):
            if kind in kinds:
                yield {"type": name, "account": other.decode()}
    async for line in _settings(store, account):
        yield line
    for topic in sorted(await store.run("SMEMBERS", b"topics:" + account)):
        owner = await store.run("HGET", b"topic:#" + topic, "owner")
        yield {"type": "topic", "topic": topic.decode(), "owner": owner == account}
    messages = 0
    async for conversation, _ in _pairs(store, b"talks:" + account):
        async for line in _said(store, account, conversation):
            messages += 1
            yield line
    yield {"type": "end", "messages": messages}


async def _settings(store: IStore, account: bytes) -> AsyncIterator[Line]:
    """Yield remarks, requests and settings of conversations, then what the account has reported, without the texts."""
    async for other, remark in _pairs(store, b"remarks:" + account):
        yield {"type": "remark", "account": other.decode(), "text": _shown(remark)}
    async for other, _ in _pairs(store, b"contact_asks:" + account):
        request = await store.run("HGET", b"contact_asked:" + other, account)
        if request is not None:
            time, _, text = request.partition(b" ")
            yield {"type": "request", "account": other.decode(), "time": int(time), "text": _shown(text)}
    async for conversation, settings in _pairs(store, b"prefs:" + account):
        notify, ends, marks, remark = settings.split(b" ", 3)
        yield {
            "type": "settings",
            "conversation": conversation.decode(),
            "notify": notify.decode(),
            "until": int(ends),
            "pinned": b"p" in marks,
            "archived": b"a" in marks,
            "remark": _shown(remark),
        }
    async for message, report in _pairs(store, b"reported:" + account):
        entry = report.partition(b" ")[2]
        for _, flat in await store.run("XRANGE", b"reports", entry, entry):
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            time = int(entry.partition(b"-")[0])
            yield {"type": "report", "message": message.decode(), "time": time, "reason": _shown(fields[b"reason"])}


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


async def _pairs(store: IStore, key: bytes) -> AsyncIterator[tuple[bytes, bytes]]:
    """Yield the fields of a hash with their values, each once."""
    cursor, given = b"0", set[bytes]()
    while True:
        cursor, flat = await store.run("HSCAN", key, cursor, "COUNT", STEP)
        for name, value in zip(flat[::2], flat[1::2], strict=True):
            if name not in given:
                given.add(name)
                yield name, value
        if cursor == b"0":
            return


async def _said(store: IStore, account: bytes, conversation: bytes) -> AsyncIterator[Line]:
    after = START
    while True:
        page = await logs.page(conversation, after, None, STEP).of(store)
        for position, time, body in page.entries:
            sender, device, _, form, text = body.split(b" ", 4)
            # Notices are the server's words. Of an edited message the text that stands now is exported.
            if sender == account and form.partition(b";")[0] in (PLAIN, ESCAPED):
                yield _message(conversation + b":" + format_position(position), device, time, form, text)
        if len(page.entries) < STEP:
            return
        after = page.entries[-1][0]


def _message(message_id: bytes, device: bytes, time: int, form: bytes, text: bytes) -> Line:
    kind, _, attributes = form.partition(b";")
    line = {"type": "message", "id": message_id.decode(), "device": device.decode(), "time": time}
    if attributes:
        line["tags"] = _shown(attributes)
    return {**line, "text": _shown(unescape(text) if kind == ESCAPED else text)}
