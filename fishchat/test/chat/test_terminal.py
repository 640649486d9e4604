"""The chat in the terminal on a real server: in a pipe, and in tmux."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.test.support.line_client import LineClient
from fishchat.test.support.pages import Up

COMMAND = [sys.executable, "-c", "from fishchat.cli import main; main()", "chat"]
#: Seconds that a screen may take to show something.
PATIENCE = 15.0


class TerminalCase(SynchronousTestCase):
    """A server, and a directory for what the chats keep."""

    def setUp(self) -> None:
        self.up = Up()
        self.addCleanup(self.up.stop)
        self.home = Path(self.mktemp()).absolute()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("FISHCHAT", "LC_", "LANG"))}
        self.environment = {
            **kept,
            "XDG_DATA_HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "screen-256color",
            "FISHCHAT__DATA": str(self.up.data),
        }

    def piped(self, who: str, *lines: str, options: tuple[str, ...] = ()) -> list[str]:
        """What the chat prints for these lines."""
        ran = subprocess.run(
            [*COMMAND, f"{who}@{self.up.lines}", "--plain", *options],
            input="".join(f"{line}\n" for line in lines),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran.stdout)
        return ran.stdout.splitlines()


class Piped(TerminalCase):
    """Lines in, lines out."""

    def test_talk(self) -> None:
        """Commands are the verbs of the protocol; in a conversation its name, and the message, may be left out."""
        LineClient(self.up.lines, "bob").close()
        said = self.piped(
            "alice",
            "/create fish",
            "first",
            "/edit corrected",
            "/react +1",
            "/pins",
            "/msg bob hello",
            "/win fish",
            "/bogus",
        )
        self.assertIn("There is no command /bogus. /help lists all.", said)
        again = self.piped("alice", "/win fish", options=("--lang", "zh"))
        self.assertTrue(any("我: corrected (已编辑, 已存储)" in line for line in again), again)
        bob = LineClient(self.up.lines, "bob")
        self.assertTrue(any(line.endswith(" hello") for line in bob.ask("HISTORY alice")))
        bob.close()

    def test_everything_is_a_command(self) -> None:
        """Help shows the verbs of the protocol; what the chat does itself is said so."""
        said = self.piped("alice", "/help", "/help edit", "/hello", "/nonsense")
        for usage in ("/edit <id> <text>", "/create <topic>", "/report <id>"):
            self.assertTrue(any(usage in line for line in said), usage)
        self.assertTrue(any("replaces the text" in line for line in said))
        self.assertTrue(any("for programs" in line for line in said))

    def refused(self, *words: str) -> str:
        """What the chat says as it ends with an error."""
        ran = subprocess.run(
            [*COMMAND, *words, "--plain"],
            input="hello\n",
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertNotIn("Traceback", ran.stderr)
        self.assertEqual(ran.returncode, 1)
        return ran.stderr

    def test_cannot_begin(self) -> None:
        """Each reason is one sentence that names what it is about."""
        self.assertIn("no connection to 127.0.0.1:1 within 10 seconds", self.refused("alice@127.0.0.1:1"))
        self.assertIn("/nowhere.pem", self.refused(f"alice@{self.up.lines}", "--ca", "/nowhere.pem"))
        self.assertIn("account@host", self.refused("alice@not a host"))
        self.piped("carol", "/me")
        [state] = self.home.glob("fishchat-chat/carol*/*[!s].json")
        state.write_text("{bad")
        self.assertIn(state.name, self.refused(f"carol@{self.up.lines}"))

    def test_wrong_password(self) -> None:
        """A refused login ends the chat with the reason."""
        closed = Up({"accounts.mode": "closed"})
        self.addCleanup(closed.stop)
        self.assertIn("Error: The login was refused.", self.refused(f"alice@{closed.lines}"))
        self.environment["FISHCHAT_PASSWORD"] = "no such password"
        self.assertIn("password", self.refused(f"alice@{closed.lines}"))

    def test_killed_server(self) -> None:
        """What was written while the server was killed is sent once it is back, once."""
        LineClient(self.up.lines, "bob").close()
        process = subprocess.Popen(
            [*COMMAND, f"alice@{self.up.lines}", "--plain"],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("/msg bob before\n")
        process.stdin.flush()
        self.assertIn("Connected", process.stdout.readline())
        bob = LineClient(self.up.lines, "bob")
        while not any(line.endswith(" before") for line in bob.ask("HISTORY alice")):
            pass
        bob.close()
        self.up.kill()
        process.stdin.write("while away\n")
        process.stdin.flush()
        self.up.start()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        bob = LineClient(self.up.lines, "bob")
        texts = [line.split(" ", 4)[-1] for line in bob.ask("HISTORY alice") if line.startswith("ITEM")]
        self.assertEqual(texts, ["before", "while away"])
        bob.close()


class Panes(TerminalCase):
    """The chat in panes, in tmux."""

    def setUp(self) -> None:
        super().setUp()
        self.assertIsNotNone(shutil.which("tmux"), "these tests need tmux: apt install tmux")
        self.settings = self.home.with_suffix(".tmux")
        # One that ends with its last session may still be found by the command that begins the next.
        self.settings.write_text("set -s exit-empty off\n")
        self.socket = f"fishchat-{os.getpid()}-{self._testMethodName}"
        self.addCleanup(self.tmux, "kill-server")

    def tmux(self, *arguments: str) -> str:
        """Run a command of a tmux of our own."""
        words = ["tmux", "-L", self.socket, "-f", str(self.settings), *arguments]
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False).stdout

    def open(self, who: str, *options: str, width: int = 80) -> None:
        """Start a chat in a session of its own."""
        self.tmux("new-session", "-d", "-s", who, "-x", str(width), "-y", "24", self.words(who, *options))
        self.sees(who, "Connected")

    def words(self, who: str, *options: str) -> str:
        """The command of a chat for a shell, with our environment, which tmux itself does not hand on."""
        names = ("NO_COLOR", "TERM", "LANG", "XDG_DATA_HOME", "FISHCHAT__DATA")
        given = [f"{name}={self.environment[name]}" for name in names if name in self.environment]
        return shlex.join(["env", *given, *COMMAND, f"{who}@{self.up.lines}", *options])

    def ends(self, who: str) -> None:
        """Return when a chat has ended, and its session with it."""
        deadline = time.monotonic() + PATIENCE
        while who in self.tmux("list-sessions", "-F", "#S").split():
            self.assertLess(time.monotonic(), deadline, self.screen(who))
            time.sleep(0.05)

    def screen(self, who: str) -> str:
        """What is on the screen of somebody."""
        return self.tmux("capture-pane", "-t", who, "-p")

    def sees(self, who: str, text: str) -> None:
        """Return when a text is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.screen(who):
            self.assertLess(time.monotonic(), deadline, f"{text!r} is not on the screen:\n{self.screen(who)}")
            time.sleep(0.05)

    def until_title(self, who: str, name: str) -> None:
        """Return when the conversation of this name is open."""
        deadline = time.monotonic() + PATIENCE
        while name not in self.screen(who).splitlines()[0].rpartition("│")[2]:
            self.assertLess(time.monotonic(), deadline, f"{name} is not open:\n{self.screen(who)}")
            time.sleep(0.05)

    def type(self, who: str, *keys: str) -> None:
        """Press keys."""
        self.tmux("send-keys", "-t", who, *keys)

    def test_talk(self) -> None:
        """Two people talk in 80 × 24, in Chinese too; a killed server loses nothing."""
        LineClient(self.up.lines, "bob").close()
        self.open("alice")
        self.type("alice", "/msg bob hello 你好", "Enter")
        self.sees("alice", "me: hello 你好 (stored)")
        self.open("bob", width=110)
        self.sees("bob", "alice: hello 你好")
        self.type("bob", "/reply hi 🐟", "Enter")
        self.sees("alice", "bob: hi 🐟")
        self.sees("alice", "> reply to alice: hello 你好")
        self.type("bob", "/react 👍", "Enter")
        self.up.kill()
        self.sees("alice", "Offline")
        self.type("alice", "written offline", "Enter")
        self.sees("alice", "written offline (waiting)")
        self.up.start()
        self.sees("bob", "alice: written offline")
        self.assertEqual(self.screen("bob").count("written offline"), 1)

    def test_keys(self) -> None:
        """The keys that people look for."""
        other = LineClient(self.up.lines, "bob")
        other.ask("CREATE fish")
        self.open("alice")
        self.type("alice", "/join fish", "Enter")
        self.sees("alice", "#fish")
        self.type("alice", "half a thought")
        other.ask("MSG alice psst")
        self.sees("alice", "1 unread")
        self.type("alice", "M-a")
        self.sees("alice", "bob: psst")
        self.assertNotIn("half a thought", self.screen("alice"))
        self.type("alice", "C-g", "fish", "Enter")
        self.sees("alice", "half a thought")
        self.type("alice", "C-u", "/rep", "Tab")
        self.sees("alice", "/reply")
        self.type("alice", "C-u", "F1")
        self.sees("alice", "Keys (any key closes)")
        self.type("alice", "x", "M-1")
        other.ask_all(f"SAY fish line {n}" for n in range(60))
        self.type("alice", "C-g", "fish", "Enter")
        self.sees("alice", "—— unread ——")
        self.type("alice", "End")
        self.sees("alice", "line 59")
        self.type("alice", "PageUp", "PageUp")
        self.sees("alice", "line 19")
        other.ask("SAY fish one more")
        self.sees("alice", "1 new below")
        self.type("alice", "End")
        self.sees("alice", "one more")
        other.close()

    def test_sought(self) -> None:
        """What was sent before is found by a part of it, and a conversation by its place."""
        self.open("alice")
        self.type("alice", "/create fish", "Enter")
        self.sees("alice", "#fish")
        for text in ("red herring", "blue whale", "green herring"):
            self.type("alice", text, "Enter")
        self.sees("alice", "me: green herring (stored)")
        self.type("alice", "herring", "C-r", "C-r", " again", "Enter")
        self.sees("alice", "me: red herring again (stored)")
        self.type("alice", "/create other", "Enter")
        self.sees("alice", "2 #")
        second = self.screen("alice").partition(" 2 ")[2].split()[0]
        first = self.screen("alice").partition(" 1 ")[2].split()[0]
        for keys, name in ((("M-2",), second), (("M-1",), first), (("M-j", "0", "2"), second)):
            for key in keys:
                self.type("alice", key)
            self.until_title("alice", name)
        self.type("alice", "here", "Enter")
        self.sees("alice", "me: here")

    def test_fast_keys(self) -> None:
        """Keys that come before a page is gone do no harm, and what was begun is there after the end."""
        LineClient(self.up.lines, "bob").close()
        self.open("alice")
        self.type("alice", "/msg bob first line", "Enter")
        self.sees("alice", "first line (stored)")
        self.type("alice", "F1")
        self.sees("alice", "Keys (any key closes)")
        self.type("alice", "x", "y", "z", "C-g")
        self.type("alice", "bob", "Enter", "Enter", "Escape")
        self.sees("alice", "Connected")
        self.type("alice", "C-u", "half a thought")
        self.sees("alice", "half a thought")
        self.type("alice", "C-q")
        self.ends("alice")
        self.open("alice")
        self.sees("alice", "half a thought")

    def test_without_colours(self) -> None:
        """With NO_COLOR on the console of Linux, in Chinese, everything is there and nothing has a colour."""
        LineClient(self.up.lines, "bob").close()
        self.environment |= {"NO_COLOR": "1", "TERM": "linux"}
        self.tmux("new-session", "-d", "-s", "zh", "-x", "80", "-y", "24", self.words("alice", "--lang", "zh"))
        self.sees("zh", "已连接")
        self.type("zh", "/msg bob 你好", "Enter")
        self.sees("zh", "我: 你好 (已存储)")
        self.type("zh", "F1")
        self.sees("zh", "按键（按任意键关闭）")
        self.assertNotRegex(self.tmux("capture-pane", "-t", "zh", "-p", "-e"), r"\x1b\[[0-9;]*[34]8;[25]")

    def test_start(self) -> None:
        """The first screen is there within three seconds, on any machine that runs these tests."""
        began = time.monotonic()
        self.open("alice")
        self.assertLess(time.monotonic() - began, 3.0)
        self.type("alice", "C-q")
