// Exploring: drag a number, and every value, gradient and sentence follows.

import { Derivation } from './derivation.js';
import { button, draw, KEYS_ARE_OURS, make, on } from './dom.js';
import { format } from './format.js';
import { Live } from './live.js';
import { typed } from './picture.js';
import { start } from './start.js';
import { along, MAX_PATHS, pathsTo, upward } from './words.js';

/** @typedef {import('./live.js').Data} Data */

class Explore extends Live {
  /** the values of the root, step by step @type {number[]} */
  course = [];
  /** @type {HTMLInputElement | undefined} */
  amount;
  /** @type {HTMLInputElement | undefined} */
  rate;
  /** the local derivatives on the wires @type {{edge: [node: number, position: number], text: Element | undefined}[]} */
  onWires = [];

  /**
   * @param {HTMLElement} root
   * @param {Data} data
   * @param {Record<string, import('./graph.js').Line>} sheet
   * @param {Explore} [before] the same page in its other language
   */
  constructor(root, data, sheet, before) {
    super(root, data, sheet, before);
    /** the node that is spoken of */
    this.chosen = before?.chosen ?? -1;
    /** @type {import('./picture.js').Wire | undefined} */
    this.lit = undefined;
    this.course = before?.course ?? [];
    this.descending = before?.descending ?? new Set(data.descending);
    /** @type {HTMLElement | undefined} */
    this.chart = undefined;
    /** @type {Derivation | undefined} */
    this.derives = undefined;
    this.spoken = '';
    this.derived = '';
    this.sizes(make('div', this.bar, { class: 'cr-keys' }));
    const leaves = this.graph.keys.flatMap((key, i) => (key === '' ? [i] : []));
    if (!data.fixed && leaves.length) this.tools(this.bar, leaves, before);
    this.captions();
    if (data.note) make('p', this.box, { class: 'cr-note' }).textContent = data.note;
    this.turnToFit(before);
    if (before) this.drawCourse();
  }

  // --- building

  captions() {
    const place = make('div', this.box, { class: 'cr-words-place' });
    this.caption = make('div', place, { class: 'cr-caption', 'aria-live': 'polite' });
    this.derivation = make('pre', place, { class: 'cr-derivation' });
    this.said('', [this.words.say(this.data.fixed ? 'picture' : 'hint')]);
  }

  /**
   * @param {Element} bar
   * @param {number[]} leaves
   * @param {Explore} [before]
   */
  tools(bar, leaves, before) {
    const { say } = { say: this.words.say.bind(this.words) };
    const nudge = make('div', bar, { class: 'cr-tool' });
    button(nudge, 'nudge', say('nudge'), () => this.nudge());
    this.amount = this.field(nudge, say('amount'), before?.amount?.value ?? '0.01');
    const step = make('div', bar, { class: 'cr-tool' });
    button(step, 'step', say('descend'), () => this.descend());
    this.rate = this.field(step, say('rate'), before?.rate?.value ?? '0.1');
    if (leaves.length > 1 && leaves.length <= 60) this.which(step, leaves);
  }

  /**
   * @param {Element} parent
   * @param {string} label
   * @param {string} text
   */
  field(parent, label, text) {
    const around = make('label', parent, {}, label);
    const field = make('input', around, { ...KEYS_ARE_OURS, size: 5 });
    field.value = text;
    return field;
  }

  /**
   * Which leaves step down.
   * @param {Element} parent
   * @param {number[]} leaves
   */
  which(parent, leaves) {
    const more = make('details', parent);
    make('summary', more, KEYS_ARE_OURS, this.words.say('chosen'));
    const list = make('div', more, { class: 'cr-which' });
    for (const i of leaves) {
      const label = make('label', list);
      const box = make('input', label, { ...KEYS_ARE_OURS, type: 'checkbox' });
      box.checked = this.descending.has(i);
      on(box, 'change', () => (box.checked ? this.descending.add(i) : this.descending.delete(i)));
      box.setAttribute('aria-label', this.words.names[i]);
      make('span', label).innerHTML = this.words.html(this.words.names[i]);
    }
  }

  // --- what is done

  /** @param {number} node */
  choose(node) {
    this.chosen = node;
    this.lit = undefined;
    this.tell();
  }

  /** @param {import('./picture.js').Wire | undefined} wire */
  wire(wire) {
    this.lit = wire;
    this.tell();
  }

  /** @param {string} text */
  refuse(text) {
    this.said(this.words.say('not-a-number', { text }), []);
  }

  /** The chosen leaf by h: what f does, and what the gradient promised. */
  nudge() {
    const { graph, words } = this;
    const leaf = graph.keys[this.chosen] === '' ? this.chosen : graph.keys.indexOf('');
    const h = typed(this.amount?.value ?? '');
    if (h === undefined) return this.refuse(this.amount?.value ?? '');
    this.keep();
    graph.run();
    const before = graph.values[graph.root];
    const promised = (graph.gradients[leaf] ?? 0) * h;
    graph.values[leaf] += h;
    graph.run();
    const change = format(graph.values[graph.root] - before);
    this.chosen = leaf;
    this.lit = undefined;
    this.update();
    const v = words.names[leaf];
    this.said(words.say('nudged', { v, h: format(h), f: words.f, change, promised: format(promised) }), []);
  }

  /** Every chosen leaf down its gradient. */
  descend() {
    const { graph, words } = this;
    const rate = typed(this.rate?.value ?? '');
    if (rate === undefined) return this.refuse(this.rate?.value ?? '');
    this.keep();
    graph.run();
    if (!this.course.length) this.course.push(graph.values[graph.root]);
    for (const i of this.descending) graph.values[i] -= rate * (graph.gradients[i] ?? 0);
    graph.run();
    this.course.push(graph.values[graph.root]);
    this.lit = undefined;
    this.update();
    const slots = { n: this.course.length - 1, rate: format(rate), f: words.f, y: words.value(graph.root) };
    this.said(words.say('descended', slots), []);
    this.drawCourse();
  }

  drawCourse() {
    const values = this.course.filter(Number.isFinite).slice(-200);
    if (values.length < 2) return;
    this.chart ??= make('div', this.box, { class: 'cr-course' });
    this.chart.textContent = '';
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const [width, height] = [320, 64];
    const points = values.map((y, k) => {
      const x = 4 + (k / (values.length - 1)) * (width - 8);
      return `${x.toFixed(1)},${(4 + (1 - (y - low) / (high - low || 1)) * (height - 8)).toFixed(1)}`;
    });
    const [start, y] = [values[0], values[values.length - 1]].map(format);
    const label = this.words.say('course', { f: this.words.f, n: values.length - 1, start, y });
    const svg = draw('svg', this.chart, { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label });
    draw('polyline', svg, { points: points.join(' ') });
    const [x, z] = points[points.length - 1].split(',');
    draw('circle', svg, { cx: x, cy: z, r: 3 });
    make('p', this.chart).innerHTML = this.words.html(label);
  }

  resetAll() {
    this.course = [];
    this.chart?.remove();
    this.chart = undefined;
    super.resetAll();
  }

  // --- what is shown

  update() {
    const { words, graph } = this;
    this.picture.paint({
      value: (i) => words.value(i),
      gradient: (i) => (graph.gradients[i] === undefined ? '–' : format(graph.gradients[i] ?? 0)),
    });
    if (this.data.local) this.tellLocals();
    this.tell();
  }

  /** The local derivatives on the wires, if they are asked for. */
  tellLocals() {
    const { graph, picture } = this;
    const { locals } = picture;
    if (locals && !locals.firstChild)
      this.onWires = picture.view.wires.flatMap((wire) => {
        const [edge, more] = this.edgesOf(wire);
        return edge && !more ? [{ edge, text: picture.tell(wire, 0, locals) }] : [];
      });
    for (const { edge, text } of this.onWires) {
      const told = `∂ ${format(graph.slopes[edge[0]][edge[1]] ?? 0)}`;
      if (text && text.textContent !== told) text.textContent = told;
    }
  }

  tell() {
    const { words, graph, picture } = this;
    if (this.lit) {
      const { title, lines, edges } = this.tellWire(this.lit);
      const wires = edges.map(([node, k]) => picture.wireOf(node, k));
      picture.light([this.lit, ...wires.filter((wire) => wire !== undefined)], [this.lit[0]], 'backward');
      if (title) this.said(title, lines);
      return;
    }
    if (this.chosen < 0) return;
    const part = picture.view.partOf[this.chosen];
    picture.light([], part >= 0 && graph.inputs[this.chosen].length ? [part] : [], 'forward');
    const slope = graph.gradients[this.chosen];
    const df = slope === undefined ? [] : [`${words.partial(graph.root, this.chosen)} = ${format(slope)}`];
    if (graph.inputs[this.chosen].length) {
      const { text, words: sentence } = words.forward(this.chosen);
      this.said(text, [sentence, ...df]);
      return;
    }
    this.said([`${words.names[this.chosen]} = ${words.value(this.chosen)}`, ...df].join(', '), []);
    if (this.derives?.leaf !== this.chosen) this.derives = new Derivation(words, this.chosen);
    const markup = this.derives.toHtml();
    if (this.derivation && this.derived !== markup) this.derivation.innerHTML = markup;
    this.derived = markup;
  }

  /**
   * The edges of the graph that a wire stands for.
   * @param {import('./picture.js').Wire} wire
   */
  edgesOf(wire) {
    const [part, port, source] = wire;
    const { partOf, parts } = this.picture.view;
    const [, , , ports] = parts[part];
    /** @type {[node: number, position: number][]} */
    const edges = [];
    for (const [node, inputs] of this.graph.inputs.entries())
      for (const [k, j] of partOf[node] === part ? inputs.entries() : []) {
        const isWire = ports ? ports[k] === port : this.picture.carries(wire, j);
        if (partOf[j] === source && isWire && this.graph.slopes[node][k] !== undefined) edges.push([node, k]);
      }
    return edges;
  }

  /**
   * A wire's formula, and every path from it to the root with its product.
   * @param {import('./picture.js').Wire} wire
   * @returns {{title: string, lines: string[], edges: [node: number, position: number][]}}
   */
  tellWire(wire) {
    const edges = this.edgesOf(wire);
    const lines = [];
    for (const [node, k] of edges.slice(0, MAX_PATHS)) {
      const { paths, count } = pathsTo(this.graph, node, MAX_PATHS);
      const input = this.graph.inputs[node][k];
      const slots = { v: this.words.names[input], f: this.words.f, n: count };
      if (count > paths.length) lines.push(this.words.say('too-many-paths', slots));
      for (const { nodes, positions } of paths)
        lines.push(along(this.words, { nodes: [...nodes, input], positions: [...positions, k] }));
    }
    const told = edges.slice(0, 3).map(([node, k]) => {
      const [v, q] = [this.words.names[this.graph.inputs[node][k]], this.words.names[node]];
      return this.words.say('wire', { v, q, formula: this.words.local(node, k) });
    });
    const lit = edges.flatMap((edge) => [edge, ...upward(this.graph, edge[0])]);
    return { title: told.join('; '), lines: lines.slice(0, MAX_PATHS), edges: lit };
  }

  /**
   * @param {string} title
   * @param {string[]} lines
   */
  said(title, lines) {
    if (!this.caption) return;
    const text = [title, ...lines].join('\n');
    if (this.spoken === text) return;
    this.spoken = text;
    this.caption.textContent = '';
    if (title) make('p', this.caption, { class: 'cr-text' }).innerHTML = this.words.html(title);
    for (const line of lines) make('p', this.caption, { class: 'cr-words' }).innerHTML = this.words.html(line);
  }
}

start(Explore);
