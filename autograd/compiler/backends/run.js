// Runs programs of the javascript backend on Node.js: `node run.js` reads them from the standard input, one a line, with
// what each needs as JSON, and answers each with a line: the numbers, or "! " and what went wrong. Numbers travel as the
// hexadecimal digits of their bytes, so that none is rounded, and inf and nan come through.

const { process, Buffer } = /** @type {any} */ (globalThis);

/** @param {string} hex */
const numbers = (hex) => new Float64Array(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);

/** @param {string} text */
const run = (text) => {
  const { source, theta, samples, width, count, mean } = JSON.parse(text);
  const program = new Function(source)();
  const v = new Float64Array(program.memory);
  const d = new Float64Array(program.memory);
  v.set(numbers(theta));
  v.set(program.constants, program.parameters);
  program.shared(v);
  const rows = numbers(samples);
  let total = 0;
  const found = [];
  for (let k = 0; k < count; k += 1) {
    v.set(rows.subarray(k * width, (k + 1) * width), program.sample);
    program.forward(v);
    if (mean) {
      total += v[program.outputs[0]];
      d.fill(0, ...program.adjoints);
      program.backward(v, d);
    } else for (const at of program.outputs) found.push(v[at]);
  }
  program.settle(v, d);
  if (mean) found.push(total, ...d.subarray(0, program.parameters));
  return Buffer.from(new Float64Array(found).buffer).toString('hex');
};

/** @param {string} text */
const answer = (text) => {
  try {
    return run(text);
  } catch (error) {
    return `! ${String(error).replaceAll('\n', ' ')}`;
  }
};

let pieces = /** @type {string[]} */ ([]);
process.stdin.setEncoding('utf8');
process.stdin.on('data', (/** @type {string} */ piece) => {
  const [first, ...others] = piece.split('\n');
  pieces.push(first);
  for (const next of others) {
    process.stdout.write(`${answer(pieces.join(''))}\n`);
    pieces = [next];
  }
});
