"""The router role: ``twistd fishchat-router``."""

from fishchat.services.role import options, service_maker
from fishchat.services.router.service import build

__all__ = ["Options", "build", "makeService"]

Options = options("router")
makeService = service_maker(build)
