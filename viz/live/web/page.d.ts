// What a page's script finds in front of it (page.py and playgrounds.py write it).
declare const KEY: string;
declare const SHEET: Record<string, import('./graph.js').Line>;
declare const PROGRAMS: {
  loss: import('./playground-training.js').Program;
  model: import('./playground-training.js').Program;
  rules: import('./playground-training.js').Rule[];
};
