// The error function, which JavaScript has not got: S. Moshier's and Sun's rational approximations (fdlibm's s_erf.c,
// 1993), as most C libraries have them. Only pages that need it carry this file.

import { abs, exp } from './ieee.js';

/**
 * Horner's scheme, coefficients from the lowest power on.
 * @param {number} x
 * @param {number[]} coefficients
 */
const poly = (x, coefficients) => coefficients.reduceRight((sum, c) => sum * x + c, 0);

const NEAR = [
  [0.12837916709551256, -3.250421072470015e-1, -2.848174957559851e-2, -5.770270296489442e-3, -2.3763016656650163e-5],
  [1, 3.979172239591554e-1, 6.502224998876729e-2, 5.081306281875766e-3, 1.3249473800432164e-4, -3.960228278775368e-6],
];
const ABOUT_ONE = [
  [
    -2.3621185607526594e-3, 4.1485611868374833e-1, -3.7220787603570132e-1, 3.1834661990116175e-1,
    -1.1089469428239668e-1, 3.5478304325618236e-2, -2.166375594868791e-3,
  ],
  [
    1, 1.0642088040084423e-1, 0.540397917702171, 7.182865441419627e-2, 1.2617121980876164e-1, 1.3637083912029051e-2,
    1.1984499846799107e-2,
  ],
];
const FAR = [
  [
    -9.864944034847148e-3, -6.938585727071818e-1, -10.558626225323291, -62.375332450326006, -162.39666946257347,
    -184.60509290671104, -81.2874355063066, -9.814329344169145,
  ],
  [
    1, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783,
    108.63500554177944, 6.570249770319282, -6.0424415214858099e-2,
  ],
];
const FARTHER = [
  [
    -0.0098649429247001, -7.99283237680523e-1, -17.757954917754752, -160.63638485582192, -637.5664433683896,
    -1025.0951316110772, -483.5191916086514,
  ],
  [
    1, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644,
    474.52854120695537, -22.440952446585818,
  ],
];

/**
 * @param {number} t
 * @param {number[][]} fraction
 */
const ratio = (t, [above, below]) => poly(t, above) / poly(t, below);

const AT_ONE = 0.8450629115104675; // about erf(1), a number of few bits

/**
 * erfc for a size of 1.25 or more. The power is taken in two factors, the first of which is exact in its square.
 * @param {number} size
 */
const tail = (size) => {
  const short = new Float64Array([size]);
  new Uint32Array(short.buffer)[0] = 0;
  const [z] = short;
  const r = ratio(1 / (size * size), size < 1 / 0.35 ? FAR : FARTHER);
  return (exp(-z * z - 0.5625) * exp((z - size) * (z + size) + r)) / size;
};

/** @param {number} x */
export const erf = (x) => {
  const size = abs(x);
  if (size < 0.84375) return size < 2 ** -28 ? x + x * 1.2837916709551259e-1 : x + x * ratio(x * x, NEAR);
  if (Number.isNaN(x)) return x;
  const y = size < 1.25 ? AT_ONE + ratio(size - 1, ABOUT_ONE) : size >= 6 ? 1 : 1 - tail(size);
  return x < 0 ? -y : y;
};

/** @param {number} x */
export const erfc = (x) => {
  const size = abs(x);
  if (size < 0.84375) {
    const part = size < 2 ** -56 ? 0 : x * ratio(x * x, NEAR);
    return x < 0.25 ? 1 - (x + part) : 0.5 - (x - 0.5 + part);
  }
  if (Number.isNaN(x)) return x;
  if (size < 1.25) {
    const part = ratio(size - 1, ABOUT_ONE);
    return x >= 0 ? 1 - AT_ONE - part : 1 + (AT_ONE + part);
  }
  const y = size < 28 ? tail(size) : 0;
  return x < 0 ? 2 - y : y;
};
