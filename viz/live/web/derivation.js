// The chain rule for one leaf, written out whole: the twin of viz/derivation.py, whose comments say why.

import { format } from './format.js';
import { MAX_PATHS, pathsTo, product } from './words.js';

const ROW = 8; // factors on one line
const LISTED = 8; // numbers that are given
const GIVEN = 4; // of them on one line

/** @param {string} text */
const oneLine = (text) => text.split(/\s+/).filter(Boolean).join(' ');

/**
 * A factor in brackets, if it is a negative one that follows a sign, or a sum beside other factors.
 * @param {string} factor
 * @param {boolean} follows
 * @param {boolean} alone
 */
const inBrackets = (factor, follows, alone) => {
  let outside = factor;
  for (let shorter = ''; shorter !== outside; ) {
    shorter = outside;
    outside = shorter.replace(/\([^()]*\)|\{[^{}]*\}|\[[^[\]]*\]/g, '');
  }
  const isLoose = / [+−-] | if |\b(?:log|sign) /.test(outside);
  const needed = (follows && /^[−-]/.test(factor)) || outside.includes(' if ') || (!alone && isLoose);
  return needed ? `(${factor})` : factor;
};

/**
 * The factors of a sum of products, with brackets around those that would be misread without.
 * @param {string[][]} terms
 */
const wrapped = (terms) =>
  terms.map((factors, i) => factors.map((x, k) => inBrackets(x, i + k > 0, factors.length === 1)));

/**
 * The edges, as "node input", beside which another way leads from the node to its input.
 * @param {import('./words.js').Path[]} paths
 */
const ambiguous = (paths) => {
  /** @type {Map<string, Set<string>>} */
  const routes = new Map();
  for (const { nodes, positions } of paths)
    for (const i of positions.keys())
      for (let j = i; j < positions.length; j += 1) {
        const ends = `${nodes[i]} ${nodes[j + 1]}`;
        const way = positions.slice(i, j + 1).map((k, step) => `${nodes[i + step]}.${k}`);
        routes.set(ends, (routes.get(ends) ?? new Set()).add(way.join(' ')));
      }
  return new Set([...routes].filter(([, ways]) => ways.size > 1).map(([ends]) => ends));
};

/** Writes the derivation of ∂root/∂leaf as text, as str(draw_derivation(root, leaf)) does. */
export class Derivation {
  /** @type {[joint: string, terms: string[][]][] | undefined} */
  symbols;

  /**
   * @param {import('./words.js').Words} words
   * @param {number} leaf
   */
  constructor(words, leaf) {
    this.words = words;
    this.graph = words.graph;
    this.leaf = leaf;
    const { paths, count } = pathsTo(words.graph, leaf, MAX_PATHS);
    this.paths = paths;
    this.count = count;
    this.marked = ambiguous(paths);
    this.whole = `∂${oneLine(words.f)}/∂${this.name(leaf)}`;
  }

  /** @param {number} i */
  name(i) {
    return oneLine(this.words.names[i]);
  }

  /** All lines; where there are too many paths, a line that says so. */
  toString() {
    const [v, f] = [this.name(this.leaf), oneLine(this.words.f)];
    if (this.count > this.paths.length) return this.words.say('too-many-paths', { v, f, n: this.count });
    return [...this.definitions(), '', ...this.chain()].join('\n').trim();
  }

  /** The same as HTML. Where the left side is set as mathematics, the lines below begin with it, unseen. */
  toHtml() {
    const [whole, margin] = [this.words.html(this.whole), ' '.repeat(Array.from(this.whole).length)];
    const gap = whole.includes('<') || whole.length < margin.length ? `<i>${whole}</i>` : margin;
    const lines = this.words.html(String(this)).split('\n');
    return lines.map((line) => (line.startsWith(margin) ? gap + line.slice(margin.length) : line)).join('\n');
  }

  definitions() {
    const along = new Set(this.paths.flatMap((path) => path.nodes.slice(0, -1)));
    if (!along.size) return [];
    const { inputs, keys } = this.graph;
    const needed = new Set([...along].flatMap((i) => inputs[i]).filter((j) => !along.has(j) && keys[j] !== 'const'));
    const given = [...needed].sort((a, b) => Number(b === this.leaf) - Number(a === this.leaf) || a - b);
    const shown = given.slice(0, LISTED).map((i) => `${this.name(i)} = ${this.words.value(i)}`);
    const lines = [];
    for (let k = 0; k < shown.length; k += GIVEN) lines.push(shown.slice(k, k + GIVEN).join(', '));
    if (given.length > LISTED) lines[lines.length - 1] += ', …';
    for (const i of [...along].sort((a, b) => a - b)) lines.push(this.words.forward(i).text);
    return lines.map(oneLine);
  }

  chain() {
    const margin = ' '.repeat(Array.from(this.whole).length);
    /** @type {string[]} */
    const lines = [];
    let before = this.whole;
    for (const [joint, terms] of this.sides()) {
      /** @type {string[]} */
      let side = [];
      if (terms.reduce((sum, factors) => sum + factors.length, 0) <= ROW)
        side = [terms.map((factors) => factors.join(joint)).join(' + ')];
      else
        for (const [i, factors] of terms.entries())
          for (let k = 0; k < factors.length; k += ROW)
            side.push((k ? `     ${joint.trimStart()}` : i ? '   + ' : '') + factors.slice(k, k + ROW).join(joint));
      if (side.join('\n') !== before) {
        lines.push(`${lines.length ? margin : this.whole} = ${side[0]}`);
        lines.push(...side.slice(1).map((line) => margin + line));
      }
      before = side.join('\n');
    }
    return lines;
  }

  /** @returns {[joint: string, terms: string[][]][]} the right-hand sides */
  sides() {
    const products = this.paths.map((path) => product(this.graph, path));
    const value = format(products.length === 1 ? products[0] : products.reduce((sum, x) => sum + x, 0));
    if (!this.paths.some((path) => path.positions.length)) return [[' · ', [[value]]]];
    // these two are the same at all numbers
    this.symbols ??= [
      [' · ', this.paths.map((path) => path.positions.map((k, i) => this.local(path.nodes[i], k)))],
      [' · ', wrapped(this.paths.map((path) => path.positions.map((k, i) => this.formula(path.nodes[i], k))))],
    ];
    return [
      ...this.symbols,
      [' × ', wrapped(this.paths.map((path, i) => this.numbers(path, products[i])))],
      [' + ', [products.map((x, i) => inBrackets(format(x), i > 0, true))]],
      [' · ', [[value]]],
    ];
  }

  /**
   * The symbol of a local derivative.
   * @param {number} node
   * @param {number} position
   */
  local(node, position) {
    const x = this.graph.inputs[node][position];
    const symbol = `∂${this.name(node)}/∂${this.name(x)}`;
    if (!this.marked.has(`${node} ${x}`)) return symbol;
    const times = this.graph.inputs[node].filter((j) => j === x).length;
    const way = this.words.say(times > 1 ? 'way-input' : 'way-direct', { k: position + 1 });
    return `${symbol} (${way})`;
  }

  /**
   * @param {number} node
   * @param {number} position
   */
  formula(node, position) {
    return oneLine(this.words.partials[node][position]);
  }

  /**
   * The local derivatives along a path; beside an inf, a 0 that makes the product 0 says why.
   * @param {import('./words.js').Path} path
   * @param {number} product
   */
  numbers(path, product) {
    const slopes = path.positions.map((k, i) => this.graph.slopes[path.nodes[i]][k]);
    const whole = slopes.reduce((/** @type {number} */ sum, x) => sum * (x ?? 0), 1);
    const saysWhy = !Number.isNaN(product) && !Number.isFinite(whole);
    return slopes.map((x) => (x === null && saysWhy ? `0 (${this.words.say('way-cut')})` : format(x ?? 0)));
  }
}
