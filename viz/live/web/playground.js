// The page of a playground: its buttons and choices, the plane, the network, and the loop that trains and paints.
//
// playgrounds.py puts this into the page behind the programs of one model, PROGRAMS, and a key. Roots are found by an
// attribute, never by their own place in the page (a notebook runs scripts from nowhere). There are no ids, and nothing
// reaches the page's own names.

import { draw, KEYS_ARE_OURS, make } from './dom.js';
import { format, repr } from './format.js';
import { languageSwitch } from './language.js';
import { Course, decided, Field, mark, Palette, Sheet, Tile } from './playground-plots.js';
import { Trainer } from './playground-training.js';
import { escaped } from './words.js';

/** @typedef {import('./playground-training.js').Program} Program */
/** @typedef {import('./playground-training.js').Rule} Rule */

/**
 * @typedef {object} Data
 * @property {'plane' | 'line' | 'other'} kind
 * @property {'two' | 'many' | 'number' | 'none'} style what the targets are
 * @property {string[]} names of the inputs
 * @property {string[]} labels of the classes
 * @property {number[][]} X
 * @property {number[][]} T the targets as the program of the loss takes them
 * @property {number[] | null} shown each example's class, or number
 * @property {(number[] | null)[]} targets of each class
 * @property {[number, number][] | null} box
 * @property {[number, number]} border
 * @property {number[]} theta
 * @property {number[]} model where each parameter of the model's program is in theta
 * @property {number[]} own
 * @property {import('./playground-training.js').Optimizer[]} optimizers
 * @property {number} size
 * @property {number} seed
 * @property {{ units: [number, number, number, string][], lines: [number, number, number][] } | null} network
 * @property {{ units: number, name: string, weights: number, tiles?: number[][], at?: number[] }[]} layers
 * @property {Record<string, string>} messages
 * @property {string} lang
 * @property {string} name of the language
 * @property {string} title
 * @property {import('./language.js').Tongue} [other] what is said in another language
 */

const SYMBOLS = {
  reset: 'M8 3V0L4 4l4 4V5a4 4 0 1 1-4 4H2a6 6 0 1 0 6-6z',
  play: 'M4 2v12l10-6z',
  pause: 'M4 2h3v12H4zM9 2h3v12H9z',
  step: 'M3 2v12l8-6zM12 2h2v12h-2z',
  epoch: 'M1 2v12l6-6zM7 2v12l6-6zM13.5 2h1.5v12h-1.5z',
};
const RATES = [0.00001, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const SIZES = [1, 2, 5, 10, 20, 50, 100];
const SPEEDS = [1, 5, 20, 60, 300, Number.POSITIVE_INFINITY]; // epochs per second
const FAST = 3; // of these, what is chosen at first
const AT_ONCE = 10; // milliseconds of training between two pictures
const PALE = 0.62; // the plane behind the examples
const calm = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * A sentence with its slots filled.
 * @param {string} text
 * @param {Record<string, string | number>} slots
 */
const filled = (text, slots) => text.replace(/\{(\w+)\}/g, (_, name) => String(slots[name]));

/** The buttons, the choices and the numbers above all. */
class Controls {
  /**
   * @param {Element} box
   * @param {Playground} ground
   */
  constructor(box, ground) {
    const { messages: words, optimizers, size, X } = ground.data;
    const { trainer } = ground;
    this.words = words;
    const bar = make('div', box, { class: 'cr-bar' });
    const keys = make('div', bar, { class: 'cr-keys' });
    /** @type {Record<string, HTMLButtonElement>} */
    this.buttons = {};
    for (const act of /** @type {const} */ (['reset', 'play', 'step', 'epoch'])) {
      this.buttons[act] = make('button', keys, { ...KEYS_ARE_OURS, type: 'button', 'data-act': act });
      this.picture(act, act, words[act]);
      this.buttons[act].addEventListener('click', () => ground.act(act));
    }
    this.epoch = this.number(bar, words.epochs, 'cr-epoch');
    const choices = make('div', bar, { class: 'cr-choices' });
    const rates = [...new Set([...RATES, ...optimizers.map((o) => o.rate)])].sort((a, b) => a - b);
    this.rate = this.choice(
      choices,
      words.rate,
      'rate',
      rates,
      (x) => String(x),
      (x) => ground.change('rate', x),
    );
    this.rate.value = String(trainer.rate);
    const kinds = optimizers.map((_, k) => k);
    if (kinds.length > 1)
      this.choice(
        choices,
        words.optimizer,
        'optimizer',
        kinds,
        (k) => optimizers[k].name,
        (k) => ground.choose(k),
      ).value = String(trainer.kind);
    else
      make('div', choices, { class: 'cr-choice' }, words.optimizer).append(make('b', choices, {}, optimizers[0].name));
    const sizes = [...new Set([...SIZES, size])].filter((n) => n < X.length).sort((a, b) => a - b);
    sizes.push(Infinity);
    const all = filled(words.all, { n: X.length });
    /** @param {number} n */
    const count = (n) => (n < X.length ? String(n) : all);
    this.choice(choices, words.size, 'size', sizes, count, (n) => ground.change('size', n)).value = String(
      trainer.size,
    );
    /** @param {number} n */
    const told = (n) => (n < Infinity ? filled(words.each, { n }) : words.fastest);
    const speed = this.choice(choices, words.speed, 'speed', SPEEDS, told, (n) => ground.change('speed', n));
    speed.value = String(ground.speed);
    this.loss = this.number(bar, words.loss, 'cr-loss');
    this.accuracy = ground.data.labels.length ? this.number(bar, words.accuracy, 'cr-accuracy') : null;
    languageSwitch(bar, ground.root, ground.data, (data) => ground.translate(data));
  }

  /**
   * The picture on a button, and its name.
   * @param {string} act
   * @param {keyof typeof SYMBOLS} symbol
   * @param {string} name
   */
  picture(act, symbol, name) {
    const button = this.buttons[act];
    if (button.dataset.shows === symbol) return;
    button.dataset.shows = symbol;
    button.replaceChildren();
    draw('path', draw('svg', button, { viewBox: '0 0 16 16', 'aria-hidden': 'true' }), { d: SYMBOLS[symbol] });
    button.setAttribute('aria-label', name);
    button.title = name;
  }

  /**
   * @param {Element} bar
   * @param {string} name
   * @param {string} kind
   */
  number(bar, name, kind) {
    const pair = make('div', bar, { class: `cr-number ${kind}` }, name);
    return make('b', pair, {}, '–');
  }

  /**
   * @template {number} T
   * @param {Element} bar
   * @param {string} name
   * @param {string} act
   * @param {T[]} values
   * @param {(x: T) => string} text
   * @param {(x: number) => void} chosen
   */
  choice(bar, name, act, values, text, chosen) {
    const label = make('label', bar, { class: 'cr-choice' }, name);
    const select = make('select', label, { ...KEYS_ARE_OURS, 'data-act': act });
    for (const value of values) make('option', select, { value: String(value) }, text(value));
    select.addEventListener('change', () => chosen(Number(select.value)));
    return select;
  }

  /** @param {Playground} ground */
  show({ trainer, playing, accuracy }) {
    this.picture('play', playing ? 'pause' : 'play', playing ? this.words.pause : this.words.play);
    this.epoch.textContent = trainer.epoch.toLocaleString('en');
    this.loss.textContent = Number.isNaN(trainer.loss) ? '–' : format(trainer.loss);
    if (this.accuracy) this.accuracy.textContent = `${(100 * accuracy).toFixed(1)} %`;
  }
}

/** What the model says in the plane, or along the line, and the examples in it. A click adds one. */
class Ground {
  /**
   * @param {Element} box
   * @param {Playground} ground
   */
  constructor(box, ground) {
    const { messages: words, kind } = ground.data;
    this.ground = ground;
    const figure = make('div', box, { class: 'cr-plot' });
    this.title = make('p', figure, { class: 'cr-title' }, words[kind]);
    this.stage = make('div', figure, {
      ...{ class: 'cr-ground', tabindex: 0, role: 'application', ...KEYS_ARE_OURS },
      'aria-label': `${words[kind]}. ${words['by-keys']}`,
    });
    this.back = new Tile(make('canvas', this.stage, { 'aria-hidden': 'true' }), ground.field.side, ground.field.rows);
    this.front = new Sheet(make('canvas', this.stage, { 'aria-hidden': 'true' }));
    this.cross = { x: 0.5, y: 0.5, shown: false };
    this.stage.addEventListener('click', (event) => {
      const { left, top, width, height } = this.stage.getBoundingClientRect();
      this.put((event.clientX - left) / width, (event.clientY - top) / height);
    });
    this.stage.addEventListener('keydown', (event) => this.press(event));
    for (const type of ['focus', 'blur']) this.stage.addEventListener(type, () => this.showCross(type === 'focus'));
    const axes = [ground.data.names[0], kind === 'line' ? 'y' : ground.data.names[1]];
    make('p', figure, { class: 'cr-axes' }, `→ ${axes[0]}   ↑ ${axes[1]}`);
    this.class = 0;
    this.choices = this.possible();
    const foot = make('fieldset', figure, { class: 'cr-add' });
    this.marks = this.offer(foot);
    this.undo = make('button', foot, { ...KEYS_ARE_OURS, type: 'button', 'data-act': 'undo', hidden: '' }, words.undo);
    this.undo.addEventListener('click', () => {
      if (ground.takeBack()) this.stage.focus();
    });
  }

  /**
   * What a click may add: an example of each class, or of the largest and the smallest number.
   * @returns {{ label: string, shown: number, target: number[] }[]}
   */
  possible() {
    const { labels, targets, style, shown, kind } = this.ground.data;
    if (style === 'number' && kind === 'plane') {
      const numbers = shown ?? [];
      return [...new Set([Math.max(...numbers), Math.min(...numbers)])].map((x) => ({
        label: format(x),
        shown: x,
        target: [x],
      }));
    }
    return labels.flatMap((label, k) => {
      const target = targets[k];
      return target ? [{ label, shown: k, target }] : [];
    });
  }

  /**
   * The choice of what a click adds.
   * @param {Element} foot
   */
  offer(foot) {
    const { messages: words } = this.ground.data;
    make('legend', foot, {}, this.choices.length ? words['add-class'] : words.add);
    const group = `cr-${this.ground.key}-${Math.random().toString(36).slice(2)}`;
    return this.choices.map((choice, k) => {
      const label = make('label', foot, { style: `--k:var(--k${this.colour(choice.shown)})` });
      const radio = make('input', label, { ...KEYS_ARE_OURS, type: 'radio', name: group, value: k });
      radio.checked = k === 0;
      radio.addEventListener('change', () => {
        this.class = k;
      });
      const canvas = make('canvas', label, { width: 18, height: 18, 'aria-hidden': 'true' });
      make('span', label, {}, choice.label);
      return canvas;
    });
  }

  /**
   * The number of the colour for a class, or for a number's sign.
   * @param {number} shown
   */
  colour(shown) {
    return this.ground.data.labels.length ? shown : Number(shown > 0);
  }

  /**
   * Add an example; x and y go from 0 to 1, from the upper left corner.
   * @param {number} x
   * @param {number} y
   */
  put(x, y) {
    const [[left, right], [low, high]] = /** @type {[number, number][]} */ (this.ground.data.box);
    const at = [left + (right - left) * x, high - (high - low) * y];
    const choice = this.choices[this.class];
    if (this.ground.data.kind === 'line') this.ground.addExample([at[0]], at[1], [at[1]]);
    else this.ground.addExample(at, choice.shown, choice.target);
  }

  /** @param {boolean} shown */
  showCross(shown) {
    this.cross.shown = shown && this.stage.matches(':focus-visible');
    this.ground.paint(true);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = event.shiftKey ? 0.1 : 0.02;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (move) {
      this.cross.x = Math.max(0, Math.min(1, this.cross.x + move[0]));
      this.cross.y = Math.max(0, Math.min(1, this.cross.y + move[1]));
      this.cross.shown = true;
      this.ground.paint(true);
    } else if (event.key === 'Enter' || event.key === ' ') this.put(this.cross.x, this.cross.y);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {boolean} all also what stands still while the model learns */
  paint(all) {
    const { field, palette, data, network } = this.ground;
    const { border } = data;
    if (field.chosen >= 0) {
      this.back.paint((k) => palette.signed(Math.tanh(field.one[k])));
    } else if (data.kind === 'plane') {
      const [first, ...rest] = field.outputs;
      if (rest.length) {
        const found = new Float32Array(field.outputs.length);
        this.back.paint((k) => {
          for (let c = 0; c < found.length; c += 1) found[c] = field.outputs[c][k];
          const [best, much] = decided(found, border);
          return palette.of(best, PALE * (0.25 + 0.75 * much));
        });
      } else this.back.paint((k) => palette.signed(PALE * Math.tanh((first[k] - border[0]) * border[1])));
    } else this.back.paint(() => palette.of(0, 0));
    if (all || data.kind === 'line') this.paintFront();
    const title = data.messages[this.cross.shown ? 'by-keys' : data.kind];
    this.title.textContent = field.chosen < 0 ? title : (network?.told(field.chosen) ?? '');
  }

  paintFront() {
    const { front, cross } = this;
    const { data, palette, field } = this.ground;
    if (!front.clear()) return;
    const { context, width, height } = front;
    const [[left, right], [low, high]] = /** @type {[number, number][]} */ (data.box);
    /** @type {(x: number, y: number) => [number, number]} */
    const at = (x, y) => [((x - left) / (right - left)) * width, ((high - y) / (high - low)) * height];
    context.lineWidth = 1.2;
    const isLine = data.kind === 'line';
    for (const [k, x] of data.X.entries()) {
      const shown = data.shown?.[k] ?? 0;
      const colour = data.labels.length ? shown : 0;
      context.fillStyle = isLine || data.labels.length ? palette.text[`k${colour}`] : palette.style(Math.tanh(shown));
      context.strokeStyle = palette.text.card;
      mark(context, ...at(x[0], isLine ? shown : x[1]), data.X.length > 400 ? 3 : 4.2, colour);
    }
    if (isLine) {
      context.strokeStyle = palette.text.k1;
      context.lineWidth = 3;
      context.lineJoin = 'round';
      context.beginPath();
      const found = field.chosen < 0 ? field.outputs[0] : field.one;
      for (const [k, x] of field.across.entries()) context.lineTo(...at(x, found[k]));
      context.stroke();
    }
    if (cross.shown) {
      context.strokeStyle = palette.text.ink;
      context.lineWidth = 1.5;
      context.beginPath();
      for (const [dx, dy] of [
        [9, 0],
        [0, 9],
      ]) {
        context.moveTo(cross.x * width - dx, cross.y * height - dy);
        context.lineTo(cross.x * width + dx, cross.y * height + dy);
      }
      context.stroke();
    }
  }

  /** The marks beside the names of the classes; they change with the theme only. */
  paintMarks() {
    for (const [k, canvas] of this.marks.entries()) {
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      const colour = this.colour(this.choices[k].shown);
      const kind = this.ground.data.labels.length ? colour : 0;
      context.clearRect(0, 0, 18, 18);
      context.fillStyle = this.ground.palette.text[`k${colour}`];
      context.strokeStyle = this.ground.palette.text.card;
      mark(context, 9, 9, 5, kind);
    }
  }
}

/** The network: its units as circles that show what they see, its weights as lines. */
class Network {
  /**
   * @param {Element} box
   * @param {Playground} ground
   * @param {NonNullable<Data['network']>} network
   */
  constructor(box, ground, network) {
    const { messages: words } = ground.data;
    this.ground = ground;
    this.lines = network.lines;
    this.units = network.units;
    this.stage = make('div', box, { class: 'cr-net', role: 'group', 'aria-label': words.network });
    this.svg = draw('svg', this.stage, { 'aria-hidden': 'true' });
    this.heads = ground.data.layers.map((layer, k) =>
      make('p', this.stage, { class: 'cr-head' }, ground.named(layer, k)),
    );
    this.paths = this.lines.map((_, k) => draw('path', this.svg, { 'data-line': k }));
    this.drawn = new Float64Array(this.lines.length).fill(Number.NaN);
    const last = ground.data.layers.length - 1;
    /** @type {number[]} */
    const counted = [];
    this.buttons = this.units.map(([layer], k) => {
      counted[layer] = (counted[layer] ?? 0) + 1;
      const name =
        layer === 0
          ? filled(words.input, { name: ground.data.names[k] })
          : layer === last && ground.data.layers[last].units === 1
            ? words.output
            : filled(words.unit, { k: counted[layer], layer });
      const button = make('button', this.stage, {
        ...KEYS_ARE_OURS,
        type: 'button',
        'aria-label': name,
        'data-unit': k,
      });
      for (const type of ['pointerenter', 'focus']) button.addEventListener(type, () => this.look(k));
      for (const type of ['pointerleave', 'blur']) button.addEventListener(type, () => this.look(-1));
      return button;
    });
    const small = ground.field.small;
    this.tiles = ground.hasField
      ? this.buttons.map(
          (button) =>
            new Tile(make('canvas', button, { 'aria-hidden': 'true' }), small, ground.data.kind === 'line' ? 1 : small),
        )
      : [];
    this.svg.addEventListener('pointerover', (event) => {
      const line = /** @type {Element} */ (event.target).getAttribute('data-line');
      if (line !== null) this.say(this.weight(Number(line)));
    });
    this.svg.addEventListener('pointerout', () => this.say(''));
    this.told_ = make('p', box, { class: 'cr-told' });
    const hint = ground.hasField ? words.hint : words['hint-lines'];
    this.hint = filled(hint, { above: words.blue, below: words.orange });
    this.say('');
    new ResizeObserver(() => this.place()).observe(this.stage);
    this.place();
  }

  /** @param {string} text */
  say(text) {
    this.told_.textContent = text || this.hint;
  }

  /**
   * What a unit shows, in words.
   * @param {number} k
   */
  told(k) {
    const bias = this.units[k][2];
    const name = this.buttons[k].getAttribute('aria-label') ?? '';
    if (bias < 0) return name;
    return filled(this.ground.data.messages.sees, { unit: name, bias: format(this.ground.field.v[bias]) });
  }

  /** @param {number} line */
  weight(line) {
    const [from, to, at] = this.lines[line];
    const [a, b] = [from, to].map((k) => this.buttons[k].getAttribute('aria-label') ?? '');
    return filled(this.ground.data.messages.weight, { weight: format(this.ground.field.v[at]), from: a, to: b });
  }

  /** @param {number} k the unit to look at closely; -1 for none */
  look(k) {
    this.ground.field.chosen = k;
    this.say(k < 0 ? '' : this.told(k));
    this.ground.paint(true);
  }

  /** Give every unit its place, for the room that there is. */
  place() {
    const { layers } = this.ground.data;
    const most = Math.max(...layers.map((layer) => layer.units));
    const width = this.stage.clientWidth;
    if (!width) return;
    const gap = most > 12 ? 4 : 8;
    const size = Math.max(18, Math.min(46, 430 / most - gap, width / layers.length - 24));
    const height = Math.max(most * (size + gap), 120) + 26;
    this.stage.style.height = `${height}px`;
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const spot = layers.map(() => 0);
    const places = this.units.map(([layer], k) => {
      const { units } = layers[layer];
      const x = (width / layers.length) * (layer + 0.5);
      const y = 26 + (height - 26) * ((spot[layer] + 0.5) / units);
      spot[layer] += 1;
      const { style } = this.buttons[k];
      style.width = style.height = `${size}px`;
      style.left = `${x - size / 2}px`;
      style.top = `${y - size / 2}px`;
      return [x, y];
    });
    for (const [k, head] of this.heads.entries()) {
      head.style.left = `${(width / layers.length) * k}px`;
      head.style.width = `${width / layers.length}px`;
    }
    for (const [k, [from, to]] of this.lines.entries()) {
      const [[a, b], [c, d]] = [places[from], places[to]];
      const middle = (a + c) / 2;
      this.paths[k].setAttribute('d', `M${a},${b}C${middle},${b} ${middle},${d} ${c},${d}`);
    }
  }

  paint() {
    const { field, palette, data } = this.ground;
    for (const [k, [, , at]] of this.lines.entries()) {
      const weight = field.v[at];
      if (Math.abs(weight - this.drawn[k]) < 2e-3) continue; // no eye would see it
      const { style } = /** @type {SVGElement} */ (this.paths[k]);
      style.strokeWidth = (0.6 + 7 * Math.tanh(Math.abs(weight) / 3)).toFixed(2);
      if (!(weight * this.drawn[k] > 0)) this.paths[k].setAttribute('class', weight < 0 ? 'cr-below' : 'cr-above');
      this.drawn[k] = weight;
    }
    for (const [k, tile] of this.tiles.entries()) {
      const seen = field.units[k];
      const scale = this.units[k][0] === 0 && data.box ? 1 / Math.max(...data.box[k % 2].map(Math.abs), 1e-12) : 1;
      tile.paint((place) => palette.signed(Math.tanh(1.5 * scale * seen[place])));
    }
  }
}

/** A network of many units in short, and the weights of its first layer as small pictures. */
class Summary {
  /**
   * @param {Element} box
   * @param {Playground} ground
   */
  constructor(box, ground) {
    const { messages: words, layers } = ground.data;
    this.ground = ground;
    const list = make('ol', box, { class: 'cr-layers', 'aria-label': words.network });
    for (const [k, layer] of layers.entries()) {
      const item = make('li', list, {}, ground.named(layer, k));
      if (layer.weights) make('small', item, {}, filled(words.weights, { n: layer.weights.toLocaleString('en') }));
    }
    /** @type {[Tile, number[]][]} */
    this.tiles = layers.flatMap(({ tiles = [] }) => {
      const grid = tiles.length ? this.grid(box, words.tiles) : box;
      return tiles.map((addresses) => {
        const side = Math.round(Math.sqrt(addresses.length));
        return /** @type {[Tile, number[]]} */ ([new Tile(make('canvas', grid), side, side), addresses]);
      });
    });
    /** What each unit gives, if there is a plane or a line to give it on. */
    const { small } = ground.field;
    this.seen = layers.flatMap(({ at = [], units }, k) => {
      const more = at.length < units ? `${ground.named(layers[k], k)}: 1–${at.length}` : ground.named(layers[k], k);
      const grid = at.length ? this.grid(box, more) : box;
      return at.map(() => new Tile(make('canvas', grid), small, ground.data.kind === 'line' ? 1 : small));
    });
  }

  /**
   * @param {Element} box
   * @param {string} title
   */
  grid(box, title) {
    make('p', box, { class: 'cr-title' }, title);
    return make('div', box, { class: 'cr-tiles', role: 'img', 'aria-label': title });
  }

  paint() {
    const { field, palette } = this.ground;
    for (const [tile, addresses] of this.tiles) {
      let most = 1e-12;
      for (const at of addresses) most = Math.max(most, Math.abs(field.v[at]));
      tile.paint((k) => palette.signed(field.v[addresses[k]] / most));
    }
    for (const [k, tile] of this.seen.entries())
      tile.paint((place) => palette.signed(Math.tanh(field.units[k][place])));
  }
}

/** A model in training, on its page. */
class Playground {
  /**
   * @param {HTMLElement} root
   * @param {string} key
   * @param {{ loss: Program, model: Program, rules: Rule[] }} programs
   * @param {Data} data
   * @param {Playground} [before] the same page in its other language
   */
  constructor(root, key, programs, data, before) {
    root.dataset.ready = '';
    this.root = root;
    this.key = key;
    this.programs = programs;
    this.data = data;
    const { messages: words } = data;
    this.given = before?.given ?? data.X.length;
    this.hasField = data.kind !== 'other';
    this.trainer = before?.trainer ?? new Trainer(programs.loss, programs.rules, data);
    const units = data.network?.units.map(([, at]) => at) ?? data.layers.flatMap(({ at = [] }) => at);
    this.field = new Field(programs.model, data, units);
    this.course = before?.course ?? new Course();
    this.playing = false;
    this.speed = before?.speed ?? SPEEDS[FAST];
    this.accuracy = Number.NaN;
    this.owed = 0; // epochs
    this.before = 0; // when the last picture was painted
    this.turn = 0; // which of the pictures beside the plane is next
    const box = make('div', root, { class: `cr-box cr-${data.kind}`, role: 'group', 'aria-label': words.network });
    this.box = box;
    root.prepend(box); // in front of the script, so that a page that is saved now is begun anew by it
    this.palette = new Palette(box, data.labels.length);
    this.controls = new Controls(box, this);
    const body = make('div', box, { class: 'cr-body' });
    const left = make('div', body, { class: 'cr-left' });
    const right = make('div', body, { class: 'cr-right' });
    this.plane = this.hasField ? new Ground(right, this) : null;
    this.plane?.paintMarks();
    this.network = data.network ? new Network(left, this, data.network) : null;
    this.summary = data.network ? null : new Summary(left, this);
    const figure = make('div', right, { class: 'cr-course' });
    make('p', figure, { class: 'cr-title' }, words.course);
    this.sheet = new Sheet(make('canvas', figure, { role: 'img', 'aria-label': words.course }));
    this.alert = make('p', box, { class: 'cr-alert', role: 'alert' });
    new ResizeObserver(() => this.paint(true)).observe(body);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.paint(true));
    const themes = ['class', 'data-jp-theme-light', 'data-md-color-scheme']; // of the page around it
    new MutationObserver(() => this.paint(true)).observe(document.body, { attributeFilter: themes });
    // alone on its page, it need not be chosen first: a teacher's clicker has a space bar
    if (root.matches('[data-page] > *'))
      document.addEventListener('keydown', (event) => {
        if (event.key !== ' ' || event.target !== document.body || !box.isConnected) return;
        event.preventDefault();
        this.act('play');
      });
    this.showStop();
    this.paint(true);
  }

  /**
   * The page in its other language, with the same training.
   * @param {Data} data
   */
  translate(data) {
    const { playing } = this;
    this.go(false);
    const other = new Playground(this.root, this.key, this.programs, data, this);
    this.box.remove();
    other.go(playing);
    return escaped(data.title);
  }

  /**
   * A layer's name: how many units of which kind.
   * @param {Data['layers'][0]} layer
   * @param {number} k
   */
  named({ units, name }, k) {
    const { messages: words } = this.data;
    if (k === this.data.layers.length - 1 && !name)
      return units === 1 ? words['one-output'] : filled(words.outputs, { n: units });
    if (k === 0) return units === 1 ? words['one-input'] : filled(words.inputs, { n: units });
    return filled(words.layer, { n: units, name: name || words.sum });
  }

  /** @param {'reset' | 'play' | 'step' | 'epoch'} act */
  act(act) {
    const { trainer } = this;
    if (act === 'play') {
      this.go(!this.playing);
      return;
    }
    this.go(false);
    if (act === 'reset') {
      trainer.reset();
      this.course.clear();
      this.alert.textContent = '';
    } else if (act === 'step') this.step();
    else for (let done = false; !done && !trainer.stopped; ) done = this.step();
    this.paint(true);
  }

  /** One step; whether that was the end of an epoch. */
  step() {
    const { trainer } = this;
    if (trainer.stopped) return false;
    const done = trainer.step();
    if (done) this.course.add(trainer.loss);
    if (trainer.stopped) this.go(false);
    this.showStop();
    return done;
  }

  /** What stopped the training, if anything did. */
  showStop() {
    const { stopped, epoch } = this.trainer;
    if (stopped) this.alert.textContent = filled(this.data.messages[`stopped-${stopped}`], { epoch: epoch + 1 });
  }

  /** @param {boolean} playing */
  go(playing) {
    if (playing === this.playing || (playing && this.trainer.stopped)) return;
    this.playing = playing;
    this.owed = 0;
    if (playing) {
      let last = performance.now();
      /** @param {number} now */
      const frame = (now) => {
        if (!this.playing || !this.root.isConnected) return;
        this.train(now - last);
        last = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }
    this.paint(true);
  }

  /**
   * Train as much as the speed asks for, or as there is time for, and paint.
   * @param {number} passed milliseconds since the last time
   */
  train(passed) {
    const { trainer, speed } = this;
    const start = performance.now();
    const due = this.owed + (speed * Math.max(0, passed)) / 1000;
    this.owed = speed === Infinity ? Infinity : Math.min(due, Math.max(1, speed / 10));
    while (this.owed > 0 && !trainer.stopped && performance.now() - start < AT_ONCE) {
      this.step();
      this.owed -= Math.min(1, trainer.size / this.data.X.length);
    }
    if (!calm.matches || start - this.before > 250) this.paint(false);
  }

  /**
   * @param {'rate' | 'size' | 'speed'} what
   * @param {number} x
   */
  change(what, x) {
    if (what === 'speed') this.speed = x;
    else this.trainer[what] = x;
  }

  /** @param {number} kind of optimiser */
  choose(kind) {
    this.trainer.choose(kind);
    this.controls.rate.value = String(this.trainer.rate);
  }

  /**
   * @param {number[]} x
   * @param {number} shown
   * @param {number[]} target
   */
  addExample(x, shown, target) {
    this.data.X.push(x);
    this.data.T.push(target);
    this.data.shown?.push(shown);
    this.paint(true);
  }

  /** Take back the example that was added last; whether that was the first. */
  takeBack() {
    const { data } = this;
    if (data.X.length > this.given) for (const list of [data.X, data.T, data.shown]) list?.pop();
    this.trainer.restart();
    this.paint(true);
    return data.X.length === this.given;
  }

  /** How many of the examples the model is right about, from 0 to 1. */
  measured() {
    const { data, field } = this;
    if (!data.labels.length || !data.shown) return Number.NaN;
    let right = 0;
    for (const [k, x] of data.X.entries()) right += Number(decided(field.ask(x), data.border)[0] === data.shown[k]);
    return right / data.X.length;
  }

  /**
   * Paint the plane, and one of the other pictures in turn: together they would take longer than the plane itself.
   * @param {boolean} all everything, also what stands still while the model learns
   */
  paint(all) {
    const { trainer, field, plane } = this;
    if (!this.box.isConnected) return;
    if (all && this.palette.read()) plane?.paintMarks();
    this.before = performance.now();
    this.turn = (this.turn + 1) % 3;
    field.load(trainer.w);
    if (this.hasField) field.fill();
    plane?.paint(all);
    if (all || this.turn === 0) {
      this.network?.paint();
      this.summary?.paint();
    }
    if (all || this.turn === 1) this.course.paint(this.sheet, this.palette, format);
    if (all || this.turn === 2) this.show();
  }

  /** The numbers, for people and for scripts. */
  show() {
    const { trainer, data } = this;
    this.accuracy = this.measured();
    this.controls.show(this);
    this.plane?.undo.toggleAttribute('hidden', data.X.length === this.given);
    Object.assign(this.root.dataset, {
      epoch: trainer.epoch,
      steps: trainer.t,
      loss: repr(trainer.loss),
      accuracy: repr(this.accuracy),
      examples: data.X.length,
      playing: this.playing,
    });
  }
}

/** @type {NodeListOf<HTMLElement & { chainrule?: Playground }>} */
const roots = document.querySelectorAll(`[data-chainrule-playground="${KEY}"]`);
for (const root of roots) {
  if (root.chainrule) continue;
  for (const old of root.querySelectorAll(':scope > .cr-box')) old.remove();
  const data = JSON.parse(root.querySelector('script[type="application/json"]')?.textContent ?? '');
  root.chainrule = new Playground(root, KEY, PROGRAMS, data);
}
