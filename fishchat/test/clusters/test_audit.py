"""The audit record, over whole servers: what clients do is in it, and it costs their logins nothing."""

from __future__ import annotations

from typing import Any

from fishchat.storage.audit.calls import Recorded as Event
from fishchat.storage.audit.calls import newest_first
from fishchat.storage.servers.online import Online, online
from fishchat.test.clusters.test_accounts import PASSWORD, WRONG, AccountsCase
from fishchat.test.clusters.test_counts import Commands, CountCase, make_account
from fishchat.test.support.cluster import Cluster
from fishchat.test.support.rfc5802 import ScramClient

HOST = "192.0.2.7"


class AuditCase(AccountsCase):
    """A test that reads the record."""

    async def record(self, cluster: Cluster) -> list[Event]:
        """Return the events so far, the oldest first."""
        for name in ("ms1", "ms2"):
            if name in cluster.roles:
                await cluster.server(name).audit.flush()
        store = cluster.roles["ms1"].parts.speaker
        return [event async for event in newest_first(store)][::-1]

    async def fields(self, cluster: Cluster) -> list[dict[str, str]]:
        """Return their fields, without server and address, which are checked."""
        found = [dict(event.fields) for event in await self.record(cluster)]
        for each in found:
            self.assertEqual((each.pop("server"), each.pop("address")), ("ms1", HOST))
        return found


class Recorded(AuditCase):
    """What clients do is recorded."""

    async def test_clients(self) -> None:
        """Sign-ups, logins by every method, changed passwords and revoked devices, each with its address."""
        cluster = await self.closed("signup", ())
        client = cluster.connect(host=HOST)
        await client.expect("HELLO …")
        await client.ask(f"SIGNUP alice {PASSWORD}", "OK …")
        found = await client.ask(f"LOGIN alice {PASSWORD}", "OK SEND_CLIENT_ID alice token=$token")
        await client.ask("PASSWORD another password", "RESP_SYNCED")
        await client.expect("OK SEND_PASSWORD")
        phone = cluster.connect(host=HOST)
        await phone.expect("HELLO …")
        scram = ScramClient("alice", "another password")
        asked = await phone.ask(f"@device=phone AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH $challenge")
        await phone.ask(f"AUTH {scram.mechanism} {scram.final(asked['challenge'])}", "OK SEND_AUTH …")
        await client.ask("REVOKE phone", "OK …")
        client.drop()
        client = cluster.connect(host=HOST)
        await client.expect("HELLO …")
        await client.ask(f"LOGIN alice {found['token']}", "OK …")
        alice = {"account": "alice"}
        self.assertEqual(
            await self.fields(cluster),
            [
                {"kind": "signup", **alice},
                {"kind": "login", "device": "main", "method": "password", **alice},
                {"kind": "password", "device": "main", **alice},
                {"kind": "login", "device": "phone", "method": "scram", **alice},
                {"kind": "revoked", "device": "phone", "by": "main", **alice},
                {"kind": "login", "device": "main", "method": "token", **alice},
            ],
        )

    async def test_refusals(self) -> None:
        """Wrong secrets, too many of them, disabled accounts and invalid invitations, with the reason."""
        cluster = await self.closed(limits__guesses=2)
        await self.operator(cluster).disable(b"bob")
        client = cluster.connect(host=HOST)
        await client.expect("HELLO …")
        for _ in range(2):
            await client.ask("LOGIN alice a wrong password", WRONG)
        await client.ask("LOGIN alice a wrong password", "ERR SEND_CLIENT_ID FLOOD …")
        await client.ask("LOGIN nobody fct_wrong", WRONG)
        await client.ask(f"LOGIN bob {PASSWORD}", "ERR SEND_CLIENT_ID AUTH this account is disabled; …")
        await client.ask(f"@invite=fci_x SIGNUP dora {PASSWORD}", "ERR CREATE_CLIENT INVITATION …")
        scram = ScramClient("bob", "a wrong password")
        asked = await client.ask(f"AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH $challenge")
        await client.ask(f"AUTH {scram.mechanism} {scram.final(asked['challenge'])}", "ERR SEND_AUTH AUTH …")
        found = [(each.pop("kind"), *each.values()) for each in await self.fields(cluster)]
        self.assertEqual(
            found,
            [
                ("refused", "AUTH", "alice", "password"),
                ("refused", "AUTH", "alice", "password"),
                ("refused", "FLOOD", "alice", "password"),
                ("refused", "AUTH", "nobody", "token"),
                ("refused", "DISABLED", "bob", "password"),
                ("refused", "INVITATION", "CREATE_CLIENT", "dora"),
                ("refused", "AUTH", "bob", "scram"),
            ],
        )
        figures = cluster.server("ms1").load().figures
        self.assertEqual((figures["refused"], figures["logins"]), (7, 0))

    async def test_no_secrets(self) -> None:
        """Neither a right nor a wrong secret is in the record."""
        cluster = await self.closed()
        client = cluster.connect(host=HOST)
        await client.expect("HELLO …")
        await client.ask("LOGIN alice a wrong password", WRONG)
        found = await client.ask(f"LOGIN alice {PASSWORD}", "OK SEND_CLIENT_ID alice token=$token")
        text = repr(await self.record(cluster))
        for secret in ("wrong", "horse", found["token"]):
            self.assertNotIn(secret, text)

    async def test_stopped(self) -> None:
        """A server that stops writes its last events."""
        cluster = await self.cluster(servers=2)
        await cluster.login("alice", "ms2")
        await cluster.stop("ms2")
        store = cluster.roles["ms1"].parts.speaker
        self.assertEqual([event.fields["account"] async for event in newest_first(store)], ["alice"])


class Cost(AuditCase, CountCase):
    """The record costs a login no call."""

    async def test_logins(self) -> None:
        """Ten logins are ten script calls, and one more at the end of the second for all their events."""
        cluster = await self.still(accounts__mode="closed")
        tokens = [make_account(cluster, f"c{n}") for n in range(10)]
        clients = [cluster.connect() for _ in tokens]
        counted = Commands(cluster)
        for n, (client, token) in enumerate(zip(clients, tokens, strict=True)):
            await client.expect("HELLO …")
            client.send(f"SEND_CLIENT_ID c{n} {token}")
        for client in clients:
            await client.expect("OK …", "RESP_SYNCED")
        self.assertEqual(counted.since()["evalsha"], 10)
        counted = Commands(cluster)
        await cluster.server("ms1").audit.flush()
        self.at_most({"evalsha": 1, "xadd": 10, "xtrim": 1}, counted.since())


class Connected(AuditCase):
    """The devices that are connected now."""

    async def test_online(self) -> None:
        """Each device with its server, until it leaves."""
        cluster = await self.cluster(servers=2)
        phone = await cluster.login("alice", "ms2", device="phone")
        await cluster.login("alice", "ms1")
        self.assertEqual(await self._online(cluster), [("alice", "main", "ms1"), ("alice", "phone", "ms2")])
        phone.drop()
        await cluster.settled()
        self.assertEqual(await self._online(cluster), [("alice", "main", "ms1")])

    async def _online(self, cluster: Cluster) -> list[Any]:
        found: list[Online] = [each async for each in online(cluster.roles["ms1"].parts.speaker)]
        now = int(cluster.redis.command("TIME")[0]) * 1000
        for each in found:
            self.assertTrue(now - 60_000 < each.since < now + 5000, each)
        return sorted((each.account, each.device, each.server) for each in found)
