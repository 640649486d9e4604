"""``fishchat bench``: real runs with few clients, what a generator counts, and what is refused."""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import subprocess
import sys
from operator import attrgetter
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.cli import main
from fishchat.features.messages.rows import SEND_MESSAGE_P2P
from fishchat.proof.bench import crowd, generator, usage
from fishchat.proof.bench.crowd import BenchError, Member
from fishchat.proof.bench.machine import check_files, greets
from fishchat.proof.bench.measuring import Latencies
from fishchat.proof.bench.messages import Talk, last_id
from fishchat.proof.bench.report import HEAD, row
from fishchat.proof.bench.runner import Result, limit
from fishchat.proof.bench.server import Server
from fishchat.proof.bench.spec import MOST_CLIENTS, Figures, Job
from fishchat.proof.bench.table import BEGIN, END
from fishchat.proof.bench.workloads import WORKLOADS, Wish
from fishchat.proof.processes import HERE, MISSING
from fishchat.test.support.user_runner import Running
from fishchat.test.support.waiting import until

PAGE = Path(HERE, "doc", "performance.md")


class Runs(TestCase):
    """The command, with a FishChat of its own."""

    timeout = 120
    if MISSING:
        skip = MISSING

    async def measure(self, *options: str) -> dict[str, dict[str, Any]]:
        """What it found, by workload; nothing was lost, doubled, refused or out of its order."""
        file = Path(self.mktemp()).absolute()
        running = Running(b"")
        processes: IReactorProcess = reactor
        command = [sys.executable, "-c", "from fishchat.cli import main; main()", "bench", "--json", str(file)]
        environment = {**os.environ, "PYTHONPATH": HERE}
        processes.spawnProcess(running, sys.executable, [*command, "--seconds", "0.5", *options], environment, "/")
        self.addCleanup(running.kill)
        said = await running.ended
        self.assertEqual(said.status, 0, said)
        found = {result["name"]: result for result in json.loads(file.read_text())["results"]}
        for name, result in found.items():
            figures = result["figures"]
            wrong = {key: figures[key] for key in ("lost", "doubled", "disorder", "refused", "error") if figures[key]}
            self.assertEqual(wrong, {}, name)
            self.assertIn(name, said.out)
        return found

    async def test_one_process(self) -> None:
        """Everything that one process can do: messages arrive, logins hash no password, each costs something."""
        found = await self.measure("--clients", "20", "--messages", "300", "--rate", "200")
        alone = {name for name, workload in WORKLOADS.items() if workload.servers == 1}
        self.assertEqual(found.keys(), alone)
        for name, result in found.items():
            figures = result["figures"]
            self.assertGreater(figures["share"] if name.startswith("idle") else figures["cpu"], 0, name)
        self.assertEqual(found["replay"]["figures"]["count"], 300)
        self.assertEqual(found["login"]["figures"]["count"], 20)
        self.assertIn("0 passwords hashed", found["storm"]["note"])
        self.assertIsNotNone(found["p2p-rate"]["figures"]["p99"])

    async def test_processes(self) -> None:
        """Messages cross two msg_servers, two senders have one order, and all come back when a server was killed."""
        found = await self.measure("--processes", "--clients", "20", *_only("cross", "topic-cross", "storm-kill"))
        self.assertEqual(found.keys(), {"cross", "topic-cross", "storm-kill"})
        self.assertIn("all back within", found["storm-kill"]["note"])

    async def test_address(self) -> None:
        """One that runs already is measured as well, its processes too when one of them is named, and runs on."""
        server = Server(settings={"ACCOUNTS__MODE": "open"})
        self.addCleanup(server.stop)
        server.start()
        there = "--address", server.addresses[0], "--pid", str(server.roots[0])
        found = await self.measure(*there, "--clients", "10", *_only("p2p", "storm"))
        self.assertEqual(found.keys(), {"p2p", "storm"})
        self.assertGreater(found["p2p"]["figures"]["cpu"], 0)
        self.assertTrue(greets(server.addresses[0]))

    def test_open_files(self) -> None:
        """What is started may open as many files as this process ever could: each client is one."""
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(400, before[1]), before[1]))
        server = Server()
        self.addCleanup(server.stop)
        server.start()
        self.assertEqual([resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] for pid in server.roots], [before[1]])


def _only(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


class Refusals(SynchronousTestCase):
    """What the command does not do."""

    def refused(self, *options: str) -> str:
        """What it says; nothing is started."""
        result = CliRunner().invoke(main, ["bench", *options])
        self.assertNotEqual(result.exit_code, 0, result.output)
        return result.output

    def test_remote(self) -> None:
        """Another machine only when that is said: this is as much load as it takes."""
        self.assertIn("--allow-remote", self.refused("--address", "192.0.2.1:19000"))

    def test_address(self) -> None:
        """An address is one, and a msg_server answers there."""
        self.assertIn("host:port", self.refused("--address", "here"))
        self.assertIn("no msg_server answers", self.refused("--address", "127.0.0.1:1"))

    def test_impossible(self) -> None:
        """A workload that was asked for by name, and needs more servers than there are, is refused."""
        self.assertIn("it needs two msg_servers: --processes", self.refused("--only", "cross"))
        both = "--address", "127.0.0.1:1", "--address", "127.0.0.1:2"
        self.assertIn("of its own in processes", self.refused("--only", "storm-kill", *both))

    def test_bounds(self) -> None:
        """Load and time have an end."""
        for option, value in (("--clients", "1000000"), ("--seconds", "3600"), ("--rate", "1e9"), ("--size", "9000")):
            self.assertIn("not in the range", self.refused(option, value))

    def test_files(self) -> None:
        """More clients than a process may have open files are refused, with what to do."""
        error = self.assertRaises(BenchError, check_files, 10**9)
        self.assertIn("ulimit -Hn", str(error))

    def test_limit(self) -> None:
        """Every job has an end, whatever happens to it."""
        for workload in WORKLOADS.values():
            job = workload.job(Wish(clients=MOST_CLIENTS), ["127.0.0.1:1"] * 2, "p", "", [])
            self.assertLess(limit(job), 1200)


class Silent(Protocol):
    """A server that the first client hears nothing from; the others are let in."""

    came = here = 0
    transport: Any

    def connectionMade(self) -> None:
        Silent.came += 1
        Silent.here += 1
        if Silent.came > 1:
            self.transport.write(b"HELLO fishchat/1\r\nOK HELLO\r\nOK SEND_CLIENT_ID bob\r\n")

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"RESP_SYNCED\r\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        Silent.here -= 1


class Coming(TestCase):
    """Clients that come in all at once."""

    async def test_unheard(self) -> None:
        """One that hears nothing ends its connection, and comes again."""
        self.patch(crowd, "LATE", 0.05)
        self.patch(crowd, "AGAIN", (0.0, 0.01))
        listeners: Any = reactor
        port = listeners.listenTCP(0, Factory.forProtocol(Silent), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        all_of_them = crowd.Crowd(reactor, [f"127.0.0.1:{port.getHost().port}"], [b"bob"], [])
        all_of_them.patient = True
        await all_of_them.gather()
        self.assertEqual((len(all_of_them.when), Silent.came), (1, 2))
        all_of_them.close()
        await until(lambda: not Silent.here)


class Deaf(Member):
    """A client that keeps what it says."""

    def __init__(self) -> None:
        super().__init__(b"bob", b"")
        self.told: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)


class Counting(SynchronousTestCase):
    """What is lost, doubled or not in its turn is found, so that 0 means something."""

    def setUp(self) -> None:
        job = Job(kind="p2p", addresses=["127.0.0.1:1"], prefix="p", clients=2)
        self.run_ = Talk(Clock(), job, generator.names_of(job), [])
        self.bob = Deaf()
        self.more: list[int] = []
        self.run_.listen(self.bob, self.more.append)

    def hear(self, *numbers: int) -> None:
        """These messages, in one piece."""
        self.bob.heard(b"".join(b"RESP_MESSAGE_P2P al al+bob:7-%d %d 123 xxx\r\n" % (n, n) for n in numbers))

    def test_in_order(self) -> None:
        """Each counts once, the last one of a piece is acknowledged, and as many more are asked for."""
        self.hear(1, 2, 3)
        self.hear(4)
        self.assertEqual((self.run_.delivered, self.run_.figures.disorder, self.more), (4, 0, [3, 1]))
        self.assertEqual(self.bob.told, [b"SEND_ACK al+bob:7-3\r\n", b"SEND_ACK al+bob:7-4\r\n"])

    def test_disorder(self) -> None:
        """One that is missing in between, one that comes late, one that comes twice."""
        self.hear(1, 2, 4, 5)
        self.assertEqual((self.run_.figures.disorder, self.run_.figures.doubled), (1, 0))
        self.hear(3, 6, 6)
        self.assertEqual((self.run_.figures.disorder, self.run_.figures.doubled), (1, 2))
        self.assertEqual(self.run_.delivered, 5)

    def test_refusals(self) -> None:
        """Refusals are counted, and the first one is kept."""
        self.run_.refusals(b"OK SEND_PING\r\nERR SEND_MESSAGE_P2P GAP expected=1 wrong\r\nERR - FLOOD wait\r\n")
        self.assertEqual(self.run_.figures.refused, 2)
        self.assertEqual(self.run_.figures.refusal, "ERR SEND_MESSAGE_P2P GAP expected=1 wrong")

    def test_writing(self) -> None:
        """Several messages are one write, numbered on, each as long as was asked for."""
        self.run_.address(self.bob, SEND_MESSAGE_P2P, b"al")
        self.run_.sending = True
        self.run_.write(self.bob, 2)
        self.run_.write(self.bob, 1)
        first, second = self.bob.told
        self.assertEqual((first.count(b"\r\n"), second.count(b"\r\n"), self.run_.sent), (2, 1, 3))
        self.assertTrue(first.startswith(b"@cseq=1 SEND_MESSAGE_P2P al 1 "), first)
        self.assertTrue(second.startswith(b"@cseq=3 SEND_MESSAGE_P2P al 3 "), second)

    def test_last_id(self) -> None:
        """The id of the last message of a piece, p2p or topic."""
        p2p, topic = b"RESP_MESSAGE_P2P al al+bob:7-1 x\r\n", b"RESP_MESSAGE_TOPIC t al #t:7-2 y z\r\n"
        self.assertEqual((last_id(topic + p2p), last_id(p2p + topic)), (b"al+bob:7-1", b"#t:7-2"))

    def test_pieces(self) -> None:
        """Lines are handed on whole, however they were cut."""
        heard: list[bytes] = []
        for cut in range(1, 11):
            self.bob.heard = heard.append
            for piece in (b"ab\r\ncdef\r\n"[:cut], b"ab\r\ncdef\r\n"[cut:]):
                self.bob.dataReceived(piece)
        self.assertTrue(all(lines.endswith(b"\n") for lines in heard))
        self.assertEqual(b"".join(heard), b"ab\r\ncdef\r\n" * 10)


class Page(SynchronousTestCase):
    """``doc/performance.md`` says where the cost of a message lies."""

    if not PAGE.exists():
        skip = "the documents are not installed with the package"

    def test_steps(self) -> None:
        """Every step is done by a function that is there."""
        named = re.findall(r"`fishchat/([\w/]+)\.py`: ((?:`[\w.]+`(?:, )?)+)", PAGE.read_text(encoding="utf-8"))
        self.assertGreater(len(named), 20)
        for file, functions in named:
            module = importlib.import_module("fishchat." + file.replace("/", "."))
            for function in re.findall(r"`([\w.]+)`", functions):
                attrgetter(function)(module)

    def test_workloads(self) -> None:
        """Every workload is explained, and no other."""
        table = PAGE.read_text(encoding="utf-8").split("| Workload |")[1].split("\n\n")[0]
        names = [name for row in table.splitlines()[2:] for name in re.findall(r"`([\w-]+)`", row.split("|")[1])]
        self.assertEqual(names, list(WORKLOADS))

    def test_place(self) -> None:
        """It has the place that ``fishchat bench table`` fills."""
        text = PAGE.read_text(encoding="utf-8")
        self.assertEqual((text.count(BEGIN), text.count(END)), (1, 1))


class Figuring(SynchronousTestCase):
    """Figures, from what was seen to the table."""

    def test_latencies(self) -> None:
        """The middle, and what 99 of 100 are below; nothing without any."""
        latencies, figures = Latencies(), Figures()
        latencies.put(figures)
        self.assertIsNone(figures.p50)
        for ms in range(1, 101):
            latencies.add(ms / 1000)
        latencies.put(figures)
        self.assertEqual((figures.p50, figures.p99), (51.0, 100.0))

    def test_row(self) -> None:
        """A line has a column for each heading, and a dash for what was not measured."""
        line = row(Result("p2p", "messages", Figures(clients=2, rate=1234.5, cpu=20.25), "slow"))
        self.assertEqual(len(line), len(HEAD))
        self.assertEqual(line[:5], ("p2p", "2", "1,234", "messages", "20.2"))
        self.assertEqual(line[5], "-")

    def test_usage(self) -> None:
        """The work of a child counts while it runs and when it has ended."""
        before = usage.usage([os.getpid()])
        work = "t = __import__('time'); e = t.process_time() + 0.1\nwhile t.process_time() < e: pass\ninput()"
        child = subprocess.Popen([sys.executable, "-c", work + "\n"], stdin=subprocess.PIPE)
        self.addCleanup(child.kill)
        self.assertIn(child.pid, usage.family([os.getpid()]))
        child.communicate(b"\n", timeout=20)
        after = usage.usage([os.getpid()])
        self.assertGreaterEqual(after.cpu - before.cpu, 0.09)
        self.assertGreater(after.memory, 1_000_000)
        self.assertEqual(usage.usage([child.pid]), usage.Usage(0.0, 0))
