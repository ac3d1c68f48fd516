// What a page's script finds in front of its modules (live.py writes it).
declare const KEY: string;
declare const KIND: new (
  root: HTMLElement,
  data: import('./live.js').Data,
  sheet: Record<string, import('./graph.js').Line>,
) => unknown;
declare const SHEET: Record<string, import('./graph.js').Line>;
