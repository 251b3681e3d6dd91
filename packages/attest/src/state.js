// Proofs of the state, and the few values that a bundle shows. As crates/shared/chain has them.

import { concat, digest, equal, Reader, tagged } from './bytes.js';
import { refuse } from './error.js';
import { release } from './release.js';

/** Names of leaves: the number of the kind, then its fields. */
export const leaves = {
  trust: Uint8Array.of(40),
  nodes: Uint8Array.of(41),
  node: (chip) => concat(Uint8Array.of(42), chip),
  epoch: Uint8Array.of(44),
};

/** Throws unless the state with this root holds `value` under `leaf`. */
export function proven(what, root, leaf, value, proofBytes) {
  const why = (words) => refuse('state', `${what} is not what the state holds: ${words}`);
  const proof = Reader.whole(proofBytes, (from) => ({
    siblings: from.list(() => ({ at: from.u8(), hash: from.word() })),
    leaf: from.option(() => ({ position: from.word(), valueHash: from.word() })),
  }));
  const position = tagged('cloister/leaf/name', leaf);
  const found = proof.leaf ?? why('an empty state');
  const { siblings } = proof;
  siblings.forEach(({ at }, index) => {
    if (index > 0 && siblings[index - 1].at >= at) why('bits do not ascend');
    if (bit(found.position, at) !== bit(position, at)) why('the path leads elsewhere');
  });
  const climbed = siblings.reduceRight(
    (below, { at, hash }) =>
      tagged('cloister/tree/branch', Uint8Array.of(at), ...(bit(found.position, at) ? [hash, below] : [below, hash])),
    tagged('cloister/tree/leaf', found.position, found.valueHash),
  );
  if (!equal(climbed, root)) why('the proof is for another root');
  if (!equal(found.position, position) || !equal(found.valueHash, tagged('cloister/leaf/value', value))) why('another value');
}

const bit = (position, at) => (position[at >> 3] >> (7 - (at & 7))) & 1;

/** `Leaf::Trust`. */
export const trust = (bytes) =>
  Reader.whole(bytes, (from) => ({
    policy: {
      denied: from.list(() => from.u8()),
      allowSmt: from.bool(),
      minTcbEvalDataNumber: from.u32(),
      tolerated: from.list(() => TOLERATED[from.u8()] ?? refuse('format', 'an unknown status')),
      advisories: from.list(() => from.u32()),
      deniedModels: from.list(() => from.take(6)),
      allowDynamicPlatform: from.bool(),
      allowCachedKeys: from.bool(),
      snp: from.list(() => ({ family: from.u8(), floor: from.take(8) })),
    },
    releases: from.list(() => release(from)),
    delay: from.u64(),
    rebuilders: { keys: from.list(() => from.word()), threshold: from.u32() },
    caps: { owner: from.option(() => share(from)), family: from.option(() => share(from)) },
  }));

/** A part of a whole. */
const share = (from) => [from.u16(), from.u16()];

/** `Leaf::Nodes`. */
export const nodes = (bytes) => Reader.whole(bytes, (from) => from.list(() => from.word()));

/** `Leaf::Epoch`. */
export const epoch = (bytes) =>
  Reader.whole(bytes, (from) => ({
    number: from.u64(),
    height: from.u64(),
    began: from.u64(),
    io: from.word(),
    registration: from.word(),
    input: from.word(),
    retiring: from.option(() => ({ input: from.word(), cursor: from.word(), swept: from.bool() })),
  }));

/** `Leaf::Node`. */
export const node = (bytes) =>
  Reader.whole(bytes, (from) => ({
    owner: from.take(20),
    consensusKey: from.word(),
    boot: boot(from),
    family: from.u8(),
    measurement: from.word(),
    evidence: from.word(),
    collateral: from.word(),
    registered: { height: from.u64(), index: from.u32() },
    expires: from.u64(),
    share: from.bytes(),
    revoked: from.bool(),
  }));

/** The certificate that an enclave registered with. `collateralBytes` is what its hash is of. */
export const registration = (bytes) =>
  Reader.whole(bytes, (from) => {
    const consensusKey = from.word();
    const keys = boot(from);
    if (from.u8() !== DCAP) refuse('unsupported', 'AMD SEV-SNP is not checked here');
    const quote = from.bytes();
    const at = from.at;
    if (from.u8() !== DCAP) refuse('evidence', 'statement and collateral are of different makers');
    const collateral = {
      rootCrl: from.bytes(),
      pckCrl: from.bytes(),
      tcbInfo: from.string(),
      tcbInfoSignature: from.take(64),
      tcbInfoChain: from.string(),
      qeIdentity: from.string(),
      qeIdentitySignature: from.take(64),
      qeIdentityChain: from.string(),
    };
    return { consensusKey, boot: keys, quote, collateral, collateralBytes: bytes.slice(at, from.at) };
  });

/** Boot signing key, boot key and nonce. */
const boot = (from) => from.take(96);

const DCAP = 0;
const TOLERATED = ['SWHardeningNeeded', 'ConfigurationAndSWHardeningNeeded'];

/** The name under which a chain records collateral. */
export const collateralHash = (bytes) => digest('cloister/attest/collateral', bytes);
