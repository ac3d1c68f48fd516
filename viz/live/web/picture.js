// The picture: two layers, one of what stands still, and one of the numbers, lights, and what can be chosen. Every leaf
// is a spinbutton: it is dragged, typed, or moved by arrow keys. Nothing is measured and nothing moves: all places come
// with the page (stage.py, `places`).

import { draw, KEYS_ARE_OURS, make, on, set, taken } from './dom.js';
import { format, repr } from './format.js';

/** A rectangle: x, y, width, height, and for bodies the radius of its corners, if it is not the largest. @typedef {number[]} Rectangle */

/**
 * A piece of a name: its text, how far it is moved right and down from where the one before ended, and its size.
 * @typedef {[text: string, dx?: number, dy?: number, size?: number]} Span
 */

/**
 * A number that leaves a part: its node, where its value and its gradient stand (see `places`), what is written before
 * the value, and which of the part's results it is. If the last piece of what is written before is empty, it moves the
 * number; else that stands at the usual gap.
 * @typedef {[node: number, where: number[], label?: Span[], result?: number]} Result
 */

/**
 * @typedef {[results: Result[], around: Rectangle, body: Rectangle, ports?: number[]]} Part
 */

/**
 * @typedef {[part: number, port: number, source: number, pieces: number[], result?: number, x?: number, y?: number]} Wire
 */

/**
 * One state of the boxes.
 * @typedef {object} View
 * @property {number} width
 * @property {number} height
 * @property {boolean} [tall] whether the computation runs from top to bottom
 * @property {string} still the markup of what never changes
 * @property {Part[]} parts
 * @property {Wire[]} wires
 * @property {[path: string[], x: number, y: number, width: number, height: number][]} [frames]
 * @property {number[]} partOf for each node the part that it is drawn in, or -1
 * @property {number} [folds] the state with one level less
 * @property {number} [unfolds] the state with one level more
 * @property {Record<number, number>} [opens] for a folded part the state in which it is open
 * @property {string[]} [path] the scope that is open alone
 */

/**
 * What is to be seen of a node: its value and its gradient as text.
 * @typedef {{value: (i: number) => string, gradient: (i: number) => string}} Seen
 */

/**
 * Who wants to know what is done with the picture.
 * @typedef {object} Listener
 * @property {(leaf: number, x: number) => void} change
 * @property {(leaf: number) => void} reset
 * @property {(node: number) => void} choose a node was pointed at or has the focus
 * @property {(wire: Wire | undefined) => void} wire
 * @property {(view: number) => void} turn another state of the boxes
 * @property {(text: string) => void} refuse what was typed is no number
 */

/**
 * How far one press of an arrow key goes from here: a tenth of the number's first digit.
 * @param {number} x
 */
export const stepFrom = (x) => 10 ** Math.floor(Math.log10(Math.max(Math.abs(x) || 0, 0.1)) - 1 + 1e-9);

/**
 * A number without the noise of its last digits: 0.30000000000000004 is 0.3.
 * @param {number} x
 */
export const clean = (x) => Number(x.toPrecision(12));

/**
 * A number as a person types it, or undefined. 0,5 is 0.5; but 1,000 is 1000 to one reader and 1 to another.
 * @param {string} text
 */
export const typed = (text) => {
  const signed = text.trim().replace('−', '-');
  const plain = /^[+-]?[1-9]\d{0,2},\d{3}$/.test(signed) ? signed : signed.replace(',', '.');
  const word = /^([+-]?)(nan|inf(inity)?|∞)$/i.exec(plain);
  if (word) return Number(word[1] + (/n$/i.test(plain) ? 'NaN' : 'Infinity'));
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
};

/**
 * About how wide the label before a number is.
 * @param {Span[]} label
 */
const labelWidth = (label) => label.reduce((sum, [text, dx = 0]) => sum + 8 * text.length + dx, 0);

const MANY = 60; // numbers: of more, those out of sight are written later
const REST = 200; // milliseconds without a change

export class Picture {
  /**
   * @param {Element} box
   * @param {View[]} views
   * @param {import('./words.js').Words} words
   * @param {Listener} listener
   * @param {string} lent what stands still in the first state, if the page has it elsewhere
   * @param {Record<string, string>} drawn what some words in the picture are in the page's language
   */
  constructor(box, views, words, listener, lent, drawn) {
    this.lent = lent;
    this.drawn = new Map(Object.entries(drawn));
    this.views = views;
    this.words = words;
    this.graph = words.graph;
    this.listener = listener;
    this.place = make('div', box, { class: 'cr-place' });
    const role = { class: 'cr-stage', tabindex: 0, role: 'group', 'aria-label': words.say('picture') };
    this.stage = make('div', this.place, { ...KEYS_ARE_OURS, ...role });
    this.sheet = make('div', this.stage, { class: 'cr-sheet' });
    this.view = views[0];
    this.scale = 1;
    /** what is shown of each part, so that only what is new is written @type {(string | number | undefined)[][]} */
    this.shown = [];
    this.marked = '';
    this.later = 0;
    /** of the path of all wires @type {string[]} */
    this.pieces = [];
    /** every number's place @type {{part: number, result: Result, around: Rectangle}[]} */
    this.spots = [];
    /** of each part the text of its value and of its gradient @type {Text[]} */
    this.texts = [];
    /** @type {SVGGElement[]} */
    this.groups = [];
    /** the numbers whose texts are older than what is shown of them @type {Set<number>} */
    this.unwritten = new Set();
    this.resting = 0;
    on(this.stage, 'scroll', () => this.write(false));
    this.pan();
  }

  /**
   * Show a state of the boxes.
   * @param {number} at
   */
  turn(at) {
    const focus = document.activeElement;
    const isHere = this.sheet.contains(focus);
    const view = this.views[at];
    this.view = view;
    this.shown = [];
    this.marked = '';
    this.sheet.textContent = '';
    const size = { viewBox: `0 0 ${view.width} ${view.height}`, 'text-anchor': 'middle', 'xml:space': 'preserve' };
    const still = draw('svg', this.sheet, { ...size, 'aria-hidden': 'true' });
    still.innerHTML = view.still || this.lent;
    for (const text of still.querySelectorAll('text'))
      text.textContent &&= this.drawn.get(text.textContent) ?? text.textContent;
    this.pieces =
      still
        .querySelector('.wire')
        ?.getAttribute('d')
        ?.match(/M[^M]+/g) ?? [];
    const live = draw('svg', this.sheet, { ...size, class: view.tall ? 'cr-tall' : '' });
    this.lights = draw('g', live, { class: 'cr-lights', 'aria-hidden': 'true' });
    this.marks = draw('g', live, { 'aria-hidden': 'true' });
    this.locals = draw('g', live, { 'aria-hidden': 'true' });
    this.edges(live);
    this.boxes(live);
    this.texts = [];
    this.spots = view.parts.flatMap(([results, around], part) => results.map((result) => ({ part, result, around })));
    this.groups = this.spots.map((spot, i) => this.group(live, spot, i));
    this.unwritten.clear();
    this.fit();
    const box = CSS.escape(focus?.getAttribute('data-box') ?? '');
    /** the same box, which is open now, or folded @type {SVGElement | null} */
    const same = this.sheet.querySelector(`[data-box="${box}"]`);
    if (isHere) (same ?? this.stage).focus();
  }

  // --- the numbers

  /**
   * @param {Element} live
   * @param {{part: number, result: Result, around: Rectangle}} spot
   * @param {number} i
   */
  group(live, { part, result, around }, i) {
    const [node, , label = []] = result;
    const group = draw('g', live, { 'data-part': part, 'data-name': this.words.names[node] });
    if (this.isLeaf(node)) this.spinbutton(group, node, around);
    for (const [k, kind] of ['value', 'gradient'].entries()) {
      const [x, y] = this.placeOf(result, k);
      const text = draw('text', group, { class: kind, x, y: y + 4.5 }); // its baseline, which is soon laid out
      const before = k ? [] : label.filter(([piece]) => piece);
      const [, dx, dy] = label.find(([piece]) => !piece) ?? ['', 7];
      for (const [piece, right, down, size] of before)
        draw('tspan', text, { class: 'label', dx: right, dy: down, 'font-size': size }).textContent = piece;
      const own = before.length ? draw('tspan', text, { dx, dy }) : text; // a text of one piece is soon laid out
      this.texts[2 * i + k] = own.appendChild(new Text());
    }
    return group;
  }

  /**
   * Where a result's value (0) or its gradient (1) stands: the gradient below the value.
   * @param {Result} result
   * @param {number} k
   */
  placeOf([, [x, y, ...other]], k) {
    if (!k) return [x, y];
    return other.length ? other : [x, y + (this.view.tall ? 17 : 21)];
  }

  /** @param {number} node */
  isLeaf(node) {
    return this.graph.keys[node] === '' && !this.graph.fixed;
  }

  /**
   * Write what is new.
   * @param {Seen} seen
   */
  paint(seen) {
    const { values, gradients } = this.graph;
    for (let i = 0; i < this.spots.length; i += 1) {
      const [node] = this.spots[i].result;
      const [value, gradient] = [seen.value(node), seen.gradient(node)];
      const [x, slope] = [values[node], gradients[node]];
      const before = this.shown[i] ?? [];
      const [sameValue, sameSlope] = [Object.is(before[2], x), Object.is(before[3], slope)];
      if (sameValue && sameSlope && before[0] === value && before[1] === gradient) continue;
      const group = this.groups[i];
      if (!sameValue) {
        const whole = repr(x);
        group.setAttribute('data-value', whole);
        if (this.isLeaf(node)) set(group, { 'aria-valuenow': whole, 'aria-valuetext': value });
      }
      if (!sameSlope) group.setAttribute('data-gradient', slope === undefined ? '' : repr(slope));
      if (before[0] !== value || before[1] !== gradient) this.unwritten.add(i);
      this.shown[i] = [value, gradient, x, slope];
    }
    this.write(this.spots.length < MANY);
    this.mark(seen);
  }

  /**
   * Write the texts of numbers: a text that is new is laid out again, and that takes longer than all else. So of many
   * numbers those out of sight wait until the hand rests.
   * @param {boolean} all
   */
  write(all) {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.stage;
    const [left, right] = [scrollLeft - 60, scrollLeft + clientWidth + 60].map((x) => x / this.scale);
    const [top, bottom] = [scrollTop - 60, scrollTop + clientHeight + 60].map((y) => y / this.scale);
    for (const i of this.unwritten) {
      const [x, y, width, height] = this.spots[i].around;
      if (!all && (x > right || x + width < left || y > bottom || y + height < top)) continue;
      this.unwritten.delete(i);
      for (const k of [0, 1]) {
        const place = this.texts[2 * i + k];
        const text = String(this.shown[i][k]);
        if (!place || place.data === text) continue;
        if (place.data.length > 8 !== text.length > 8) place.parentElement?.classList.toggle('cr-long');
        place.data = text;
      }
    }
    clearTimeout(this.resting);
    if (this.unwritten.size) this.resting = setTimeout(() => this.write(true), REST);
  }

  /**
   * Boxes around what is inf or nan, and a frame around where it arose.
   * @param {Seen} seen
   */
  mark(seen) {
    const marks = /** @type {Element} */ (this.marks);
    const bad = this.shown.flatMap((texts, i) =>
      texts.slice(0, 2).map((text, k) => (/(inf|nan)$/.test(String(text)) ? [i, k, text] : [])),
    );
    const first = this.graph.firstBad;
    const arose = first >= 0 && this.isSeen(seen, first) ? this.view.partOf[first] : -1;
    const now = `${arose}|${bad.join('|')}`;
    if (now === this.marked) return;
    this.marked = now;
    marks.textContent = '';
    for (const [i, k, text] of bad) {
      if (text === undefined) continue;
      const { result } = this.spots[Number(i)];
      const label = result[2] ?? [];
      const width = 7.5 * String(text).length + 8 + (k ? 0 : labelWidth(label));
      const [x, y] = this.placeOf(result, Number(k));
      draw('rect', marks, { class: 'bad', x: x - width / 2, y: y - 8.5, width, height: 17, rx: 3 });
    }
    if (arose >= 0) {
      const [x, y, width, height] = this.view.parts[arose][1];
      draw('rect', marks, { class: 'first-bad', x: x - 3, y: y - 3, width: width + 6, height: height + 6, rx: 6 });
    }
  }

  /**
   * @param {Seen} seen
   * @param {number} node
   */
  isSeen(seen, node) {
    const text = seen.value(node);
    return text !== '' && text !== '–';
  }

  // --- leaves that can be changed

  /**
   * @param {SVGGElement} group
   * @param {number} node
   * @param {Rectangle} around
   */
  spinbutton(group, node, [x, y, width, height]) {
    set(group, { ...KEYS_ARE_OURS, class: 'cr-leaf', role: 'spinbutton', tabindex: 0, 'data-node': node });
    set(group, { 'aria-label': this.words.names[node] });
    draw('rect', group, { class: 'cr-hit', x, y, width, height, rx: 6 });
    on(group, 'focus', () => this.listener.choose(node));
    on(group, 'pointerenter', () => this.listener.choose(node));
    on(group, 'dblclick', () => {
      clearTimeout(this.later); // the second press is none that opens the field
      this.listener.reset(node);
    });
    on(group, 'keydown', (event) => this.press(event, group, node));
    /** @type {{x: number, y: number, value: number, wasChosen: boolean, moved: boolean} | undefined} */
    let drag;
    on(group, 'pointerdown', (event) => {
      if (event.button) return;
      taken(event);
      const wasChosen = document.activeElement === group;
      group.focus({ preventScroll: true });
      group.setPointerCapture(event.pointerId);
      drag = { x: event.clientX, y: event.clientY, value: this.graph.values[node], wasChosen, moved: false };
    });
    on(group, 'pointermove', (event) => {
      if (!drag) return;
      const way = event.clientX - drag.x - (event.clientY - drag.y);
      drag.moved ||= Math.abs(way) > 3;
      if (!drag.moved) return;
      const size = (stepFrom(drag.value) / 10) * (event.shiftKey ? 10 : event.altKey ? 0.1 : 1);
      this.listener.change(node, clean(Math.round((drag.value + way * size) / size) * size));
    });
    const end = () => {
      clearTimeout(this.later);
      if (drag?.wasChosen && !drag.moved) this.later = setTimeout(() => this.edit(group, node, ''), 300);
      drag = undefined;
    };
    on(group, 'pointerup', end);
    on(group, 'pointercancel', end);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {SVGGElement} group
   * @param {number} node
   */
  press(event, group, node) {
    if (event.ctrlKey || event.metaKey) return;
    const x = this.graph.values[node];
    const size = stepFrom(x) * (event.shiftKey ? 10 : event.altKey ? 0.1 : 1);
    const up =
      { ArrowUp: 1, ArrowDown: -1 }[event.key] ?? (this.sideways ? { ArrowRight: 1, ArrowLeft: -1 }[event.key] : 0);
    if (up) this.listener.change(node, clean(x + up * size));
    else if (event.key === 'Enter' || event.key === 'F2') this.edit(group, node, '');
    else if (/^[-−+.\d]$/.test(event.key)) this.edit(group, node, event.key);
    else if (event.key === 'Delete' || event.key === 'Backspace') this.listener.reset(node);
    else return;
    taken(event);
  }

  /** whether captions and controls need much of the window */
  crowded = false;

  /** whether the left and the right arrow key change a number, too */
  sideways = true;

  /**
   * A field to type a number into, over the number.
   * @param {SVGGElement} group
   * @param {number} node
   * @param {string} text what has been typed already
   */
  edit(group, node, text) {
    const [place, box] = [this.place, group].map((e) => e.getBoundingClientRect());
    const label = this.words.names[node];
    const field = make('input', this.place, {
      ...KEYS_ARE_OURS,
      class: 'cr-edit',
      'aria-label': label,
    });
    field.style.top = `${box.top - place.top}px`;
    field.style.minWidth = `${Math.max(90, box.width)}px`;
    field.style.left = `${Math.max(0, Math.min(box.left - place.left, place.width - field.offsetWidth))}px`;
    const before = repr(this.graph.values[node]); // with all its digits
    field.value = text || before;
    field.focus({ preventScroll: true });
    if (!text) field.select();
    let open = true;
    /** @param {boolean} keep */
    const close = (keep) => {
      if (!open) return;
      const x = typed(field.value);
      if (keep && x === undefined) {
        set(field, { 'aria-invalid': 'true' });
        this.listener.refuse(field.value);
        return;
      }
      open = false;
      field.remove();
      if (keep && x !== undefined && field.value !== before) this.listener.change(node, x);
    };
    on(field, 'keydown', (event) => {
      event.stopPropagation();
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault();
      close(event.key === 'Enter');
      if (!open) group.focus({ preventScroll: true });
    });
    on(field, 'blur', () => {
      close(true);
      close(false);
    });
  }

  // --- gates and wires that can be pointed at, boxes that open

  /** @param {Element} live */
  edges(live) {
    const list = draw('g', live, {
      role: 'listbox',
      'aria-label': this.words.say('wires'),
      'aria-orientation': 'horizontal',
    });
    /** @type {SVGElement[]} */
    const options = [];
    /**
     * @param {SVGElement} element
     * @param {string} label
     * @param {() => void} choose
     */
    const option = (element, label, choose) => {
      const told = { role: 'option', 'aria-label': label, 'aria-selected': 'false', tabindex: options.length ? -1 : 0 };
      set(element, { ...KEYS_ARE_OURS, ...told });
      options.push(element);
      on(element, 'pointerenter', choose);
      on(element, 'pointerleave', () => this.listener.wire(undefined));
      on(element, 'blur', () => this.listener.wire(undefined));
      on(element, 'focus', () => {
        for (const other of options) other.setAttribute('aria-selected', String(other === element));
        choose();
      });
    };
    for (const [i, [results, , body]] of this.view.parts.entries()) {
      const node = results[0]?.[0] ?? -1;
      for (const wire of this.view.wires.filter(([part]) => part === i)) {
        const path = draw('path', list, { class: 'cr-wire', d: wire[3].map((k) => this.pieces[k]).join('') });
        const label = `${this.nameOf(wire[2], wire[4] ?? 0)} → ${this.nameOf(i, 0)}`;
        option(path, label, () => this.listener.wire(wire));
      }
      if (node < 0 || this.graph.inputs[node].length === 0 || this.isFolded(i)) continue;
      const [x, y, width, height, rx = height / 2] = body;
      const gate = draw('rect', list, { class: 'cr-gate', x, y, width, height, rx });
      option(gate, this.words.names[node], () => this.listener.choose(node));
    }
    on(list, 'keydown', (event) => {
      const at = options.indexOf(/** @type {SVGElement} */ (event.target));
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1 }[event.key];
      const next = to === undefined ? undefined : options[(to + options.length) % options.length];
      if (!next) return;
      taken(event);
      for (const other of options) other.setAttribute('tabindex', other === next ? '0' : '-1');
      next.focus();
    });
    if (!options.length) list.remove();
  }

  /** @param {number} part */
  isFolded(part) {
    return this.view.partOf.indexOf(part) !== this.view.partOf.lastIndexOf(part);
  }

  /**
   * @param {number} part
   * @param {number} result
   */
  nameOf(part, result) {
    const node = this.view.parts[part][0].find(([, , , k = 0]) => k === result)?.[0];
    return node === undefined ? '…' : this.words.names[node];
  }

  /** @param {Element} live */
  boxes(live) {
    /**
     * @param {Rectangle} where
     * @param {string} box
     * @param {'open-box' | 'close-box'} act
     * @param {number} to
     */
    const knob = ([x, y, width, height], box, act, to) => {
      const knob = draw('rect', live, {
        ...KEYS_ARE_OURS,
        ...{ class: 'cr-knob', x, y, width, height, rx: 8, role: 'button', tabindex: 0 },
        'aria-label': this.words.say(act, { box }),
        'aria-expanded': String(act !== 'open-box'),
        'data-act': act,
        'data-box': box,
      });
      const turn = () => this.listener.turn(to);
      on(knob, 'click', turn);
      on(knob, 'keydown', (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        taken(event);
        turn();
      });
    };
    const { opens = {}, path = [], folds = -1, frames = [], parts } = this.view;
    for (const [i, to] of Object.entries(opens)) knob(parts[Number(i)][2], this.boxName(Number(i), to), 'open-box', to);
    for (const [scope, x, y, width] of frames)
      if (folds >= 0 && scope.join('.') === path.join('.'))
        knob([x, y, Math.min(width, 220), 26], scope.join('.'), 'close-box', folds);
  }

  /**
   * @param {number} part
   * @param {number} to the state in which it is open
   */
  boxName(part, to) {
    return this.views[to].path?.join('.') ?? this.words.say('a-box', { k: part });
  }

  // --- what is lit

  /**
   * @param {Wire[]} wires
   * @param {number[]} parts
   * @param {string} kind "forward" or "backward"
   */
  light(wires, parts, kind) {
    const lights = /** @type {Element} */ (this.lights);
    lights.textContent = '';
    if (!wires.length && !parts.length) return;
    const group = draw('g', lights, { class: kind });
    const pieces = new Set(wires.flatMap((wire) => wire[3]));
    if (pieces.size) draw('path', group, { class: 'flow', d: [...pieces].map((k) => this.pieces[k]).join('') });
    for (const i of new Set(parts)) {
      const [x, y, width, height, rx = height / 2] = this.view.parts[i][2];
      draw('rect', group, { class: 'ring', x, y, width, height, rx });
    }
  }

  /**
   * Light the numbers of some nodes.
   * @param {number[]} nodes
   * @param {'value' | 'gradient'} kind
   */
  lightNumbers(nodes, kind) {
    const group = /** @type {Element} */ (this.lights).firstElementChild;
    if (!group) return;
    const k = Number(kind !== 'value');
    for (const { result } of this.spots) {
      const [node, , label = []] = result;
      if (!nodes.includes(node)) continue;
      const width = 96 + (k ? 0 : labelWidth(label));
      const [x, y] = this.placeOf(result, k);
      draw('rect', group, { class: 'now', x: x - width / 2, y: y - 9, width, height: 18, rx: 3 });
    }
  }

  /**
   * The local derivative by a wire: beside it where there is room for it, else at the gate, where no wire goes.
   * @param {Wire} wire
   * @param {number} slope
   * @param {Element | null | undefined} place
   */
  tell([part, port, , , , x, y = 0], slope, place = this.lights?.firstElementChild) {
    if (!place) return undefined;
    const { tall, parts, wires } = this.view;
    const [left, top, width, height] = parts[part][2];
    let at = tall ? [left + width + 6, top + height / 2] : [left + width / 2, top - 9];
    const text = draw('text', place, { class: 'local' });
    if (x !== undefined) at = tall ? [x + 4, y] : [x, y - 8];
    if (x !== undefined && tall && !port && wires.some((other) => other[0] === part && other[1])) {
      at = [x - 4, y]; // the first of two wires has its number on the other side
      text.style.textAnchor = 'end';
    }
    set(text, { x: at[0], y: at[1] });
    text.textContent = `∂ ${format(slope)}`;
    return text;
  }

  /**
   * The wire that an edge of the graph is drawn as, if it is drawn.
   * @param {number} node
   * @param {number} position
   * @returns {Wire | undefined}
   */
  wireOf(node, position) {
    const [part, source] = [this.view.partOf[node], this.view.partOf[this.graph.inputs[node][position]]];
    const ports = this.view.parts[part]?.[3] ?? [];
    if (ports.length) return this.view.wires.find((w) => w[0] === part && w[1] === ports[position]);
    const input = this.graph.inputs[node][position];
    return this.view.wires.find((w) => w[0] === part && w[2] === source && this.carries(w, input));
  }

  /**
   * Whether a wire is that of a node's number.
   * @param {Wire} wire
   * @param {number} node
   */
  carries([, , source, , tap = 0], node) {
    const results = this.view.parts[source][0];
    return !results.length || results.some(([i, , , k = 0]) => i === node && k === tap);
  }

  // --- size

  /** As large as the place allows, and not so small that nothing can be read. */
  fit() {
    const { width, height } = this.view;
    const room = this.stage.clientWidth || width;
    const high = Math.max(240, this.crowded ? innerHeight - 350 : 0.66 * innerHeight);
    const least = Math.min(0.8, room / (width > 560 ? 480 : Math.max(480, width)));
    this.zoom(Math.min(Math.max(Math.min(room / width, high / height), least), 1.6) / this.scale);
  }

  /** @param {number} factor */
  zoom(factor) {
    const before = this.scale;
    this.scale = Math.min(Math.max(this.scale * factor, 0.1), 6);
    const { width, height } = this.view;
    const [x, y] = [
      this.stage.scrollLeft + this.stage.clientWidth / 2,
      this.stage.scrollTop + this.stage.clientHeight / 2,
    ];
    this.sheet.style.width = `${width * this.scale}px`;
    this.sheet.style.height = `${height * this.scale}px`;
    const ratio = this.scale / before;
    this.stage.scrollTo({ left: x * ratio - this.stage.clientWidth / 2, top: y * ratio - this.stage.clientHeight / 2 });
  }

  /**
   * As large as another picture, and the same of it in sight.
   * @param {Picture} other
   */
  seeAs({ scale, stage: { scrollLeft, scrollTop } }) {
    this.zoom(scale / this.scale);
    this.stage.scrollTo(scrollLeft, scrollTop);
  }

  /** The mouse draws the picture about; the wheel with Ctrl makes it larger. */
  pan() {
    const stage = this.stage;
    /** @type {number[] | undefined} */
    let start;
    on(stage, 'pointerdown', (event) => {
      if (event.button || event.pointerType !== 'mouse' || event.target instanceof HTMLInputElement) return;
      start = [event.clientX + stage.scrollLeft, event.clientY + stage.scrollTop];
    });
    on(window, 'pointermove', (event) => {
      if (start) stage.scrollTo(start[0] - event.clientX, start[1] - event.clientY);
    });
    on(window, 'pointerup', () => {
      start = undefined;
    });
    on(
      stage,
      'wheel',
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.zoom(1.0015 ** -event.deltaY);
      },
      { passive: false },
    );
  }

  /**
   * Bring a part into sight.
   * @param {number[]} parts
   * @param {boolean} atOnce
   */
  follow(parts, atOnce) {
    const places = parts.map((i) => this.view.parts[i][1]);
    if (!places.length) return;
    const [left, top] = [0, 1].map((k) => Math.min(...places.map((p) => p[k])) * this.scale - 8);
    const [right, bottom] = [0, 1].map((k) => Math.max(...places.map((p) => p[k] + p[k + 2])) * this.scale + 8);
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.stage;
    if (
      left >= scrollLeft &&
      right <= scrollLeft + clientWidth &&
      top >= scrollTop &&
      bottom <= scrollTop + clientHeight
    )
      return;
    this.stage.scrollTo({
      left: (left + right - clientWidth) / 2,
      top: (top + bottom - clientHeight) / 2,
      behavior: atOnce ? 'auto' : 'smooth',
    });
  }
}
