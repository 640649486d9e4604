"""Messages to accounts and topics: sending, acknowledging, reading, history, and how they are delivered."""

from fishchat.features.feature import Feature

FEATURE = Feature("messages", "Messages", order=20, zh="消息")
