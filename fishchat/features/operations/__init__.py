"""Operations on messages: edits, recalls, reactions and pins, and what the store tells about them."""

from fishchat.features.feature import Feature

FEATURE = Feature("operations", "Changing messages", order=25, zh="改动消息")
