"""The monitor role: ``twistd fishchat-monitor``."""

from fishchat.services.monitor.service import build
from fishchat.services.role import options, service_maker

__all__ = ["Options", "build", "makeService"]

Options = options("monitor")
makeService = service_maker(build)
