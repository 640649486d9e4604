"""Tests of conversation settings."""
