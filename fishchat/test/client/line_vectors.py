"""Vectors of the parser: pushes and other lines, whole and broken, with the events that the machine makes of each.

``web/test/lines.test.ts`` replays them. ``vectors`` writes the file.
"""

from __future__ import annotations

from random import Random
from typing import Any

from fishchat.client.machine import Phase
from fishchat.client.pushes import EVENTS
from fishchat.protocols.rows import Push, Text
from fishchat.test.client.shown import online, shown_event

SEED, LINES = 14, 300
#: A client that has said HELLO never receives this one, so the pages do not read it.
_PLAIN = {b"RESP_TIME"}


def _cut(text: str, mark: str) -> list[str]:
    return text.strip("\n").replace("\n", mark).split(mark)


_FIELDS = _cut(
    """
- + on online offline BOB bob alice alice+bob bob+alice alice+alice a+b+c #fishing #Fishing @alice # @ 0 00 1 007 -1 1.5
1e3 1_0 0x10 ٣ 999999999999999 1234567890123456 7-1 alice+bob:7-1 bob+alice:7-1 #fishing:7-2 @alice:7-3 #:7-1 x:7-1
:7-1 alice+bob:0-0 alice+bob:007-01 alice+bob:7 alice+bob:7- alice+bob:-1 alice+bob:7-1-1 alice+bob:7-x alice+bob:+7-1
alice+bob:999999999999999-999999999999999 alice+bob:1234567890123456-1 within= within=0 within=30 within=0.5 within=-1
within=1e9 within=nan within=inf within=x within 30 host:7080 [::1]:7080 +1:2,ok:1 +1 +1: :1 +1:x a:b:1 , a,b +1:-1
a\\:b:1 constructor __proto__ constructor:1 __proto__:1 👍 👍:3,❤️:1 你好 silence time stop password disabled
""",
    " ",
)
_TEXTS = _cut(
    """
hello|你好 🐟|two\\nlines|a\\\\b|\\r|\\x|end\\|\\| |  two  |a:b;c=d|@reply=x y|\ttab|é|👨‍👩‍👧|RESP_PING|\u3000|\ufeff
\u2028
""",
    "|",
)
_TAGS = _cut(
    """
esc esc=1 reply=alice+bob:7-1 reply=#fishing:7-1 reply=x reply= reply mention=alice mention=alice,bob mention=all
mention= mention mention=BOB mention=,, edited=alice+bob:7-9 edited=7-9 edited notice time=1796000000000 new-tag=x
a=b;a=c esc;new-tag=1;mention=bob new=a\\sb\\:c\\\\d\\n\\r\\e\\ constructor=1 to-string=1 __proto__=1 Esc A=1 =1 ; a;;b
a; ;a a_b=1 1a=1 -a=1 a-=1 a==b a=b=c a=@b abcdefghijklmnopqrstuvwxyz-abcde=1 abcdefghijklmnopqrstuvwxyz-012345=1 é=1
a=é @
""",
    " ",
)
_LINES = _cut(
    """
||RESP_|RESP_NEW|RESP_NEW a b|resp_ping|RESP_PING x|RESP_SYNCED x y|PING|HELLO fishchat/1|BEGIN|BEGIN X 1|ITEM|ITEM a
OK|OK X|END|ERR|ERR -|ERR - X|ERR X Y z|ERR - FLOOD slow down|ERR - UNKNOWN_VERB what|ERR SEND_ACK BADID no|@|@a|@a
@esc RESP_PING|@id=7 RESP_PING| RESP_PING|RESP_PING |RESP_CONSTRUCTOR|constructor|__proto__|RESP_REPLACED now
\ufeffRESP_PING|RESP_PING\tx
""",
    "|",
)


def vectors() -> list[list[Any]]:
    """Return ``[line, events]`` for each line; events are null if the machine drops the connection."""
    random = Random(SEED)
    lines = list(_LINES)
    for push in EVENTS:
        if push.name not in _PLAIN:
            lines.append(push.example.decode())
            lines += [_line(push, random) for _ in range(LINES)]
    return [[line, read(line)] for line in dict.fromkeys(lines)]


def read(line: str) -> list[dict[str, Any]] | None:
    """Return what a machine that is logged in makes of a line; None if it drops the connection."""
    machine = online()
    machine.received(line.encode(), 0.0)
    broken = machine.phase is Phase.BROKEN and not line.partition("RESP_BYE")[1]
    return None if broken else [shown_event(event) for event in machine.events()]


def _line(push: Push, random: Random) -> str:
    words = [field.sample.decode() for field in push.fields]
    for place in range(len(words)):
        if random.random() < 0.12:
            words[place] = random.choice(_FIELDS)
    if random.random() < 0.08:
        words.insert(random.randrange(len(words) + 1), random.choice(("", *_FIELDS)))
    if words and random.random() < 0.08:
        words.pop(random.randrange(len(words)))
    if push.text is not Text.NONE and random.random() < 0.9:
        words.append(random.choice(_TEXTS))
    tags = f"@{random.choice(_TAGS)} " if random.random() < 0.3 else ""
    return f"{tags}{' '.join([push.name.decode(), *words])}"
