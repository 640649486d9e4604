"""Where connections come from, as limits count it."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.sources import Sources

everybody = Sources([])


class SourceTests(SynchronousTestCase):
    def test_samples(self) -> None:
        """An IPv4 address is a source, of IPv6 a customer's network; IPv4 in the clothes of IPv6 is IPv4."""
        for address, source in [
            ("192.0.2.1", "192.0.2.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:0DB8:1:2::", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:c000:201", "192.0.2.1"),
        ]:
            self.assertEqual(everybody.name(address), source, address)

    def test_what_is_no_address(self) -> None:
        """It is counted under its own name rather than not at all."""
        for address in ("localhost", "/run/fishchat.sock", "192.0.2.1.5", "192.0.2"):
            self.assertEqual(everybody.name(address), address)

    def test_exempt(self) -> None:
        """The addresses of these networks have no name; their neighbours have."""
        some = Sources(["192.0.2.0/24", "2001:db8::/32", "10.0.0.1"])
        for address in ("192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7", "2001:db8:ffff::1", "10.0.0.1"):
            self.assertEqual(some.name(address), "", address)
        for address in ("192.0.3.0", "2001:db9::1", "10.0.0.2", "::192.0.2.7"):
            self.assertNotEqual(some.name(address), "", address)

    @given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
    def test_one_network(self, address: ipaddress.IPv6Address, host: int) -> None:
        """A client that changes the lower half of its IPv6 address stays the same source."""
        network = int(address) >> 64 << 64
        if address.ipv4_mapped is None and (network + host) >> 32 != 0xFFFF:
            self.assertEqual(everybody.name(str(address)), everybody.name(str(ipaddress.IPv6Address(network + host))))

    @given(st.ip_addresses(v=4), st.ip_addresses(v=4))
    def test_one_address(self, one: ipaddress.IPv4Address, other: ipaddress.IPv4Address) -> None:
        """Two addresses are two sources, however they are written."""
        self.assertEqual(everybody.name(str(one)), everybody.name(f"::ffff:{one}"))
        self.assertEqual(one == other, everybody.name(str(one)) == everybody.name(str(other)))

    @given(st.text())
    def test_anything(self, address: str) -> None:
        """Nothing fails, and nothing but an exempt address is without a name."""
        self.assertEqual(everybody.name(address) == "", address == "")
