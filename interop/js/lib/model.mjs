// The confidential operations on plain integers: what every result must decrypt to.

/** Type codes on the wire, and how many bits each has. */
export const types = { bool: 0, u8: 1, u16: 2, u32: 3, u64: 4, u128: 5, u256: 6 };
export const bits = [1n, 8n, 16n, 32n, 64n, 128n, 256n];
export const integers = [1, 2, 3, 4, 5, 6];

export function max(type) {
  return (1n << bits[type]) - 1n;
}

const wrap = (value, type) => BigInt.asUintN(Number(bits[type]), value);
const flag = (condition) => (condition ? 1n : 0n);

/** name -> (a, b, result type) -> value. The result is as wide as the wider operand. */
export const arithmetic = {
  Add: (a, b, type) => wrap(a + b, type),
  Sub: (a, b, type) => wrap(a - b, type),
  Mul: (a, b, type) => wrap(a * b, type),
  // A division circuit answers all ones when the divisor is zero, and leaves the dividend as remainder.
  Div: (a, b, type) => (b === 0n ? max(type) : a / b),
  Rem: (a, b) => (b === 0n ? a : a % b),
  And: (a, b) => a & b,
  Or: (a, b) => a | b,
  Xor: (a, b) => a ^ b,
  Min: (a, b) => (a < b ? a : b),
  Max: (a, b) => (a > b ? a : b),
};

/** name -> (a, b) -> 0 or 1. */
export const comparison = {
  Eq: (a, b) => flag(a === b),
  Ne: (a, b) => flag(a !== b),
  Ge: (a, b) => flag(a >= b),
  Gt: (a, b) => flag(a > b),
  Le: (a, b) => flag(a <= b),
  Lt: (a, b) => flag(a < b),
};

/** name -> (a, b, result type) -> [did it overflow, wrapped result]. */
export const checked = {
  CheckedAdd: (a, b, type) => [flag(a + b > max(type)), wrap(a + b, type)],
  CheckedSub: (a, b, type) => [flag(a < b), wrap(a - b, type)],
  CheckedMul: (a, b, type) => [flag(a * b > max(type)), wrap(a * b, type)],
};

/** name -> (a, amount, type of a) -> value. Bits shifted out are lost. */
export const shift = {
  Shl: (a, amount, type) => (amount >= bits[type] ? 0n : wrap(a << amount, type)),
  Shr: (a, amount, type) => (amount >= bits[type] ? 0n : a >> amount),
};

/** Of the two kinds that have it: bool is logical, 128 and 256 bits are bitwise. */
export const notTypes = [types.bool, types.u128, types.u256];
export const not = (a, type) => max(type) ^ a;

export const mux = (bit, a, b) => (bit === 0n ? a : b);

/** [new a, new b, ok] */
export function transfer(a, b, amount, type) {
  return amount > a ? [a, b, 0n] : [a - amount, wrap(b + amount, type), 1n];
}

/** [new a, new b, ok, new allowance] */
export function transferWithAllowance(a, b, amount, allowance, type) {
  if (amount > a || amount > allowance) return [a, b, 0n, allowance];
  return [a - amount, wrap(b + amount, type), 1n, allowance - amount];
}
