// Steps: the forward and the backward pass, one after the other, in which a leaf may be changed at any time; and
// predicting: the next number is an empty box.

import { button, KEYS_ARE_OURS, make, on, taken } from './dom.js';
import { format } from './format.js';
import { Live } from './live.js';
import { close, otherValues, scaleOf, slipsOfAGradient, slipsOfAValue, worthAsking } from './mistakes.js';
import { typed } from './picture.js';
import { start } from './start.js';
import { bracketed, passedOn, tidy } from './words.js';

/**
 * What a frame shows: nodes of the forward pass, or steps of the backward pass by their numbers.
 * @typedef {[kind: 'graph' | 'forward' | 'seed' | 'backward', events: number[]]} Frame
 */

const PLAYING = {
  previous: 'M3 2h2v12H3zM14 2v12L6 8z',
  next: 'M11 2h2v12h-2zM2 2v12l8-6z',
  play: 'M4 2v12l10-6z',
  pause: 'M4 2h3v12H4zM9 2h3v12H9z',
  full: 'M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z',
};
/** milliseconds for a step @type {[name: string, pace: number][]} */
const SPEEDS = [
  ['slow', 3600],
  ['normal', 1800],
  ['fast', 700],
];
const PARTLY = '…'; // a gradient that some of its contributions have reached, in an order that is not the pass's

/**
 * Some texts in a row; of many, the first ones and the last.
 * @param {string[]} texts
 * @param {string} separator
 */
const listed = (texts, separator) =>
  (texts.length <= 8 ? texts : [...texts.slice(0, 7), '…', texts[texts.length - 1]]).join(separator);

class Steps extends Live {
  /**
   * @param {HTMLElement} root
   * @param {import('./live.js').Data} data
   * @param {Record<string, import('./graph.js').Line>} sheet
   * @param {Steps} [before] the same page in its other language
   */
  constructor(root, data, sheet, before) {
    super(root, data, sheet, before);
    this.frames = data.frames ?? [];
    this.last = this.frames.length - 1;
    this.at = -1;
    this.timer = 0;
    this.asking = before?.asking ?? data.asks !== undefined;
    this.answered = before?.answered ?? -1;
    this.asked = -1;
    this.picture.sideways = false;
    this.picture.crowded = true;
    this.passes = new Set(this.frames.map(([kind]) => kind));
    this.build(root);
    if (before && this.speed) this.speed.value = before.speed?.value ?? '';
    before?.pause();
    on(this.box, 'keydown', (event) => this.press(event));
    // alone on its page, it need not be chosen first
    if (root.matches('[data-page] > *'))
      on(document, 'keydown', (event) => {
        if (event.target === document.body && this.box.isConnected) this.press(event);
      });
    this.turnToFit(before);
    this.go(before?.at ?? 0);
  }

  /** @param {HTMLElement} root */
  build(root) {
    const say = (/** @type {string} */ key) => this.words.say(key);
    const keys = make('div', this.bar, { class: 'cr-keys' });
    this.previous = button(keys, 'previous', say('previous'), () => this.go(this.at - 1), PLAYING.previous);
    this.play = button(keys, 'play', say('play'), () => (this.timer ? this.pause() : this.start()), PLAYING.play);
    this.next = button(keys, 'next', say('next'), () => this.go(this.at + 1), PLAYING.next);
    const track = make('div', this.bar, { class: 'cr-track' });
    const passes = make('div', track, { class: 'cr-passes', 'aria-hidden': 'true' });
    for (const [pass, first, look] of [
      ['forward', 'graph', 'cr-forward'],
      ['backward', 'seed', 'cr-backward'],
    ]) {
      const count = this.frames.filter(([kind]) => kind === pass || kind === first).length;
      if (count) make('span', passes, { class: look, style: `flex:${count} 1 0` }, say(`pass-${pass}`));
    }
    const range = { type: 'range', min: 0, max: this.last, step: 1, 'aria-label': say('a-step') };
    this.slider = make('input', track, { ...KEYS_ARE_OURS, ...range });
    on(this.slider, 'input', () => this.go(Number(this.slider?.value)));
    this.count = make('div', this.bar, { class: 'cr-count' });
    const more = make('div', this.bar, { class: 'cr-keys' });
    this.speed = make('select', more, { ...KEYS_ARE_OURS, class: 'cr-speed', 'aria-label': say('speed') });
    for (const [name, pace] of SPEEDS) make('option', this.speed, { value: pace }, say(name));
    this.speed.value = '1800';
    this.predicts = button(more, 'predict', say('predict'), () => this.predict());
    this.predicts.setAttribute('aria-pressed', String(this.asking));
    this.sizes(more);
    if (document.fullscreenEnabled) button(more, 'full', say('full'), () => this.fill(root), PLAYING.full);
    root.onfullscreenchange = () => this.picture.fit();
    this.captions();
    if (this.data.note) make('p', this.box, { class: 'cr-note' }, this.data.note);
  }

  /** What is said. Unseen captions keep room for the longest, so that nothing jumps. */
  captions() {
    const captions = make('div', this.box, { class: 'cr-captions' });
    const told = this.frames.map((_, k) => this.told(k));
    /** @param {{text: string, words: string, more: string}} caption */
    const length = ({ text, words, more }) => text.length * 1.6 + words.length + more.length;
    for (const caption of told.sort((a, b) => length(b) - length(a)).slice(0, 4))
      this.write(make('div', captions, { class: 'cr-ghost', 'aria-hidden': 'true' }), caption);
    this.caption = make('div', captions, { class: 'cr-caption', 'aria-live': 'polite', 'aria-atomic': 'true' });
  }

  // --- moving

  /**
   * Show a frame. Whoever moves by hand stops the playing.
   * @param {number} to
   */
  go(to) {
    this.pause();
    this.show(to);
  }

  /** @param {number} to */
  show(to) {
    const at = Math.max(0, Math.min(this.last, to));
    if (at === this.at) return;
    this.at = at;
    this.update();
    const { parts, changed } = this.lit();
    this.picture.follow(parts, this.still.matches);
    this.picture.follow(this.partsOf(changed), this.still.matches);
  }

  start() {
    if (this.at === this.last) this.show(0);
    this.playing(true);
    this.timer = setInterval(() => {
      this.show(this.at + 1);
      if (this.at === this.last || this.question()) this.pause();
    }, Number(this.speed?.value));
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.playing(false);
  }

  /** @param {boolean} now */
  playing(now) {
    const label = this.words.say(now ? 'pause' : 'play');
    this.play?.querySelector('path')?.setAttribute('d', now ? PLAYING.pause : PLAYING.play);
    this.play?.setAttribute('aria-label', label);
    this.play?.setAttribute('title', label);
  }

  /** @param {HTMLElement} root */
  fill(root) {
    if (document.fullscreenElement) document.exitFullscreen();
    else {
      root.requestFullscreen();
      this.play?.focus(); // so that the space bar plays, and does not leave again
    }
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const target = /** @type {Element} */ (event.target);
    // a clicker has these two keys alone: they go on from a field, too
    if (target.matches(/^Page/.test(event.key) ? 'select' : 'input:not([type=range]), select')) return;
    const { at, last } = this;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 1, PageDown: at + 1, Home: 0, End: last }[
      event.key
    ];
    if (event.key === 'PageDown' && this.question()) this.reveal();
    else if (to !== undefined) this.go(to);
    else if (event.key === ' ' && !target.matches('button, summary, [role=button]')) {
      if (this.timer) this.pause();
      else this.start();
    } else return;
    taken(event);
  }

  // --- what is known at a frame

  /** What has been computed, and the gradients so far as texts. */
  known() {
    const { graph, frames, passes } = this;
    const known = new Set(graph.keys.flatMap((_, i) => (graph.inputs[i].length && passes.has('forward') ? [] : [i])));
    const until = this.question() ? this.at : this.at + 1;
    /** @type {Map<number, number[]>} the steps that have arrived at each node */
    const arrived = new Map();
    let seeded = false;
    for (const [kind, events] of frames.slice(0, until)) {
      if (kind === 'forward') for (const i of events) known.add(i);
      if (kind === 'seed') seeded = true;
      if (kind === 'backward')
        for (const k of events) {
          const { input } = graph.steps[k];
          arrived.set(input, [...(arrived.get(input) ?? []), k]);
        }
    }
    /** @param {number} i */
    const gradient = (i) => {
      if (!passes.has('seed')) return '';
      const steps = arrived.get(i);
      if (!steps) return i === graph.root && seeded ? format(1) : '–';
      const whole = this.data.running || steps.length === this.expected(i);
      return whole ? format(graph.steps[Math.max(...steps)].total) : PARTLY;
    };
    return { value: (/** @type {number} */ i) => (known.has(i) ? this.words.value(i) : '–'), gradient, arrived };
  }

  /**
   * How many contributions a node gets.
   * @param {number} i
   */
  expected(i) {
    return this.graph.steps.filter((step) => step.input === i).length;
  }

  /** The parts and wires that a frame lights. */
  lit() {
    const { partOf, wires } = this.picture.view;
    const [kind, events] = this.frames[this.at];
    if (kind === 'graph') return { parts: [], wires: [], changed: [] };
    if (kind === 'seed') return { parts: [], wires: [], changed: [this.graph.root] };
    const steps = events.map((k) => this.graph.steps[k]);
    const parts = kind === 'forward' ? events.map((i) => partOf[i]) : steps.map(({ node }) => partOf[node]);
    const here = new Set(parts.filter((i) => i >= 0));
    if (kind === 'forward')
      return { parts: [...here], wires: wires.filter(([part]) => here.has(part)), changed: events };
    const along = steps.map(({ node, position }) => this.picture.wireOf(node, position));
    const changed = steps.map(({ input }) => input);
    return { parts: [...here], wires: along.filter((wire) => wire !== undefined), changed };
  }

  /** @param {number[]} nodes */
  partsOf(nodes) {
    return nodes.map((i) => this.picture.view.partOf[i]).filter((i) => i >= 0);
  }

  // --- what is shown

  update() {
    if (this.at < 0) return;
    const [kind, events] = this.frames[this.at];
    const asks = this.question();
    this.picture.paint(this.known());
    const { parts, wires, changed } = this.lit();
    const direction = kind === 'forward' ? 'forward' : 'backward';
    this.picture.light(wires, kind === 'seed' ? this.partsOf(changed) : parts, direction);
    this.picture.lightNumbers(changed, kind === 'forward' ? 'value' : 'gradient');
    if (kind === 'backward' && events.length === 1 && this.data.running && wires[0])
      this.picture.tell(wires[0], this.graph.steps[events[0]].local);
    const caption = this.told(this.at);
    if (this.slider) {
      this.slider.value = String(this.at);
      const one = this.words.say('place', { k: this.at + 1, n: this.last + 1 });
      const place = this.row([one, caption.title]);
      this.slider.setAttribute('aria-valuetext', asks ? place : `${place}: ${caption.text}`);
    }
    const told = asks ? caption.title : `${caption.title}: ${caption.text}`;
    this.picture.stage.setAttribute('aria-label', this.row([this.data.title, told]));
    if (this.count) this.count.textContent = `${this.at + 1} / ${this.last + 1}`;
    this.previous?.setAttribute('aria-disabled', String(this.at === 0));
    this.next?.setAttribute('aria-disabled', String(this.at === this.last));
    if (!this.caption) return;
    if (asks) this.ask(caption.title, asks);
    else {
      this.caption.textContent = '';
      this.write(this.caption, caption);
    }
  }

  /**
   * What is said about a frame.
   * @param {number} k
   * @returns {{title: string, text: string, words: string, more: string}}
   */
  told(k) {
    const [kind, events] = this.frames[k];
    const { words, graph } = this;
    const [head, tail] = this.data.heads?.[k] ?? ['', ''];
    const alike = this.frames.filter(([other]) => other === kind);
    const title = words.say(`title-${kind}`, { k: alike.indexOf(this.frames[k]) + 1, n: alike.length });
    if (kind === 'seed') {
      const text = `${words.partial(graph.root, graph.root)} = 1`;
      return { title, text, words: words.say('seed', { f: words.f }), more: '' };
    }
    if (kind === 'graph') {
      const texts = events.map((i) => `${words.names[i]} = ${words.value(i)}`);
      const told = words.say(events.length ? 'before' : 'only-constants');
      return { title, text: tidy(listed(texts, ', ') + head), words: told, more: '' };
    }
    const isForward = kind === 'forward';
    const steps = isForward ? [] : events.map((i) => graph.steps[i]);
    const said = (/** @type {number} */ i) => (isForward ? words.forward(events[i]) : passedOn(words, steps[i]));
    const more = isForward ? this.noteOnValue(events) : events.length === 1 ? this.noteOnStep(events[0], k) : '';
    if (events.length === 1) {
      const { text, words: sentence } = said(0);
      return { title, text: tidy(text), words: tidy(sentence), more: tidy(more) };
    }
    const shown = events.slice(0, events.length === 4 ? 4 : 3).map((_, i) => said(i).text);
    return { title, text: head, words: tidy(shown.join('; ') + tail), more: tidy(more) };
  }

  /** @param {number[]} nodes */
  noteOnValue(nodes) {
    const parts = nodes.map((i) => this.picture.view.partOf[i]);
    const { firstBad } = this.graph;
    const isHere = firstBad >= 0 && (nodes.includes(firstBad) || parts.includes(this.picture.view.partOf[firstBad]));
    return isHere ? this.words.say('not-finite') : '';
  }

  /**
   * The local derivative as a formula, and the sum where several contributions meet.
   * @param {number} at the step's number
   * @param {number} k the frame
   */
  noteOnStep(at, k) {
    const { words, graph, data } = this;
    const step = graph.steps[at];
    const told = [];
    const local = format(step.local);
    if (words.partials[step.node][step.position] !== local)
      told.push(words.say('local-is', { formula: words.local(step.node, step.position) }));
    const n = this.expected(step.input);
    if (n < 2) return this.row(told);
    const before = this.frames.slice(0, k + 1).flatMap(([kind, events]) => (kind === 'backward' ? events : []));
    const added = before.map((i) => graph.steps[i]).filter(({ input }) => input === step.input);
    const texts = added.map(({ contribution }, i) => (i ? bracketed(format(contribution)) : format(contribution)));
    const total = texts.length > 1 && data.running ? ` = ${format(step.total)}` : '';
    const df = words.partial(graph.root, step.input);
    told.push(words.say('contribution', { k: added.length, n, df, sum: listed(texts, ' + ') + total }));
    return this.row(told);
  }

  /**
   * Sentences without their last full stop, one behind the other.
   * @param {string[]} told
   */
  row(told) {
    return told.length ? told.reduce((one, two) => this.words.say('then', { one, two })) : '';
  }

  /** @param {string} text */
  sentence(text) {
    return this.words.say('sentence', { text });
  }

  /**
   * @param {Element} element
   * @param {{title: string, text: string, words: string, more: string}} caption
   */
  write(element, { title, text, words, more }) {
    make('p', element, { class: 'cr-title' }, title);
    const formula = make('p', element, { class: 'cr-text' });
    // a line breaks before an equals sign first
    for (const [k, side] of text.split(' = ').entries()) {
      if (k) formula.append(' ');
      make('span', formula).innerHTML = this.words.html(k ? `= ${side}` : side, true);
    }
    if (words) make('p', element, { class: 'cr-words' }).innerHTML = this.words.html(this.sentence(words));
    if (more) make('p', element, { class: 'cr-more' }).innerHTML = this.words.html(this.sentence(more));
  }

  // --- predicting

  predict() {
    this.asking = !this.asking;
    this.answered = -1;
    this.predicts?.setAttribute('aria-pressed', String(this.asking));
    this.pause();
    this.update();
  }

  /**
   * What is asked at this frame, if anything: what it is called, the right number, and the slips of a wrong one.
   * @returns {{what: string, right: number, scale: number, slips: (guess: number) => string[]} | undefined}
   */
  question() {
    const [kind, events] = this.frames[this.at];
    if (!this.asking || this.answered === this.at || events.length !== 1 || kind === 'graph') return undefined;
    const { graph, words } = this;
    const { asks } = this.data;
    if (kind === 'forward') {
      const [i] = events;
      if (asks && !asks[0].includes(i)) return undefined;
      const right = graph.values[i];
      const numbers = graph.inputs[i].map((j) => graph.values[j]);
      const two = numbers.length === 2 && graph.inputs[i][0] !== graph.inputs[i][1];
      const other = two ? graph.sheet[graph.keys[i]][0]([...numbers].reverse()) : undefined;
      const others = otherValues(numbers);
      const isSum = /^(add|sub)\//.test(graph.keys[i]);
      const scale = isSum ? Math.max(...numbers.map(Math.abs)) : 0;
      const slips = (/** @type {number} */ guess) => slipsOfAValue(guess, right, other, others, scale);
      return { what: words.names[i], right, scale, slips };
    }
    const step = graph.steps[events[0]];
    const earlier = graph.steps.slice(0, events[0]).filter(({ input }) => input === step.input);
    const before = earlier.length ? earlier[earlier.length - 1].total : 0;
    if (asks ? !asks[1].includes(step.input) : !worthAsking(step.local, before)) return undefined;
    const slopes = graph.slopes[step.node];
    const [a, b] = graph.inputs[step.node];
    const other = slopes.length === 2 && a !== b ? (slopes[1 - step.position] ?? undefined) : undefined;
    const old = graph.steps.filter(({ input }) => input === step.node).map(({ total }) => total);
    const numbers = graph.inputs[step.node].map((j) => graph.values[j]);
    const misread = graph.sheet[graph.keys[step.node]][2]?.(graph.values[step.node], numbers)[step.position];
    const slips = (/** @type {number} */ guess) =>
      slipsOfAGradient(guess, step.upstream, step.local, before, other, old.slice(0, -1), misread);
    const scale = scaleOf(before, step.contribution);
    return { what: words.partial(graph.root, step.input), right: step.total, scale, slips };
  }

  /**
   * @param {string} title
   * @param {NonNullable<ReturnType<Steps['question']>>} question
   */
  ask(title, question) {
    const { words, caption, at } = this;
    if (!caption || (this.asked === at && caption.querySelector('form'))) return;
    this.asked = at;
    caption.textContent = '';
    make('p', caption, { class: 'cr-title' }, title);
    const form = make('form', caption, { class: 'cr-tool' });
    const label = make('label', form);
    const asked = words.say('your-turn', { what: question.what });
    make('span', label).innerHTML = words.html(asked);
    const spoken = { ...KEYS_ARE_OURS, 'aria-label': asked };
    const field = make('input', label, { ...spoken, autocomplete: 'off' });
    make('button', form, { ...KEYS_ARE_OURS, type: 'submit', 'data-act': 'check' }, words.say('check'));
    const told = make('p', caption, { class: 'cr-words', role: 'status' });
    button(form, 'reveal', words.say('reveal'), () => this.reveal());
    on(form, 'submit', (event) => {
      event.preventDefault();
      const now = this.question();
      const guess = typed(field.value);
      if (!now) return;
      if (guess === undefined) told.textContent = this.sentence(words.say('not-a-number', { text: field.value }));
      else told.innerHTML = words.html(this.sentence(this.answer(guess, field.value, now)));
      if (guess !== undefined && close(guess, now.right, now.scale)) this.reveal();
    });
    field.focus({ preventScroll: true });
  }

  /**
   * @param {number} guess
   * @param {string} text
   * @param {NonNullable<ReturnType<Steps['question']>>} question
   */
  answer(guess, text, question) {
    const { words } = this;
    const slips = question.slips(guess).map((slip) => words.say(`slip-${slip}`));
    const wrong = words.say('wrong', { guess: text, what: question.what });
    if (!slips.length) return wrong;
    const why =
      slips.length === 1
        ? words.say('looks-like', { slip: slips[0] })
        : words.say('looks-like-one-of', { slips: slips.join('; ') });
    return `${wrong}: ${why}`;
  }

  /** The number, and what is said about it. */
  reveal() {
    this.answered = this.at;
    this.asked = -1;
    this.update();
    this.next?.focus({ preventScroll: true });
  }
}

start(Steps);
