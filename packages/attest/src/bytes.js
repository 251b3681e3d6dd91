// Bytes, hashes, and a reader of borsh: the one encoding of everything that is hashed or signed.

import { sha256, sha512 } from '@noble/hashes/sha2.js';

import { refuse } from './error.js';

const utf8 = new TextEncoder();

/** Joins byte arrays. */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export const equal = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Negative, zero or positive, as the bytes sort. */
export function compare(a, b) {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? 0 : a[at] - b[at];
}

export const hex = (bytes) => `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;

/** Thirty-two bytes in hex, with or without 0x. */
export function word(text) {
  const digits = typeof text === 'string' ? text.replace(/^0x/, '') : '';
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) refuse('format', 'not 32 bytes in hex');
  return unhex(digits);
}

export const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** Base64 in its one spelling: padded, no stray bits, nothing else between. */
export function base64(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) refuse('format', 'not base64');
  let binary;
  try {
    binary = atob(text);
  } catch {
    refuse('format', 'not base64');
  }
  if (btoa(binary) !== text) refuse('format', 'not the one spelling in base64');
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

export const ascii = (text) => utf8.encode(text);

export function u32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function u64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** `SHA-256(length of the label as a byte ‖ label ‖ parts)`: hashes of the chain. */
export function tagged(label, ...parts) {
  const name = ascii(label);
  return sha256(concat(Uint8Array.of(name.length), name, ...parts));
}

/** `SHA-256` over the label and the parts, each behind its length of four bytes: hashes about evidence. */
export const digest = (label, ...parts) => sha256(behindLengths(ascii(label), ...parts));

/** The same with SHA-512. */
export const digest512 = (label, ...parts) => sha512(behindLengths(ascii(label), ...parts));

const behindLengths = (...parts) => concat(...parts.flatMap((part) => [u32(part.length), part]));

export { sha256 };

/** Reads borsh, never past the end. */
export class Reader {
  #bytes;
  #view;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Everything that `read` reads of these bytes, which has to be all of them. */
  static whole(bytes, read) {
    const reader = new Reader(bytes);
    const value = read(reader);
    if (reader.#at !== bytes.length) refuse('format', 'bytes are left over');
    return value;
  }

  get at() {
    return this.#at;
  }

  take(count) {
    if (count > this.#bytes.length - this.#at) refuse('format', 'bytes are missing');
    this.#at += count;
    return this.#bytes.slice(this.#at - count, this.#at);
  }

  u8() {
    return this.take(1)[0];
  }

  u16() {
    this.take(2);
    return this.#view.getUint16(this.#at - 2, true);
  }

  u32() {
    this.take(4);
    return this.#view.getUint32(this.#at - 4, true);
  }

  u64() {
    this.take(8);
    return this.#view.getBigUint64(this.#at - 8, true);
  }

  bool() {
    const byte = this.u8();
    if (byte > 1) refuse('format', 'neither true nor false');
    return byte === 1;
  }

  word() {
    return this.take(32);
  }

  bytes() {
    return this.take(this.u32());
  }

  string() {
    const bytes = this.bytes();
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return refuse('format', 'not UTF-8');
    }
  }

  option(read) {
    return this.bool() ? read(this) : null;
  }

  list(read) {
    const count = this.u32();
    // Every item has at least a byte.
    if (count > this.#bytes.length - this.#at) refuse('format', 'bytes are missing');
    return Array.from({ length: count }, () => read(this));
  }
}
