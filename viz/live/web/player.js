// The player of a page: it shows the frames of a pass one after the other, by buttons, a slider and keys.
//
// page.py puts this text into the page, once for each player. It finds the players by an attribute, never by its own
// place in the page (a notebook runs scripts from nowhere), and marks those that it has made. There are no ids, and
// nothing reaches the page's own names: so several players stand on one page without knowing of each other.

(() => {
  /**
   * A frame, as `Player._data` writes it: what is said about it, all but the title as markup; the markup of what is lit,
   * and for each part whose numbers are new their markup.
   * @typedef {[kind: string, title: string, formula: string, words: string, more: string, lights: string,
   *   changes: Record<number, string>]} Frame
   */

  /**
   * What the page knows of a player.
   * @typedef {object} Data
   * @property {string} title
   * @property {string} note
   * @property {string} heading what all of it is
   * @property {Record<string, string>} messages
   * @property {string} shown what the picture is of
   * @property {number} width
   * @property {number} height
   * @property {string} still the markup of what never changes
   * @property {number} parts how many groups of numbers there are
   * @property {Frame[]} frames
   */

  const ICONS = {
    previous: 'M3 2h2v12H3zM14 2v12L6 8z',
    next: 'M11 2h2v12h-2zM2 2v12l8-6z',
    play: 'M4 2v12l10-6z',
    pause: 'M4 2h3v12H4zM9 2h3v12H9z',
  };
  /**
   * A sentence with its slots filled.
   * @param {string} template
   * @param {Record<string, string | number>} slots
   */
  const fill = (template, slots) => template.replace(/\{(\w+)\}/g, (_, name) => String(slots[name]));

  const KEYS_ARE_OURS = { 'data-lm-suppress-shortcuts': '' }; // see picture.py
  const still = matchMedia('(prefers-reduced-motion: reduce)');

  /**
   * A new element, the last one in `parent`.
   * @template {keyof HTMLElementTagNameMap} Name
   * @param {Name} name
   * @param {Element} parent
   * @param {Record<string, string | number>} [attributes]
   */
  const make = (name, parent, attributes = {}) => {
    const element = parent.appendChild(document.createElement(name));
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    return element;
  };

  /**
   * The first element in `root` that the selector finds; it is there.
   * @param {Element} root
   * @param {string} selector
   */
  const find = (root, selector) => /** @type {Element} */ (root.querySelector(selector));

  /** The picture: what stands still, the lights, and a group of numbers for each part. */
  class Picture {
    /**
     * @param {Element} box
     * @param {Data} data
     */
    constructor(box, data) {
      const { width, height, parts, frames } = data;
      this.title = data.title;
      this.said = data.messages;
      const role = { class: 'cr-stage', tabindex: 0, role: 'group', 'aria-label': data.shown };
      this.stage = make('div', box, { ...KEYS_ARE_OURS, ...role });
      const size = `min-width:${width * 0.7}px;max-width:clamp(${width * 1.4}px,55vw,${width * 2}px)`;
      const groups = Array.from({ length: parts }, (_, i) => `<g data-part="${i}"></g>`).join('');
      this.stage.innerHTML =
        `<svg viewBox="0 0 ${width} ${height}" role="img" text-anchor="middle" xml:space="preserve" ` +
        `style="width:100%;${size}">${data.still}<g class="cr-lights"></g>${groups}</svg>`;
      this.svg = find(this.stage, 'svg');
      this.lights = find(this.svg, '.cr-lights');
      this.parts = [...this.svg.querySelectorAll('[data-part]')];
      /** @type {string[][]} what each part shows at each frame */
      this.shown = [];
      for (const [k, frame] of frames.entries())
        this.shown.push(Object.assign([...(this.shown[k - 1] ?? [])], frame[6]));
    }

    /**
     * @param {Frame} frame
     * @param {string} text what its formula says
     * @param {number} at its number
     * @param {number} before the one that was shown; -1 for none
     */
    show([kind, title, , , , lights], text, at, before) {
      for (const [i, part] of this.parts.entries()) {
        const markup = this.shown[at][i] ?? '';
        if (before < 0 || markup !== (this.shown[before][i] ?? '')) part.innerHTML = markup;
      }
      this.lights.innerHTML = lights;
      this.svg.setAttribute('aria-label', fill(this.said.then, { one: this.title, two: `${title}: ${text}` }));
      if (lights) this.follow(kind === 'forward', before < 0 || still.matches);
    }

    /**
     * Bring what is lit into sight, if the picture is wider or higher than its place.
     * @param {boolean} forward
     * @param {boolean} atOnce
     */
    follow(forward, atOnce) {
      const lit = this.lights.getBoundingClientRect();
      const view = this.stage.getBoundingClientRect();
      if (lit.left >= view.left + 8 && lit.right <= view.right - 8 && lit.top >= view.top && lit.bottom <= view.bottom)
        return;
      let across = (lit.left + lit.right - view.left - view.right) / 2;
      if (lit.width > view.width - 16)
        // not all of it has room: the end with the new number
        across = forward ? lit.right - view.right + 8 : lit.left - view.left - 8;
      this.stage.scrollTo({
        left: this.stage.scrollLeft + across,
        top: this.stage.scrollTop + (lit.top + lit.bottom - view.top - view.bottom) / 2,
        behavior: atOnce ? 'auto' : 'smooth',
      });
    }
  }

  /** Below the picture: the buttons, the slider under the names of the two passes, and the number of the frame. */
  class Bar {
    /**
     * @param {Element} box
     * @param {Player} player
     * @param {Record<string, string>} said
     */
    constructor(box, player, said) {
      this.said = said;
      const bar = make('div', box, { class: 'cr-bar' });
      const keys = make('div', bar, { class: 'cr-keys' });
      this.last = player.last;
      this.previous = this.button(keys, 'previous', said.previous, ' (←)', () => player.go(player.at - 1));
      this.play = this.button(keys, 'play', said.play, '', () => (player.timer ? player.pause() : player.play()));
      this.next = this.button(keys, 'next', said.next, ' (→)', () => player.go(player.at + 1));
      const track = make('div', bar, { class: 'cr-track' });
      this.passes(track, player.frames);
      const range = { type: 'range', min: 0, max: this.last, step: 1, 'aria-label': said['a-step'] };
      const slider = make('input', track, { ...KEYS_ARE_OURS, ...range });
      slider.addEventListener('input', () => player.go(Number(slider.value)));
      this.slider = slider;
      this.count = make('div', bar, { class: 'cr-count' });
      this.count.style.minWidth = `${2 * String(this.last + 1).length + 3}ch`;
    }

    /**
     * @param {Element} keys
     * @param {keyof typeof ICONS} icon
     * @param {string} label
     * @param {string} key
     * @param {() => void} act
     */
    button(keys, icon, label, key, act) {
      const told = { type: 'button', 'aria-label': label, title: label + key };
      const button = make('button', keys, { ...KEYS_ARE_OURS, ...told });
      button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
      button.addEventListener('click', act);
      return button;
    }

    /**
     * How much of the slider each pass takes.
     * @param {Element} track
     * @param {Frame[]} frames
     */
    passes(track, frames) {
      const passes = make('div', track, { class: 'cr-passes', 'aria-hidden': 'true' });
      for (const [pass, start] of [
        ['forward', 'graph'],
        ['backward', 'seed'],
      ]) {
        const count = frames.filter(([kind]) => kind === pass || kind === start).length;
        if (count)
          make('span', passes, { class: `cr-${pass}`, style: `flex:${count} 1 0` }).textContent =
            this.said[`pass-${pass}`];
      }
    }

    /**
     * @param {Frame} frame
     * @param {string} text
     * @param {number} at
     */
    show([, title], text, at) {
      this.slider.value = String(at);
      const one = fill(this.said.place, { k: at + 1, n: this.last + 1 });
      this.slider.setAttribute('aria-valuetext', fill(this.said.then, { one, two: `${title}: ${text}` }));
      this.count.textContent = `${at + 1} / ${this.last + 1}`;
      this.previous.setAttribute('aria-disabled', String(at === 0));
      this.next.setAttribute('aria-disabled', String(at === this.last));
    }

    /** @param {boolean} playing */
    showPlaying(playing) {
      find(this.play, 'path').setAttribute('d', playing ? ICONS.pause : ICONS.play);
      this.play.title = playing ? this.said.pause : this.said.play;
      this.play.setAttribute('aria-label', this.play.title);
    }
  }

  /** What is said about the frame. Unseen captions keep room for the longest, so that nothing jumps. */
  class Captions {
    /**
     * @param {Element} box
     * @param {Frame[]} frames
     */
    constructor(box, frames) {
      const captions = make('div', box, { class: 'cr-captions' });
      /** @param {Frame} frame */
      const length = ([, , formula, words, more]) => formula.length + words.length + more.length;
      for (const frame of [...frames].sort((a, b) => length(b) - length(a)).slice(0, 24))
        this.write(make('div', captions, { class: 'cr-ghost', 'aria-hidden': 'true' }), frame);
      this.now = make('div', captions, { class: 'cr-caption', 'aria-live': 'polite', 'aria-atomic': 'true' });
    }

    /**
     * The text of the formula is given back.
     * @param {Frame} frame
     */
    show(frame) {
      this.now.textContent = '';
      this.write(this.now, frame);
      return find(this.now, '.cr-text').textContent ?? '';
    }

    /**
     * @param {Element} element
     * @param {Frame} frame
     */
    write(element, [, title, formula, words, more]) {
      make('p', element, { class: 'cr-title' }).textContent = title;
      const text = make('p', element, { class: 'cr-text' });
      // a line breaks before an equals sign first
      for (const [k, side] of formula.split('\n').entries()) {
        if (k) text.append(' ');
        make('span', text).innerHTML = side;
      }
      if (words) make('p', element, { class: 'cr-words' }).innerHTML = words;
      if (more) make('p', element, { class: 'cr-more' }).innerHTML = more;
    }
  }

  class Player {
    /** @param {HTMLElement} root */
    constructor(root) {
      /** @type {Data} */
      const data = JSON.parse(find(root, 'script[type="application/json"]').textContent ?? '');
      this.frames = data.frames;
      this.last = data.frames.length - 1;
      this.at = -1;
      this.timer = 0;
      root.dataset.ready = '';
      const box = make('div', root, { class: 'cr-box', role: 'group', 'aria-label': data.heading });
      this.picture = new Picture(box, data);
      this.bar = new Bar(box, this, data.messages);
      this.captions = new Captions(box, data.frames);
      if (data.note) make('p', box, { class: 'cr-note' }).textContent = data.note;
      root.addEventListener('keydown', (event) => this.press(event));
      // alone on its page, it need not be chosen first
      if (root.matches('[data-page] > *'))
        document.addEventListener('keydown', (event) => {
          if (event.target === document.body) this.press(event);
        });
      this.go(0);
    }

    /**
     * Show a frame. Whoever moves the player by hand stops it.
     * @param {number} to
     */
    go(to) {
      this.pause();
      this.show(Math.max(0, Math.min(this.last, to)));
    }

    /** @param {number} at */
    show(at) {
      if (at === this.at) return;
      const before = this.at;
      this.at = at;
      const frame = this.frames[at];
      const text = this.captions.show(frame);
      this.bar.show(frame, text, at);
      this.picture.show(frame, text, at, before);
    }

    play() {
      if (this.at === this.last) this.show(0);
      this.bar.showPlaying(true);
      this.timer = setInterval(() => {
        this.show(this.at + 1);
        if (this.at === this.last) this.pause();
      }, 1800); // milliseconds
    }

    pause() {
      clearInterval(this.timer);
      this.timer = 0;
      this.bar.showPlaying(false);
    }

    /** @param {KeyboardEvent} event */
    press(event) {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
      const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: this.last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.go(to);
    }
  }

  /** @type {NodeListOf<HTMLElement>} */
  const roots = document.querySelectorAll('[data-chainrule-player]:not([data-ready])');
  for (const root of roots) new Player(root);
})();
