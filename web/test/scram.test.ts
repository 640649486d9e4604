import assert from 'node:assert/strict'
import { test } from 'node:test'

import { first, prove } from '../src/protocol/scram.ts'

// The example of RFC 7677, section 3.
const NONCE = 'rOprNGfwEbeRWgbNEkqO'
const CHALLENGE = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'

test('the proof is that of RFC 7677', async () => {
  assert.equal(first('user', NONCE), `n,,n=user,r=${NONCE}`)
  const proof = await prove('user', 'pencil', NONCE, CHALLENGE)
  assert.equal(proof.final, 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=')
  assert.equal(proof.signature, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

test('a challenge that a server must not send is refused', async () => {
  const bad = [CHALLENGE.replace('r=rO', 'r=xx'), `r=${NONCE},s=AA==,i=4096`, CHALLENGE.replace('4096', '1'), CHALLENGE.replace('4096', '99999999'), 'nonsense']
  for (const challenge of bad) await assert.rejects(prove('user', 'pencil', NONCE, challenge), { word: 'AUTH' })
})
