// Training as `fit` does it: Python's shuffle, batches, the mean gradient, the optimiser's rule.
//
// The program of the loss and the rules of the optimisers are written in Python (autograd/compiler/backends/javascript.py
// and viz/live/playground.py); here is only what goes round them. Nothing here knows of a page.

/**
 * A program as the javascript backend writes it: v holds all numbers, d all adjoints.
 * @typedef {object} Program
 * @property {(v: Float64Array) => void} shared what follows from the parameters alone
 * @property {(v: Float64Array) => void} forward
 * @property {(v: Float64Array, d: Float64Array) => void} backward
 * @property {(v: Float64Array, d: Float64Array) => void} settle
 * @property {number} memory
 * @property {number} parameters
 * @property {number[]} constants
 * @property {number} sample where the sample's numbers begin
 * @property {[number, number]} adjoints
 * @property {number[]} outputs
 */

/**
 * An optimiser's rule for all parameters named in `at`: from w, g and the memory m to the new ones.
 * @typedef {(w: Float64Array, g: Float64Array, m: Float64Array[], newW: Float64Array, newM: Float64Array[],
 *   at: Int32Array, lr: number, t: number) => void} Rule
 */

/**
 * @typedef {object} Optimizer
 * @property {string} name
 * @property {number} rate
 * @property {number[]} starts where each number of memory starts
 * @property {number | null} clip
 * @property {number[] | null} moved the parameters that it moves; null for all
 */

/** The Mersenne Twister of Matsumoto and Nishimura (1998), seeded and read as Python's random.Random is. */
export class Twister {
  /** @param {number} seed a whole number */
  constructor(seed) {
    this.state = new Uint32Array(624);
    this.at = 624;
    const key = [];
    for (let rest = Math.abs(seed); rest || !key.length; rest = Math.floor(rest / 2 ** 32)) key.push(rest % 2 ** 32);
    this.fill(key);
  }

  /**
   * `init_by_array` of the authors' program.
   * @param {number[]} key
   */
  fill(key) {
    const { state } = this;
    /** @param {number} k */
    const mixed = (k) => state[k - 1] ^ (state[k - 1] >>> 30);
    state[0] = 19650218;
    for (let k = 1; k < 624; k += 1) state[k] = Math.imul(1812433253, mixed(k)) + k;
    let i = 1;
    const next = () => {
      i += 1;
      if (i === 624) {
        state[0] = state[623];
        i = 1;
      }
    };
    for (let k = 0; k < Math.max(624, key.length); k += 1) {
      const j = k % key.length;
      state[i] = (state[i] ^ Math.imul(mixed(i), 1664525)) + key[j] + j;
      next();
    }
    for (let k = 0; k < 623; k += 1) {
      state[i] = (state[i] ^ Math.imul(mixed(i), 1566083941)) - i;
      next();
    }
    state[0] = 0x80000000;
  }

  /** The next 32 bits. */
  bits() {
    const { state } = this;
    if (this.at === 624) {
      for (let k = 0; k < 624; k += 1) {
        const y = (state[k] & 0x80000000) | (state[(k + 1) % 624] & 0x7fffffff);
        state[k] = state[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = state[this.at];
    this.at += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /**
   * A whole number from 0 up, below n.
   * @param {number} n
   */
  below(n) {
    const shift = Math.clz32(n);
    let found = n;
    while (found >= n) found = shift === 32 ? 0 : this.bits() >>> shift;
    return found;
  }

  /**
   * Python's shuffle.
   * @param {Int32Array} list
   */
  shuffle(list) {
    for (let i = list.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
  }
}

/** A model in training. What a caller may set: rate, size, kind (which optimiser), and X and T, which may grow. */
export class Trainer {
  /**
   * @param {Program} program of the loss of one example
   * @param {Rule[]} rules
   * @param {object} task
   * @param {number[]} task.theta the parameters at the start
   * @param {number[][]} task.X
   * @param {number[][]} task.T the targets as the program takes them
   * @param {Optimizer[]} task.optimizers
   * @param {number} task.size examples per batch
   * @param {number} task.seed
   */
  constructor(program, rules, { theta, X, T, optimizers, size, seed }) {
    this.program = program;
    this.rules = rules;
    this.optimizers = optimizers;
    this.start = theta;
    this.X = X;
    this.T = T;
    this.size = size < X.length ? size : Infinity;
    this.seed = seed;
    this.v = new Float64Array(program.memory);
    this.v.set(program.constants, program.parameters);
    this.d = new Float64Array(program.memory);
    this.w = new Float64Array(theta.length);
    this.newW = new Float64Array(theta.length);
    this.kind = 0;
    this.rate = 0;
    this.moved = new Int32Array(0);
    /** @type {Float64Array[]} */
    this.m = [];
    /** @type {Float64Array[]} */
    this.newM = [];
    this.t = 0;
    this.random = new Twister(seed);
    this.order = new Int32Array(0);
    /** How far the epoch has come, and the sum of its losses. */
    this.at = 0;
    this.sum = 0;
    this.epoch = 0;
    this.loss = Number.NaN;
    /** What stopped training, "loss" or "step"; "" if nothing did. */
    this.stopped = '';
    this.choose(0);
    this.reset();
  }

  /** Everything as it was in the beginning, but for the settings and the examples. */
  reset() {
    this.w.set(this.start);
    this.newW.set(this.start);
    this.random = new Twister(this.seed);
    this.forget();
    this.epoch = 0;
    this.at = 0;
    this.loss = Number.NaN;
    this.stopped = '';
  }

  /**
   * Take optimiser `kind`, with its own learning rate and an empty memory.
   * @param {number} kind
   */
  choose(kind) {
    this.kind = kind;
    this.rate = this.optimizers[kind].rate;
    this.forget();
  }

  forget() {
    const { starts, moved } = this.optimizers[this.kind];
    this.moved = Int32Array.from(moved ?? this.start.map((_, k) => k));
    this.m = starts.map((start) => new Float64Array(this.start.length).fill(start));
    this.newM = starts.map(() => new Float64Array(this.start.length));
    this.t = 0;
  }

  /** One step, on the next batch. Whether that was the last of an epoch; `loss` is then the epoch's. */
  step() {
    if (this.at === 0) {
      this.order = Int32Array.from(this.X, (_, i) => i);
      this.random.shuffle(this.order);
      this.sum = 0;
    }
    const end = Math.min(this.at + this.size, this.order.length);
    const mean = this.mean(this.at, end);
    if (!this.move(mean)) return false;
    this.sum += mean * (end - this.at);
    this.at = end;
    if (end < this.order.length) return false;
    this.at = 0;
    this.epoch += 1;
    this.loss = this.sum / end;
    return true;
  }

  /**
   * The mean loss of a stretch of the order; the gradient of it goes to the front of d.
   * @param {number} from
   * @param {number} to
   */
  mean(from, to) {
    const { program, v, d, order, X, T } = this;
    const { sample } = program;
    const [first, last] = program.adjoints;
    const out = program.outputs[0];
    v.set(this.w);
    program.shared(v);
    d.fill(0);
    let total = 0;
    for (let k = from; k < to; k += 1) {
      const x = X[order[k]];
      const t = T[order[k]];
      for (let i = 0; i < x.length; i += 1) v[sample + i] = x[i];
      for (let i = 0; i < t.length; i += 1) v[sample + x.length + i] = t[i];
      program.forward(v);
      total += v[out];
      if (k > from) d.fill(0, first, last);
      program.backward(v, d);
    }
    program.settle(v, d);
    const share = 1 / (to - from);
    for (let i = 0; i < program.parameters; i += 1) d[i] *= share;
    return total * share;
  }

  /**
   * Move the parameters by the gradient, all of them or none.
   * @param {number} mean the loss that the gradient is of
   */
  move(mean) {
    const { d, moved, w, newW, m, newM } = this;
    const { clip } = this.optimizers[this.kind];
    let squares = 0;
    for (const i of moved) squares += d[i] * d[i];
    const finite = Number.isFinite(squares) || moved.every((i) => Number.isFinite(d[i]));
    if (!finite || !Number.isFinite(mean)) {
      this.stopped = 'loss';
      return false;
    }
    const scale = clip === null ? 1 : clip / (Math.sqrt(squares) + 1e-6);
    if (scale < 1) for (const i of moved) d[i] *= scale;
    this.rules[this.kind](w, d, m, newW, newM, moved, this.rate, this.t + 1);
    if (!moved.every((i) => Number.isFinite(newW[i]))) {
      this.stopped = 'step';
      return false;
    }
    [this.w, this.newW, this.m, this.newM] = [newW, w, newM, m];
    this.t += 1;
    return true;
  }

  /** Begin the epoch again, with the examples that there are now. */
  restart() {
    this.at = 0;
  }
}
