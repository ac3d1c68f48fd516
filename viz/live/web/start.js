// The last lines of a page's script: find the roots that are meant, by the attribute that says what they hold, and never
// by the script's own place in the page (a notebook runs scripts from nowhere). KEY, KIND and SHEET come with the page.

/** @type {NodeListOf<HTMLElement>} */
const roots = document.querySelectorAll(`[data-chainrule-live="${KEY}"]:not([data-ready])`);
for (const root of roots) {
  const data = JSON.parse(root.querySelector('script[type="application/json"]')?.textContent ?? '');
  new KIND(root, data, SHEET);
}
