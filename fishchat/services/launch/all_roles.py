"""All roles in one process, with one embedded Redis: ``twistd fishchat``, and what ``fishchat up`` runs."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.application.service import IService

from fishchat.config.schema import Config
from fishchat.services import gateway, manager, monitor, msg_server, router
from fishchat.services.role import Parts, standalone
from fishchat.services.role_options import RoleOptions

#: In the order of their start; they stop in reverse, so those who have clients come last.
ROLES = (monitor, manager, router, msg_server, gateway)


class Options(RoleOptions):
    """Options of ``twistd fishchat``."""


def build(parts: Parts) -> Sequence[IService]:
    """The services of all roles on the same parts."""
    return [service for role in ROLES for service in role.build(parts)]


def make_roles(config: Config) -> Sequence[IService]:
    """All roles as one service, for a process that looks after the embedded Redis itself."""
    parts = Parts(config, embedded=False)
    for service in build(parts):
        service.setServiceParent(parts)
    return [parts]


def makeService(options: Options) -> IService:
    """For ``twistd``."""
    return standalone(options.config, build)
