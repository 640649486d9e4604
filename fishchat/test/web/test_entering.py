"""People come in where accounts are needed: the first one, others, and one who has only a link."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, ClassVar

from fishchat.test.support.browser import BrowserCase

PASSWORD = "correct horse battery"


class Entering(BrowserCase):
    """A server in mode ``closed``, which begins without any account."""

    settings: ClassVar[dict[str, Any]] = {
        "accounts.mode": "closed",
        "accounts.argon2_memory": 8192,
        "accounts.argon2_passes": 1,
        "accounts.scram_rounds": 4096,
    }

    def test_links(self) -> None:
        """The link of the start makes the first account; one of the operator lets in a browser without its password."""
        page = self.open(path=self.up.line("#invite=").removeprefix(self.up.address))
        page.get_by_label("Name").fill("alice")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create an account").click()
        self.is_in(page)
        link = self.run_user("link", "alice")
        phone = self.open(path=link)
        self.assertEqual(phone.get_by_label("Name").input_value(), "alice")
        self.assertEqual(phone.get_by_label("Password").count(), 0)
        phone.get_by_role("button", name="Enter").click()
        self.is_in(phone)
        self.assertNotIn("code", phone.url)
        phone.reload()
        self.is_in(phone)
        other = self.open(path=link)
        other.get_by_role("button", name="Enter").click()
        other.get_by_role("alert").filter(has_text="This link was used").wait_for()
        other.get_by_label("Password").fill(PASSWORD)
        other.get_by_role("button", name="Enter").click()
        self.is_in(other)

    def is_in(self, page: Any) -> None:
        """Wait until a page is connected."""
        page.get_by_role("button", name="New conversation").wait_for()
        self.until(page, "() => document.querySelector('[role=status]')?.textContent === 'Connected'")

    def run_user(self, *arguments: str) -> str:
        """Run ``fishchat user`` on the store of the server; return the path of the link that it prints."""
        env = {
            **os.environ,
            "FISHCHAT__ACCOUNTS__MODE": "closed",
            "FISHCHAT__WEB__LISTEN": self.up.settings["web.listen"],
        }
        command = [sys.executable, "-c", "from fishchat.cli import main; main()", "user", *arguments]
        said = subprocess.run(
            [*command, "--data", str(self.up.data)], env=env, capture_output=True, text=True, check=True
        )
        return said.stdout.strip().removeprefix(self.up.address)
