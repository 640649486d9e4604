"""Helpers of tests over the whole command table: lines made from its rows, the handlers reached, the stored data.

A new verb needs nothing here. A new kind of field needs one line in ``GOOD``; without it the tests fail at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fishchat.protocols.rows import Text, Verb
from fishchat.services.msg_server.service import MsgServer
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.redis_fixture import RedisServer

#: A good value of each kind of field, for an account called mallory.
GOOD: dict[str, str] = {
    "account": "bob",
    "topic": "fishing",
    "device": "phone",
    "mechanism": "SCRAM-SHA-256",
    "privacy": "everyone",
    "setting": "remark",
    "conversation": "bob+mallory",
    "named-conversation": "bob+mallory",
    "mark": "bob+mallory:1-1",
    "id": "bob+mallory:1-1",
    "version": "1",
    "code": "fcj_code",
    "link": "all",
    "reaction": "+1",
    "topic-setting": "slow",
    "role": "admin",
}
#: Fields that may hold nearly any character, within a length.
ANYTHING = ("reaction",)
Fields = Mapping[str, str]
NO_FIELDS: Fields = {}
#: A good text, by its name in the table.
TEXTS = {"verb": "MSG", "value": "30", "caps=ack,lazy,ops,time": "caps=ack"}
#: Characters with a meaning in patterns, keys or channels.
WILDCARDS = "*?[]{}:#+"
# Keys and the beginnings of sequences, which are refused.
_KEYS = (0x08, 0x15, 0x17, 0x1B, 0x7F, 0x9B)
#: Control characters that are removed from a line: all except TAB, NUL, line ends and keys.
CONTROLS = [chr(code) for code in (*range(1, 9), 11, 12, *range(14, 32), 127, *range(128, 160)) if code not in _KEYS]
#: Control characters that a terminal acts on, without TAB.
ACTED_ON = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
#: Keys whose value changes by itself.
_RESTLESS = (b"lease:", b"router:", b"hints:", b"routed:", b"audit")


def line_of(verb: Verb, fields: Fields = NO_FIELDS, word: bytes = b"", text: str | None = None) -> str:
    """Return a line with ``verb``, by its name or an alias, with a text if it may have one.

    ``fields`` are values that differ from ``GOOD``.
    """
    values = [fields.get(one.name, GOOD[one.name]) for one in verb.fields]
    if verb.text is not Text.NONE:
        values.append(TEXTS.get(verb.text_name, "some words") if text is None else text)
    return " ".join([(word or verb.name).decode(), *values])


def words_of(verb: Verb) -> list[bytes]:
    """Return the spellings of a verb: name and alias, in capitals or not."""
    words = [word for word in (verb.name, verb.alias) if word]
    return [*words, words[-1].lower()]


def holding(redis: RedisServer) -> dict[bytes, bytes]:
    """Return all stored data except keys that change by themselves: two dumps are equal if nothing was written."""
    script = (
        "local out = {} for _, key in ipairs(redis.call('KEYS', '*')) do"
        " out[#out + 1] = key out[#out + 1] = redis.call('DUMP', key) end return out"
    )
    flat = redis.command("EVAL", script, 0)
    stored = dict(zip(flat[::2], flat[1::2], strict=True))
    return {key: value for key, value in stored.items() if not key.startswith(_RESTLESS)}


def authors(redis: RedisServer) -> dict[str, set[str]]:
    """Return conversation → the stored authors of its messages."""
    found: dict[str, set[str]] = {}
    for key in redis.command("KEYS", "log:*"):
        bodies = [entry[1][3] for entry in redis.command("XRANGE", key, "-", "+")]
        found[key.removeprefix(b"log:").decode()] = {body.split(b" ")[0].decode() for body in bodies}
    return found


class Reached:
    """A record of the handlers of a msg_server that were called; the calls are passed on."""

    def __init__(self, server: MsgServer) -> None:
        self.verbs: list[bytes] = []
        self._calls = server.commits
        for name, handler in server.sessions.handlers.items():
            server.sessions.handlers[name] = self._noting(name, handler)
        self._before = server.commits.calls

    def _noting(self, name: bytes, handler: Any) -> Any:
        def note(connection: Any, command: Any) -> None:
            self.verbs.append(name)
            handler(connection, command)

        return note

    def take(self) -> list[bytes]:
        """Return the handlers called since the last time."""
        verbs, self.verbs = self.verbs, []
        return verbs

    def calls(self) -> int:
        """Return the number of store calls since the last time."""
        before, self._before = self._before, self._calls.calls
        return self._before - before


async def answer_to(client: Client, line: str, free: bool = False) -> str:
    """Return the final reply to ``line``, which has no tags of its own; skip other lines before it.

    A ``free`` command has no reply on success: then the result is empty, and a ping was answered.
    """
    client.send(line if line.startswith("@") else f"@id=m {line}", *["@id=n SEND_PING"] * free)
    while True:
        heard = await client.take()
        if heard == "@id=n OK SEND_PING":
            return ""
        if heard.startswith("@id=m ") and heard.split(" ")[1] not in ("BEGIN", "ITEM"):
            return heard.removeprefix("@id=m ")


def tagged(line: str, tags: str) -> str:
    """Return the line with these tags, in addition to the one that ``answer_to`` searches for."""
    return f"@id=m;{tags} {line}"


async def greeted(cluster: Cluster, server: str = "ms1", hello: bool = False) -> Client:
    """Return an unauthenticated client."""
    client = cluster.connect(server)
    await client.expect("HELLO fishchat/1 …")
    if hello:
        await client.ask("HELLO 1 caps=ack", "OK HELLO …")
    return client


class MatrixCase(ClusterCase):
    """A test with a cluster, in which the attacking account is called mallory."""

    timeout = 120

    async def begin(self, mode: str = "open", **settings: Any) -> Cluster:
        """Start one msg_server and a gateway, and record every handler that is reached."""
        cheap: dict[str, Any] = {
            "accounts__argon2_memory": 8192,
            "accounts__argon2_passes": 1,
            "accounts__scram_rounds": 4096,
        }
        cluster = await self.cluster(
            servers=1, routers=0, gateways=1, accounts__mode=mode, limits__flood=False, **cheap, **settings
        )
        if mode == "open":
            for name in ("bob", "mallory"):
                client = await cluster.login(name)
                client.drop()
            await cluster.settled()
        self.reached = Reached(cluster.server("ms1"))
        return cluster

    async def refuses(self, cluster: Cluster, client: Client, verb: Verb, line: str, word: str) -> None:
        """Check that the line has this answer, reaches no handler and changes nothing."""
        before = holding(cluster.redis)
        self.reached.calls()
        answer = await answer_to(client, line)
        self.assertRegex(answer, rf"^ERR {verb.name.decode()} {word} \S", line)
        self.assertEqual((self.reached.take(), self.reached.calls()), ([], 0), line)
        self.assertEqual(holding(cluster.redis), before, line)
