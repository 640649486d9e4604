"""Contacts and blocks: who may write to whom."""

from fishchat.features.feature import Feature

FEATURE = Feature("contacts", "Contacts", order=40, zh="联系人")
