"""The monitor role: ``twistd fishchat-monitor``."""

from fishchat.services.monitor.service import Options, build, makeService

__all__ = ["Options", "build", "makeService"]
