"""The gateway's web site: the pages, and ``/server``, which tells a page where to connect."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from twisted.application.service import IService
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from fishchat import __version__
from fishchat.config.schema import Config
from fishchat.model.placement import Placement, Way
from fishchat.services.role import Parts
from fishchat.services.web.mount import Root, site
from fishchat.services.web.page import NOTHING, Answer, Page
from fishchat.services.web.static import Pages
from fishchat.web import static_directory

JSON = "application/json"


class Servers:
    """The addresses to which pages connect.

    :param is_here: whether a msg_server of this process is on the same site.
    """

    def __init__(self, config: Config, placement: Placement, is_here: bool, clock: IReactorTime) -> None:
        self._public = config.web.public_url.rstrip("/").replace("http", "ws", 1)
        self._placement = placement
        self._is_here = is_here
        self._clock = clock

    def sockets(self, secure: bool) -> list[str]:
        """Return addresses of sockets, the first to use; a path is on the site of the page."""
        if self._public:
            return [f"{self._public}/socket"]
        chosen = self._placement.choose(self._clock.seconds(), Way(secure, web=True))
        others = [f"ws{'s' * secure}://{address}/socket" for address in chosen]
        return ["/socket"] if self._is_here else others

    def origins(self, host: str, secure: bool) -> list[str]:
        """Return the origins of all sockets that are not on the site of a page, which is at ``host``.

        Servers may come that are not known yet: on the same host, with any port.
        """
        if self._public or self._is_here:
            return [self._public] if self._public else []
        scheme = "wss" if secure else "ws"
        known = self._placement.web_addresses(self._clock.seconds(), secure)
        return [f"{scheme}://{host}:*", *(f"{scheme}://{one}" for one in known)]


class ServerPage(Page):
    """``/server``: how accounts log in, and where a page connects. Public: it holds nothing that a login needs."""

    def __init__(self, config: Config, servers: Servers) -> None:
        super().__init__(NOTHING)
        self._mode = config.accounts.mode
        self._servers = servers

    def answer(self, request: Request) -> Answer:
        sockets = self._servers.sockets(request.isSecure())
        told = {"version": __version__, "mode": self._mode, "sockets": sockets}
        return Answer(msgspec.json.encode(told), JSON)


def pages(parts: Parts, placement: Placement) -> Sequence[IService]:
    """Return the services of the site."""
    shared = parts.web
    servers = Servers(parts.config, placement, shared is not None, parts.clock)
    resources = {} if shared is None else shared
    resources[b"server"] = ServerPage(parts.config, servers)
    shown = Pages(static_directory(), servers.origins, parts.config.msg_server.listen)
    return site(parts, "web.listen", Root(resources, shown))
