"""The foundation of every role: its options under twistd, and the parts that its services are built from.

A role's package has ``build(parts) -> services``, ``Options = options(name)`` and ``makeService =
service_maker(build)``. Several roles in one process are built on the same ``Parts``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python import usage
from zope.interface import implementer

from fishchat.bus.redis import RedisBus
from fishchat.config.load import ConfigError, Loaded, load
from fishchat.config.schema import Config
from fishchat.interfaces import IBus, IReloads
from fishchat.net.clock import use_monotonic
from fishchat.services.net.listen import Listener
from fishchat.services.redis.access import Access
from fishchat.services.redis.service import EmbeddedRedis
from fishchat.services.running.gc_tuning import collect_seldom
from fishchat.services.running.heartbeat import Heartbeat, Load
from fishchat.services.running.lifeline import with_lifeline
from fishchat.services.running.ordered import OrderedService
from fishchat.services.running.sighup import Hangup
from fishchat.storage.format import check_format
from fishchat.storage.redis import Connection, Pipeline, Script, StoreError
from fishchat.storage.settings import advice, check_settings

if TYPE_CHECKING:
    from twisted.web.resource import IResource

    from fishchat.services.net.certificates import Certificates


@implementer(IReloads)
class Parts(OrderedService):
    """Redis (embedded unless the configuration names one), a bus, and connections on request.

    Roles use ``config``, ``reactor``, ``clock`` and ``bus``. They put resources into ``web``, which the gateway of the
    same process serves; it is None where a role is a process of its own. ``embedded=False`` means that another part of
    this process runs the embedded Redis. Roles are added as further children, so that they start after the parts and
    stop before them.
    """

    log = Logger()
    bus: IBus
    _certificates: Certificates | None = None

    def __init__(
        self, config: Config, *, embedded: bool = True, reactor: Any = None, clock: IReactorTime | None = None
    ) -> None:
        super().__init__()
        if reactor is None:
            from twisted.internet import reactor
        self.config = config
        self.reactor = reactor
        self.clock: IReactorTime = reactor if clock is None else clock
        self._access = Access(config, reactor, self.clock)
        self.web: dict[bytes, IResource] | None = None
        self._advised = False
        if embedded:
            EmbeddedRedis(config, reactor).setServiceParent(self)
        #: The bus publishes on it. It also serves commands that need neither scripts nor a checked store.
        self.speaker = self.connection()
        self.listener = self._access.subscriber()
        self.listener.setServiceParent(self)
        self.bus = RedisBus(self.speaker, self.listener)

    def connection(self, scripts: Sequence[Script] = ()) -> Connection:
        """Return another connection, started and stopped with these parts."""
        made = self._access.connection(scripts)
        made.setServiceParent(self)
        return made

    def store(self, scripts: Sequence[Script] = ()) -> Connection:
        """Return a connection that is used only while Redis keeps the configured durability.

        With a wrong setting it never counts as connected, and the log names the setting to change.
        """
        made = self.connection(scripts)
        made.prepare.insert(0, self._checked)
        return made

    def heartbeat(self, role: str, load: Callable[[], Load], id: str = "") -> Heartbeat:
        """Return the heartbeat of one role. Its ``build`` returns it after the role itself."""
        made = Heartbeat(self.bus, role, load, self.clock, id=id)
        self.speaker.on_connected.append(made.again)
        # The roles of one process know each other as soon as they hear the channel.
        self.listener.on_connected.append(made.again)
        return made

    @property
    def certificates(self) -> Certificates:
        """The certificate of all TLS listeners of this process. It is read at the start if any service uses it."""
        if self._certificates is None:
            # Imported here: it loads OpenSSL, which a process without a TLS listener does not need.
            from fishchat.services.net.certificates import Certificates

            self._certificates = Certificates(self.config, self.clock)
            self._certificates.setServiceParent(self)
        return self._certificates

    def check(self) -> None:
        """Raise StartError for a certificate or an address that cannot be used.

        The start would find out as well. But a daemon then has no terminal any more, and ``twistd`` shows the first
        letters of the reason only.
        """
        if self._certificates is not None:
            self._certificates.check()
        for service in self:
            if isinstance(service, Listener):
                service.check()

    def reload(self) -> None:
        """Read the certificate again, if there is one."""
        if self._certificates is not None:
            self._certificates.reload()

    async def _checked(self, wire: Pipeline) -> None:
        problems = await check_settings(wire, self.config.redis.durability) or await check_format(wire)
        if problems:
            raise StoreError("; ".join(problems))
        if not self._advised:
            self._advised = True
            for text in await advice(wire):
                self.log.warn("Redis can be used, but {text}", text=text)


class RoleOptions(usage.Options):
    """``--config FILE`` and ``--data DIR``. After parsing, ``config`` is the configuration, ``loaded`` all of it.

    ``role`` is the role whose file of the original Go project this may be; keys of such a file that have no meaning
    here are logged. An unusable configuration is a UsageError with the reason.
    """

    role: ClassVar[str | None] = None
    log: ClassVar[Logger] = Logger()

    optParameters = [
        ["config", "c", None, "A TOML or JSON file; fishchat.toml in the data directory when not given."],
        ["data", "d", None, "The data directory."],
        ["name", None, None, "A name by which lists of processes show this one. It has no other effect."],
    ]

    config: Config
    loaded: Loaded

    def postOptions(self) -> None:
        try:
            self.loaded = load(self["config"], data=self["data"] or "", role=self.role)
        except ConfigError as error:
            raise usage.UsageError(str(error)) from error
        self.config = self.loaded.config
        # ``twist`` has no such option, because it never becomes a daemon.
        _remove_own_pidfile(self.parent.get("pidfile") if self.parent is not None else None)
        for note in self.loaded.notes:
            self.log.warn("{note}", note=note)


def _remove_own_pidfile(path: str | None) -> None:
    """Remove a file that says that this very process runs already: process 1 of a container that was killed left it."""
    try:
        if path and Path(path).read_text("ascii").strip() == str(os.getpid()):
            os.unlink(path)
    except (OSError, ValueError):
        # twistd itself complains of a file that it cannot use.
        pass


def options(role: str | None = None) -> type[RoleOptions]:
    """Return the class of options for one role; for several roles in one process without a name."""

    class Options(RoleOptions):
        __doc__ = RoleOptions.__doc__

    Options.role = role
    return Options


#: Makes the services of one role, in the order of their start, without starting them.
Build = Callable[[Parts], Sequence[IService]]


def service_maker(build: Build) -> Callable[[RoleOptions], IService]:
    """Return a role's ``makeService`` for twistd."""
    return lambda options: standalone(options.config, build)


def standalone(config: Config, build: Build) -> IService:
    """Return the service of a process that is one role."""
    from twisted.internet import reactor

    use_monotonic(reactor)
    parts = Parts(config)
    for service in build(parts):
        service.setServiceParent(parts)
    parts.check()
    Hangup(parts.reload, reactor).setServiceParent(parts)
    collect_seldom()
    return with_lifeline(parts)
