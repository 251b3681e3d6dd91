// Headers, and the step from a trusted one to a later one. As crates/shared/chain and the SDK's `light` have them.

import { ed25519 } from '@noble/curves/ed25519.js';

import { ascii, compare, equal, hex, Reader, tagged, u32, u64 } from './bytes.js';
import { refuse } from './error.js';

const SECOND = 1_000_000_000n;
const MAX_VALIDATORS = 1_024;
const MAX_CHAIN_ID = 50;
/** How far a header's time may be ahead of the clock. */
const DRIFT = 10n * SECOND;

/** A header, with its hash. */
export function header(bytes) {
  const read = (from) => ({
    chainId: from.string(),
    height: from.u64(),
    time: from.u64(),
    parent: from.word(),
    certificate: from.word(),
    txs: from.word(),
    evidence: from.word(),
    stateRoot: from.word(),
    results: from.word(),
    baseFee: from.u64(),
    validators: from.word(),
    nextValidators: from.word(),
    proposer: from.take(20),
    simulated: from.bool(),
  });
  const header = Reader.whole(bytes, read);
  if (ascii(header.chainId).length > MAX_CHAIN_ID) refuse('way', 'the chain id is too long');
  return { ...header, hash: tagged('cloister/header', bytes) };
}

/** A set of validators, in order and without duplicates, with its hash. */
export function validators(bytes) {
  const members = Reader.whole(bytes, (from) => from.list(() => ({ key: from.word(), power: from.u64() })));
  const ascending = members.every((member, index) => index === 0 || compare(members[index - 1].key, member.key) < 0);
  const power = members.reduce((sum, member) => sum + member.power, 0n);
  const sound = members.every((member) => member.power > 0n) && power < 1n << 62n;
  if (!ascending || !sound || members.length === 0 || members.length > MAX_VALIDATORS) {
    refuse('format', 'not a set of validators');
  }
  return { powers: new Map(members.map(({ key, power }) => [hex(key), power])), power, hash: tagged('cloister/validators', bytes) };
}

/** The precommits that decide a block. */
export function certificate(bytes) {
  return Reader.whole(bytes, (from) => ({
    height: from.u64(),
    round: from.u32(),
    block: from.word(),
    precommits: from.list(() => ({ validator: from.word(), signature: from.take(64) })),
  }));
}

/** Throws unless more than two thirds of the power of `set` signed the header. */
function decided({ height, round, block, precommits }, header, set) {
  const why = (words) => refuse('way', `the header of height ${header.height} is not decided: ${words}`);
  if (height !== header.height || !equal(block, header.hash)) why('the certificate is for another block');
  const chainId = ascii(header.chainId);
  const message = tagged('cloister/v1/precommit', Uint8Array.of(chainId.length), chainId, u64(height), u32(round), block);
  let power = 0n;
  for (const [index, { validator, signature }] of precommits.entries()) {
    if (index > 0 && compare(precommits[index - 1].validator, validator) >= 0) why('precommits are out of order');
    const member = set.powers.get(hex(validator)) ?? why('a precommit is by a stranger');
    if (!signed(signature, message, validator)) why("a precommit's signature does not verify");
    power += member;
  }
  if (power * 3n <= set.power * 2n) why('two thirds of the power or less');
}

/** ZIP-215, as everywhere on the chain. */
export function signed(signature, message, key) {
  try {
    return ed25519.verify(signature, message, key, { zip215: true });
  } catch {
    return false;
  }
}

/** The block that is trusted: `{ header, next }`, if it is the one that `anchor` names. */
export function start(anchor, header, next) {
  const known = /^(\d{1,20}):(?:0x)?([0-9a-fA-F]{64})$/.exec(anchor ?? '') ?? refuse('way', 'a checkpoint is written HEIGHT:HASH');
  if (BigInt(known[1]) !== header.height || `0x${known[2].toLowerCase()}` !== hex(header.hash)) {
    refuse('way', 'the bundle begins with another block than the checkpoint');
  }
  if (!equal(header.nextValidators, next.hash)) refuse('way', 'not the validators that the first header names');
  return { header, next };
}

/** The block that is trusted after a link: `LightClient::advance`. */
export function advance(trusted, link, trusting, now) {
  const { header, certificate, validators, next } = link;
  const at = `height ${header.height}`;
  if (trusted.header.time + trusting <= now) refuse('way', `what is trusted of ${trusted.header.height} is too old`);
  if (header.chainId !== trusted.header.chainId || header.simulated !== trusted.header.simulated) {
    refuse('way', `the header of ${at} is of another chain`);
  }
  if (header.height <= trusted.header.height || header.time <= trusted.header.time) refuse('way', `${at} does not follow`);
  if (header.time > now + DRIFT) refuse('way', `the header of ${at} is ahead of the clock`);
  if (!equal(header.validators, validators.hash) || !equal(header.nextValidators, next.hash)) {
    refuse('way', `not the validators that the header of ${at} names`);
  }
  const adjacent = header.height === trusted.header.height + 1n;
  if (adjacent && !equal(header.parent, trusted.header.hash)) refuse('way', `the header of ${at} has another parent`);
  if (adjacent && !equal(header.validators, trusted.header.nextValidators)) refuse('way', `${at} is of other validators`);
  decided(certificate, header, validators);
  if (!adjacent) {
    const vouching = certificate.precommits.reduce((sum, { validator }) => sum + (trusted.next.powers.get(hex(validator)) ?? 0n), 0n);
    if (vouching * 3n <= trusted.next.power) refuse('way', `a third or less of the trusted power signed the header of ${at}`);
  }
  return { header, next };
}

/** Throws when the newest header is too old or too new. */
export function checkAge(header, maxAge, now) {
  if (now - header.time > maxAge) refuse('stale', `the newest header is ${(now - header.time) / SECOND} seconds old`);
  if (header.time - now > DRIFT) refuse('future', 'the newest header is ahead of the clock');
}
