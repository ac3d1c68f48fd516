// A graph that computes itself: the forward pass, the local derivatives, and the backward pass one += at a time.

/**
 * A line of the derivative sheet: the value, the local derivatives, and what one may take for them.
 * @typedef {[(inputs: number[]) => number, (y: number, inputs: number[]) => import('./ieee.js').Slope[],
 *   ((y: number, inputs: number[]) => number[][])?]} Line
 */

/**
 * One += of the backward pass, as autograd's BackwardStep; `cut` says that a choice did not choose the input.
 * @typedef {{node: number, input: number, position: number, upstream: number, local: number, cut: boolean,
 *   contribution: number, total: number}} Step
 */

const INFINITE = new Map([
  ['inf', Infinity],
  ['-inf', -Infinity],
]);

/**
 * A number in JSON, which has no words for infinities and nan.
 * @param {number | string} x
 */
export const numberFrom = (x) => (typeof x === 'number' ? x : (INFINITE.get(x) ?? Number.NaN));

/** The nodes in topological order. A node is the key of its line in the sheet, and then the nodes that feed it. */
export class Graph {
  /**
   * @param {[key: string, ...inputs: number[]][]} nodes of a leaf the key is "", of a constant "const"
   * @param {Record<number, number | string>} given the numbers of leaves and constants
   * @param {Record<string, Line>} sheet
   */
  constructor(nodes, given, sheet) {
    this.keys = nodes.map(([key]) => key);
    this.inputs = nodes.map(([, ...inputs]) => inputs);
    this.sheet = sheet;
    this.root = nodes.length - 1;
    /** @type {number[]} */
    this.values = nodes.map((_, i) => numberFrom(given[i] ?? 'nan'));
    /** @type {import('./ieee.js').Slope[][]} the local derivatives of each node */
    this.slopes = nodes.map(() => []);
    /** @type {(number | undefined)[]} the gradients; undefined where no gradient comes */
    this.gradients = [];
    /** @type {Step[]} */
    this.steps = [];
    /** whether its numbers stand still */
    this.fixed = false;
    /** the first node that is inf or nan */
    this.firstBad = -1;
  }

  /** Compute everything anew from the leaves. */
  run() {
    if (!this.fixed) {
      this.forward();
      this.backward();
    }
    this.firstBad = this.values.findIndex((x) => !Number.isFinite(x));
  }

  /**
   * Take numbers that were computed elsewhere, and stand still.
   * @param {[gradients: (number | string)[], slopes: (number | string | null)[][]]} numbers "" is for what there is not
   */
  fix([gradients, slopes]) {
    this.fixed = true;
    this.gradients = gradients.map((x) => (x === '' ? undefined : numberFrom(x)));
    this.slopes = slopes.map((row) => row.map((x) => (x === '' ? undefined : x === null ? null : numberFrom(x))));
    this.firstBad = this.values.findIndex((x) => !Number.isFinite(x));
  }

  forward() {
    for (const [i, key] of this.keys.entries()) {
      const inputs = this.inputs[i];
      if (!inputs.length) continue;
      const numbers = inputs.map((j) => this.values[j]);
      const [value, slopes] = this.sheet[key];
      this.values[i] = value(numbers);
      this.slopes[i] = slopes(this.values[i], numbers);
      for (const [k, j] of inputs.entries()) if (this.keys[j] === 'const') this.slopes[i][k] = undefined;
    }
  }

  backward() {
    /** @type {(number | undefined)[]} */
    const total = new Array(this.keys.length);
    total[this.root] = 1;
    this.steps = [];
    for (let node = this.root; node >= 0; node -= 1) {
      const upstream = total[node];
      if (upstream === undefined) continue;
      for (const [position, input] of this.inputs[node].entries()) {
        const slope = this.slopes[node][position];
        if (slope === undefined) continue;
        const local = slope ?? 0;
        const contribution = slope === null ? 0 : upstream * slope;
        const sum = (total[input] ?? 0) + contribution;
        total[input] = sum;
        this.steps.push({ node, input, position, upstream, local, cut: slope === null, contribution, total: sum });
      }
    }
    this.gradients = total;
  }
}
