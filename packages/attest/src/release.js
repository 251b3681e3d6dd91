// Programs that may run, and who rebuilt them. As crates/shared/chain has them (`trust::Rebuilders::vouch`).

import { signed } from './chain.js';
import { ascii, compare, concat, equal, hex, tagged, u32 } from './bytes.js';
import { refuse } from './error.js';

const MAX_REBUILDERS = 16;
/** On a chain that promises hardware, at least so many rebuild a program. */
const LEAST_REBUILDERS = 2;
const PLAIN = /^[ -~]*$/;

/** What stands under a release, in borsh. */
export const release = (from) => ({
  measurement: from.word(),
  source: from.word(),
  lock: from.word(),
  toolchain: from.string(),
  flags: from.string(),
  activation: from.u64(),
  rebuilt: from.list(() => ({ rebuilder: from.word(), signature: from.take(64) })),
});

/** Throws unless enough rebuilders vouch for each release of a chain. */
export function checkReleases({ releases, rebuilders }, { chainId, simulated }) {
  const { keys, threshold } = rebuilders;
  const why = (words) => refuse('trust', words);
  const ascending = keys.every((key, index) => index === 0 || compare(keys[index - 1], key) < 0);
  if (!ascending || keys.length > MAX_REBUILDERS || keys.some(signsEverything)) why('the list of rebuilders is none');
  if (threshold > keys.length || (!simulated && threshold < LEAST_REBUILDERS)) why(`${threshold} rebuilders are not enough`);
  for (const release of releases) {
    const name = `release ${hex(release.measurement)}`;
    const { toolchain, flags, rebuilt } = release;
    if (!PLAIN.test(toolchain) || !PLAIN.test(flags) || toolchain.length > 256 || flags.length > 1_024) why(`${name}: unreadable`);
    const digest = digestOf(release, chainId);
    for (const [index, { rebuilder, signature }] of rebuilt.entries()) {
      const who = `rebuilder ${hex(rebuilder)}`;
      if (rebuilt.slice(0, index).some((earlier) => equal(earlier.rebuilder, rebuilder))) why(`${name}: ${who} signed twice`);
      if (!keys.some((key) => equal(key, rebuilder))) why(`${name}: ${who} is no rebuilder of this chain`);
      if (!signed(signature, digest, rebuilder)) why(`${name}: the signature of ${who} is not of this build on this chain`);
    }
    if (rebuilt.length < threshold) why(`${name}: ${rebuilt.length} of ${threshold} rebuilders have built the same`);
  }
}

/** What a rebuilder signs. */
function digestOf({ measurement, source, lock, toolchain, flags }, chainId) {
  const name = ascii(chainId);
  const texts = [toolchain, flags].flatMap((text) => [u32(text.length), ascii(text)]);
  return tagged('cloister/release', concat(Uint8Array.of(name.length), name, measurement, source, lock, ...texts));
}

/** A key of low order: by ZIP-215, the neutral point with a zero is its signature of anything. */
function signsEverything(key) {
  const neutral = new Uint8Array(64);
  neutral[0] = 1;
  return signed(neutral, new Uint8Array(32), key);
}
