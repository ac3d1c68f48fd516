// What is said about a graph at its present numbers: the captions of the steps, derivations, and paths. The sentences
// are templates that come with the page (autograd/messages.py); formulas are put together as in autograd/steps.py.

import { format } from './format.js';

/**
 * What captions are made of, as network.py writes it.
 * @typedef {object} Told
 * @property {string[]} names
 * @property {Record<string, string>} mathematics the names that are set as mathematics, as HTML
 * @property {Record<string, string>} formulas an operation's formula; {0} is an input, {(0)} one that may need brackets
 * @property {string[][]} partials for each node the formula of its local derivative by each input
 */

/** @typedef {import('./graph.js').Graph} Graph */

/** @typedef {{text: string, words: string}} Caption */

/**
 * A way from the root back to a leaf.
 * @typedef {{nodes: number[], positions: number[]}} Path
 */

/** @param {string} text a number or a name */
export const bracketed = (text) => (/^[−-]/.test(text) ? `(${text})` : text);

/**
 * A text on one line, and not too long.
 * @param {string} text
 */
export const tidy = (text) => {
  const letters = Array.from(text.split(/\s+/).filter(Boolean).join(' '));
  return letters.length <= 600 ? letters.join('') : `${letters.slice(0, 300).join('')}…${letters.slice(-299).join('')}`;
};

/** @param {string} text */
export const escaped = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

/**
 * A text as a piece of HTML: the names in it set as mathematics, and all else escaped. The twin of `caption_in_html`.
 * @param {string} text
 * @param {string[]} names the longest first
 * @param {Map<string, string>} mathematics the names that do not stand as they were typed, as HTML
 * @param {boolean} fractions whether ∂f/∂q is a fraction
 */
export const captionInHtml = (text, names, mathematics, fractions) => {
  const here = names.filter((name) => name && text.includes(name));
  if (!here.length) return escaped(text);
  const known = here.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
  const sought = `∂(${known})/∂(${known})(?![A-Za-z0-9_])|(?<![A-Za-z0-9_\\\\])(${known})(?![A-Za-z0-9_])`;
  let [html, at] = ['', 0];
  for (const match of text.matchAll(new RegExp(sought, 'g'))) {
    const [of, by, name] = match.slice(1).map((one) => one && (mathematics.get(one) ?? escaped(one)));
    html += escaped(text.slice(at, match.index));
    html += name ?? (fractions ? `<var>∂${of}<i>/</i><b>∂${by}</b></var>` : `∂${of}/∂${by}`);
    at = match.index + match[0].length;
  }
  return html + escaped(text.slice(at));
};

export class Words {
  /**
   * @param {import('./graph.js').Graph} graph
   * @param {Told} told
   * @param {Record<string, string>} messages
   */
  constructor(graph, told, messages) {
    this.graph = graph;
    this.names = told.names;
    this.formulas = told.formulas;
    this.partials = told.partials;
    this.messages = messages;
    this.f = told.names[graph.root];
    this.known = [...new Set(told.names.map(tidy))].sort((a, b) => b.length - a.length);
    this.mathematics = new Map(Object.entries(told.mathematics));
    // a name that is not seen otherwise matters only where another one stands in it
    const isSeen = (/** @type {string} */ name) => this.mathematics.has(name) || /\W/.test(name);
    this.seen = this.mathematics.size ? this.known.filter(isSeen) : [];
  }

  /**
   * A sentence of the table, with its slots filled.
   * @param {string} key
   * @param {Record<string, string | number>} [slots]
   */
  say(key, slots = {}) {
    return this.messages[key].replace(/\{(\w+)\}/g, (_, name) => String(slots[name]));
  }

  /**
   * What is said, as HTML.
   * @param {string} text
   * @param {boolean} [fractions]
   */
  html(text, fractions = false) {
    return captionInHtml(text, fractions ? this.known : this.seen, this.mathematics, fractions);
  }

  /** @param {number} i */
  value(i) {
    return format(this.graph.values[i]);
  }

  /**
   * @param {number} node
   * @param {number} input
   */
  partial(node, input) {
    return `∂${this.names[node]}/∂${this.names[input]}`;
  }

  /**
   * @param {string} template
   * @param {string[]} texts
   */
  fill(template, texts) {
    return template.replace(/\{(\(?)(\d+)\)?\}/g, (_, round, k) => (round ? bracketed(texts[k]) : texts[k]));
  }

  /**
   * How a node was computed.
   * @param {number} i
   * @returns {Caption}
   */
  forward(i) {
    const { keys, inputs } = this.graph;
    const q = this.names[i];
    const y = this.value(i);
    const template = this.formulas[keys[i]];
    const formula = this.fill(
      template,
      inputs[i].map((j) => this.names[j]),
    );
    const numbers = this.fill(
      template,
      inputs[i].map((j) => this.value(j)),
    );
    const same = formula === numbers || numbers === y;
    const text = same ? `${q} = ${formula} = ${y}` : `${q} = ${formula} = ${numbers} = ${y}`;
    return { text, words: this.say('computed', { q, formula, y }) };
  }

  /**
   * The local derivative of a node by one of its inputs, as a formula and as a number: "∂q/∂x = 2·x = 6".
   * @param {number} node
   * @param {number} position
   */
  local(node, position) {
    const number = format(this.graph.slopes[node][position] ?? 0);
    const formula = this.partials[node][position];
    const symbol = this.partial(node, this.graph.inputs[node][position]);
    return formula === number || !formula ? `${symbol} = ${number}` : `${symbol} = ${formula} = ${number}`;
  }
}

/**
 * What a node passes on to one of its inputs.
 * @param {Words} words
 * @param {import('./graph.js').Step} step
 * @returns {Caption}
 */
export const passedOn = (words, step) => {
  const [q, v] = [words.names[step.node], words.names[step.input]];
  const [up, here, added, now] = [step.upstream, step.local, step.contribution, step.total].map(format);
  const df = words.partial(words.graph.root, step.input);
  if (step.cut && !Number.isFinite(step.upstream))
    return { text: words.say('cut-text', { df, v, up }), words: words.say('cut', { q, up, v, now }) };
  const symbols = `${words.partial(words.graph.root, step.node)} · ${words.partial(step.node, step.input)}`;
  const text = `${df} += ${symbols} = ${up} × ${bracketed(here)} = ${added}`;
  return { text, words: words.say('passed', { q, up, v, here, added, now }) };
};

// --- paths, of which only some pages speak

export const MAX_PATHS = 12;

/**
 * The paths from the root to a node: all of them, or none if they are too many to be read, and how many there are.
 * @param {Graph} graph
 * @param {number} leaf
 * @param {number} most
 * @returns {{paths: Path[], count: number}}
 */
export const pathsTo = ({ inputs, slopes, root }, leaf, most) => {
  /** @type {number[]} */
  const ways = [];
  /** @type {number[]} */
  const edges = [];
  for (const [i, sources] of inputs.entries()) {
    ways[i] = i === leaf ? 1 : 0;
    edges[i] = 0;
    for (const [k, j] of sources.entries()) {
      if (slopes[i][k] === undefined) continue;
      ways[i] += ways[j];
      edges[i] += edges[j] + ways[j];
    }
  }
  const count = ways[root];
  if (count > most || edges[root] > 10 * most) return { paths: [], count };
  /** @type {Path[]} */
  const paths = [];
  /** @type {Path[]} */
  const unfinished = count ? [{ nodes: [root], positions: [] }] : [];
  while (unfinished.length) {
    const path = /** @type {Path} */ (unfinished.pop());
    const node = path.nodes[path.nodes.length - 1];
    if (node === leaf) {
      paths.push(path);
      continue;
    }
    for (let k = inputs[node].length - 1; k >= 0; k -= 1) {
      const x = inputs[node][k];
      if (slopes[node][k] !== undefined && ways[x])
        unfinished.push({ nodes: [...path.nodes, x], positions: [...path.positions, k] });
    }
  }
  return { paths, count };
};

/**
 * The edges of all paths from a node up to the root, as [node, position].
 * @param {Graph} graph
 * @param {number} from
 */
export const upward = ({ inputs, slopes }, from) => {
  const above = new Set([from]);
  /** @type {[node: number, position: number][]} */
  const edges = [];
  for (let i = from + 1; i < inputs.length; i += 1)
    for (const [k, j] of inputs[i].entries())
      if (above.has(j) && slopes[i][k] !== undefined) {
        above.add(i);
        edges.push([i, k]);
      }
  return edges;
};

/**
 * The product of the local derivatives along a path; from a cut on it is 0, whatever came before.
 * @param {Graph} graph
 * @param {Path} path
 */
export const product = (graph, path) => {
  let whole = 1;
  for (const [i, k] of path.positions.entries()) {
    const slope = graph.slopes[path.nodes[i]][k];
    whole = slope === null ? 0 : whole * (slope ?? 0);
  }
  return whole;
};

/**
 * A path with its product, for whoever reads it: "x → q → f: −4 × 1 = −4".
 * @param {Words} words
 * @param {Path} path
 */
export const along = (words, path) => {
  const { graph, names } = words;
  const numbers = path.positions.map((k, i) => format(graph.slopes[path.nodes[i]][k] ?? 0));
  const factors = numbers.map((n, i) => (i ? bracketed(n) : n)).join(' × ');
  const result = numbers.length > 1 ? `${factors} = ${format(product(graph, path))}` : factors;
  const way = [...path.nodes].reverse().map((i) => names[i]);
  return words.say('a-path', { path: way.join(' → '), product: result });
};
