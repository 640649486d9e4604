"""The answers to ``HELP``, in English and Chinese. No I/O.

``HELP`` is an overview of what can be typed now, ``HELP about GROUP`` a page for each group. ``HELP WORD`` explains a
verb, a push, or a word after ``ERR``. ``HELP zh …`` gives the same answers in Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from fishchat.errors import CHINESE, WORDS, Refusal
from fishchat.protocols.fields import Tag
from fishchat.protocols.replies import list_lines
from fishchat.protocols.rows import Row, Text, Verb
from fishchat.protocols.table import Command, Group, Table

#: The most lines of an overview with a sentence for each verb; a longer one has the usages alone.
FULL = 16
#: The most lines of the overview between the first and the last two: a terminal has 24.
SCREEN = 20
#: The columns of a line of usages: a terminal has 80. A Chinese character takes two of them.
COLUMNS = 70

#: What may forbid a verb now, in both languages; empty: nothing.
NOW, LOG_IN, TOO_LATE, NO_SECRETS = "", "log in", "too late", "no secrets"

#: English, Chinese.
_PHRASES = {
    LOG_IN: ("only after the login", "登录之后才能用"),
    TOO_LATE: ("only before the login", "只能在登录之前用"),
    NO_SECRETS: ("not on this server, where a login needs no password", "本服务器登录不需要密码，用不到"),
    "group": ("HELP about {}", "HELP zh about {}"),
    "explains": (
        "HELP {} explains a verb, HELP about {} all verbs of a group. 中文说明: HELP zh",
        "HELP zh {} 解释一个命令，HELP zh about {} 解释一组命令。In English: HELP",
    ),
    "more": ("More after the login: {}", "登录之后还有：{}"),
    "programs": ("For programs: {}", "供程序使用：{}"),
    "item": ("{}: {}", "{}：{}"),
    "mark": (" ({})", "（{}）"),
    "example": ("example: {}", "例子：{}"),
    "name": ("full name: {}, also in replies", "全名：{}，回复里用的是全名"),
    "reply": ("reply: {}", "回复：{}"),
    "list": (
        "reply: a list between BEGIN and END, each line is ITEM {}",
        "回复是 BEGIN 和 END 之间的列表，每行是 ITEM {}",
    ),
    "text": (
        "the {} is everything after one blank, to the end of the line",
        "{}是一个空格之后直到行尾的全部内容",
    ),
    "tag": ("{} before the verb: {}", "命令前加 {}：{}"),
    "push": ("sent by the server: {}", "由服务器发送：{}"),
    "word": ("{} after ERR: {}", "ERR 之后的 {}：{}"),
}

#: Tells what forbids a verb now.
Bar = Callable[[Verb], str]


def help_lines(table: Table, command: Command, bar: Bar = lambda _: NOW) -> bytes:
    """Format the reply to HELP. Raises Refusal for an unknown verb or group."""
    words = command.text.split()
    chinese = [word.lower() for word in words[:1]] == [b"zh"]
    page = _Help(table, bar, chinese)
    match words[1:] if chinese else words:
        case []:
            lines = page.overview()
        case [about] if about.lower() == b"about":
            lines = page.groups()
        case [about, name] if about.lower() == b"about":
            lines = page.group(name)
        case [word]:
            lines = page.word(word)
        case _:
            raise Refusal("UNKNOWN_VERB", "type HELP, HELP <verb> or HELP about <group>")
    return list_lines(command, [(line.encode(), b"") for line in lines])


def _first(shown: list[tuple[Group, list[Verb]]]) -> tuple[Group, Verb]:
    group, verbs = shown[0]
    return group, verbs[0]


def _columns(text: str) -> int:
    """Return how wide a terminal shows a text."""
    return sum(1 + (letter > "\u2e80") for letter in text)


class _Help:
    """Help in one language for one client."""

    def __init__(self, table: Table, bar: Bar, chinese: bool) -> None:
        self._table = table
        self._bar = bar
        self._chinese = chinese

    def overview(self) -> list[str]:
        """Return what can be typed now, group by group."""
        shown = [(group, self._possible(group)) for group in self._table.groups]
        shown = [(group, verbs) for group, verbs in shown if verbs]
        lines = [line for group, verbs in shown for line in self._section(group, verbs)]
        if len(lines) > FULL:
            lines = self._short(shown)
        later = [self._title(group) for group in self._table.groups if any(map(self._is_later, group.verbs))]
        if later:
            lines.append(self._say("more", (", ", "、")[self._chinese].join(later)))
        programs = [verb.short.decode() for verb in self._table.verbs if verb.programs and not self._bar(verb)]
        if programs:
            lines.append(self._say("programs", " ".join(programs)))
        group, verb = next(((group, verb) for group, verbs in shown for verb in verbs if verb.fields), _first(shown))
        return [*lines, self._say("explains", verb.short.decode(), group.name.decode())]

    def _short(self, shown: list[tuple[Group, list[Verb]]]) -> list[str]:
        """Return the usages of each group; for the last groups the words alone, if all usages do not fit a screen."""
        parts = [list(self._usages(self._title(group), verbs)) for group, verbs in shown]
        for number in range(len(shown) - 1, -1, -1):
            if sum(map(len, parts)) <= SCREEN:
                break
            group, verbs = shown[number]
            parts[number] = list(self._wrapped(self._title(group), [verb.short.decode() for verb in verbs]))
        return [line for part in parts for line in part]

    def groups(self) -> list[str]:
        """Return the groups, and how to ask for each."""
        return [
            self._say("item", self._say("group", group.name.decode()), group.zh if self._chinese else group.title)
            for group in self._table.groups
        ]

    def group(self, name: bytes) -> list[str]:
        """Return the page of a group: all its verbs and pushes, with a sentence for each."""
        found = [group for group in self._table.groups if name.lower() in (group.name, group.zh.encode())]
        if not found:
            known = ", ".join(group.name.decode() for group in self._table.groups)
            raise Refusal("UNKNOWN_VERB", f"there is no such group; the groups are {known}" if known else None)
        verbs = sorted(found[0].verbs, key=lambda verb: verb.programs)
        return [self._summary(verb) + self._marks(verb) for verb in verbs] + [
            self._say("push", self._summary(push)) for push in found[0].pushes
        ]

    def word(self, word: bytes) -> list[str]:
        """Return what a verb, a push, or a word after ``ERR`` means."""
        known = word.upper().decode("utf-8", "replace")
        verb, push = self._table.find(word), self._table.find_push(word)
        lines = self._explained(verb) if verb else [self._say("push", self._summary(push))] if push else []
        if push:
            lines.append(self._say("example", push.example.decode()))
        if known in WORDS:
            lines.append(self._say("word", known, CHINESE.get(known, WORDS[known]) if self._chinese else WORDS[known]))
        if not lines:
            raise self._table.unknown(word)
        return lines

    def _explained(self, verb: Verb) -> list[str]:
        example = verb.example_as(verb.short).decode()
        lines = [self._summary(verb) + self._marks(verb), self._say("example", example)]
        if verb.alias:
            lines.append(self._say("name", verb.name.decode()))
        if verb.text is not Text.NONE and not verb.programs:
            lines.append(self._say("text", self._word(verb.text_name)))
        if columns := re.search(r"ITEM (.+?) …", verb.reply):
            lines.append(self._say("list", self._words(columns[1])))
        else:
            lines.append(self._say("reply", self._words(verb.reply)))
        lines += [self._tag(tag) for tag in verb.tags if not tag.programs]
        return lines + [self._say("programs", self._tag(tag)) for tag in verb.tags if tag.programs]

    def _tag(self, tag: Tag) -> str:
        typed = f"@{tag.name.decode()}" + (f"={tag.sample.decode()}" if tag.sample else "")
        return self._say("tag", typed, self._plain((self._chinese and tag.zh) or tag.help))

    # -- parts of lines

    def _say(self, phrase: str, *values: str) -> str:
        return _PHRASES[phrase][self._chinese].format(*values)

    def _possible(self, group: Group) -> list[Verb]:
        return [verb for verb in group.verbs if not verb.programs and not self._bar(verb)]

    def _is_later(self, verb: Verb) -> bool:
        return not verb.programs and self._bar(verb) == LOG_IN

    def _title(self, group: Group) -> str:
        return f"{group.zh} {group.name.decode()}" if self._chinese else group.title

    def _section(self, group: Group, verbs: Iterable[Verb]) -> list[str]:
        heading = self._say("item", self._title(group), self._say("group", group.name.decode()))
        return [heading, *(f"    {self._summary(verb)}" for verb in verbs)]

    def _usages(self, title: str, verbs: Iterable[Verb]) -> Iterator[str]:
        """Yield lines of usages."""
        return self._wrapped(title, (self._words(verb.usage_as(verb.short)) for verb in verbs))

    def _wrapped(self, title: str, usages: Iterable[str]) -> Iterator[str]:
        """Yield lines: the title, then as many usages as there is room for on each line."""
        line, gap = title + (":", "：")[self._chinese], " "
        for usage in usages:
            if _columns(line + gap + usage) > COLUMNS + 4:
                yield line
                line, gap = "", "    "
            line, gap = line + gap + usage, "   "
        yield line

    def _summary(self, row: Row) -> str:
        word = row.short if isinstance(row, Verb) else row.name
        sentence = self._plain((self._chinese and row.zh) or row.help)
        return self._say("item", self._words(row.usage_as(word)), sentence)

    def _marks(self, verb: Verb) -> str:
        why = [self._say("programs", "").rstrip(" :：").lower()] if verb.programs else []
        why += [self._say(bar)] if (bar := self._bar(verb)) else []
        return self._say("mark", ("; ", "；")[self._chinese].join(why)) if why else ""

    def _plain(self, text: str) -> str:
        """Return a sentence of the reference without its marks, with the verbs as people type them."""
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1 (doc/protocol.md)", text).replace("`", "")
        return re.sub(r"\b[A-Z]+_[A-Z0-9_]+\b", self._typed, text)

    def _typed(self, found: re.Match[str]) -> str:
        verb = self._table.find(found[0].encode())
        return verb.short.decode() if verb else found[0]

    def _words(self, text: str) -> str:
        """Return a usage or a reply with the words in brackets in the language of the page."""
        return re.sub(r"(?<=<)[^<>]+(?=>)|(?<=\[)[^][<>]+(?=\])", lambda found: self._word(found[0]), text)

    def _word(self, word: str) -> str:
        return self._table.terms.get(word, word) if self._chinese else word
