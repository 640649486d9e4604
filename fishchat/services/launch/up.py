"""``fishchat up``: everything on one machine by one command, as one process or as one process per role.

Redis starts first and ends last. A data directory has one ``up`` at a time. One that was killed leaves nothing that
prevents the next start.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from fishchat.config.check import tls_listeners
from fishchat.config.paths import data_path
from fishchat.config.ports import check_processes, rows
from fishchat.config.schema import Config
from fishchat.interfaces import IReloads
from fishchat.net.clock import use_monotonic
from fishchat.services.launch import first_person, layout, readiness
from fishchat.services.launch.banner import talk
from fishchat.services.launch.pages import with_pages
from fishchat.services.launch.processes import Processes
from fishchat.services.launch.upgrade import copy_before, upgrade
from fishchat.services.net.listen import refusal, taken
from fishchat.services.redis.credentials import credentials
from fishchat.services.redis.service import EmbeddedRedis
from fishchat.services.running import logfiles
from fishchat.services.running.directory import private_directory, take_lock
from fishchat.services.running.errors import StartError
from fishchat.services.running.gc_tuning import collect_seldom
from fishchat.services.running.ordered import OrderedService
from fishchat.services.running.sighup import Hangup

_STOPS = (signal.SIGINT, signal.SIGTERM)

#: Seconds for the roles of a killed ``up`` to release their ports.
PATIENCE = 10.0

log = Logger()

Say = Callable[[str], object]


class UpLock:
    """The lock of a data directory, for its one ``fishchat up``. The file has the process number until a good end."""

    def __init__(self, data: Path) -> None:
        self._path = data / "up.lock"
        self._handle: int | None = None

    def take(self) -> bool:
        """Take the lock. StartError if another process has it. True when its last owner was killed and left roles."""
        self._handle = take_lock(self._path)
        text = self._path.read_text("ascii", "replace").strip()
        if self._handle is None:
            raise StartError(
                f"another `fishchat up` (process {text or 'unknown'}) uses {self._path.parent}: "
                f"stop it with `kill {text or 'PID'}`, or choose another directory with --data"
            )
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, b"%d\n" % os.getpid(), 0)
        return bool(text)

    def release(self) -> None:
        """Release the lock."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None


def wait_for_ports(addresses: Sequence[tuple[str, str]], patience: float, say: Say) -> None:
    """Return when each (address, key) can be listened on; ListenError if one cannot within ``patience`` s."""
    deadline = time.monotonic() + patience
    told = False
    for address, key in addresses:
        while (error := taken(address)) is not None:
            if time.monotonic() >= deadline:
                raise refusal(address, key, error)
            if not told:
                told = True
                say(f"waiting for processes of an earlier run to end ({address} is in use)")
            # The reactor does not run yet, so sleeping delays nothing else.
            time.sleep(0.05)


def assemble(config: Config, roles: Sequence[IService], reactor: Any = None) -> tuple[OrderedService, EmbeddedRedis]:
    """Return everything as one service, Redis first, and the embedded Redis."""
    top = OrderedService()
    redis = EmbeddedRedis(config, reactor)
    for member in (redis, *roles):
        member.setServiceParent(top)
    return top, redis


def one_process(config: Config) -> list[IService]:
    """Return the roles as services of this process."""
    # Imported here: with a process per role this process needs none of them.
    from fishchat.services.launch.all_roles import make_roles

    return list(make_roles(config))


def run(
    config: Config,
    *,
    in_processes: bool = False,
    config_file: str | None = None,
    make: Callable[[Config], Sequence[IService]] | None = None,
    say: Say = print,
) -> None:
    """Run until SIGINT or SIGTERM, then return when everything has ended. StartError when it cannot start.

    ``make`` returns the services in the order of their start; None means those of the configured kind.
    """
    from twisted.internet import reactor

    use_monotonic(reactor)
    data = data_path(config)
    private_directory(str(data))
    lock = UpLock(data)
    left_behind = lock.take()
    try:
        if in_processes:
            _refuse_ports(config)
        config = with_pages(config, in_processes, say)
        ports = rows(config, config.up.msg_servers if in_processes else 1)
        wait_for_ports(ports, PATIENCE if left_behind else 0, say)
        # A problem with a file is reported here, not by a process that would be restarted forever.
        credentials(config.redis)
        copy = copy_before(config)
        address_tls = _address_tls(config, reactor)
        logfiles.begin(data / "fishchat.log", config.log.level)
        own_roles = make is None
        if make is None:
            make = partial(process_per_role, config_file=config_file) if in_processes else one_process
        roles = make(config)
        # Before an upgrade, roles would only log that they cannot use the store.
        service, redis = assemble(config, roles if copy is None else ())
        Hangup(partial(_reload, roles), reactor).setServiceParent(service)
        with _early_signals(reactor):
            service.privilegedStartService()
            service.startService()
        reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
        # A second Ctrl+C while stopping ends this process at once. Redis and the roles then end by themselves.
        reactor.addSystemEventTrigger("before", "shutdown", signal.signal, signal.SIGINT, signal.SIG_DFL)
        collect_seldom()

        async def upgraded() -> None:
            await upgrade(config, reactor, copy, say)
            for role in roles if copy is not None else ():
                role.setServiceParent(service)

        def pids() -> list[int]:
            return [pid for stage in roles if own_roles and isinstance(stage, Processes) for pid in stage.pids()]

        async def reachable() -> None:
            await readiness.usable(config, reactor, pids)
            for address, _ in ports:
                await readiness.connectable(reactor, address)
            if own_roles:
                await readiness.knows_a_server(reactor, config.gateway.listen)

        text = partial(_text, config, in_processes, address_tls, reactor if own_roles else None)
        failed = _when_reachable(redis, upgraded, reachable, reactor, say, text)
        reactor.run()
        if failed:
            raise failed[0]
        say("FishChat has stopped.")
    finally:
        lock.release()


def _refuse_ports(config: Config) -> None:
    problems = check_processes(config)
    if problems:
        raise StartError("\n".join(f"{key}: {text}" for key, text in problems))


@contextmanager
def _early_signals(reactor: Any) -> Iterator[None]:
    """Stop the reactor, as soon as it runs, for a signal that is received before. Else the roles would be abandoned."""
    received: list[int] = []
    before = {one: signal.signal(one, lambda number, _: received.append(number)) for one in _STOPS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    if received:
        reactor.callWhenRunning(reactor.stop)


def process_per_role(config: Config, config_file: str | None = None) -> list[IService]:
    """Return the roles as processes, one service for each stage."""
    return [Processes(stage) for stage in layout.stages(config, config_file)]


def _reload(roles: Sequence[IService]) -> None:
    for role in roles:
        if IReloads.providedBy(role):
            role.reload()


def _address_tls(config: Config, reactor: Any) -> str:
    """Return the address of the first msg_server for clients with TLS, if it is known. May raise StartError."""
    if not tls_listeners(config):
        return ""
    # Imported here: it loads OpenSSL.
    from fishchat.services.net.certificates import Certificates

    certificates = Certificates(config, reactor)
    certificates.privilegedStartService()
    return certificates.address() if config.msg_server.listen_tls else ""


async def _text(config: Config, in_processes: bool, address_tls: str, reactor: Any) -> str:
    """Return what to print at the end of the start. Without a reactor nobody is invited."""
    code = await first_person.invitation(config, reactor) if reactor is not None else ""
    return talk(config, in_processes, address_tls, code)


def _when_reachable(
    redis: EmbeddedRedis,
    upgraded: Callable[[], Awaitable[None]],
    reachable: Callable[[], Awaitable[None]],
    reactor: Any,
    say: Say,
    text: Callable[[], Awaitable[str]],
) -> list[StartError]:
    """Print the ``text`` once Redis answers and both steps are done. Log a note if that is late.

    If the store cannot be used, stop everything; the returned list then has the reason.
    """
    stopped: list[StartError] = []
    stopping = False

    async def wait() -> None:
        late = reactor.callLater(PATIENCE, say, f"Still starting; the log files are in {redis.directory}.")
        await redis.ready()
        await upgraded()
        await reachable()
        if late.active():
            late.cancel()
        say(await text())

    def failed(failure: Failure) -> None:
        if isinstance(failure.value, StartError):
            stopped.append(failure.value)
            reactor.stop()
        elif not stopping and not failure.check(CancelledError):
            log.failure("cannot tell whether everything is up", failure)

    def stop() -> None:
        nonlocal stopping
        stopping = True
        waiting.cancel()

    waiting = ensureDeferred(wait())
    waiting.addErrback(failed)
    reactor.addSystemEventTrigger("before", "shutdown", stop)
    return stopped
