"""Conversation settings: what an account has decided about a conversation, for all of its devices."""

from fishchat.features.feature import Feature

FEATURE = Feature("preferences", "Conversation settings", order=27, zh="会话设置")
