// The words of the derivative sheet on JavaScript's numbers: the twin of autograd/ieee.py, whose comments say why.
//
// The rules themselves are printed by autograd/javascript.py. JavaScript follows IEEE 754 in its arithmetic; what it
// does otherwise than C99 is the power: 1 ** NaN and (-1) ** Infinity are NaN there, and 1 here.

/** @typedef {number | null | undefined} Slope a local derivative; null is CUT, undefined says that nothing goes back */

export const CUT = null;

export const { abs, exp, log, sqrt, sin, cos, tan, asin, acos, atan, atan2, hypot } = Math;
export const { sinh, cosh, tanh, log1p, expm1 } = Math;

/**
 * a to the power b.
 * @param {number} a
 * @param {number} b
 */
export const pow = (a, b) => (a === 1 || (a === -1 && abs(b) === Infinity) ? 1 : a ** b);

/** @param {number} a */
export const sigmoid = (a) => {
  const e = exp(-abs(a));
  return a >= 0 ? 1 / (1 + e) : e / (1 + e);
};

/** @param {number} a */
export const softplus = (a) => (a > 0 ? a + log1p(exp(-a)) : log1p(exp(a)));

/**
 * An entry for each index from 0 to n - 1.
 * @template T
 * @param {number} n
 * @param {(i: number) => T} entry
 */
export const row = (n, entry) => Array.from({ length: n }, (_, i) => entry(i));

/**
 * The largest of n entries; nan if any is nan.
 * @param {number} n
 * @param {(i: number) => number} entry
 */
export const largest = (n, entry) => {
  let top = entry(0);
  for (let i = 1; i < n; i += 1) {
    const x = entry(i);
    if (Number.isNaN(x) || x > top) top = x;
    if (Number.isNaN(top)) return top;
  }
  return top;
};

/**
 * The sum of n entries, added from left to right.
 * @param {number} n
 * @param {(i: number) => number} entry
 */
export const total = (n, entry) => {
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += entry(i);
  return sum;
};

/**
 * log of the sum of e^x.
 * @param {number[]} x
 */
export const logsumexp = (x) => {
  const n = x.length;
  const top = largest(n, (i) => x[i]);
  if (!Number.isFinite(top)) return top;
  const powers = x.map((entry) => exp(entry - top));
  const rest = total(n, (i) => (powers[i] === 1 ? 0 : powers[i]));
  return top + log1p(rest + (total(n, (i) => Number(powers[i] === 1)) - 1));
};
