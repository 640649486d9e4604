"""The manager role: ``twistd fishchat-manager``."""

from fishchat.services.manager.service import build
from fishchat.services.role import options, service_maker

__all__ = ["Options", "build", "makeService"]

Options = options("manager")
makeService = service_maker(build)
