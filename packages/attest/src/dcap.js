// Intel SGX quotes of version 3: what `cloister_attest::verify` checks, in the same order.
// Layouts: Intel, "SGX ECDSA Quote Library Reference", appendix A; the JSON documents are those of Intel's PCS, version 4.

import { p256 } from '@noble/curves/nist.js';

import { ascii, compare, concat, digest, equal, hex, Reader, sha256, unhex } from './bytes.js';
import { refuse } from './error.js';
import { rootCertificate } from './roots.js';
import { certificate, chain, intel, list, SGX_EXTENSION, unrevoked, verified } from './x509.js';

const unproven = () => refuse('evidence', 'the evidence does not prove what it says');

/** What a quote proves under a policy and at a time, in seconds since the Unix epoch. */
export async function verify(quoteBytes, collateral, policy, simulated, now) {
  if (quoteBytes.length > 32 << 10) refuse('evidence', 'the quote is too long');
  const quote = parse(quoteBytes);
  if (quote.report.attributes[0] & DEBUG) refuse('evidence', 'a debuggable environment');
  if (policy.denied.includes(SGX)) refuse('evidence', 'this family of processors is denied');

  const root = certificate(rootCertificate(simulated));
  const lists = [list(collateral.rootCrl), list(collateral.pckCrl)];
  const [tcbInfo, qeIdentity] = [document(collateral.tcbInfo, 'SGX'), document(collateral.qeIdentity, 'QE')];
  for (const { from, until } of [...lists, tcbInfo, qeIdentity]) {
    if (now < from) refuse('evidence', 'part of the collateral is not valid yet');
    if (now >= until) refuse('evidence', 'part of the collateral has expired');
  }
  await unrevoked(root, root, lists.slice(0, 1), now);
  const paths = [root];
  for (const [text, signature, pem] of [
    [collateral.tcbInfo, collateral.tcbInfoSignature, collateral.tcbInfoChain],
    [collateral.qeIdentity, collateral.qeIdentitySignature, collateral.qeIdentityChain],
  ]) {
    // Issued by the root itself.
    const [signer] = await verified(chain(pem), root, lists, now, 1);
    paths.push(signer);
    check(signer.key, ascii(text), signature);
  }

  const path = await verified(chain(quote.certificates), root, lists, now, 3);
  paths.push(...path);
  const chip = platform(path[0]);
  check(path[0].key, quote.qeReportBytes, quote.qeReportSignature);
  if (!equal(sha256(concat(quote.key, quote.qeAuthData)), quote.qeReport.reportData.slice(0, 32))) unproven();
  const qeLevel = quoting(quote.qeReport, qeIdentity);
  check(concat(Uint8Array.of(4), quote.key), quote.signed, quote.signature);
  const level = matching(tcbInfo, chip);
  appraise(policy, chip, level, qeLevel, tcbInfo, qeIdentity);

  return {
    family: SGX,
    measurement: digest('cloister/attest/measurement/sgx', quote.report.measurement),
    chip: digest('cloister/attest/hardware/intel', chip.ppid),
    reportData: quote.report.reportData,
    identity: digest('cloister/attest/identity/dcap', quote.signed),
    expires: Math.min(...[...paths, ...lists, tcbInfo, qeIdentity].map(({ until }) => until)),
  };
}

/** A quote, which has exactly its length. */
function parse(bytes) {
  return Reader.whole(bytes, (from) => {
    if (from.u16() !== 3) refuse('unsupported', 'only SGX quotes of version 3 are checked here');
    const [keyType, teeType] = [from.u16(), from.u32()];
    if (teeType !== 0) refuse('unsupported', 'Intel TDX is not checked here');
    from.take(4);
    if (keyType !== 2 || hex(from.take(16)) !== INTEL_QE) unproven();
    from.take(20);
    const reportBytes = from.take(REPORT_BYTES);
    const size = from.u32();
    const begin = from.at;
    const [signature, key, qeReportBytes, qeReportSignature] = [64, 64, REPORT_BYTES, 64].map((count) => from.take(count));
    const qeAuthData = from.take(from.u16());
    if (qeAuthData.length !== 32) unproven();
    if (from.u16() !== CERTIFICATE_CHAIN) refuse('evidence', 'the quote does not carry its certificate chain');
    const certificates = from.bytes();
    if (from.at - begin !== size) refuse('evidence', 'there are bytes that belong to nothing');
    return {
      report: report(reportBytes),
      signed: bytes.slice(0, HEADER_BYTES + REPORT_BYTES),
      signature,
      key,
      qeReport: report(qeReportBytes),
      qeReportBytes,
      qeReportSignature,
      qeAuthData,
      certificates: String.fromCharCode(...certificates),
    };
  });
}

/** An enclave's report. */
const report = (bytes) =>
  Reader.whole(bytes, (from) => {
    from.take(16);
    const miscSelect = from.take(4);
    from.take(28);
    const attributes = from.take(16);
    const measurement = from.take(32);
    from.take(32);
    const signer = from.take(32);
    from.take(96);
    const [product, svn] = [from.u16(), from.u16()];
    from.take(60);
    return { miscSelect, attributes, measurement, signer, product, svn, reportData: from.take(64) };
  });

/** One of Intel's dated documents. */
function document(text, id) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    unproven();
  }
  if (read?.id !== id || !Array.isArray(read.tcbLevels) || !Number.isInteger(read.tcbEvaluationDataNumber)) unproven();
  const [from, until] = [read.issueDate, read.nextUpdate].map((date) => Math.floor(Date.parse(date) / 1000));
  if (!Number.isInteger(from) || !Number.isInteger(until)) unproven();
  return { ...read, from, until };
}

/** ECDSA on P-256 with SHA-256; `r ‖ s`, and `s` may be high: Intel does not promise a low one. */
function check(key, message, signature) {
  let holds = false;
  try {
    holds = p256.verify(signature, message, key, { lowS: false });
  } catch {
    // Not a point, or not a signature.
  }
  if (!holds) unproven();
}

/** What the chip's certificate says about it. */
function platform(leaf) {
  const values = intel(leaf.extension(SGX_EXTENSION));
  const octets = (name, length) => {
    const bytes = new Uint8Array(values.get(name)?.valueBlock.valueHexView ?? unproven());
    return bytes.length === length ? bytes : unproven();
  };
  const number = (name) => values.get(name)?.valueBlock.valueDec ?? unproven();
  const flag = (name) => values.get(name)?.valueBlock.value === true;
  const ppid = octets('1', 16);
  if (ppid.every((byte) => byte === 0)) refuse('evidence', 'the chip has no identity');
  return {
    ppid,
    cpuSvn: octets('2.18', 16),
    pceSvn: number('2.17'),
    pceId: octets('3', 2),
    model: octets('4', 6),
    dynamicPlatform: flag('7.1'),
    cachedKeys: flag('7.2'),
    smt: flag('7.3'),
  };
}

/** The level of the quoting enclave, if it is the one that Intel describes. */
function quoting(report, identity) {
  const field = (name, length) => {
    const text = identity[name];
    return typeof text === 'string' && new RegExp(`^[0-9a-fA-F]{${2 * length}}$`).test(text) ? unhex(text) : unproven();
  };
  const masked = (have, name) => {
    const [want, mask] = [field(name, have.length), field(`${name}Mask`, have.length)];
    if (!have.every((byte, index) => (byte & mask[index]) === (want[index] & mask[index]))) unproven();
  };
  if (identity.version !== 2 || !equal(report.signer, field('mrsigner', 32)) || report.attributes[0] & DEBUG) unproven();
  if (report.product !== identity.isvprodid) unproven();
  masked(report.miscSelect, 'miscselect');
  masked(report.attributes, 'attributes');
  return identity.tcbLevels.find(({ tcb }) => report.svn >= tcb.isvsvn) ?? unproven();
}

/** The highest level that the chip's firmware reaches. */
function matching(tcbInfo, chip) {
  if (tcbInfo.version < 2 || String(tcbInfo.fmspc).toLowerCase() !== hex(chip.model).slice(2)) unproven();
  const components = ({ tcb }) => {
    const svns = tcb?.sgxtcbcomponents?.map(({ svn }) => svn) ?? unproven();
    return svns.length === 16 && svns.every((svn) => Number.isInteger(svn) && svn >= 0 && svn < 256) ? svns : unproven();
  };
  const higher = (a, b) => compare(components(b), components(a)) || b.tcb.pcesvn - a.tcb.pcesvn;
  const levels = [...tcbInfo.tcbLevels].sort(higher);
  const reached = (level) => components(level).every((svn, index) => chip.cpuSvn[index] >= svn) && chip.pceSvn >= level.tcb.pcesvn;
  return levels.find(reached) ?? unproven();
}

/** The chain's policy. */
function appraise(policy, chip, level, qeLevel, tcbInfo, qeIdentity) {
  const why = (words) => refuse('evidence', words);
  if (String(tcbInfo.pceId).toLowerCase() !== hex(chip.pceId).slice(2)) unproven();
  if (policy.deniedModels.some((model) => equal(model, chip.model))) why('this model of processor is denied');
  const evaluation = Math.min(tcbInfo.tcbEvaluationDataNumber, qeIdentity.tcbEvaluationDataNumber);
  if (evaluation < policy.minTcbEvalDataNumber) why('the collateral is older than the floor');
  const statuses = [level, qeLevel].map(({ tcbStatus }) => tcbStatus).filter((status) => status !== 'UpToDate');
  if (!statuses.every((status) => policy.tolerated.includes(status))) why('the TCB status is not accepted');
  if (statuses.length > 0) {
    const advisories = [level, qeLevel].flatMap(({ advisoryIDs }) => advisoryIDs ?? []);
    const number = (name) => Number(/^INTEL-SA-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (!advisories.every((name) => policy.advisories.includes(number(name)))) why('an advisory is not accepted');
  }
  if (!policy.allowSmt && chip.smt) why('simultaneous multithreading is on');
  if (!policy.allowDynamicPlatform && chip.dynamicPlatform) why('a dynamic platform');
  if (!policy.allowCachedKeys && chip.cachedKeys) why('a platform with cached keys');
}

/** The family's number. */
const SGX = 0;
const DEBUG = 0x02;
const HEADER_BYTES = 48;
const REPORT_BYTES = 384;
const CERTIFICATE_CHAIN = 5;
const INTEL_QE = '0x939a7233f79c4ca9940a0db3957f0607';
