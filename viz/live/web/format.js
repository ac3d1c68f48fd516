// Numbers as Python writes them: `format_number` of autograd/graph.py, and `repr`.

/**
 * The digits of a positive number, and its exponent of ten: so many places, or the fewest that are read back as it.
 * @param {number} x
 * @param {number} [places]
 * @returns {[digits: string, exponent: number]}
 */
const figures = (x, places) => {
  const [digits, exponent] = x.toExponential(places).split('e');
  return [digits.replace('.', ''), Number(exponent)];
};

/**
 * The digits of a positive number with `count` significant ones, and its exponent of ten. JavaScript rounds a tie up,
 * Python to the even digit: 1/64 has 4 digits as 0.01562. The fewest digits round as the number itself does, if they
 * are not one more than `count`: a tie between the two would have fewer. Very small numbers have few digits at all.
 * @param {number} x
 * @param {number} count
 * @returns {[digits: string, exponent: number]}
 */
const rounded = (x, count) => {
  const [digits, exponent] = figures(x);
  if (digits.length !== count + 1 && x > 1e-300) {
    const whole = String(Number(digits.slice(0, count)) + Number(digits[count] > '4'));
    return [whole, exponent + whole.length - Math.min(count, digits.length)];
  }
  const [exact, power] = figures(x, count + 50); // no number comes so near to a tie and is none
  const isTie = /^50*$/.test(exact.slice(count)) && Number(exact[count - 1]) % 2 === 0;
  return isTie ? [exact.slice(0, count), power] : figures(x, count - 1);
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
  const text = size === Infinity ? 'inf' : laidOut(...figures(size), 16);
  return (x < 0 || Object.is(x, -0) ? '-' : '') + (/^\d+$/.test(text) ? `${text}.0` : text);
};
