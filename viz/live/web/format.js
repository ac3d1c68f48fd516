// Numbers as Python writes them: `format_number` of autograd/graph.py, and `repr`.

/**
 * @param {number} x
 * @param {number} places
 * @param {number} count
 */
const looksLikeATie = (x, places, count) =>
  /^50*$/.test(x.toExponential(places).split('e')[0].replace('.', '').slice(count));

/**
 * The digits of a positive number with `count` significant ones, and its exponent of ten. JavaScript rounds a tie up,
 * Python to the even digit: 1/64 has 4 digits as 0.01562.
 * @param {number} x
 * @param {number} count
 * @returns {[digits: string, exponent: number]}
 */
const rounded = (x, count) => {
  if (looksLikeATie(x, 16, count) && looksLikeATie(x, count + 50, count)) {
    const [figures, power] = x.toExponential(count + 50).split('e'); // no number comes so near to a tie and is none
    const exact = figures.replace('.', '');
    if (Number(exact[count - 1]) % 2 === 0) return [exact.slice(0, count), Number(power)];
  }
  const [digits, exponent] = x.toExponential(count - 1).split('e');
  return [digits.replace('.', ''), Number(exponent)];
};

/**
 * Digits and an exponent as Python lays them out; from 10^`large` on, and below 0.0001, with an exponent.
 * @param {string} digits
 * @param {number} exponent
 * @param {number} large
 */
const laidOut = (digits, exponent, large) => {
  const shown = digits.replace(/0+$/, '') || '0';
  if (exponent < -4 || exponent >= large) {
    const sign = exponent < 0 ? '-' : '+';
    const point = shown.length > 1 ? '.' : '';
    return `${shown[0]}${point}${shown.slice(1)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${shown}`;
  const whole = shown.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return shown.length > exponent + 1 ? `${whole}.${shown.slice(exponent + 1)}` : whole;
};

/** what has been written before @type {Map<number, string>} */
const written = new Map();

/**
 * A number for a person to read: 4 significant digits, a true minus sign, and no negative zero.
 * @param {number} x
 */
export const format = (x) => {
  let text = written.get(x);
  if (text === undefined) {
    if (written.size > 5000) written.clear();
    text = anew(x);
    written.set(x, text);
  }
  return text;
};

/** @param {number} x */
const anew = (x) => {
  if (Number.isNaN(x)) return 'nan';
  const size = Math.abs(x);
  const text = size === Infinity ? 'inf' : size === 0 ? '0' : laidOut(...rounded(size, 4), 4);
  return (x < 0 ? '−' : '') + text.replace('-', '−');
};

/**
 * The shortest text that is read back as the same number: Python's `repr`.
 * @param {number} x
 */
export const repr = (x) => {
  if (Number.isNaN(x)) return 'nan';
  const size = Math.abs(x);
  const [digits, exponent] = size.toExponential().split('e');
  const text = size === Infinity ? 'inf' : laidOut(digits.replace('.', ''), Number(exponent), 16);
  return (x < 0 || Object.is(x, -0) ? '-' : '') + (/^\d+$/.test(text) ? `${text}.0` : text);
};
