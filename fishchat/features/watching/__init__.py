"""Watching: who is online, who is typing, and who has read a message, for clients that ask for it."""

from fishchat.features.feature import Feature

FEATURE = Feature("watching", "Watching", order=45, zh="关注")
