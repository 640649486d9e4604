"""The documents say what is: commands, keys, files, links, limits, examples and conversations."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import indent

import click
import msgspec
from twisted.application.service import IServiceMaker
from twisted.internet.defer import Deferred
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

import fishchat.client
from fishchat.bus import channels
from fishchat.bus.hints import Hints
from fishchat.cli import main
from fishchat.config import describe
from fishchat.config.load import load
from fishchat.config.schema import Config
from fishchat.features.registry import PUSHES, VERBS
from fishchat.model.routing import Entry, group
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.services.launch.banner import talk
from fishchat.storage.packing import pack, unpack
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import ClusterCase
from fishchat.test.support.waiting import until
from fishchat.testing.conversation_runner import play

ROOT = Path(fishchat.__file__).parent.parent
README = ROOT / "README.md"
CHINESE = ROOT / "README.zh.md"
DOC = ROOT / "doc"
CHECKED_OUT = README.exists() and DOC.exists()

_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^    [^\n]*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
#: How names end that look like keys, and are files.
FILES = (".log", ".lua", ".lock", ".pid", ".sock")
_STEP = re.compile(r"[a-z]+[<>] .*")


def _sources() -> list[Path]:
    """Return the pages in ``doc/``, without the copies that a build makes."""
    return [page for page in DOC.rglob("*.md") if "_top" not in page.parts]


@cache
def pages() -> dict[str, str]:
    """Every page by its path below the root, links and commands and all."""
    return {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in [README, CHINESE, *_sources()]}


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: what stands behind the fence, and the block."""
    return _FENCE.findall(text)


def codes(text: str) -> Iterator[str]:
    """Everything on a page that is set as code: blocks line by line, and what stands between backticks."""
    for _, block in blocks(text):
        yield from block.splitlines()
    rest = _FENCE.sub("", text)
    for block in _INDENTED.findall(rest):
        yield from (line[4:] for line in block.splitlines())
    yield from _INLINE.findall(rest)


def every_code() -> Iterator[tuple[str, str]]:
    """Page and code, of all pages."""
    for page, text in pages().items():
        for code in codes(text):
            yield page, code


def anchors(text: str) -> set[str]:
    """What links may name on a page: its headings, as Sphinx and GitHub spell them."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


class DocsCase(SynchronousTestCase):
    if not CHECKED_OUT:
        skip = "the documents are not installed with the package"

    def assertNone(self, wrong: list[str]) -> None:
        self.assertEqual(wrong, [], "\n".join(wrong))


class NamesTests(DocsCase):
    """What the documents name exists."""

    def test_links(self) -> None:
        """Relative links lead to a file, and to a heading in it."""
        wrong = []
        for page, text in pages().items():
            for link in _LINK.findall(_FENCE.sub("", text)):
                target, _, anchor = link.partition("#")
                if ":" in target:
                    continue
                path = (ROOT / page).parent / target if target else ROOT / page
                if not path.exists():
                    wrong.append(f"{page}: {link}")
                elif anchor and anchor not in anchors(path.read_text(encoding="utf-8")):
                    wrong.append(f"{page}: {link}: no such heading")
        self.assertNone(wrong)

    def test_files(self) -> None:
        """Files and directories of the project that are named are there."""
        wrong = []
        for page, code in every_code():
            for name in re.findall(r"(?<![\w/.])(?:fishchat|twisted|doc|changes)/(?!1\b)[\w./-]*\w", code):
                if not (ROOT / name).exists() and not name.startswith("doc/_build"):
                    wrong.append(f"{page}: {name}")
            for name in re.findall(r"^(?:\w+/)?\w+\.lua$", code):
                if not any(path.match(name) for path in (ROOT / "fishchat").rglob("*.lua")):
                    wrong.append(f"{page}: {name}")
        self.assertNone(wrong)

    def test_configuration_keys(self) -> None:
        """Keys, dotted or spelled for the environment, are in the schema."""
        known = describe.leaves().keys() | describe.sections().keys()
        sections = "|".join(name for name in describe.sections() if name and "." not in name)
        wrong = []
        for page, code in every_code():
            keys = [describe.key_of(name) for name in re.findall(r"FISHCHAT__[A-Z0-9_]*[A-Z0-9]", code)]
            if found := re.fullmatch(rf"((?:{sections})(?:\.[a-z_0-9]+)+)(?: = .*)?", code):
                keys.append(found[1])
            wrong += [f"{page}: {key}" for key in keys if key not in known and not key.endswith(FILES)]
        self.assertNone(wrong)

    def test_other_variables(self) -> None:
        """Variables of the environment that are no keys are read somewhere."""
        source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "fishchat").rglob("*.py"))
        named = {name for _, code in every_code() for name in re.findall(r"\bFISHCHAT_[A-Z][A-Z_]*\b(?!_)", code)}
        self.assertNone([name for name in named if f'"{name}"' not in source])

    def test_toml(self) -> None:
        """Examples of the configuration can be loaded."""
        for _, text in pages().items():
            for kind, block in blocks(text):
                if kind == "toml":
                    path = Path(self.mktemp()).with_suffix(".toml")
                    path.write_text(block)
                    load(path, environment={})

    def test_plugins(self) -> None:
        """What twistd is told to run are our plugins."""
        known = {plugin.tapname for plugin in getPlugins(IServiceMaker) if plugin.tapname.startswith("fishchat")}
        named = set()
        for page, code in every_code():
            for words in re.findall(r"\btwistd ((?:-\S+ +)*)(fishchat\S*)", code):
                named.add((page, words[1]))
            named |= {(page, name) for name in re.findall(r"(?<![\w/.-])fishchat-[a-z]+\b(?![=@])", code)}
        self.assertNone([f"{page}: {name}" for page, name in named if name not in known])

    def test_commands(self) -> None:
        """Every ``fishchat …`` has the subcommands and options that are typed."""
        wrong = []
        for page, code in every_code():
            found = re.match(
                r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?fishchat ((?:up|config|cert|user)\b[^#|]*)", code
            )
            if found and (problem := self._mistyped(shlex.split(found[1].replace("[", "").replace("]", "")))):
                wrong.append(f"{page}: {code}: {problem}")
        self.assertNone(wrong)

    def _mistyped(self, words: list[str]) -> str:
        command: click.Command = main
        for word in words:
            if word.startswith("--"):
                if word not in {name for option in command.params for name in option.opts}:
                    return f"no option {word}"
            elif isinstance(command, click.Group):
                if word not in command.commands:
                    return f"no command {word}"
                command = command.commands[word]
        return ""

    def test_make(self) -> None:
        """Every ``make …`` is a target."""
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        named = {(page, name) for page, code in every_code() for name in re.findall(r"^make (\w+)", code)}
        self.assertNone([f"{page}: make {name}" for page, name in named if name not in targets])

    def test_verbs(self) -> None:
        """Verbs, pushes and replies are those of the rows."""
        known = {row.name.decode() for row in (*VERBS, *GATEWAY_VERBS, *PUSHES)}
        known |= {word for verb in GATEWAY_VERBS for word in re.findall(r"[A-Z_]+", verb.reply)}
        prefixes = "SEND|REQ|RESP|CREATE|JOIN|LEAVE|INVITE|DISMISS|LOCATE|SELECT"
        wrong = []
        for page, code in every_code():
            # The rows of the feature that a page makes as its example.
            own = re.findall(r"^([A-Z_]+) = (?:Verb|Push)\($", pages()[page], re.MULTILINE)
            for word in re.findall(rf"(?<![\w-])(?:{prefixes})_[A-Z0-9_]*[A-Z0-9]\b", code):
                mistyped_on_purpose = "UNKNOWN_VERB" in pages()[page] and "SERVER_VERB" in pages()[page]
                if word not in known and word not in own and not mistyped_on_purpose:
                    wrong.append(f"{page}: {word}")
        self.assertNone(wrong)


class ExamplesTests(DocsCase):
    """Examples are what the code makes of them."""

    def test_bot(self) -> None:
        """The bot is that of the client's docstring, wherever it is shown."""
        docstring = fishchat.client.__doc__ or ""
        lines = [line for line in docstring.split("::\n", 1)[1].splitlines() if not line or line.startswith("    ")]
        bot = "\n".join(line[4:] for line in lines).strip()
        for page in ("README.md", "README.zh.md", "doc/client.md"):
            shown = [block.strip() for kind, block in blocks(pages()[page]) if kind == "python"]
            self.assertIn(bot, shown, page)

    def test_banner(self) -> None:
        """What a start says is what the README says that it does."""
        said = talk(Config(data="/home/you/.local/share/fishchat"), in_processes=False)
        for page in ("README.md", "README.zh.md"):
            self.assertIn(indent(said.strip(), "    "), pages()[page])

    def test_payloads(self) -> None:
        """The JSON of the channels is what their structures make."""
        kinds: dict[str, type[channels.Payload]] = {
            channels.CLIENT_STATUS: channels.ClientStatus,
            channels.TOPIC_STATUS: channels.TopicStatus,
            channels.TOPIC_SYNC: channels.TopicSync,
            channels.MONITOR: channels.Heartbeat,
        }
        seen = set()
        for section in pages()["doc/channels.md"].split("\n## ")[1:]:
            channel = section.split("`")[1]
            for kind, block in blocks(section):
                if kind == "json":
                    seen.add(channel)
                    payload = kinds[channel].decode(block.encode())
                    self.assertEqual(msgspec.json.decode(payload.encode()), msgspec.json.decode(block.encode()))
        self.assertEqual(seen, kinds.keys())

    def test_stream_entry(self) -> None:
        """The entry of ``/sysctrl/send`` becomes the batch for the msg_server that stands below it."""
        values = [ast.literal_eval(block) for kind, block in blocks(pages()["doc/channels.md"]) if kind == "python"]
        batch, routes, time, (shard, generation, number, epoch, *flat) = values
        entry = Entry.of(unpack(pack(*batch)), unpack(pack(*routes)), int(time))
        target = routes[3].partition(b"/")[0]
        self.assertEqual(group(entry), {target: flat})
        self.assertEqual(epoch, int(batch[2]))
        hints = Hints(shard, generation, number, epoch, flat)
        self.assertEqual(Hints.decode(hints.encode()), hints)

    def test_limits(self) -> None:
        """Every limit of the table is the default of its key, or the constant that is named."""
        table = pages()["doc/operations.md"].split("\n## Limits")[1].split("\n## ")[0]
        rows = re.findall(r"^\| ([^|]+) \| ([0-9.]+) \| `([^`]+)` \|$", table, re.MULTILINE)
        self.assertGreater(len(rows), 20)
        wrong = []
        for text, number, name in rows:
            if name.startswith("fishchat."):
                module, _, constant = name.rpartition(".")
                value = getattr(importlib.import_module(module), constant)
            else:
                value = describe.value_at(Config(), name)
            if float(number) != value:
                wrong.append(f"{text}: {number}, but {name} is {value}")
        self.assertNone(wrong)

    def test_imports(self) -> None:
        """Packages import only what the table of the architecture allows, and the rules nothing of Twisted."""
        rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|$", pages()["doc/architecture.md"], re.MULTILINE)
        allowed = {package: set(_INLINE.findall(others)) for package, others in rows}
        self.assertIn("services", allowed)
        everybody = {"fishchat", "errors", "interfaces", "net"}
        wrong = []
        for path in (ROOT / "fishchat").rglob("*.py"):
            package = path.relative_to(ROOT / "fishchat").parts[0]
            if package not in allowed:
                continue
            pure = package in ("model", "config", "web") or (
                package == "protocols" and path.name not in ("peer.py", "websocket.py")
            )
            for module in imported(path):
                head, _, rest = module.partition(".")
                if head == "twisted" and pure:
                    wrong.append(f"{path}: {module}")
                elif head == "fishchat" and rest:
                    other = rest.split(".")[0]
                    if other not in allowed[package] | everybody | {package}:
                        wrong.append(f"{path}: {module}")
        self.assertNone(wrong)


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def conversation(text: str) -> str:
    """The steps of all conversations of a page as one; what differs each time is left open."""
    steps: list[str] = []
    for _, block in blocks(text):
        lines = block.splitlines()
        if lines and all(_STEP.fullmatch(line) for line in lines):
            steps += lines
    script = "\n".join(steps)
    script = re.sub(r":\d{5,}-", ":$epoch-", script)
    script = re.sub(r"\b\d{13}\b", "…", script)
    # The code of a link, and its id.
    script = re.sub(r"\bfcj_\S+(?: ([0-9a-f]{10}))?", lambda found: "$code $link" if found[1] else "$code", script)
    # Who says QUIT is gone, and comes back on another connection.
    script = re.sub(r"^(\w+)< OK QUIT$", r"\1< OK QUIT\n\1 is closed", script, flags=re.MULTILINE)
    return re.sub(r" server=\S+", " server=…", script)


class Talker:
    """A client of the cluster, as conversations want it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, data: bytes) -> None:
        """Write these bytes."""
        self._client.write(data)

    async def hear(self, seconds: float) -> bytes | None:
        """The next line; None when the connection is closed."""
        client = self._client
        await until(lambda: client.lines or client.closed, seconds)
        return client.lines.pop(0).encode() if client.lines else None

    def drop(self) -> None:
        """Close the connection."""
        self._client.drop()


class ConversationTests(ClusterCase):
    """What the README lets people say to each other is played."""

    if not CHECKED_OUT:
        skip = "the documents are not installed with the package"

    async def _play(self, page: str) -> None:
        path = Path(self.mktemp())
        path.write_text(conversation(pages()[page]))
        self.assertGreater(len(path.read_text().splitlines()), 10)
        cluster = await self.cluster(servers=1, routers=0, limits__join_notices=100)

        async def connect(server: str) -> Talker:
            return Talker(cluster.connect(server))

        await play(path, connect)

    def test_readme(self) -> Deferred[None]:
        """The conversation of the README, word for word."""
        return Deferred.fromCoroutine(self._play("README.md"))

    def test_cookbook(self) -> Deferred[None]:
        """The conversation of the cookbook, word for word."""
        return Deferred.fromCoroutine(self._play("doc/cookbook.md"))

    def test_chinese_cookbook(self) -> Deferred[None]:
        """The conversation of the Chinese cookbook, word for word."""
        return Deferred.fromCoroutine(self._play("doc/zh/cookbook.md"))

    def test_chinese(self) -> Deferred[None]:
        """The conversation of the Chinese README, word for word."""
        return Deferred.fromCoroutine(self._play("README.zh.md"))
