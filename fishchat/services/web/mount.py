"""The web sites of a process: what its roles put on them, the names that they have, and their listeners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.web.resource import IResource, NoResource, Resource

from fishchat.config.roles import address, tls_key
from fishchat.config.schema import Config
from fishchat.services.net.connection_limits import Bounds
from fishchat.services.net.listen import HTTP, Listener, taken
from fishchat.services.web.origins import Origin, Origins, origins_of, parse_origin
from fishchat.services.web.site import SiteLimits, WebSite

if TYPE_CHECKING:
    from fishchat.services.role import Parts

log = Logger()


class Root(Resource):
    """The root of a site.

    :param parts: path → resource, looked up at each request: roles add theirs in any order. :param rest: what answers
    all other paths; without it they are not found.
    """

    def __init__(self, parts: Mapping[bytes, IResource], rest: IResource | None = None) -> None:
        super().__init__()
        self._parts = parts
        self._rest = rest

    def getChild(self, path: bytes, request: object) -> IResource:
        found = self._parts.get(path) if path else None
        return found or self._rest or NoResource("there is no such page")


def listens(config: Config, key: str) -> bool:
    """Return whether to listen at a key. A default port that another program uses is done without, with a note."""
    value = address(config, key)
    if not value:
        return False
    if value == address(Config(), key) and taken(value) is not None:
        log.warn(
            "{address} is in use, so there are no pages for browsers; set {key} to another port", address=value, key=key
        )
        return False
    return True


def names_of(
    config: Config, listeners: Sequence[Listener], certified: Callable[[], Sequence[str]]
) -> Callable[[], list[Origin]]:
    """Return what lists the origins of a site, after its listeners have their ports.

    ``certified`` returns the names in its certificate: nobody else has one for them, so a browser shows no other site
    under them.
    """
    keys = ("web.listen", "web.listen_tls", "msg_server.listen_web", "msg_server.listen_web_tls")

    def names() -> list[Origin]:
        given = [parse_origin(one) for one in (config.web.public_url, *config.web.origins) if one]
        hosts = [*(one.host for one in given), *(name for name in certified() if "*" not in name)]
        bound = {one.key: one.bound for one in listeners}
        for key in keys:
            if where := bound.get(key) or address(config, key):
                given += origins_of(where, secure=key.endswith("_tls"), names=hosts)
        for key in ("msg_server.advertise_web", "msg_server.advertise_web_tls"):
            if where := address(config, key):
                given += origins_of(where, secure=key.endswith("_tls"))
        return given

    return names


def site(parts: Parts, key: str, root: IResource) -> Sequence[IService]:
    """Return the services of a site at the listener of a key and at the one with TLS beside it; none for neither."""
    config = parts.config
    keys = [one for one in (key, tls_key(key)) if listens(config, one)]
    listeners: list[Listener] = []
    secured = any(one.endswith("_tls") for one in keys)
    certified = (lambda: parts.certificates.names) if secured else list
    origins = Origins(names_of(config, listeners, certified))
    services: list[IService] = []
    for one in keys:
        secure = one.endswith("_tls")
        limits = config.limits
        bounds = Bounds(limits.before_login, limits.per_address if limits.flood else 0)
        web = WebSite(root, parts.reactor, SiteLimits(bounds, limits.exempt, origins=origins), secure=secure)
        creator = parts.certificates.creator(HTTP) if secure else None
        listener = Listener(address(config, one), web.factory, one, parts.reactor, creator)
        listeners.append(listener)
        services += [web, listener]
    return services
