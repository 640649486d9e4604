"""A real ``fishchat up`` in processes of its own, for tests of the pages: it can be killed and started again."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from fishchat.proof.processes import free_rows

#: Seconds that a start may take.
PATIENCE = 40.0


class Up:
    """All roles in one process, or with ``processes`` a process for each and two msg_servers, on free ports.

    :ivar address: of the pages, with a slash at the end. :ivar lines: of the first msg_server, for lines.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None, *, processes: bool = False) -> None:
        # Not the default temporary directory: the path of a socket must be short.
        self.data = Path(tempfile.mkdtemp(prefix="fc-", dir="/tmp"))
        gateway, lines, web, monitor = free_rows([1, 3, 4, 1])
        self.lines = f"127.0.0.1:{lines}"
        self.address = f"http://127.0.0.1:{web}/"
        own = {
            "gateway.listen": f"127.0.0.1:{gateway}",
            "msg_server.listen": self.lines,
            "msg_server.listen_web": f"127.0.0.1:{web + 1}",
            "web.listen": f"127.0.0.1:{web}",
            "monitor.listen": f"127.0.0.1:{monitor}",
            "limits.flood": False,
            "up.msg_servers": 2 if processes else 1,
        }
        self.settings = {**own, **(settings or {})}
        self._arguments = ["--processes"] if processes else []
        self._process: subprocess.Popen[bytes] | None = None
        # The process of the tests may end without ending this one.
        atexit.register(self.stop)
        self.start()

    def start(self) -> None:
        """Start it, and return when pages can connect."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FISHCHAT__")}
        given = {f"FISHCHAT__{key.upper().replace('.', '__')}": _text(value) for key, value in self.settings.items()}
        command = [
            sys.executable,
            "-c",
            "from fishchat.cli import main; main()",
            "up",
            "--data",
            str(self.data),
            *self._arguments,
        ]
        log = (self.data / "up.out").open("ab")
        self._process = subprocess.Popen(
            command, env={**kept, **given}, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        log.close()
        deadline = time.monotonic() + PATIENCE
        while not self._is_there():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self.data / "up.out").read_text("utf-8", "replace")
                self.stop()
                raise AssertionError(f"fishchat up did not start: {said[-2000:]}")
            time.sleep(0.05)

    def _is_there(self) -> bool:
        try:
            with urlopen(f"{self.address}server", timeout=1) as answer:
                return bool(json.load(answer)["sockets"])
        except OSError:
            return False

    def line(self, part: str) -> str:
        """Return the first line that it has printed with ``part`` in it, without blanks around it; wait for it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            said = (self.data / "up.out").read_text("utf-8", "replace")
            found = [line.strip() for line in said.splitlines() if part in line]
            if found:
                return found[0]
            assert time.monotonic() < deadline, said[-2000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, and everything that it has started: as when the machine loses its power."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """End it in order and remove its data."""
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        try:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        finally:
            shutil.rmtree(self.data, ignore_errors=True)

    def pid(self, role: str) -> int:
        """Return the number of the process of one role, such as ``ms1``."""
        assert self._process is not None
        listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines()[1:]:
            number, parent, arguments = line.split(None, 2)
            if int(parent) == self._process.pid and f"--name {role} " in f"{arguments} ":
                return int(number)
        raise AssertionError(f"no process {role}: {listed}")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
