"""What ends a chat with a sentence for the person."""

from __future__ import annotations


class ChatError(Exception):
    """The chat cannot begin, or has ended. The text says what to do."""
