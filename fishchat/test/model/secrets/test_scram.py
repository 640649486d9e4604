"""SCRAM at the server, against a client of a few lines of ``hashlib`` and the vector of RFC 7677."""

from __future__ import annotations

import contextlib
import hmac
from base64 import b64decode, b64encode
from hashlib import pbkdf2_hmac, sha256

from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramException, ScramMechanism
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.secrets.passwords import Costs, make, pack_scram, parse_scram
from fishchat.model.secrets.scram import PLAIN, PLUS, Exchange, account_of, decoy
from fishchat.test.support import strategies

PASSWORD = b"correct horse"
BINDING = sha256(b"a certificate").digest()
END_POINT = b"p=tls-server-end-point"

_verifier = make(PASSWORD, Costs(8192, 1, 4096)).scram


def _b64(raw: bytes) -> bytes:
    return b64encode(raw)


def prove(
    first: bytes, challenge: bytes, password: bytes = PASSWORD, bound: bytes = b"", nonce: bytes = b""
) -> tuple[bytes, bytes]:
    """The final message of RFC 5802, and what the server has to answer. ``nonce``: instead of the right one."""
    flag, _, bare = first.split(b",", 2)
    parts = dict(part.split(b"=", 1) for part in challenge.split(b","))
    salted = pbkdf2_hmac("sha256", password, b64decode(parts[b"s"]), int(parts[b"i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    without = b"c=%s,r=%s" % (_b64(flag + b",," + bound), nonce or parts[b"r"])
    said = b",".join([bare, challenge, without])
    signature = hmac.digest(sha256(key).digest(), said, "sha256")
    proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
    server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), said, "sha256")
    return b"%s,p=%s" % (without, _b64(proof)), b"v=" + _b64(server)


class ScramCase(SynchronousTestCase):
    def exchange(
        self,
        mechanism: bytes = PLAIN,
        binding: bytes | None = None,
        verifier: bytes = _verifier,
        nonce: str | None = None,
    ) -> Exchange:
        """A login that has just begun."""
        return Exchange(mechanism, binding, verifier, nonce)

    def assert_refused(self, step: object, message: bytes) -> Refusal:
        """By the one word for all of it."""
        refusal: Refusal = self.assertRaises(Refusal, step, message)
        self.assertEqual(refusal.word, "AUTH")
        return refusal

    def assert_in(self, exchange: Exchange, flag: bytes = b"n", bound: bytes = b"") -> None:
        """The whole of it goes well."""
        first = flag + b",,n=alice,r=client"
        final, answer = prove(first, exchange.challenge(first), bound=bound)
        self.assertEqual(exchange.finish(final), answer)


class ProofTests(ScramCase):
    def test_vector(self) -> None:
        """The exchange of RFC 7677, section 3, letter by letter."""
        salt, stored, server, rounds = ScramMechanism("SCRAM-SHA-256").make_auth_info(
            "pencil", 4096, b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
        )
        exchange = self.exchange(
            verifier=pack_scram(rounds, salt, stored, server), nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        )
        nonce = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        self.assertEqual(
            exchange.challenge(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
            b"r=" + nonce + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        )
        self.assertEqual(
            exchange.finish(b"c=biws,r=" + nonce + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        )

    def test_right(self) -> None:
        """A right proof is answered with a proof of the server's own."""
        self.assert_in(self.exchange())

    def test_wrong(self) -> None:
        """Another password, a proof of the wrong length, none, and one with something behind it."""
        first = b"n,,n=alice,r=client"
        for spoil in (
            lambda challenge: prove(first, challenge, b"wrong password")[0],
            lambda challenge: prove(first, challenge)[0][:-8],
            lambda challenge: prove(first, challenge)[0].rpartition(b",")[0],
            lambda challenge: prove(first, challenge)[0] + b"AAAA",
            lambda challenge: prove(first, challenge)[0] + b",p=AAAA",
            lambda challenge: prove(first, challenge)[0] + b",x=1",
            lambda challenge: b"x=1," + prove(first, challenge)[0],
            lambda challenge: b"",
        ):
            exchange = self.exchange()
            refusal = self.assert_refused(exchange.finish, spoil(exchange.challenge(first)))
            self.assertEqual(refusal.extra, {})

    def test_replayed(self) -> None:
        """A proof is good for its own exchange, once, though the client says the same as before."""
        first = b"n,,n=alice,r=client"
        exchange, other = self.exchange(), self.exchange()
        final, _ = prove(first, exchange.challenge(first))
        self.assertNotEqual(other.challenge(first), b"")
        exchange.finish(final)
        self.assert_refused(exchange.finish, final)
        self.assert_refused(other.finish, final)

    def test_another_nonce(self) -> None:
        """A proof over another nonce, made with the right password, is none: the client's own, or one of before."""
        first = b"n,,n=alice,r=client"
        for nonce in (b"client", b"clientx", b"x"):
            exchange = self.exchange()
            final, _ = prove(first, exchange.challenge(first), nonce=nonce)
            self.assert_refused(exchange.finish, final)

    def test_no_nonce(self) -> None:
        """A client that adds nothing to the nonce is refused."""
        for end in (b"", b",x=1"):
            self.assert_refused(self.exchange().challenge, b"n,,n=alice,r=" + end)

    def test_after_a_wrong_one(self) -> None:
        """One exchange, one try."""
        first = b"n,,n=alice,r=client"
        exchange = self.exchange()
        right, _ = prove(first, exchange.challenge(first))
        self.assert_refused(exchange.finish, right[:-8] + b"AAAAAAA=")
        self.assert_refused(exchange.finish, right)

    def test_out_of_order(self) -> None:
        """Neither a proof without a challenge nor a second challenge."""
        self.assert_refused(self.exchange().finish, b"c=biws,r=client,p=AAAA")
        exchange = self.exchange()
        exchange.challenge(b"n,,n=alice,r=client")
        self.assert_refused(exchange.challenge, b"n,,n=alice,r=client")

    def test_nonces(self) -> None:
        """The server's part of the nonce is long, and another one each time."""
        nonces = [self.exchange().challenge(b"n,,n=alice,r=client").split(b",")[0] for _ in range(50)]
        self.assertEqual(len(set(nonces)), 50)
        self.assertTrue(all(nonce.startswith(b"r=client") and len(nonce) >= 8 + 32 for nonce in nonces))


class BindingTests(ScramCase):
    """What the client believes of channel binding must be so."""

    def test_without_tls(self) -> None:
        """A client that would not bind, or could but was offered none, is right; one that insists is refused."""
        self.assert_in(self.exchange(), b"n")
        self.assert_in(self.exchange(), b"y")
        self.assert_refused(self.exchange().challenge, END_POINT + b",,n=alice,r=client")

    def test_with_tls(self) -> None:
        """A client that could bind and believes that the server cannot was lied to, and is refused."""
        self.assert_in(self.exchange(PLAIN, BINDING), b"n")
        self.assert_refused(self.exchange(PLAIN, BINDING).challenge, b"y,,n=alice,r=client")
        self.assert_in(self.exchange(PLUS, BINDING), END_POINT, BINDING)

    def test_bound_by_the_other_name(self) -> None:
        """Who binds under the mechanism without PLUS is held to what it said."""
        self.assert_in(self.exchange(PLAIN, BINDING), END_POINT, BINDING)
        exchange = self.exchange(PLAIN, BINDING)
        first = END_POINT + b",,n=alice,r=client"
        self.assert_refused(exchange.finish, prove(first, exchange.challenge(first), bound=b"x" * 32)[0])

    def test_plus_is_bound(self) -> None:
        """Under PLUS nobody comes in unbound, or by a binding that is not offered."""
        for flag in (b"n", b"y", b"p=tls-unique", b"p=tls-exporter", b"p=", b"p", b"P=tls-server-end-point"):
            self.assert_refused(self.exchange(PLUS, BINDING).challenge, flag + b",,n=alice,r=client")

    def test_another_connection(self) -> None:
        """A proof that was bound to another certificate, or to none, is worth nothing here."""
        first = END_POINT + b",,n=alice,r=client"
        for bound in (sha256(b"another certificate").digest(), b"", BINDING[:-1], BINDING + b"x"):
            exchange = self.exchange(PLUS, BINDING)
            self.assert_refused(exchange.finish, prove(first, exchange.challenge(first), bound=bound)[0])

    def test_another_flag_at_the_end(self) -> None:
        """What was said at the beginning holds: a flag that somebody changed on the way is found out."""
        exchange = self.exchange(PLAIN, BINDING)
        challenge = exchange.challenge(b"n,,n=alice,r=client")
        self.assert_refused(exchange.finish, prove(b"y,,n=alice,r=client", challenge)[0])

    def test_other_mechanisms(self) -> None:
        """PLUS without a connection to be bound to cannot even begin."""
        self.assertRaises(ScramException, self.exchange, PLUS, None)


class FirstMessageTests(ScramCase):
    @given(strategies.names)
    def test_account(self, name: bytes) -> None:
        """The account that logs in is the one that is named."""
        for flag in (b"n", b"y", END_POINT):
            self.assertEqual(account_of(flag + b",,n=" + name + b",r=client"), name)

    def test_acting_as_another(self) -> None:
        """Nobody logs in as one to act as another, not even as itself; the exchange would not take it either."""
        for other in (b"a=bob", b"a=alice", b"bob"):
            first = b"n," + other + b",n=alice,r=client"
            self.assertEqual(self.assertRaises(ProtocolError, account_of, first).word, "AUTH")
            self.assert_refused(self.exchange().challenge, first)

    def test_malformed(self) -> None:
        """Anything but a name and a nonce, in this order."""
        for first in (
            b"",
            b"n,,",
            b"n,,n=alice",
            b"n,,r=client,n=alice",
            b"n,,n=Alice,r=client",
            b"n,,n=al=2Cice,r=client",
            b"n,,n=,r=client",
            b"n,,m=x,n=alice,r=client",
            b"n=alice,r=client",
            b"n,,n=alice,x=client",
            "n,,n=älice,r=client".encode(),
        ):
            self.assertEqual(self.assertRaises(ProtocolError, account_of, first).word, "FIELDS")

    @given(
        st.one_of(
            st.binary(),
            st.lists(
                st.sampled_from(
                    [
                        *b"n y p= , ,, n= r= c= p= m= a= e= alice client = == x biws \xff \0 \xc3\xbc \r\n".split(b" "),
                        b" ",
                    ]
                )
            ).map(b"".join),
        ),
        st.sampled_from([(PLAIN, None), (PLAIN, BINDING), (PLUS, BINDING)]),
    )
    def test_anything(self, message: bytes, kind: tuple[bytes, bytes | None]) -> None:
        """Any message is accepted or refused, in both steps; the answer is one line of printable ASCII."""
        with contextlib.suppress(ProtocolError):
            self.assertTrue(account_of(message))
        exchange = self.exchange(*kind)
        try:
            answer = exchange.challenge(message)
        except Refusal as refusal:
            self.assertEqual(refusal.word, "AUTH")
        else:
            self.assertTrue(answer.isascii() and answer.decode().isprintable())
        exchange = self.exchange()
        exchange.challenge(b"n,,n=alice,r=client")
        self.assert_refused(exchange.finish, message)


class DecoyTests(ScramCase):
    """Accounts that are not there."""

    def test_looks(self) -> None:
        """What is shown of a decoy looks like what is shown of an account, and is the same each time."""
        key = b"k" * 32
        shown = [
            self.exchange(verifier=verifier).challenge(b"n,,n=alice,r=client").split(b",")[1:]
            for verifier in (decoy(key, b"alice", 4096), decoy(key, b"alice", 4096), _verifier)
        ]
        self.assertEqual(shown[0], shown[1])
        self.assertEqual([len(part) for part in shown[0]], [len(part) for part in shown[2]])
        self.assertEqual(shown[0][1], shown[2][1])

    @given(strategies.names, strategies.names)
    def test_salts(self, one: bytes, other: bytes) -> None:
        """Each account has a salt of its own, which only this system's key tells."""
        salts = {parse_scram(decoy(key, name, 4096))[1] for key in (b"k" * 32, b"l" * 32) for name in {one, other}}
        self.assertEqual(len(salts), 2 * len({one, other}))
        self.assertTrue(all(len(salt) == len(parse_scram(_verifier)[1]) for salt in salts))

    def test_nobody_satisfies_it(self) -> None:
        """No password does, and the refusal is the one for a wrong password."""
        first = b"n,,n=alice,r=client"
        said = []
        for verifier in (decoy(b"k" * 32, b"alice", 4096), _verifier):
            exchange = self.exchange(verifier=verifier)
            refusal = self.assert_refused(exchange.finish, prove(first, exchange.challenge(first), b"wrong one")[0])
            said.append((str(refusal), refusal.extra))
        self.assertEqual(said[0], said[1])
