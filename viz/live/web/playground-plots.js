// What a playground paints: the plane or the line with the examples, what each unit sees, and the course of the loss.

/** @typedef {import('./playground-training.js').Program} Program */
/** @typedef {[red: number, green: number, blue: number]} Colour */

/** The colours of a theme, read off the page: they may change with it. */
export class Palette {
  /**
   * @param {HTMLElement} root
   * @param {number} classes
   */
  constructor(root, classes) {
    const probes = root.appendChild(document.createElement('span'));
    probes.hidden = true;
    const names = ['card', 'ink', 'muted', 'edge', ...Array.from({ length: Math.max(2, classes) }, (_, k) => `k${k}`)];
    this.probes = names.map((name) => {
      const probe = probes.appendChild(document.createElement('i'));
      probe.style.color = `var(--${name})`;
      return /** @type {const} */ ([name, probe]);
    });
    /** @type {Record<string, string>} */
    this.text = {};
    this.read();
  }

  /** Read the colours anew; whether they have changed. */
  read() {
    const before = JSON.stringify(this.text);
    this.text = Object.fromEntries(this.probes.map(([name, probe]) => [name, getComputedStyle(probe).color]));
    if (JSON.stringify(this.text) === before) return false;
    /** @type {(name: string) => Colour} */
    const parts = (name) => {
      const [red, green, blue] = (this.text[name].match(/[\d.]+/g) ?? []).map(Number);
      return [red, green, blue];
    };
    this.card = parts('card');
    this.classes = this.probes.flatMap(([name]) => (/^k\d/.test(name) ? [parts(name)] : []));
    /** @type {Uint32Array[]} for each class from pale to full */
    this.ramps = this.classes.map((full) => ramp(/** @type {Colour} */ (this.card), full));
    return true;
  }

  /**
   * The colour of a number: below 0 that of the first class, above 0 that of the second, both stronger towards ±1.
   * @param {number} x
   */
  signed(x) {
    return this.of(x < 0 ? 0 : 1, Math.abs(x));
  }

  /**
   * The same as a style has it, for a number from -1 to 1.
   * @param {number} x
   */
  style(x) {
    const bits = this.signed(x);
    return `rgb(${bits & 255} ${(bits >> 8) & 255} ${(bits >> 16) & 255})`;
  }

  /**
   * @param {number} k a class
   * @param {number} much from 0 to 1
   */
  of(k, much) {
    const one = /** @type {Uint32Array[]} */ (this.ramps)[k];
    return one[Math.round(63 * Math.min(1, much || 0))];
  }
}

/**
 * 64 colours between two, as the numbers that a canvas holds.
 * @param {Colour} from
 * @param {Colour} to
 */
const ramp = (from, to) =>
  Uint32Array.from({ length: 64 }, (_, k) => {
    const [red, green, blue] = from.map((start, c) => Math.round(start + (to[c] - start) * 0.78 * (k / 63)));
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  });

/** What the model and its units give at the places of a grid. */
export class Field {
  /**
   * @param {Program} program of the model's outputs
   * @param {{ model: number[], own: number[], box: [number, number][] | null, kind: string }} data
   * @param {number[]} addresses of the units that are looked at
   */
  constructor(program, { model, own, box, kind }, addresses) {
    this.program = program;
    this.map = model;
    this.own = own;
    this.v = new Float64Array(program.memory);
    this.v.set(program.constants, program.parameters);
    this.addresses = addresses;
    this.side = kind === 'line' ? 181 : 72;
    this.rows = kind === 'line' ? 1 : this.side;
    this.every = kind === 'line' ? 1 : 3; // of the places, for the units' small pictures
    this.small = Math.ceil(this.side / this.every);
    const places = this.side * this.rows;
    this.outputs = program.outputs.map(() => new Float32Array(places));
    this.units = addresses.map(() => new Float32Array(this.small * (kind === 'line' ? 1 : this.small)));
    this.one = new Float32Array(places);
    /** Which unit is looked at closely; -1 for none. */
    this.chosen = -1;
    const [[left, right], [low, high]] = box ?? [
      [0, 1],
      [0, 1],
    ];
    this.across = Array.from({ length: this.side }, (_, k) => left + ((right - left) * (k + 0.5)) / this.side);
    this.down = Array.from({ length: this.rows }, (_, k) => high - ((high - low) * (k + 0.5)) / this.rows);
  }

  /**
   * Take new parameters.
   * @param {Float64Array} w
   */
  load(w) {
    const { v, map, own } = this;
    for (let k = 0; k < map.length; k += 1) v[k] = map[k] < 0 ? own[k] : w[map[k]];
    this.program.shared(v);
  }

  /** Ask for every place. */
  fill() {
    const { v, side, rows, every, small, across, down, outputs, units, addresses, one, chosen } = this;
    const { sample, forward, outputs: found } = this.program;
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0; c < side; c += 1) {
        v[sample] = across[c];
        if (rows > 1) v[sample + 1] = down[r];
        forward(v);
        const place = r * side + c;
        for (let k = 0; k < found.length; k += 1) outputs[k][place] = v[found[k]];
        if (chosen >= 0) one[place] = v[addresses[chosen]];
        if (c % every === 0 && r % every === 0) {
          const spot = (r / every) * small + c / every;
          for (let k = 0; k < units.length; k += 1) units[k][spot] = v[addresses[k]];
        }
      }
    }
  }

  /**
   * The outputs for one example.
   * @param {number[]} x
   */
  ask(x) {
    this.v.set(x, this.program.sample);
    this.program.forward(this.v);
    return this.program.outputs.map((at) => this.v[at]);
  }
}

/**
 * The class that outputs stand for, and how clearly, from 0 to 1.
 * @param {ArrayLike<number>} outputs
 * @param {[at: number, steep: number]} border between two classes that one output tells apart
 * @returns {[number, number]}
 */
export const decided = (outputs, [at, steep]) => {
  if (outputs.length === 1) {
    const lead = (outputs[0] - at) * steep;
    return [lead > 0 ? 1 : 0, Math.tanh(Math.abs(lead))];
  }
  let best = 0;
  let next = -Infinity;
  for (let k = 1; k < outputs.length; k += 1) {
    if (outputs[k] > outputs[best]) {
      next = outputs[best];
      best = k;
    } else if (outputs[k] > next) next = outputs[k];
  }
  return [best, Math.tanh(outputs[best] - next)];
};

/** A small picture of a few numbers, stretched by the page. */
export class Tile {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} width
   * @param {number} height
   */
  constructor(canvas, width, height) {
    canvas.width = width;
    canvas.height = height;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.image = this.context.createImageData(width, height);
    this.dots = new Uint32Array(this.image.data.buffer);
  }

  /** @param {(place: number) => number} colour of each dot */
  paint(colour) {
    const { dots } = this;
    for (let k = 0; k < dots.length; k += 1) dots[k] = colour(k);
    this.context.putImageData(this.image, 0, 0);
  }
}

/** A canvas with as many dots as the screen has. */
export class Sheet {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.width = 0;
    this.height = 0;
  }

  /** Begin anew; whether there is any room. */
  clear() {
    const { canvas, context } = this;
    const scale = Math.min(devicePixelRatio || 1, 3);
    const { clientWidth: width, clientHeight: height } = canvas;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    this.width = width;
    this.height = height;
    return width > 0 && height > 0;
  }
}

/** How far the corners of each class's mark are, as [angle, distance] pairs; the first class has a circle. */
const MARKS = [
  null,
  [0.25, 1.2, 0.75, 1.2, 1.25, 1.2, 1.75, 1.2],
  [-0.5, 1.4, 0.17, 1.3, 0.83, 1.3],
  [0, 1.4, 0.5, 1.4, 1, 1.4, 1.5, 1.4],
  [0.5, 1.4, 1.17, 1.3, 1.83, 1.3],
];

/**
 * The mark of an example: not by colour alone.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {number} k its class
 */
export const mark = (context, x, y, size, k) => {
  context.beginPath();
  const corners = MARKS[k % MARKS.length];
  if (corners) {
    for (let i = 0; i < corners.length; i += 2) {
      const angle = Math.PI * corners[i];
      context.lineTo(x + size * corners[i + 1] * Math.cos(angle), y + size * corners[i + 1] * Math.sin(angle));
    }
    context.closePath();
  } else context.arc(x, y, size, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
};

/** The course of the loss: one number per epoch, and of very many every second, every fourth, … */
export class Course {
  constructor() {
    /** @type {number[]} */
    this.losses = [];
    this.every = 1;
    this.seen = 0;
  }

  clear() {
    this.losses = [];
    this.every = 1;
    this.seen = 0;
  }

  /** @param {number} loss */
  add(loss) {
    if (this.seen % this.every === 0) this.losses.push(loss);
    this.seen += 1;
    if (this.losses.length > 1600) {
      this.losses = this.losses.filter((_, k) => k % 2 === 0);
      this.every *= 2;
    }
  }

  /**
   * @param {Sheet} sheet
   * @param {Palette} palette
   * @param {(x: number) => string} text
   */
  paint(sheet, { text: colours }, text) {
    if (!sheet.clear()) return;
    const { context, width, height } = sheet;
    const { losses } = this;
    const [left, top, bottom] = [2, 16, height - 18];
    const finite = losses.filter(Number.isFinite);
    const most = finite.length ? Math.max(...finite, 1e-300) : 1;
    const least = finite.length ? Math.min(...finite) : 0;
    const byPowers = least > 0 && most > 20 * least; // else what happens later would lie flat on the ground
    /** @param {number} loss */
    const high = (loss) => (byPowers ? Math.log(loss / least) / Math.log(most / least) : Math.max(0, loss) / most);
    context.font = `12px ${getComputedStyle(sheet.canvas).fontFamily}`;
    context.fillStyle = colours.muted;
    context.strokeStyle = colours.edge;
    context.lineWidth = 1;
    context.beginPath();
    for (const y of [top, (top + bottom) / 2, bottom]) {
      context.moveTo(left, Math.round(y) + 0.5);
      context.lineTo(width, Math.round(y) + 0.5);
    }
    context.stroke();
    context.textAlign = 'left';
    if (finite.length) context.fillText(text(most), left, top - 4);
    context.fillText(byPowers ? text(least) : '0', left, height - 4);
    context.textAlign = 'right';
    if (this.seen) context.fillText(this.seen.toLocaleString('en'), width - 1, height - 4);
    context.strokeStyle = colours.k1;
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.beginPath();
    const last = Math.max(1, losses.length - 1);
    for (const [k, loss] of losses.entries())
      context.lineTo(left + ((width - left - 2) * k) / last, bottom - (bottom - top) * high(loss));
    context.stroke();
  }
}
