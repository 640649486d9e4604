"""Topics: conversations that many accounts can join, their owners, members and invitations."""

from fishchat.features.feature import Feature

FEATURE = Feature("topics", "Topics", order=30, zh="话题")
