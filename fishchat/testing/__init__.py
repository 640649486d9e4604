"""For tests of programs that talk to FishChat: a server in this process, a bus in memory, written conversations.

``Server`` is what a test of a bot needs; ``memory_bus`` and ``conversation_runner`` serve tests of FishChat itself.
"""

from fishchat.testing.server import Server

__all__ = ["Server"]
