"""The gateway role: ``twistd fishchat-gateway``."""

from fishchat.services.gateway.service import build
from fishchat.services.role import options, service_maker

__all__ = ["Options", "build", "makeService"]

Options = options("gateway")
makeService = service_maker(build)
