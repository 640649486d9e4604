"""The words for keys, and that no value shows a password."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial import unittest

from fishchat.config import describe


class Words(unittest.SynchronousTestCase):
    def test_every_key_says_what_it_allows(self) -> None:
        for key in describe.leaves():
            self.assertNotIn("^", describe.allowed(key), key)

    def test_every_section_says_what_it_is_for(self) -> None:
        for section in describe.sections():
            self.assertTrue(describe.meaning(section), section)

    def test_every_key_says_what_it_is_for(self) -> None:
        """In one sentence or two, which end as such."""
        for key in describe.leaves():
            self.assertRegex(describe.meaning(key), r"^[A-Z\"].+[.]$", key)

    def test_a_description_in_the_schema_is_the_meaning_of_its_key(self) -> None:
        self.assertEqual(
            describe.meaning("msg_server.advertise"),
            "The address that clients should connect to. Empty: `listen`.",
        )

    def test_environment_names_lead_back_to_their_keys(self) -> None:
        for key in describe.leaves():
            self.assertEqual(describe.key_of(describe.environment_name(key)), key)

    def test_bounds_are_worded(self) -> None:
        self.assertEqual(describe.allowed("redis.timeout"), "a number from 0.5 to 4")
        self.assertEqual(describe.allowed("limits.device_days"), "a number above 0 and of at most 365000")
        self.assertEqual(describe.allowed("limits.burst"), "a whole number from 1 to 1000000000000")


class Shown(unittest.SynchronousTestCase):
    def test_passwords_are_hidden_and_the_rest_is_not(self) -> None:
        self.assertEqual(describe.masked("redis://bob:pw@host:1/0"), "redis://bob:***@host:1/0")
        self.assertEqual(describe.masked("redis://:p@w@host"), "redis://:***@host")
        self.assertEqual(describe.masked("unix:///run/redis.sock"), "unix:///run/redis.sock")
        self.assertEqual(describe.masked("unix:///s?password=pw&db=1"), "unix:///s?password=***&db=1")
        self.assertEqual(describe.masked("redis://host:6379"), "redis://host:6379")

    @given(st.from_regex(r"rediss?://[a-z]*:", fullmatch=True), st.text())
    def test_no_password_gets_through(self, before: str, password: str) -> None:
        self.assertEqual(describe.masked(f"{before}{password}@host"), f"{before}***@host")

    def test_values_are_one_short_line_without_control_characters(self) -> None:
        self.assertEqual(describe.shown("data", "渔"), '"渔"')
        self.assertEqual(describe.shown("data", "a\n\x9b\u202eb"), '"a\\n\\u009b\\u202eb"')
        self.assertLessEqual(len(describe.shown("data", "x" * 9999)), 200)
