"""The manager role: ``twistd fishchat-manager``."""

from fishchat.services.manager.service import Options, build, makeService

__all__ = ["Options", "build", "makeService"]
