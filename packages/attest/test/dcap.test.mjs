// A quote of Intel's hardware, as it was recorded, and the roots.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { verify } from '../src/dcap.js';
import { rootCertificate } from '../src/roots.js';

const attest = (name) => readFileSync(new URL(`../../../crates/shared/attest/${name}`, import.meta.url));

/** When the recorded evidence held, in seconds since the Unix epoch; see `testdata/README.md` there. */
const inside = 1_750_416_971;
const before = 1_750_330_570;
const after = 1_752_919_279;

const quote = new Uint8Array(attest('testdata/dcap/sgx_quote'));

function collateral() {
  const read = JSON.parse(attest('testdata/dcap/sgx_quote_collateral.json'));
  const bytes = (name) => new Uint8Array(Buffer.from(read[name], 'hex'));
  return {
    rootCrl: bytes('root_ca_crl'),
    pckCrl: bytes('pck_crl'),
    tcbInfo: read.tcb_info,
    tcbInfoSignature: bytes('tcb_info_signature'),
    tcbInfoChain: read.tcb_info_issuer_chain,
    qeIdentity: read.qe_identity,
    qeIdentitySignature: bytes('qe_identity_signature'),
    qeIdentityChain: read.qe_identity_issuer_chain,
  };
}

const strict = {
  denied: [],
  allowSmt: false,
  minTcbEvalDataNumber: 0,
  tolerated: [],
  advisories: [],
  deniedModels: [],
  allowDynamicPlatform: false,
  allowCachedKeys: false,
};
const lenient = {
  ...strict,
  allowSmt: true,
  tolerated: ['SWHardeningNeeded', 'ConfigurationAndSWHardeningNeeded'],
  advisories: [289, 615],
  allowDynamicPlatform: true,
  allowCachedKeys: true,
};

const refused = (change, words) => {
  const { policy, simulated, now, bytes, parts } = { policy: lenient, simulated: false, now: inside, bytes: quote, parts: collateral(), ...change };
  return assert.rejects(verify(bytes, parts, policy, simulated, now), { name: 'BundleError', message: words });
};

test("Intel's evidence proves what the Rust verifier says it proves", async () => {
  const verified = await verify(quote, collateral(), lenient, false, inside);
  assert.equal(verified.family, 0);
  const hex = (bytes) => Buffer.from(bytes).toString('hex');
  // As crates/shared/attest/tests/recorded.rs has them.
  assert.equal(hex(verified.measurement), '6af9766874c57455a2092f101a97b9bb9f8468607abb9e80dc0a42b75d1548a9');
  assert.equal(hex(verified.identity), '25f69601d7935010be8ac99ba450892483327ecede0ebeba18a03325782f6239');
  assert.equal(verified.expires, 1_752_919_278);
});

test('it is refused before, after, under the other root, and by a stricter policy', async () => {
  await refused({ now: before }, /not valid yet/);
  await refused({ now: after }, /expired/);
  await refused({ simulated: true }, /does not prove/);
  await refused({ policy: strict }, /TCB status/);
  await refused({ policy: { ...lenient, tolerated: lenient.tolerated.slice(0, 1) } }, /TCB status/);
  await refused({ policy: { ...lenient, advisories: [289] } }, /advisory/);
  await refused({ policy: { ...lenient, advisories: [615] } }, /advisory/);
  await refused({ policy: { ...lenient, denied: [0] } }, /family/);
  await refused({ policy: { ...lenient, minTcbEvalDataNumber: 18 } }, /floor/);
  await refused({ policy: { ...lenient, deniedModels: [Uint8Array.of(0, 0xa0, 0x67, 0x11, 0, 0)] } }, /model/);
});

test('no document, list, certificate or signature of it can be changed', async () => {
  for (const name of Object.keys(collateral())) {
    const original = collateral()[name];
    const places = [Math.floor(original.length / 3), Math.floor(original.length / 2), original.length - 40];
    for (const at of places) {
      const parts = collateral();
      if (typeof original === 'string') {
        parts[name] = `${original.slice(0, at)}${original[at] === '1' ? '2' : '1'}${original.slice(at + 1)}`;
      } else {
        parts[name] = original.map((byte, index) => (index === at ? byte ^ 1 : byte));
      }
      // The chain of a signer ends with the root, which is ours and not the file's.
      if (name.endsWith('Chain') && at > original.length / 2 - 1) continue;
      await refused({ parts }, /.*/);
    }
  }
  for (const at of [0, 2, 12, 48, 48 + 64, 48 + 320, 440, 500, 600, 1_000, 1_100]) {
    await refused({ bytes: quote.map((byte, index) => (index === at ? byte ^ 1 : byte)) }, /.*/);
  }
  await refused({ bytes: quote.slice(0, -1) }, /.*/);
  await refused({ bytes: new Uint8Array([...quote, 0]) }, /.*/);
});

test('the roots are those of the Rust verifier', () => {
  assert.deepEqual(Buffer.from(rootCertificate(false)), attest('roots/intel.der'));
  assert.deepEqual(Buffer.from(rootCertificate(true)), attest('roots/simulated.der'));
});
