// Makes the scripts and styles of the live pages small: node bundle.mjs viz/live/web FOLDER
//
// What a person reads lies in viz/live/web, what a page carries in viz/live/bundles: each script with all that it imports,
// in short names, and each style sheet without spaces. sources.txt says from which files they were made, so that a test
// that has no Node.js can tell when they are old. scripts/check-js runs this file.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const [sources, folder] = process.argv.slice(2);
const names = readdirSync(sources).sort();
const common = { absWorkingDir: process.cwd(), outdir: folder, charset: 'utf8', logLevel: 'warning' };
const inFolder = (ofThem) => ofThem.map((name) => join(sources, name));

// Names of our classes' own fields and methods that are long or frequent; a page carries short ones in their place. None
// may be a name of the browser's, or one of the data that Python writes (tests/viz/test_bundles.py looks).
const OURS = `amount answered asked asking boxName caption captions carries changed chart chosen contribution cross
  crowded definitions derivation derived derives descend drawCourse edges edgesOf expected field firstBad follow
  gradients graph ground groups hasField isFolded isLeaf isNarrow isSeen known last later lights listener locals
  losses marked nameOf noteOnStep noteOnValue nudge onWires paint paintFront palette partial partsOf paths picture
  pieces placeOf position positions predict predicts question refresh refuse resetAll resting result reveal said
  scale seeAs sentence sheet showCross sideways signed sizes slider slopes spinbutton spoken spots stage stopped
  symbols tell tellLocals tellWire texts timer tools trainer translate turnToFit unwritten update view waiting
  wasChosen wireOf words writeLater`;
const mangleProps = new RegExp(`^(${OURS.trim().replace(/\s+/g, '|')})$`);

const scripts = ['explore.js', 'player.js', 'playground.js', 'steps.js'];
const small = { bundle: true, minify: true, mangleProps, format: 'iife', target: 'es2022' };
await build({ ...common, ...small, entryPoints: inFolder(scripts) });

// these keep their names, which the derivative sheet's lines call: words of the sheet, one statement for each
await build({ ...common, entryPoints: inFolder(['ieee.js', 'erf.js']), minifyWhitespace: true, target: 'es2022' });

const styles = names.filter((name) => name.endsWith('.css'));
await build({ ...common, entryPoints: inFolder(styles), minify: true });

const digest = (name) => createHash('sha256').update(readFileSync(join(sources, name))).digest('hex');
writeFileSync(join(folder, 'sources.txt'), names.map((name) => `${digest(name)}  ${name}\n`).join(''));
