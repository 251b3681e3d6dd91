// Cases for Operations.run: every operation, width and form, with random and edge operands, and what must come out.

import { createHash } from 'node:crypto';
import { id } from 'ethers';
import * as model from './model.mjs';

const clear = 0xff;
/** The last byte of the metadata: which operand is clear. */
const forms = [0, 1, 2];

/** A source of numbers that a seed repeats. */
export class Random {
  #seed;
  #counter = 0;

  constructor(seed) {
    this.#seed = seed;
  }

  below(limit) {
    const digest = createHash('sha512').update(`${this.#seed}:${this.#counter++}`).digest('hex');
    return BigInt(`0x${digest}`) % BigInt(limit);
  }

  pick(list) {
    return list[Number(this.below(list.length))];
  }

  /** Half the time a value at an edge of some width, else any. */
  value(type) {
    const top = model.max(type);
    if (this.below(2) === 0n) return this.below(top + 1n);
    const half = 1n << (model.bits[type] - 1n);
    return this.pick([0n, 1n, 2n, top, top - 1n, half, half - 1n, half + 1n].filter((v) => v >= 0n && v <= top));
  }
}

/** At least `count` cases; each combination of operation, types and form at least once. */
export function sweep(seed, count) {
  const random = new Random(seed);
  const makers = combinations();
  const rounds = Math.max(1, Math.ceil(count / makers.length));
  return Array.from({ length: rounds }, () => makers.map((make) => make(random))).flat();
}

/** What the precompile must refuse, each for its own reason. */
export function refused() {
  const { bool, u8, u64, u128, u256 } = model.types;
  const add = (meta, ...operands) => call('Add(bytes3,uint256,uint256)', meta, operands, [u8]);
  const secret = (type, value = 1n) => ({ type, value });
  const open = (value) => ({ type: clear, value });
  return [
    ...['Add', 'Sub', 'Mul', 'Div', 'Rem', 'CheckedAdd', 'CheckedSub', 'CheckedMul'].map((name) =>
      refuse(`${name} of booleans`, call(`${name}(bytes3,uint256,uint256)`, [bool, bool, 0], [secret(bool), secret(bool)], [bool])),
    ),
    ...[1, 2, 3, 4].map((type) => refuse(`Not of type ${type}`, call('Not(bytes1,uint256)', [type], [secret(type)], [type]))),
    refuse('bool and integer', add([bool, u8, 0], secret(bool), secret(u8))),
    refuse('integer and bool', add([u8, bool, 0], secret(u8), secret(bool))),
    refuse('a type that does not exist', add([7, 7, 0], secret(u8), secret(u8))),
    refuse('a form that does not exist', add([u8, u8, 3], secret(u8), secret(u8))),
    refuse('a clear left operand too wide', add([u8, u8, 1], open(256n), secret(u8))),
    refuse('a clear right operand too wide', add([u8, u8, 2], secret(u8), open(1n << 200n))),
    refuse('a handle of another width', add([u64, u64, 0], secret(u8), secret(u64))),
    refuse('a handle that never was', add([u8, u8, 0], open(12345n), secret(u8))),
    refuse('handle zero', add([u8, u8, 0], open(0n), secret(u8))),
    refuse('one operand too few', add([u8, u8, 0], secret(u8))),
    refuse('one operand too many', add([u8, u8, 0], secret(u8), secret(u8), secret(u8))),
    refuse('shift by a secret', call('Shl(bytes3,uint256,uint256)', [u64, u8, 0], [secret(u64), secret(u8)], [u64])),
    refuse('shift of a clear value', call('Shr(bytes3,uint256,uint256)', [u64, u8, 1], [open(1n), secret(u8)], [u64])),
    refuse('bounded bits of a bool', call('RandBoundedBits(bytes1,uint8)', [bool], [open(1n)], [bool])),
    refuse('transfer of booleans', call('Transfer(bytes4,uint256,uint256,uint256)', [bool, bool, bool, 0], Array(3).fill(secret(bool)), [bool, bool, bool])),
    refuse('SetPublic too wide', call('SetPublic(bytes1,uint256)', [u8], [open(256n)], [u8])),
    refuse('SetPublic of a bool that is 256', call('SetPublic(bytes1,uint256)', [bool], [open(256n)], [bool])),
    refuse('SetPublic too wide, 128 bits', call('SetPublic(bytes1,uint256)', [u128], [open(1n << 128n)], [u128])),
    refuse('decrypting another width', call('Decrypt(bytes1,uint256)', [u256], [secret(u128)], [clear])),
    refuse('loading a word that nobody sealed', call('OnBoard(bytes1,uint256)', [u64], [open(1n)], [u64])),
    refuse('loading zero', call('OnBoard(bytes1,uint256)', [u64], [open(0n)], [u64])),
    refuse('loading half a 256-bit value', call('OnBoard(bytes1,uint256)', [u256], [open(1n)], [u256])),
    refuse('an operation that does not exist', call('Sqrt(bytes1,uint256)', [u64], [secret(u64)], [u64])),
  ];
}

/** `call` as Operations.run takes it. */
export function encode({ selector, meta, operands, results }) {
  return {
    selector,
    meta: `0x${hex(meta).padEnd(64, '0')}`,
    operandTypes: `0x${hex(operands.map(({ type }) => type))}`,
    operands: operands.map(({ value }) => value),
    resultTypes: `0x${hex(results)}`,
  };
}

/** A generous guess at what a case may cost, to fill transactions without knowing the node's gas table. */
export function gasBound({ operands, results }) {
  const widest = Math.max(...operands.map(({ type }) => (type === clear ? 0 : type)), ...results.filter((type) => type !== clear), 0);
  if (widest === model.types.u256) return 1_600_000;
  return widest === model.types.u128 ? 500_000 : 250_000;
}

function combinations() {
  const { bool } = model.types;
  const makers = [];
  const pairs = model.integers.flatMap((a) => model.integers.map((b) => [a, b]));
  for (const [a, b] of pairs) {
    for (const form of forms) {
      for (const name of Object.keys(model.arithmetic)) makers.push((random) => binary(random, name, a, b, form));
      for (const name of Object.keys(model.comparison)) makers.push((random) => binary(random, name, a, b, form));
      for (const name of Object.keys(model.checked)) makers.push((random) => binary(random, name, a, b, form));
      makers.push((random) => muxCase(random, a, b, form));
    }
    for (const form of [0, 1]) {
      makers.push((random) => transferCase(random, a, b, form), (random) => allowanceCase(random, a, b, form));
    }
  }
  for (const form of forms) {
    for (const name of ['And', 'Or', 'Xor', 'Eq', 'Ne']) makers.push((random) => binary(random, name, bool, bool, form));
    makers.push((random) => muxCase(random, bool, bool, form));
  }
  for (const type of model.integers) {
    for (const name of Object.keys(model.shift)) {
      for (let i = 0; i < 4; i++) makers.push((random) => shiftCase(random, name, type));
    }
  }
  for (const type of model.notTypes) makers.push((random) => notCase(random, type));
  return makers;
}

function binary(random, name, typeA, typeB, form) {
  const type = Math.max(typeA, typeB);
  const a = random.value(typeA);
  // Equal operands hardly ever meet by chance.
  const b = random.below(8) === 0n && a <= model.max(typeB) ? a : random.value(typeB);
  const operands = [operand(typeA, a, form === 1), operand(typeB, b, form === 2)];
  const expected = expectation(name, a, b, type);
  const results = name in model.comparison ? [0] : name in model.checked ? [0, type] : [type];
  return { ...call(`${name}(bytes3,uint256,uint256)`, [typeA, typeB, form], operands, results), expected };
}

function expectation(name, a, b, type) {
  if (name in model.checked) return model.checked[name](a, b, type);
  return [(model.arithmetic[name] ?? model.comparison[name])(a, b, type)];
}

function muxCase(random, typeA, typeB, form) {
  const [bit, a, b] = [random.below(2), random.value(typeA), random.value(typeB)];
  const operands = [operand(0, bit), operand(typeA, a, form === 1), operand(typeB, b, form === 2)];
  const described = call('Mux(bytes3,uint256,uint256,uint256)', [typeA, typeB, form], operands, [Math.max(typeA, typeB)]);
  return { ...described, expected: [model.mux(bit, a, b)] };
}

function transferCase(random, typeA, typeB, form) {
  const type = Math.max(typeA, typeB);
  const typeAmount = random.pick(model.integers.filter((candidate) => candidate <= type));
  const [a, b, amount] = [random.value(typeA), random.value(typeB), random.value(typeAmount)];
  const operands = [operand(typeA, a), operand(typeB, b), operand(typeAmount, amount, form === 1)];
  const described = call('Transfer(bytes4,uint256,uint256,uint256)', [typeA, typeB, typeAmount, form], operands, [type, type, 0]);
  return { ...described, expected: model.transfer(a, b, amount, type) };
}

function allowanceCase(random, typeA, typeB, form) {
  const type = Math.max(typeA, typeB);
  const narrower = model.integers.filter((candidate) => candidate <= type);
  const [typeAmount, typeAllowance] = [random.pick(narrower), random.pick(narrower)];
  const [a, b, amount, allowance] = [typeA, typeB, typeAmount, typeAllowance].map((each) => random.value(each));
  const operands = [operand(typeA, a), operand(typeB, b), operand(typeAmount, amount, form === 1), operand(typeAllowance, allowance)];
  const described = call(
    'TransferWithAllowance(bytes5,uint256,uint256,uint256,uint256)',
    [typeA, typeB, typeAmount, typeAllowance, form],
    operands,
    [type, type, 0, type],
  );
  return { ...described, expected: model.transferWithAllowance(a, b, amount, allowance, type) };
}

function shiftCase(random, name, type) {
  const a = random.value(type);
  const amount = random.pick([0n, 1n, 7n, model.bits[type] - 1n, model.bits[type], 255n, random.below(256)]);
  const operands = [operand(type, a), operand(1, amount, true)];
  return { ...call(`${name}(bytes3,uint256,uint256)`, [type, 1, 2], operands, [type]), expected: [model.shift[name](a, amount, type)] };
}

function notCase(random, type) {
  const a = random.value(type);
  return { ...call('Not(bytes1,uint256)', [type], [operand(type, a)], [type]), expected: [model.not(a, type)] };
}

function operand(type, value, isClear = false) {
  return { type: isClear ? clear : type, value };
}

export function call(signature, meta, operands, results) {
  return { signature, selector: id(signature).slice(0, 10), meta, operands, results };
}

function refuse(reason, described) {
  return { ...described, reason };
}

function hex(bytes) {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
