"""What scripts say of themselves is so."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import WORDS
from fishchat.services.reference import STORE as PAGE
from fishchat.storage import loader
from fishchat.storage.header import FENCED, parse

#: Words that scripts say to servers, routers and the command line, not to clients.
INTERNAL = {"LEASE", "AGAIN", "EPOCH", "DISABLED", "DELETED", "DUP", "NEVER", "PASSED", "TOPIC"}
#: What is not the beginning of a refusal although it is written so.
_OPTIONS = {"OK", "COUNT", "MATCH", "PX", "MAXLEN", "MINID", "WRONGTYPE", "ID", "INVITED", "STREAM", "NX", "LIMIT"}
#: The words of the page for a key that no script writes.
_ROLES = {"migrations", "msg_servers", "once", "roles"}
#: Keys that a script is passed as arguments, besides the stream of the router.
_BY_ARGUMENT = {"scrub/copy": {"/sysctrl/send", "reports"}}
_WRITES = (
    "SET MSET HSET HDEL HINCRBY DEL UNLINK RENAME SADD SREM SPOP INCR XADD XTRIM XDEL XSETID PEXPIRE ZADD ZREM"
    " ZREMRANGEBYRANK"
)


def words(text: str) -> set[str]:
    """The words in capitals that a text of Lua names, but for commands, their options and the events of notices."""
    code = "\n".join(line.partition("--")[0] for line in text.splitlines())
    plain = re.sub(r"(call|phrase)\(\s*'[A-Z]+'", "call(", code)
    return set(re.findall(r"'([A-Z]{2,})[ ']", plain)) - _OPTIONS


def written(text: str) -> set[str]:
    """The literal beginnings of the keys that a text of Lua writes."""
    found = re.findall(rf"call\('(?:{_WRITES.replace(' ', '|')})', '([^']+)'", text)
    # The '#' of a topic's conversation belongs to its name.
    return {key.rstrip("#") for key in found}


def beginning(key: str) -> str:
    """What of a key stands before its first name."""
    return key.partition("<")[0]


def described() -> list[list[str]]:
    """The cells of every row of the page's tables of keys: key, type, contents, writers, bound."""
    types = "string|hash|set|sorted set|stream"
    rows = re.findall(rf"^\| (`[^|]+ \| (?:{types}) \| .*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [row.split(" | ") for row in rows]


class Headers(SynchronousTestCase):
    """Every header matches the script that follows it."""

    def test_words(self) -> None:
        """A script refuses with the words of its header and of its includes, and with no others."""
        for name in loader.names():
            text = loader.read(name)
            header = parse(text)
            said = {*header.refuses, *header.each, *re.findall(r"\b[A-Z]{2,}\b", header.reply)}
            own = words(text)
            self.assertEqual(own - said, set(), name)
            included = set().union(*(words(loader.read_include(each)) for each in loader.needed(text)))
            self.assertEqual({*header.refuses, *header.each} - own - included, set(), name)

    def test_words_are_known(self) -> None:
        """A client may be told every one of them, or it is for servers alone."""
        for name in loader.names():
            header = parse(loader.read(name))
            self.assertEqual({*header.refuses, *header.each} - {*WORDS, *INTERNAL}, set(), name)

    def test_arguments(self) -> None:
        """What a script unpacks is as much as its header names, and in the same place if it is the fence."""
        for name in loader.names():
            text = loader.read(name)
            found = re.search(r"^local ([\w, \n]+?) =\s+unpack\(args\)", text, re.MULTILINE)
            if found is None:
                continue
            taken = re.split(r",\s*", found[1])
            header = parse(text)
            self.assertEqual(len(taken), len(header.args), name)
            self.assertEqual(
                taken[:2] == list(FENCED[:2]) and len(taken) > 2, header.args[:2] == FENCED[:2] and len(header.args) > 2
            )

    def test_writes(self) -> None:
        """Keys that a script writes are in its header, and its header names no others."""
        for name in loader.names():
            text = loader.read(name)
            header = parse(text)
            whole = loader.assemble(text).decode()
            named = {beginning(key) for key in header.writes}
            self.assertEqual({key for key in written(text) if key} - named, set(), name)
            for key in named - _BY_ARGUMENT.get(name, {"/sysctrl/send"}):
                self.assertIn(f"'{key}", whole, name)

    def test_writes_are_described(self) -> None:
        """Each of these keys has a row in the page's tables, which names exactly the scripts that write it."""
        writers: dict[str, set[str]] = {}
        for name in loader.names():
            for key in parse(loader.read(name)).writes:
                writers.setdefault(key, set()).add(name)
        rows = {key: cells for cells in described() for key in re.findall(r"`([^`]+)`", cells[0])}
        found = {key: set(re.findall(r"`(\w+/\w+)`", cells[3])) for key, cells in rows.items()}
        # A topic is a conversation, and the names of guess budgets are accounts and addresses.
        same = {key: re.sub("#<topic>$", "<conversation>", key) for key in found}
        same |= {"guesses:<account>": "guesses:<name>", "guesses:@<address>": "guesses:<name>"}
        same |= {"/sysctrl/send/<shard>": "/sysctrl/send"}
        self.assertEqual(set(writers) - set(same.values()), set(), "keys without a row")
        for key, names in found.items():
            self.assertEqual(names, writers.get(same[key], set()), key)

    def test_scripts_of_the_page_exist(self) -> None:
        """A single word among the writers is a script with its directory, or says which roles write."""
        for cells in described():
            for writer in re.split("[,;] ", cells[3]):
                if re.fullmatch(r"`\S+`|\w+", writer):
                    self.assertIn(writer.strip("`"), {*loader.names(), *_ROLES}, cells[0])

    def test_only_readers_write_nothing(self) -> None:
        """A script whose header names no key calls no command that writes."""
        for name in loader.names():
            text = loader.read(name)
            if not parse(text).writes:
                whole = "".join([text, *map(loader.read_include, loader.needed(text))])
                calls = set(re.findall(r"call\('([A-Z]+)'", text))
                self.assertEqual(calls & set(_WRITES.split()), set(), name)
                self.assertNotIn("begin_vital", whole, name)


class Parsing(SynchronousTestCase):
    """The form of headers."""

    def test_all_keys(self) -> None:
        """Over several lines, with what is in parentheses left out."""
        header = parse(
            "-- Do a thing\n-- at once.\n-- args: server, incarnation, epoch, topic,\n--   most (of two, or (even) 3)\n"
            "-- reply: OK\n-- refuses: EXISTS, FULL <limit>\n-- each: OLD\n-- writes: a:<b> c\n"
            '--- @include "fence"\n\n-- Not this.\nreturn 1\n'
        )
        self.assertEqual(header.summary, "Do a thing at once.")
        self.assertEqual(header.args, ("server", "incarnation", "epoch", "topic", "most"))
        self.assertEqual((header.refuses, header.each), ({"EXISTS": "", "FULL": "limit"}, {"OLD": ""}))
        self.assertEqual(header.writes, ("a:<b>", "c"))
        self.assertTrue(header.fenced)

    def test_refused(self) -> None:
        """A header without its keys, or with one that there is not."""
        for wrong in ("", "return 1", "-- Do.\n-- args: a\n", "-- Do.\n-- reply: 1\n", "-- args: a\n-- reply: 1\n"):
            self.assertRaises(ValueError, parse, wrong)
        self.assertRaises(ValueError, parse, "-- Do.\n-- args: a\n-- reply: 1\n-- refuse: X\n")


class Includes(SynchronousTestCase):
    """How the text is put together."""

    def test_order(self) -> None:
        """Each once, after what it includes itself; the base comes first."""
        found = loader.needed('--- @include "reach"\n--- @include "shut"\n--- @include "names"\n')
        self.assertEqual(found, ["base", "names", "shut", "relations", "unreachable", "reach"])
        text = loader.assemble('--- @include "reach"\nreturn 1\n').decode()
        self.assertEqual(text.count("local function shut("), 1)
        self.assertTrue(text.endswith("return 1\n"))

    def test_rarely(self) -> None:
        """The includes of a block are in the function ``rare``, without those that the script includes itself."""
        block = '--- @rarely refuses, shut\n--- @include "reach"\n--- @end\n'
        text = loader.assemble(f'--- @include "shut"\n{block}return rare().refuses\n').decode()
        often, rarely = text.split("local function rare()")
        self.assertEqual((often.count("local function shut("), rarely.count("local function shut(")), (1, 0))
        self.assertEqual((often.count("local function refuses("), rarely.count("local function refuses(")), (0, 1))
        self.assertIn("{refuses = refuses, shut = shut}", rarely)

    def test_circle(self) -> None:
        """Includes that need each other are refused, by name."""
        self.patch(loader, "read_include", lambda name: f'--- @include "{"b" if name == "a" else "a"}"\n')
        error = self.assertRaises(ValueError, loader.needed, '--- @include "a"\n')
        self.assertIn("a → b → a", str(error))

    def test_missing(self) -> None:
        """A name without a file is noticed when the script is made."""
        self.assertRaises(FileNotFoundError, loader.assemble, '--- @include "nothing"\n')

    def test_every_include_is_needed(self) -> None:
        """By some script; and each script calls something of each file that it includes, or uses a table of it."""
        # What a role that is no msg_server yet will ask, and what the checks of attributes stand on.
        used = {"enabled", "attributes"}
        for name in loader.names():
            text = loader.read(name)
            used.update(loader.needed(text))
            for each in re.findall(r'@include "(\w+)"', text):
                included = loader.read_include(each)
                functions = re.findall(r"^local function (\w+)\(", included, re.MULTILINE)
                tables = re.findall(r"^local (\w+)(?:, (\w+))? = \{\}", included, re.MULTILINE)
                uses = [f"{function}(" for function in functions]
                uses += [f" = {table}," for pair in tables for table in pair if table]
                self.assertTrue(any(use in text for use in uses), f"{name}: {each}")
        self.assertEqual(used, set(loader.includes()))
