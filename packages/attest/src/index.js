// Checks a proof bundle offline: the same verdict as the Rust SDK's `bundle`, for pages. See docs/bundle.md.

import { ascii, base64, digest512, equal, hex, word } from './bytes.js';
import { advance, certificate, checkAge, header, start, validators } from './chain.js';
import * as dcap from './dcap.js';
import { BundleError, refuse } from './error.js';
import { checkReleases } from './release.js';
import * as state from './state.js';

export { BundleError };

const FORMAT = 'cloister-bundle-v1';
const MAX_BYTES = 16 << 20;
const MAX_LINKS = 4_096;
const MAX_MEMBERS = 256;
const MAX_REGISTRATION = (32 << 10) + (64 << 10) + 256;
const FAMILIES = ['sgx', 'tdx', 'snp-milan', 'snp-genoa', 'snp-turin'];
const SECOND = 1_000_000_000n;

/**
 * Whether a bundle leads from a block that you trust to keys that enough attested enclaves have.
 *
 * @param {string} text the file
 * @param {object} options
 * @param {string} options.checkpoint the block that you trust, `HEIGHT:HASH`, from another place than the bundle
 * @param {number} [options.nodes] at least so many enclaves; 1
 * @param {number} [options.vendors] chips of at least so many makers; 2, or 1 on a SIMULATED chain
 * @param {number} [options.maxAge] how old the newest header may be, in seconds; a day
 * @param {number} [options.trustFor] for how long validators vouch for later blocks, in seconds; 14 days
 * @param {number} [options.now] milliseconds since the Unix epoch; the clock
 * @returns {Promise<object>} the verdict; throws a BundleError
 */
export async function verifyBundle(text, options) {
  const bundle = parse(text);
  const settings = { nodes: 1, maxAge: 86_400, trustFor: 1_209_600, now: Date.now(), ...options };
  const now = BigInt(settings.now) * 1_000_000n;
  const reached = follow(bundle, settings, now);
  if (reached.chainId !== bundle.chain_id || reached.simulated !== bundle.simulated) {
    refuse('named', 'the bundle calls the chain something else than its headers do');
  }
  checkAge(reached, BigInt(settings.maxAge) * SECOND, now);

  const shown = (what, leaf, part) => {
    const value = base64(part.value);
    state.proven(what, reached.stateRoot, leaf, value, base64(part.proof));
    return value;
  };
  const trust = state.trust(shown('trust', state.leaves.trust, bundle.trust));
  checkReleases(trust, reached);
  const epoch = state.epoch(shown('epoch', state.leaves.epoch, bundle.epoch));
  const nodes = state.nodes(shown('nodes', state.leaves.nodes, bundle.nodes));
  const court = { header: reached, trust, nodes, now, shown };
  const enclaves = [];
  for (const member of bundle.members) {
    const enclave = await admit(court, member);
    if (enclaves.some(({ chip }) => chip === enclave.chip)) refuse('member', `chip ${enclave.chip} stands there twice`);
    enclaves.push(enclave);
  }
  if (enclaves.length < settings.nodes) refuse('nodes', `${enclaves.length} of ${settings.nodes} enclaves`);
  const vendors = new Set(enclaves.map(({ family }) => family.split('-')[0].replace('tdx', 'sgx'))).size;
  const wanted = settings.vendors ?? (reached.simulated ? 1 : 2);
  if (vendors < wanted) refuse('vendors', `chips of ${vendors} of ${wanted} makers`);
  const began = header(base64(bundle.start.header));
  return {
    /** To be shown before anything else: whoever runs a node of a SIMULATED chain can read what is sealed. */
    simulated: reached.simulated,
    chainId: reached.chainId,
    genesis: began.height === 0n ? hex(began.parent) : null,
    checkpoint: `${reached.height}:${hex(reached.hash)}`,
    /** Milliseconds since the Unix epoch. */
    time: Number(reached.time / 1_000_000n),
    epoch: { number: epoch.number, height: epoch.height },
    keys: { input: hex(epoch.input), io: hex(epoch.io), registration: hex(epoch.registration) },
    registered: nodes.length,
    enclaves,
  };
}

/** The newest header, as certain as the checkpoint. */
function follow(bundle, { checkpoint, trustFor }, now) {
  const first = header(base64(bundle.start.header));
  let trusted = start(checkpoint, first, validators(base64(bundle.start.next_validators)));
  for (const shown of bundle.links) {
    const link = {
      header: header(base64(shown.header)),
      certificate: certificate(base64(shown.certificate)),
      validators: validators(base64(shown.validators)),
      next: validators(base64(shown.next_validators)),
    };
    trusted = advance(trusted, link, BigInt(trustFor) * SECOND, now);
  }
  return trusted.header;
}

/** What is proven of a member, if it counts. */
async function admit({ header, trust, nodes, now, shown }, member) {
  const chip = word(member.chip);
  const why = (words) => refuse('member', `the enclave on chip ${hex(chip)} does not count: ${words}`);
  if (!nodes.some((listed) => equal(listed, chip))) why('the chain does not list it');
  const node = state.node(shown('node', state.leaves.node(chip), member.node));
  const time = header.time > now ? header.time / SECOND : now / SECOND;
  if (node.revoked) why('it was revoked');
  if (time >= node.expires) why('its evidence has expired');
  const bytes = base64(member.registration);
  if (bytes.length > MAX_REGISTRATION) why('its registration is too long');
  const registration = state.registration(bytes);
  const { boot, consensusKey } = registration;
  if (!equal(consensusKey, node.consensusKey) || !equal(boot, node.boot)) why('another registration');

  const verified = await dcap.verify(registration.quote, registration.collateral, trust.policy, header.simulated, Number(time));
  const name = ascii(header.chainId);
  const keys = [boot.slice(0, 32), boot.slice(32, 64), boot.slice(64)];
  const stated = digest512(`cloister/v1/${header.chainId}/report-data`, name, consensusKey, ...keys, verified.chip);
  if (!equal(verified.reportData, stated) || !equal(verified.chip, chip)) why('the evidence is not of this registration');
  const recorded =
    node.family === verified.family &&
    equal(node.measurement, verified.measurement) &&
    equal(node.evidence, verified.identity) &&
    node.expires === BigInt(verified.expires) &&
    equal(node.collateral, state.collateralHash(registration.collateralBytes));
  if (!recorded) why('another registration');
  const active = ({ measurement, activation }) => equal(measurement, node.measurement) && activation < header.height;
  const release = trust.releases.find(active) ?? why('what runs there is not a release');
  return {
    chip: hex(chip),
    family: FAMILIES[node.family],
    measurement: hex(node.measurement),
    source: hex(release.source),
    lock: hex(release.lock),
    toolchain: release.toolchain,
    flags: release.flags,
    /** Keys of those who built the same. On a SIMULATED chain there may be none. */
    rebuilders: release.rebuilt.map(({ rebuilder }) => hex(rebuilder)),
    consensusKey: hex(node.consensusKey),
    registered: node.registered,
    /** Seconds since the Unix epoch. */
    expires: Number(node.expires),
  };
}

/** The file, each part where it has to be and nothing beside them. */
function parse(text) {
  if (typeof text !== 'string' || text.length > MAX_BYTES) refuse('format', 'not the text of a bundle');
  let bundle;
  try {
    bundle = JSON.parse(text);
  } catch {
    refuse('format', 'not JSON');
  }
  const proof = (value) => fields(value, ['value', 'proof']);
  fields(bundle, ['format', 'chain_id', 'simulated', 'start', 'links', 'trust', 'epoch', 'nodes', 'members']);
  if (bundle.format !== FORMAT) refuse('format', `not of the format ${FORMAT}`);
  fields(bundle.start, ['header', 'next_validators']);
  many(bundle.links, MAX_LINKS).forEach((link) => fields(link, ['header', 'certificate', 'validators', 'next_validators']));
  [bundle.trust, bundle.epoch, bundle.nodes].forEach(proof);
  many(bundle.members, MAX_MEMBERS).forEach((member) => proof(fields(member, ['chip', 'node', 'registration']).node));
  return bundle;
}

function fields(value, names) {
  const own = value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.keys(value) : [];
  if (own.length !== names.length || !names.every((name) => own.includes(name))) refuse('format', `wanted: ${names.join(', ')}`);
  return value;
}

const many = (value, most) =>
  Array.isArray(value) && value.length <= most ? value : refuse('format', `a list of at most ${most} parts`);
