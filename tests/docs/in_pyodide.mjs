// node in_pyodide.mjs PYODIDE_FOLDER PROGRAM.py...: runs programs one after the other in Pyodide, each in a new Python
// with what the site's Python is given for a page, and prints as JSON what each printed, or the last line of its error.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, ...programs] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const results = [];
for (const program of programs) {
  const printed = [];
  const python = await loadPyodide({
    indexURL: `${folder}/`,
    packages: ["chainrule", "ipython"],
    stdout: (line) => printed.push(line),
  });
  printed.length = 0; // what was loaded
  let error = null;
  try {
    await python.runPythonAsync(readFileSync(program, "utf8"));
  } catch (raised) {
    error = raised.message.trim().split("\n").at(-1);
  }
  results.push({ printed: printed.join("\n"), error });
}
console.log(JSON.stringify(results));
