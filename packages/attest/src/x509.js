// Certificates and revocation lists (RFC 5280), as far as Intel's need it: ECDSA on P-256 with SHA-256 and nothing else.

import { fromBER, Sequence } from 'asn1js';
import { Certificate, CertificateRevocationList, id_BasicConstraints } from 'pkijs';

import { equal } from './bytes.js';
import { refuse } from './error.js';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const MAX_CHAIN = 5;

const buffer = (bytes) => bytes.slice().buffer;
const unproven = () => refuse('evidence', 'the evidence does not prove what it says');
const seconds = (time) => Math.floor(time.value.getTime() / 1000);

/** A certificate, DER. */
export function certificate(der) {
  let parsed;
  try {
    parsed = Certificate.fromBER(buffer(der));
  } catch {
    return unproven();
  }
  const spki = parsed.subjectPublicKeyInfo;
  if (parsed.signatureAlgorithm.algorithmId !== ECDSA_SHA256 || parsed.signature.algorithmId !== ECDSA_SHA256) unproven();
  if (spki.algorithm.algorithmId !== EC_PUBLIC_KEY || spki.algorithm.algorithmParams?.valueBlock.toString() !== P256) unproven();
  const constraints = parsed.extensions?.find(({ extnID }) => extnID === id_BasicConstraints)?.parsedValue;
  return {
    parsed,
    /** The public key, an uncompressed point. */
    key: new Uint8Array(spki.subjectPublicKey.valueBlock.valueHexView),
    subject: new Uint8Array(parsed.subject.toSchema().toBER()),
    issuer: new Uint8Array(parsed.issuer.toSchema().toBER()),
    serial: new Uint8Array(parsed.serialNumber.valueBlock.valueHexView),
    authority: constraints?.cA === true,
    depth: constraints?.pathLenConstraint,
    from: seconds(parsed.notBefore),
    until: seconds(parsed.notAfter),
    extension: (oid) => {
      const named = parsed.extensions?.filter(({ extnID }) => extnID === oid) ?? [];
      return named.length === 1 ? new Uint8Array(named[0].extnValue.valueBlock.valueHexView) : unproven();
    },
  };
}

/** A revocation list, DER. */
export function list(der) {
  let parsed;
  try {
    parsed = CertificateRevocationList.fromBER(buffer(der));
  } catch {
    return unproven();
  }
  if (parsed.signatureAlgorithm.algorithmId !== ECDSA_SHA256 || !parsed.nextUpdate) unproven();
  const revoked = parsed.revokedCertificates ?? [];
  return {
    parsed,
    issuer: new Uint8Array(parsed.issuer.toSchema().toBER()),
    from: seconds(parsed.thisUpdate),
    until: seconds(parsed.nextUpdate),
    has: (serial) => revoked.some(({ userCertificate }) => equal(new Uint8Array(userCertificate.valueBlock.valueHexView), serial)),
  };
}

/** The certificates of a PEM text, in order. */
export function chain(pem) {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0 || blocks.length > MAX_CHAIN) unproven();
  return blocks.map(([, body]) => {
    try {
      return certificate(Uint8Array.from(atob(body.replace(/\s/g, '')), (letter) => letter.charCodeAt(0)));
    } catch {
      return unproven();
    }
  });
}

/**
 * The way from the first of `certificates` up to `root`, which is not part of it, each signed by the next, valid at `now` and on
 * no list. A certificate for which there is no list that its issuer signed is refused. At most `most` certificates.
 */
export async function verified(certificates, root, lists, now, most) {
  const path = [];
  let current = certificates[0];
  for (;;) {
    path.push(current);
    if (path.length > most || now < current.from || now > current.until) unproven();
    const issuer = equal(current.issuer, root.subject) ? root : certificates.slice(1).find(({ subject }) => equal(subject, current.issuer));
    if (!issuer || path.includes(issuer)) unproven();
    // The authorities below this one.
    const below = path.length - 1;
    if (issuer !== root && (!issuer.authority || (issuer.depth !== undefined && issuer.depth < below))) unproven();
    if (path.length === 1 && current.authority) unproven();
    if (!(await holds(() => current.parsed.verify(issuer.parsed)))) unproven();
    await unrevoked(current, issuer, lists, now);
    if (issuer === root) return path;
    current = issuer;
  }
}

/** Throws unless a list of its issuer says that the certificate is not revoked. */
export async function unrevoked(current, issuer, lists, now) {
  const own = lists.find((list) => equal(list.issuer, issuer.subject)) ?? unproven();
  if (now < own.from || now >= own.until || own.has(current.serial)) unproven();
  if (!(await holds(() => own.parsed.verify({ issuerCertificate: issuer.parsed })))) unproven();
}

async function holds(check) {
  try {
    return (await check()) === true;
  } catch {
    return false;
  }
}

/** The values of Intel's extension of a chip's certificate, by the last parts of their names: `1`, `2.17`, `7.3`. */
export function intel(bytes) {
  const { result, offset } = fromBER(buffer(bytes));
  if (offset !== bytes.length) unproven();
  const values = new Map();
  const walk = (sequence) => {
    for (const entry of sequence.valueBlock.value ?? []) {
      const [name, value] = entry.valueBlock.value;
      const oid = name.valueBlock.toString();
      if (!oid.startsWith(`${SGX_EXTENSION}.`) || values.has(oid)) unproven();
      values.set(oid.slice(SGX_EXTENSION.length + 1), value);
      if (value instanceof Sequence) walk(value);
    }
  };
  walk(result);
  return values;
}

export const SGX_EXTENSION = '1.2.840.113741.1.13.1';
