"""All targets by name, with the greatest length of their inputs and the fuzzer's dictionary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fishchat.errors import WORDS
from fishchat.features.registry import PUSHES, VERBS
from fishchat.proof.fuzz import client, commands, frames, lines, logins, names, payloads, redis, roundtrip, servers, web
from fishchat.services.gateway.rows import GATEWAY_VERBS

COMMANDS = tuple(word for verb in (*VERBS, *GATEWAY_VERBS) for word in verb.words)
TAGS = tuple(dict.fromkeys(b"@" + tag + b"=" for verb in VERBS for tag in verb.tag_rows))
TELNET = (b"\xff\xfa", b"\xff\xf0", b"\xff\xfb", b"\xff\xfd", b"\xff\xff", b"\r\0", b"\r\n")
IDS = (b"alice+bob:7-1", b"#fishing:7-1", b"@alice:7-1", b" alice", b" bob", b" fishing", b"caps=ack", b"fct_")
EXAMPLES = tuple(push.example for push in PUSHES)
REFUSED = tuple(b"ERR - " + word.encode() for word in WORDS)
SCRAM = (b"n,,n=alice,r=", b"c=biws,r=NONCE,p=", b",i=4096", b"s=", b"v=", b"m=", b"y,,", b"p=tls-server-end-point,,")
HTTP = (
    b"GET / HTTP/1.1\r\n",
    b"GET /healthz HTTP/1.1\r\n",
    b"HEAD /readyz HTTP/1.0\r\n",
    b"Authorization: Basic YW5uYTpmY3RfYW5uYQ==\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n\r\n",
)
FRAMES = (
    b"\x81\x85\0\0\0\0HELLO",
    b"\x01\x81\0\0\0\0A",
    b"\x80\x81\0\0\0\0B",
    b"\x89\x80\0\0\0\0",
    b"\x88\x80\0\0\0\0",
)
JSON = (b'{"role":"msg_server","id":"a"}', b'"address":', b'"server":"', b'"topics":["', b'"figures":{', b'"revoked":{')
RESP = (b"*3\r\n", b"$7\r\nmessage\r\n", b"+PONG\r\n", b"-ERR x\r\n", b":1\r\n", b"$-1\r\n", b"%1\r\n", b">3\r\n")


@dataclass(frozen=True)
class Target:
    """A function that takes any bytes.

    :ivar longest: the greatest length of an input in bytes; longer ones find nothing more.
    :ivar words: the dictionary of the fuzzer.
    """

    run: Callable[[bytes], None]
    longest: int = 512
    words: tuple[bytes, ...] = ()


TARGETS: dict[str, Target] = {
    "lines": Target(lines.lines, 400, TELNET),
    "frames": Target(frames.frames, 400, FRAMES),
    "commands": Target(commands.commands, 512, (*COMMANDS, *TAGS, *IDS)),
    "server": Target(servers.server, 1024, (*COMMANDS, *TAGS, *IDS, *TELNET)),
    "gateway": Target(servers.gateway, 1024, (*COMMANDS, *TELNET)),
    "said": Target(roundtrip.said, 512),
    "client": Target(client.client, 1024, (*EXAMPLES, *REFUSED, b"\n!", b"OK ", b"BEGIN ", b"END ", *COMMANDS)),
    "bus": Target(payloads.bus, 512, JSON),
    "hints": Target(payloads.hints, 256),
    "routes": Target(payloads.routes, 256),
    "redis": Target(redis.redis, 256, RESP),
    "scram_server": Target(logins.scram_server, 256, SCRAM),
    "scram_client": Target(logins.scram_client, 256, SCRAM),
    "scram_both": Target(logins.scram_both, 8),
    "secrets": Target(logins.secrets, 512, (b"SCRAM-SHA-256$4096:", b"$", b"fct_", "\u00ad\u0627".encode())),
    "phc": Target(logins.phc, 256, (b"argon2id", b"correct horse battery", "\u00ad".encode())),
    "names": Target(names.names, 96, IDS),
    "addresses": Target(names.addresses, 96, (b"[::1]:", b"127.0.0.1:", b"::ffff:", b"localhost:", b"%eth0")),
    "urls": Target(names.urls, 128, (b"redis://", b"rediss://", b"unix:///", b"?db=", b":secret@", "\u2100".encode())),
    "web": Target(web.web, 1024, HTTP),
}
