"""The msg_server role: ``twistd fishchat-msg``. ``doc/architecture.md`` follows a message through these modules."""

from __future__ import annotations

import time
from collections.abc import Sequence

from twisted.application.service import IService

from fishchat.config import roles
from fishchat.config.check import server_id
from fishchat.net.addresses import advertised
from fishchat.services.msg_server.factory import ClientFactory
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.net.listen import CHAT, Listener
from fishchat.services.role import Parts, options, service_maker
from fishchat.storage.epoch import Epoch
from fishchat.storage.script import every_script

__all__ = ["Options", "build", "makeService"]


def build(parts: Parts) -> Sequence[IService]:
    """Return the services of one msg_server, in the order of their start."""
    config = parts.config
    epoch = Epoch(time.time)
    scripts = every_script()
    writer, reader = parts.store(scripts), parts.store(scripts)
    for connection in (writer, reader):
        connection.prepare.append(epoch.hook)
    section = config.msg_server
    address = section.advertise or section.listen
    server = MsgServer(config, server_id(config), address, writer, reader, epoch, parts.bus, parts.clock)
    listeners = [Listener(section.listen, ClientFactory(server), "msg_server.listen", parts.reactor)]
    load = server.load
    if section.listen_tls:
        certificates = parts.certificates
        server.address_tls = certificates.address
        factory, creator = ClientFactory(server, secure=True), certificates.creator(CHAT)
        listeners.append(Listener(section.listen_tls, factory, "msg_server.listen_tls", parts.reactor, creator))
        load = certificates.counted(load)
    return [server, *listeners, *_web(parts, server), parts.heartbeat("msg_server", load, server_id(config))]


def _web(parts: Parts, server: MsgServer) -> Sequence[IService]:
    """Let pages connect: at the site of this process, or at one of this role's own."""
    config = parts.config
    key = "msg_server.listen_web" if parts.web is None else "web.listen"
    plain, secure = roles.address(config, key), roles.address(config, roles.tls_key(key))
    if not plain and not secure:
        return []
    if not config.web.public_url:
        # Behind a proxy a page cannot choose among servers.
        section = config.msg_server
        server.address_web = advertised(plain, section.advertise_web) if plain else ""
        if secure:
            certificates = parts.certificates
            server.address_web_tls = lambda: advertised(secure, section.advertise_web_tls, certificates.names)
    # Imported here: a process without a web site does not need it.
    from fishchat.services.web.mount import Root, site
    from fishchat.services.web.socket import Socket

    resources = {b"socket": Socket(server.connect_web, parts.clock)}
    if parts.web is None:
        return site(parts, key, Root(resources))
    parts.web.update(resources)
    return []


Options = options("msg_server")
makeService = service_maker(build)
