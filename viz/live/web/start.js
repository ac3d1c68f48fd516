// How a page begins: find the roots that are meant, by the attribute that says what they hold, and never by the script's
// own place in the page (a notebook runs scripts from nowhere). KEY and SHEET come with the page.

/**
 * Make the live pages that have these data.
 * @param {new (root: HTMLElement, data: import('./live.js').Data, sheet: typeof SHEET) => unknown} Kind
 */
export const start = (Kind) => {
  /** @type {NodeListOf<HTMLElement>} */
  const roots = document.querySelectorAll(`[data-chainrule-live="${KEY}"]:not([data-ready])`);
  for (const root of roots)
    new Kind(root, JSON.parse(root.querySelector('script[type="application/json"]')?.textContent ?? ''), SHEET);
};
