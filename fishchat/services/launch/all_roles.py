"""All roles in one process, with one embedded Redis: ``twistd fishchat``, and the services of ``fishchat up``."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.application.service import IService

from fishchat.config import roles
from fishchat.config.schema import Config
from fishchat.services.role import Parts, options, service_maker
from fishchat.services.roles import build as build_role


def build(parts: Parts) -> Sequence[IService]:
    """Return the services of all roles on the same parts, in the order of their start."""
    parts.web = {}
    return [service for role in roles.in_order() for service in build_role(role, parts)]


def make_roles(config: Config) -> Sequence[IService]:
    """Return all roles as one service, for a process that runs the embedded Redis itself."""
    parts = Parts(config, embedded=False)
    for service in build(parts):
        service.setServiceParent(parts)
    return [parts]


Options = options()
makeService = service_maker(build)
