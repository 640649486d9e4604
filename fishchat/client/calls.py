"""The commands of a client: every method returns a Deferred that fires with the result.

Commands survive reconnections: a command without a reply is sent again. Every command fails with RefusedError if the
server refuses it, and with ClosedError if the client stops first.
"""

from __future__ import annotations

from fishchat.client.message_calls import MessageCalls
from fishchat.client.people_calls import PeopleCalls
from fishchat.client.topic_calls import TopicCalls


class Calls(MessageCalls, TopicCalls, PeopleCalls):
    """The methods for commands, independent of the connection that carries them."""
