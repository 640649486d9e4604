"""The client's side of SCRAM: the example of RFC 7677, and servers that must not be believed."""

from __future__ import annotations

from base64 import b64decode

from twisted.trial.unittest import SynchronousTestCase

from fishchat.client.events import RefusedError
from fishchat.client.scram import PLAIN, PLUS, Scram

#: RFC 7677, section 3.
NONCE = "rOprNGfwEbeRWgbNEkqO"
CHALLENGE = f"r={NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SIGNATURE = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def scram(password: str = "pencil", offered: tuple[str, ...] = (PLAIN,), binding: bytes | None = None) -> Scram:
    return Scram("user", password, offered, binding, NONCE)


class ScramTests(SynchronousTestCase):
    def refused(self, word: str, attempt: Scram, challenge: str) -> str:
        """The text of the refusal with which ``attempt`` answers the challenge."""
        attempt.first()
        error: RefusedError = self.assertRaises(RefusedError, attempt.final, challenge)
        self.assertEqual(error.word, word)
        return error.text

    def test_the_example(self) -> None:
        """Message by message it is what the RFC says."""
        attempt = scram()
        self.assertEqual((attempt.mechanism, attempt.first()), (PLAIN, f"n,,n=user,r={NONCE}"))
        nonce = CHALLENGE.partition(",")[0]
        self.assertEqual(attempt.final(CHALLENGE), f"c=biws,{nonce},p={PROOF}")
        attempt.check(SIGNATURE)

    def test_wrong_signature(self) -> None:
        """A server that does not know the password is refused, whatever it says in the signature's place."""
        other = "v=" + SIGNATURE[3:].swapcase()
        for said in (other, "v=", "", "token=fct_x", "e=other-error", "v=!", "v=\u00e4", SIGNATURE + ",x"):
            attempt = scram()
            attempt.first()
            attempt.final(CHALLENGE)
            error = self.assertRaises(RefusedError, attempt.check, said)
            self.assertEqual(error.word, "AUTH")

    def test_rounds(self) -> None:
        """Too few and too many rounds are refused before any is computed."""
        for rounds in ("4095", "5000001", "10000000", "99999999999", "-1", "x", ""):
            self.refused("AUTH", scram(), CHALLENGE.replace("4096", rounds))

    def test_another_nonce(self) -> None:
        """The server's nonce must begin with ours and go on, so that no old exchange can be played again."""
        self.refused("AUTH", scram(), CHALLENGE.replace("r=rO", "r=rX"))
        self.refused("AUTH", scram(), CHALLENGE.replace("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""))
        self.refused("AUTH", scram(), CHALLENGE.replace("r=rO", "r=,rO"))
        self.refused("AUTH", scram(), "x=1," + CHALLENGE)

    def test_binding(self) -> None:
        """With a binding and PLUS on offer the proof is tied to the certificate."""
        attempt = scram(offered=(PLAIN, PLUS), binding=b"\1\2\3")
        self.assertEqual((attempt.mechanism, attempt.first()), (PLUS, f"p=tls-server-end-point,,n=user,r={NONCE}"))
        bound = attempt.final(CHALLENGE).partition(",")[0].removeprefix("c=")
        self.assertEqual(b64decode(bound), b"p=tls-server-end-point,,\1\2\3")

    def test_downgrade(self) -> None:
        """With a binding, but without PLUS on offer, the first message says that PLUS would have been possible."""
        attempt = scram(binding=b"\1\2\3")
        self.assertEqual((attempt.mechanism, attempt.first()), (PLAIN, f"y,,n=user,r={NONCE}"))
        self.assertEqual(attempt.final(CHALLENGE)[:6], "c=eSws")

    def test_no_binding(self) -> None:
        """Without a binding PLUS is not used; a server that offers nothing else, or nothing known, is refused."""
        self.assertEqual(scram(offered=(PLUS, PLAIN)).mechanism, PLAIN)
        for offered in ((PLUS,), ("PLAIN", "SCRAM-SHA-1"), ("",)):
            error = self.assertRaises(RefusedError, scram, offered=offered)
            self.assertEqual(error.word, "AUTH")

    def test_impossible_password(self) -> None:
        """A password that SASLprep (RFC 4013) does not know is refused here, and not quoted."""
        error = self.assertRaises(RefusedError, scram, "pen\u0378cil")
        self.assertEqual(error.word, "PASSWORD")
        self.assertNotIn("cil", str(error))
