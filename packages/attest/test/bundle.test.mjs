// The golden bundle, which the Rust SDK writes, and everything that must be refused.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { BundleError, verifyBundle } from 'cloister-attest';

const data = (name) => readFileSync(new URL(`../../../crates/client/sdk/testdata/${name}`, import.meta.url), 'utf8');
const golden = data('bundle.json');
const checkpoint = data('checkpoint').trim();
/** Half a second after the newest header. */
const now = 1_700_000_009_500;
const honest = { checkpoint, now, nodes: 2 };

/** The code with which text is refused; null if it is not. */
async function refused(text, options = honest) {
  try {
    await verifyBundle(text, options);
    return null;
  } catch (error) {
    assert.ok(error instanceof BundleError, error.stack);
    return error.code;
  }
}

test('a page sees from one file whose keys it seals to', async () => {
  const verdict = await verifyBundle(golden, honest);
  assert.equal(verdict.simulated, true);
  assert.deepEqual([verdict.chainId, verdict.registered, verdict.epoch.number], ['test-1', 2, 2n]);
  assert.equal(verdict.keys.input, `0x${'a3'.repeat(32)}`);
  assert.ok(verdict.checkpoint.startsWith('9:0x'));
  const [newest, oldest] = verdict.enclaves;
  assert.notEqual(newest.chip, oldest.chip);
  for (const enclave of verdict.enclaves) {
    assert.deepEqual([enclave.family, enclave.source], ['sgx', `0x${'5c'.repeat(32)}`]);
    assert.deepEqual([enclave.toolchain, enclave.flags, enclave.lock], ['rustc 1.95.0', '--release --locked', `0x${'10'.repeat(32)}`]);
    assert.equal(new Set(enclave.rebuilders).size, 2);
    assert.equal(enclave.expires, 1_700_000_000 + 30 * 86_400);
  }
  assert.deepEqual([oldest.registered.height, oldest.registered.index], [2n, 0]);
});

test('V-33: stale, too few, one maker, another checkpoint', async () => {
  const with_ = (options) => refused(golden, { ...honest, ...options });
  assert.equal(await with_({ maxAge: 1 }), null);
  assert.equal(await with_({ maxAge: 0 }), 'stale');
  assert.equal(await with_({ now: now - 20_000 }), 'way', 'a header of the future');
  assert.equal(await with_({ now: now + 15 * 86_400_000, maxAge: 1e9 }), 'way', 'old trust');
  assert.equal(await with_({ now: now + 31 * 86_400_000, maxAge: 1e9, trustFor: 1e9 }), 'member', 'expired by the clock');
  assert.equal(await with_({ nodes: 3 }), 'nodes');
  assert.equal(await with_({ vendors: 2 }), 'vendors');
  assert.equal(await with_({ checkpoint: `0:0x${'1'.repeat(64)}` }), 'way');
  assert.equal(await with_({ checkpoint: checkpoint.replace('0:', '1:') }), 'way');
  assert.equal(await with_({ checkpoint: undefined }), 'way', 'trust has to come from somewhere');
});

test('V-33: bundles of chains on which something is not as it should be', async () => {
  const cases = JSON.parse(data('refused.json'));
  assert.ok(Object.keys(cases).length > 5);
  for (const [name, { checkpoint, code, bundle }] of Object.entries(cases)) {
    assert.equal(await refused(JSON.stringify(bundle), { checkpoint, now }), code, name);
  }
});

test('V-33: no field can be changed', async () => {
  const whole = JSON.parse(golden);
  const genuine = await verifyBundle(golden, honest);
  const places = [];
  const walk = (value, at) =>
    value !== null && typeof value === 'object' ? Object.keys(value).forEach((name) => walk(value[name], [...at, name])) : places.push(at);
  walk(whole, []);
  assert.ok(places.length > 30);
  for (const at of places) {
    const bundle = structuredClone(whole);
    const parent = at.slice(0, -1).reduce((part, name) => part[name], bundle);
    const name = at.at(-1);
    const original = parent[name];
    const changes = typeof original === 'boolean' ? [!original, null] : [null, 1, '', original.slice(1), ...bent(original, 6)];
    for (const change of changes) {
      parent[name] = change;
      const text = JSON.stringify(bundle);
      // Bytes of a registration that nobody signed prove the same, or nothing.
      if (name === 'registration') {
        const told = await verifyBundle(text, honest).catch((error) => assert.ok(error instanceof BundleError, error.stack));
        if (told) assert.deepEqual(told, genuine, `${at} ${change}`);
      } else {
        assert.notEqual(await refused(text), null, `${at}: ${change}`);
      }
    }
  }
});

test('V-33: each part of the evidence that counts, changed', async () => {
  const whole = JSON.parse(golden);
  const bytes = Buffer.from(whole.members[0].registration, 'base64');
  const quote = 32 + 96 + 1 + 4;
  const length = bytes.readUInt32LE(quote - 4);
  const auth = quote + 48 + 384 + 4;
  const collateral = quote + length;
  const signedBytes = {
    'consensus key': 0,
    'boot signing key': 32,
    'boot key': 64,
    nonce: 96,
    'version of the quote': quote,
    'header of the quote': quote + 30,
    attributes: quote + 48 + 48,
    measurement: quote + 48 + 64,
    'report data': quote + 48 + 320,
    signature: auth + 5,
    'attestation key': auth + 64,
    "quoting enclave's report": auth + 128 + 128,
    "quoting enclave's signature": auth + 128 + 384,
    'kind of certificates': auth + 128 + 384 + 64 + 34,
    'collateral, first byte of a list': collateral + 10,
    'collateral, in the middle': collateral + ((bytes.length - collateral) >> 1),
    'collateral, last byte': bytes.length - 2,
  };
  for (const [name, at] of Object.entries(signedBytes)) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    const bundle = structuredClone(whole);
    bundle.members[0].registration = changed.toString('base64');
    assert.notEqual(await refused(JSON.stringify(bundle)), null, name);
  }
});

test('V-33: no part can be left out, doubled or added', async () => {
  const change = async (edit, name) => {
    const bundle = JSON.parse(golden);
    edit(bundle);
    assert.notEqual(await refused(JSON.stringify(bundle)), null, name);
  };
  for (const name of Object.keys(JSON.parse(golden))) await change((bundle) => delete bundle[name], name);
  await change((bundle) => (bundle.more = 1), 'one more');
  await change((bundle) => (bundle.members[0].more = 1), 'one more of a member');
  await change((bundle) => (bundle.members[1] = bundle.members[0]), 'a chip twice');
  await change((bundle) => bundle.links.pop(), 'no newest link');
  await change((bundle) => bundle.links.splice(1, 0, bundle.links[0]), 'a link twice');
  await change((bundle) => bundle.links.reverse(), 'links reversed');
  await change((bundle) => ([bundle.trust, bundle.epoch] = [bundle.epoch, bundle.trust]), 'values exchanged');
  assert.equal(await refused(`${golden.trimEnd()}${' '.repeat(17 << 20)}`), 'format', 'more than a page reads');
  for (const text of ['', '[]', 'null', '{}', undefined]) assert.equal(await refused(text), 'format');
});

/** The same letters but for one, in so many ways. */
function bent(text, count) {
  const step = Math.max(1, Math.floor(text.length / count));
  const places = Array.from({ length: Math.ceil(text.length / step) }, (_, index) => index * step);
  return places.map((at) => text.slice(0, at) + (/[Aa]/.test(text[at]) ? 'B' : 'A') + text.slice(at + 1));
}
