"""Tests of `fishchat.testing`."""
