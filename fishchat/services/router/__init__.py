"""The router role: ``twistd fishchat-router``."""

from fishchat.services.router.service import Options, build, makeService

__all__ = ["Options", "build", "makeService"]
