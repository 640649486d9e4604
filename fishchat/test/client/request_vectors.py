"""Vectors of requests: the line of each, or its refusal, and what is made of replies, whole and broken ones.

``web/test/requests.test.ts`` replays them. ``vectors`` writes the file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

from fishchat.features.accounts import client as accounts
from fishchat.features.contacts import client as contacts
from fishchat.features.links import client as links
from fishchat.features.messages import client as messages
from fishchat.features.moderation import client as moderation
from fishchat.features.operations import client as operations
from fishchat.features.preferences import client as preferences
from fishchat.features.reports import client as reports
from fishchat.features.requests import Named, RefusedError
from fishchat.features.session import client as session
from fishchat.features.topics import client as topics
from fishchat.features.watching import client as watching
from fishchat.test.client.shown import online

SEED, BROKEN = 15, 12
_MODULES = (
    *(accounts, contacts, links, messages, moderation, operations),
    *(preferences, reports, session, topics, watching),
)
#: The arguments of several calls.
Calls = list[list[Any]]

_ID, _EDIT = "alice+bob:7-1", "alice+bob:7-9"
_WHO: Calls = [["fishing", "bob"], ["fishing", "BOB"], ["", "bob"], ["a" * 33, "bob"]]
_WHY: Calls = [
    ["fishing", "bob", why] for why in ("", "too loud", "two\nlines", "你好　世界", "👨‍👩‍👧", "a\tb", "\x7f", "\0")
]
_LASTING: Calls = [*_WHO, *_WHY, ["fishing", "bob", "", 60]]
_NAME: Calls = [["bob"], ["BOB"], [""], ["a" * 32], ["a" * 33], ["b.o-b_1"], ["鲍勃"], ["#bob"]]
_CONVERSATION: Calls = [
    ["bob"],
    ["#fishing"],
    ["alice+bob"],
    ["bob+alice"],
    ["@alice"],
    ["#"],
    [""],
    ["a+b+c"],
    ["Bob"],
]
_MESSAGE: Calls = [[_ID], ["#fishing:7-2"], ["bob+alice:7-1"], ["alice+bob"], ["alice+bob:7"], [""], ["bob"]]
_PAGED: Calls = [["fishing"], ["fishing", "bob"], ["fishing", "bob", 50], ["Fishing"], ["fishing", "BOB"]]

#: Request → the arguments of its calls. One that is not here is called without arguments.
_CALLS: dict[str, Calls] = {
    "status": _NAME,
    "names": [[["bob"]], [["bob", "carol"]], [["bob", "BOB"]]],
    "change_password": [["a long password"], ["密码　密码"], [""], ["a\nb"], ["a\0b"], [" a "]],
    "delete_account": [["a long password"], [""], ["a\rb"]],
    "revoke_device": _NAME,
    "set_privacy": [["everyone"], ["contacts"]],
    "set_name": [["Bob"], ["鲍勃"], [""], ["a\nb"]],
    "block": _NAME,
    "unblock": _NAME,
    "add_contact": [*_NAME, ["bob", "Bobby"], ["bob", ""], ["bob", "a\nb"]],
    "remove_contact": _NAME,
    "ask_contact": [*_NAME, ["bob", "it is me"], ["bob", "a\nb"]],
    "accept_contact": _NAME,
    "refuse_contact": _NAME,
    "create_link": [["fishing"], ["fishing", 60], ["fishing", 60, 5], ["fishing", None, None, True], ["Fishing"]],
    "revoke_link": [["fishing", "all"], ["fishing", "fcj_a-B_9"], ["fishing", ""], ["fishing", "a b"]],
    "links": _NAME,
    "join_link": [["fcj_a-B_9"], ["fcj_a", "please"], ["fcj_a", "a\nb"], [""], ["a b"], ["x" * 41], ["é"], ["x" * 40]],
    "join_requests": _NAME,
    "accept_member": _WHO,
    "refuse_member": [*_WHO, *_WHY],
    "directory": [[], ["fish"], ["fish", "bob", 50], ["", None, 5], ["Fish"], ["fish", "B"]],
    "mark_read": [*_CONVERSATION, *_MESSAGE],
    "history": [
        *([*one, None, None, 50] for one in _CONVERSATION),
        ["bob", _ID, None, 50],
        ["bob", None, _ID, 9],
        ["bob", "x", None, 50],
    ],
    "conversations": [[True, 100], [False, 100], [True, 100, "1796000000000-#fishing"], [True, 100, "x"]],
    "message": _MESSAGE,
    "versions": _MESSAGE,
    "reactions": _MESSAGE,
    "pins": _CONVERSATION,
    "readers": _MESSAGE,
    "report_message": [*_MESSAGE, *([_ID, *one[2:]] for one in _WHY)],
    "set_conversation": [
        ["bob", "notify", "none"],
        ["#fishing", "until", "1796000000000"],
        ["bob", "remark", "Bobby"],
        ["bob", "remark", ""],
        ["bob", "remark", "a\nb"],
        ["B", "pinned", "yes"],
    ],
    "watch_conversation": _CONVERSATION,
    "unwatch_conversation": _CONVERSATION,
    "typing": _CONVERSATION,
    "edit": [
        *([*one, "hello"] for one in _MESSAGE),
        [_ID, "two\nlines \\"],
        [_ID, "back\\slash"],
        [_ID, ""],
        [_ID, "\x01"],
        [_ID, "\0"],
        [_ID, "鱼" * 2389],
        [_ID, "鱼" * 2390],
        [_ID, "\n" * 3584],
        [_ID, "\n" * 3585],
        [_ID, "hello", _EDIT],
        [_ID, "hello", "x"],
        [_ID, "hello", None, ["bob", "carol"]],
        [_ID, "hello", _EDIT, ["all"]],
        [_ID, "hello", None, ["BOB"]],
        [_ID, "hello", None, [f"a{number}" for number in range(17)]],
    ],
    "recall": [*_MESSAGE, [_ID, "wrong window"], [_ID, "two\nlines"], [_ID, "鱼" * 2390]],
    "react": [
        *([*one, "+1"] for one in _MESSAGE),
        *([_ID, one] for one in ("👍", "👨‍👩‍👧", "❤️", "🏴\U000e0067\U000e0062\U000e007f", "", "a b", "a,b", "\u200d")),
        *([_ID, one] for one in ("a" * 32, "a" * 33, "é" * 16, "é" * 17, "\u3000", "a\x7f", "a\u00ad", "constructor")),
    ],
    "unreact": [[_ID, "+1"], [_ID, ""]],
    "pin": _MESSAGE,
    "unpin": _MESSAGE,
    "join": [*_NAME, ["fishing", "please"], ["fishing", "a\nb"]],
    "leave": _NAME,
    "invite": _WHO,
    "dismiss": _NAME,
    "members": _PAGED,
    "describe": _NAME,
    "set_topic": [
        ["fishing", "name", "All of us"],
        ["fishing", "about", ""],
        ["fishing", "name", "a\nb"],
        ["F", "name", "a"],
    ],
    "set_role": [["fishing", "bob", "admin"], ["fishing", "BOB", "member"]],
    "transfer": _WHO,
    "kick": [*_WHO, *_WHY],
    "ban": _LASTING,
    "unban": _WHO,
    "banned": _PAGED,
    "mute": _LASTING,
    "unmute": _WHO,
    "watch": _NAME,
    "unwatch": _NAME,
}

_PAGE = [
    "ITEM alice+bob:7-1 bob 1796000000000 hello",
    "@esc;edited=alice+bob:7-9;react=+1:2,👍:1;mine=👍;pinned ITEM #fishing:7-2 carol 1796000000001 two\\nlines",
    "@notice ITEM #fishing:7-3 - 1796000000001 JOINED bob",
    "@recalled=bob ITEM #fishing:7-4 carol 1796000000002 recalled by bob",
    "@reply=#fishing:7-2;mention=alice,bob;new-tag=1 ITEM #fishing:7-5 carol 0  two  blanks ",
    "@react=constructor:1,__proto__:2 ITEM #fishing:7-6 carol 0 strange",
]
#: Request → the items of a reply, or what follows the verb in its OK; OK alone for all others.
_REPLIES: dict[str, list[str] | str] = {
    "status": "bob online 1796000000000 Bob of the boats",
    "names": ["ITEM bob Bob", "ITEM carol", "ITEM dave 鲍勃 二世", "ITEM constructor x"],
    "devices": ["ITEM web online 1796000000000 1797000000000", "ITEM phone offline 0 0"],
    "blocked": ["ITEM bob", "ITEM carol Carol of the sea"],
    "contacts": ["@remark=my\\sfriend ITEM bob Bob", "ITEM carol"],
    "contact_requests": ["@name=Bob\\sB ITEM bob 1796000000000 it is me", "ITEM carol 1796000000001"],
    "create_link": "fcj_code fcj1",
    "revoke_link": "fishing 2",
    "links": ["ITEM l1 alice - 1796000000000 member", "ITEM l2 bob 3 0 approval"],
    "join_link": "fishing pending",
    "join_requests": ["ITEM bob 1796000000000 please", "ITEM carol 1796000000001", "@esc ITEM d 1 a\\nb"],
    "directory": ["ITEM a open 2 All of us", "ITEM b approval 3", "@esc ITEM c invitation 0 a\\\\b"],
    "history": _PAGE,
    "versions": _PAGE,
    "pins": _PAGE,
    "message": _PAGE[:1],
    "conversations": [
        "@time=1796000000000;from=bob;name=Bob;mentions=2 ITEM alice+bob 9 7 2 alice+bob:7-9 hello",
        "@time=1796000000000;from=bob;esc ITEM #fishing 9 7 2 #fishing:7-9 two\\nlines",
        "@notify=none;until=1796000000000;pinned;archived;remark=a\\sb ITEM #fishing 1 1 0",
        "@time=1 ITEM @alice 0 0 0 -",
    ],
    "reactions": ["ITEM +1 bob", "ITEM +1 carol", "ITEM 👍 bob", "ITEM constructor bob", "ITEM __proto__ bob"],
    "readers": ["ITEM 2 5", "ITEM bob", "ITEM carol"],
    "join": "fishing pending",
    "topics": ["ITEM fishing alice open 2", "ITEM sea bob invitation 0"],
    "members": ["ITEM alice owner 7 Alice A", "@muted=1796000000000 ITEM bob member 0", "ITEM carol admin 3 C"],
    "describe": ["ITEM name All of us", "ITEM owner alice", "ITEM members 2", "ITEM announcement", "ITEM listed no"],
    "banned": ["ITEM bob 0 alice", "ITEM carol 1796000000000 alice too loud"],
}
_WORDS = ("", "-", "x", "1.5", "1e3", "7-1", "pending", "你好", "a", "constructor", "__proto__")


def vectors() -> list[dict[str, Any]]:
    """Return each call with its line or refusal, and with replies to it and what is made of them."""
    random = Random(SEED)
    return [_made(name, arguments, random) for name in _requests() for arguments in _CALLS.get(name, [[]])]


def _requests() -> dict[str, Callable[..., Any]]:
    # Accounts are created and codes redeemed before the login; the setup of a topic has its own form in each language.
    left_out = {"create_account", "create_topic", "redeem_code"}
    found: dict[str, Callable[..., Any]] = {}
    for module in _MODULES:
        for name, value in vars(module).items():
            is_own = callable(value) and getattr(value, "__module__", "") == module.__name__
            if is_own and name.islower() and name[0] != "_" and name not in left_out:
                found[name] = value
    return found


def _made(name: str, arguments: list[Any], random: Random) -> dict[str, Any]:
    made: dict[str, Any] = {"call": [_camel(name), *arguments]}
    try:
        request = _requests()[name](*arguments)
    except RefusedError as error:
        return {**made, "refused": error.word}
    made["line"] = request.line.decode()
    is_first = arguments == _CALLS.get(name, [[]])[0]
    if is_first and hasattr(request, "result"):
        made["settled"] = request.settled
        verb = request.verb.decode()
        made["replies"] = [[lines, _read(request, lines)] for lines in _replies(name, verb, random)]
    return made


def _replies(name: str, verb: str, random: Random) -> Iterator[list[str]]:
    given = _REPLIES.get(name, "")
    yield [f"ERR {verb} NOTFOUND limit=1 retry=x what is this"]
    if isinstance(given, str):
        yield [f"OK {verb} {given}".rstrip()]
        for _ in range(BROKEN if given else 0):
            yield [f"OK {verb} {_broken(given, random)}"]
        return
    yield [f"BEGIN {verb}", *given, f"END {verb}"]
    if name != "message":
        yield [f"BEGIN {verb} 0", f"END {verb}"]
    for item in given:
        tags, _, text = item.rpartition("ITEM ") if item.startswith("@") else ("", "", item.removeprefix("ITEM "))
        for _ in range(BROKEN):
            yield [f"BEGIN {verb}", f"{tags}ITEM {_broken(text, random)}", f"END {verb}"]


def _broken(text: str, random: Random) -> str:
    words = text.split(" ")
    place = random.randrange(len(words))
    kind = random.randrange(4)
    if kind == 0:
        return " ".join(words[:place])
    if kind == 1:
        return f"{text} {random.choice(_WORDS)}"
    words[place] = random.choice(_WORDS)
    return " ".join(words)


def _read(request: Any, lines: list[str]) -> Any:
    """Return what a machine settles a request with: the value, or the word of the error."""
    machine = online()
    machine.ask(request)
    machine.lines(0.0)
    for line in lines:
        machine.received(line.encode(), 0.0)
    [settled] = machine.events()
    value: Any = settled.value  # type: ignore[attr-defined]
    if isinstance(value, Exception):
        return {"error": value.word if isinstance(value, RefusedError) else "INTERNAL"}
    return {"value": _shown(value)}


def _shown(value: Any) -> Any:
    """Return a value as the pages see it."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], bool):
        return {"topic": value[0], "member": value[1]}
    if isinstance(value, topics.Member):
        whole = {"account": value.account, "role": value.role, "read": value.read, "name": value.name}
        return {**whole, "muted": _ms(value.muted)}
    if isinstance(value, contacts.Contact):
        return {"account": str(value), "name": value.name, "remark": value.remark}
    if isinstance(value, Named):
        return {"account": str(value), "name": value.name}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dict(_fields(value))
    if isinstance(value, dict):
        return {str(key): _shown(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_shown(one) for one in value]
    return value


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(value):
        one = getattr(value, field.name)
        yield _camel(field.name.rstrip("_")), _ms(one) if isinstance(one, float) else _shown(one)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)
