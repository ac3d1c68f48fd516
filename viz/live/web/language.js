// A page speaks two languages: a switch makes it anew in the other one, at the same numbers.

import { button, set } from './dom.js';

/**
 * What a page says in one language. In `other`, which comes with the page, the messages are a row, in the order of those
 * of the page.
 * @typedef {object} Tongue
 * @property {string} lang
 * @property {string} name of the language, in the language
 * @property {string} title
 * @property {Record<string, string> | string[]} messages
 * @property {Tongue} [other]
 */

/**
 * The same data in the other language.
 * @template {Tongue} Data
 * @param {Data} data
 * @returns {Data}
 */
const translated = (data) => {
  const { other } = data;
  if (!Array.isArray(other?.messages)) return /** @type {Data} */ (other);
  const said = Object.keys(data.messages).map((key, i) => [key, Object.values(other.messages)[i]]);
  return { ...data, ...other, messages: Object.fromEntries(said), other: data };
};

/**
 * A button that makes the page anew in its other language.
 * @template {Tongue} Data
 * @param {Element} parent
 * @param {HTMLElement} root
 * @param {Data} data
 * @param {(data: Data) => string} remake it gives back the title, as HTML
 */
export const languageSwitch = (parent, root, data, remake) => {
  if (!data.other) return;
  const act = 'language';
  const { lang, name } = data.other;
  const key = button(parent, act, name, () => {
    const title = remake(translated(data));
    root.lang = lang;
    const head = root.closest('[data-page]')?.querySelector('h1');
    if (head) {
      head.innerHTML = title;
      document.title = head.textContent ?? '';
      document.documentElement.lang = lang;
    }
    /** @type {HTMLElement | null} */ (root.querySelector(`[data-act=${act}]`))?.focus({ preventScroll: true });
  });
  set(key, { lang });
};
