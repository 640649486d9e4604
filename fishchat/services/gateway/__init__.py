"""The gateway role: ``twistd fishchat-gateway``."""

from fishchat.services.gateway.service import Options, build, makeService

__all__ = ["Options", "build", "makeService"]
