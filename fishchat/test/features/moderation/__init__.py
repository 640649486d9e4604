"""Tests of the feature moderation."""
