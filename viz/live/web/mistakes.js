// Which classic slip gives this number? The twin of autograd/mistakes.py, whose comments say why.

export const SLIPS = ['path', 'swapped', 'local', 'upstream', 'sign', 'old', 'formula'];

/**
 * Whether a number that a person gives is this one: to about three digits, or rounded to two decimals.
 * @param {number} guess
 * @param {number} x
 * @param {number} scale the size of the largest number that was added up to x
 */
export const close = (guess, x, scale = 0) =>
  Object.is(guess, x) ||
  guess === x ||
  (Number.isFinite(x) &&
    (near(guess, x, 0.004 * Math.abs(x) + (Number.isFinite(scale) ? 1e-9 * scale : 0)) || isRounded(guess, x)));

/**
 * @param {number} guess
 * @param {number} x
 * @param {number} most
 */
const near = (guess, x, most) => Math.abs(guess - x) <= most;

/**
 * @param {number} guess
 * @param {number} x
 */
const isRounded = (guess, x) => near(guess, x, 0.005) && Math.abs(x) >= 0.1 && Math.round(100 * guess) / 100 === guess;

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
 * @param {number[]} [misread] what one may take for the local derivative
 */
export const slipsOfAGradient = (guess, upstream, local, before, other, earlier, misread = []) => {
  const right = before + upstream * local;
  const scale = scaleOf(before, upstream * local);
  if (close(guess, right, scale)) return [];
  /** @type {Record<string, number[]>} */
  const wrong = {
    path: [upstream * local],
    swapped: other === undefined ? [] : [before + upstream * other, upstream * other],
    local: [before + upstream, upstream],
    upstream: [before + local],
    sign: [-right, before - upstream * local],
    old: [before, ...earlier.map((old) => before + old * local)],
    formula: misread.map((d) => before + upstream * d),
  };
  return SLIPS.filter((slip) => wrong[slip].some((x) => close(guess, x) && !close(x, right, scale)));
};

/**
 * The slips by which a person may have come to the guess of a value.
 * @param {number} guess
 * @param {number} right
 * @param {number | undefined} swapped the value with its inputs exchanged
 * @param {number[]} [others] what other operations make of the same inputs
 * @param {number} [scale] of a sum its largest term, else 0
 */
export const slipsOfAValue = (guess, right, swapped, others = [], scale = 0) => {
  if (close(guess, right, scale)) return [];
  /** @param {number[]} xs */
  const fits = (xs) => xs.some((x) => close(guess, x) && !close(x, right));
  const found = swapped !== undefined && fits([swapped]) ? ['swapped'] : [];
  if (fits([-right])) found.push('sign');
  if (fits(others)) found.push('operation');
  return found;
};

/**
 * What a person may make of a gate's inputs who takes another operation than the gate's.
 * @param {number[]} numbers
 */
export const otherValues = (numbers) => {
  const [a, b] = numbers;
  if (numbers.length === 1) return [a, -a, 1 / a, a * a, Math.exp(a)];
  return numbers.length === 2 ? [a + b, a - b, b - a, a * b, a / b, a, b] : [];
};

/**
 * Whether a contribution is a good question.
 * @param {number} local
 * @param {number} before
 */
export const worthAsking = (local, before) => Math.abs(local) !== 1 || before !== 0;
