// Which classic slip gives this number? The twin of autograd/mistakes.py, whose comments say why.

export const SLIPS = ['path', 'swapped', 'local', 'sign', 'old'];

/**
 * Whether a number that a person gives is this one: to about three digits.
 * @param {number} guess
 * @param {number} x
 * @param {number} scale the size of the largest number that was added up to x
 */
export const close = (guess, x, scale = 0) =>
  Object.is(guess, x) ||
  guess === x ||
  (Number.isFinite(x) && Math.abs(guess - x) <= 0.004 * Math.abs(x) + (Number.isFinite(scale) ? 1e-9 * scale : 0));

/**
 * The scale of before + contribution.
 * @param {number} before
 * @param {number} contribution
 */
export const scaleOf = (before, contribution) => Math.max(Math.abs(before), Math.abs(contribution));

/**
 * The slips by which a person may have come from before + upstream · local to the guess.
 * @param {number} guess
 * @param {number} upstream
 * @param {number} local
 * @param {number} before
 * @param {number | undefined} other the local derivative by the other input
 * @param {number[]} earlier what the upstream gradient was before
 */
export const slipsOfAGradient = (guess, upstream, local, before, other, earlier) => {
  const right = before + upstream * local;
  const scale = scaleOf(before, upstream * local);
  if (close(guess, right, scale)) return [];
  /** @type {Record<string, number[]>} */
  const wrong = {
    path: [upstream * local],
    swapped: other === undefined ? [] : [before + upstream * other, upstream * other],
    local: [before + upstream, upstream],
    sign: [-right, before - upstream * local],
    old: [before, ...earlier.map((old) => before + old * local)],
  };
  return SLIPS.filter((slip) => wrong[slip].some((x) => close(guess, x) && !close(x, right, scale)));
};

/**
 * The slips by which a person may have come to the guess of a value.
 * @param {number} guess
 * @param {number} right
 * @param {number | undefined} swapped the value with its inputs exchanged
 * @param {number} scale of a sum its largest term, else 0
 */
export const slipsOfAValue = (guess, right, swapped, scale = 0) => {
  if (close(guess, right, scale)) return [];
  const found = swapped !== undefined && close(guess, swapped) ? ['swapped'] : [];
  return close(guess, -right) ? [...found, 'sign'] : found;
};

/**
 * Whether a contribution is a good question.
 * @param {number} local
 * @param {number} before
 */
export const worthAsking = (local, before) => Math.abs(local) !== 1 || before !== 0;
