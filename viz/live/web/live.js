// What every live page has: the graph, its picture, and the buttons that change how it is seen.

import { button, make, on } from './dom.js';
import { Graph } from './graph.js';
import { languageSwitch } from './language.js';
import { Picture } from './picture.js';
import { Words } from './words.js';

/**
 * What the page knows, as live.py writes it.
 * @typedef {object} Data
 * @property {[key: string, ...inputs: number[]][]} nodes
 * @property {Record<number, number | string>} given
 * @property {import('./words.js').Told} told
 * @property {Record<string, string>} messages
 * @property {string} lang
 * @property {string} name of the language
 * @property {import('./language.js').Tongue} [other] what of all this is said otherwise in another language
 * @property {Record<string, string>} [drawn] what the words in the pictures are in this language
 * @property {import('./picture.js').View[]} views
 * @property {number} start
 * @property {number} narrow the state that narrow screens show first
 * @property {Record<number, number>} tall for some states one from top to bottom, for narrow screens
 * @property {string} title
 * @property {string} note
 * @property {boolean} [local] whether each wire carries its local derivative
 * @property {number[]} descending the leaves that step down at first
 * @property {Parameters<Graph['fix']>[0]} [fixed] numbers that stand still
 * @property {import('./steps.js').Frame[]} [frames]
 * @property {Record<number, [head: string, tail: string]>} [heads] of frames of several events: what is said of them
   all, and of those that are not listed
 * @property {[values: number[], gradients: number[]]} [asks] the nodes whose numbers are asked for from the start
 * @property {boolean} [running] whether contributions come in the order of the backward pass
 */

const ICONS = {
  reset: 'M8 3a5 5 0 1 1-4.6 3l1.8.8A3 3 0 1 0 8 5v2.5L4 4l4-3.5z',
  in: 'M7 2h2v5h5v2H9v5H7V9H2V7h5z',
  out: 'M2 7h12v2H2z',
  fit: 'M1 8l4-4v3h6V4l4 4-4 4V9H5v3z',
  fold: 'M3 3h10v10H3zM5 7v2h6V7z',
  unfold: 'M3 3h10v10H3zM7 5v2H5v2h2v2h2V9h2V7H9V5z',
};

/** The graph, its picture, and the buttons that every live page has. */
export class Live {
  /** all numbers before each change, for `undo` @type {number[][]} */
  past = [];
  changed = -500;

  /**
   * @param {HTMLElement} root
   * @param {Data} data
   * @param {Record<string, import('./graph.js').Line>} sheet
   * @param {Live} [before] the same page in its other language
   */
  constructor(root, data, sheet, before) {
    this.root = root;
    this.data = data;
    this.sheet = sheet;
    this.graph = before?.graph ?? new Graph(data.nodes, data.given, sheet);
    if (data.fixed) this.graph.fix(data.fixed);
    this.graph.run();
    this.first = before?.first ?? [...this.graph.values];
    this.words = new Words(this.graph, data.told, data.messages);
    this.waiting = false;
    if (before) this.past = before.past;
    root.dataset.ready = '';
    this.box = make('div', root, { class: 'cr-box', role: 'group', 'aria-label': data.title });
    const lent = root.querySelector('[data-still]')?.innerHTML ?? '';
    for (const [state, tall] of before ? [] : Object.entries(data.tall))
      data.views[tall] = { ...data.views[Number(state)], ...data.views[tall] };
    this.picture = new Picture(this.box, data.views, this.words, this, lent, data.drawn ?? {});
    this.bar = make('div', this.box, { class: 'cr-bar' });
    on(this.box, 'keydown', (event) => {
      const isOurs =
        (event.ctrlKey || event.metaKey) && event.key === 'z' && !(event.target instanceof HTMLInputElement);
      if (isOurs) this.undo();
    });
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
  }

  /**
   * The state that fits the screen, or that was shown before.
   * @param {Live} [before]
   */
  turnToFit(before) {
    const { views, narrow, start } = this.data;
    this.turn(before ? views.indexOf(before.picture.view) : this.isNarrow() ? narrow : start);
    if (before) this.picture.seeAs(before.picture);
  }

  isNarrow() {
    return this.box.clientWidth < 600;
  }

  /**
   * The page in its other language, at the same numbers.
   * @param {Data} data
   */
  translate(data) {
    const Kind = /** @type {new (...given: unknown[]) => Live} */ (this.constructor);
    const { words } = new Kind(this.root, data, this.sheet, this);
    this.box.remove();
    return words.html(data.title);
  }

  /** @param {Element} keys */
  sizes(keys) {
    button(keys, 'zoom-out', this.words.say('zoom-out'), () => this.picture.zoom(0.8), ICONS.out);
    button(keys, 'zoom-in', this.words.say('zoom-in'), () => this.picture.zoom(1.25), ICONS.in);
    button(keys, 'fit', this.words.say('fit'), () => this.picture.fit(), ICONS.fit);
    if (!this.graph.fixed) button(keys, 'reset', this.words.say('reset-all'), () => this.resetAll(), ICONS.reset);
    if (this.data.views.some((view) => (view.unfolds ?? -1) >= 0)) {
      button(keys, 'fold', this.words.say('fold'), () => this.turn(this.picture.view.folds ?? -1), ICONS.fold);
      button(keys, 'unfold', this.words.say('unfold'), () => this.turn(this.picture.view.unfolds ?? -1), ICONS.unfold);
    }
    languageSwitch(keys, this.root, this.data, (data) => this.translate(data));
  }

  // --- what the picture tells

  /** Something is about to change: keep the numbers, but of many changes in a row those before the first. */
  keep() {
    const now = performance.now();
    if (now - this.changed > 500) this.past.push([...this.graph.values]);
    this.changed = now;
  }

  undo() {
    this.graph.values = this.past.pop() ?? this.graph.values;
    this.changed = -500; // milliseconds: what comes next is a change of its own
    this.refresh();
  }

  /**
   * @param {number} leaf
   * @param {number} x
   */
  change(leaf, x) {
    this.keep();
    this.graph.values[leaf] = x;
    this.refresh();
  }

  /** Compute and paint, once before the next picture of the screen. */
  refresh() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.graph.run();
      this.update();
    });
  }

  /** @param {number} leaf */
  reset(leaf) {
    this.change(leaf, this.first[leaf]);
  }

  resetAll() {
    this.keep();
    for (const [i, x] of this.first.entries()) if (this.graph.keys[i] === '') this.graph.values[i] = x;
    this.refresh();
  }

  /** @param {number} view */
  turn(view) {
    if (view < 0) return;
    this.picture.turn((this.isNarrow() && this.data.tall[view]) || view);
    this.update();
  }

  /** @param {number} _ */
  choose(_) {}

  /** @param {import('./picture.js').Wire | undefined} _ */
  wire(_) {}

  /** @param {string} _ */
  refuse(_) {}

  update() {}
}
