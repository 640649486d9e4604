"""Tests of operations on messages."""
