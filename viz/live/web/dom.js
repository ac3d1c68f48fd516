// Small helpers for whoever makes elements.

export const KEYS_ARE_OURS = { 'data-lm-suppress-shortcuts': '' }; // see picture.py
const SVG = 'http://www.w3.org/2000/svg';

/**
 * Set attributes; undefined and false leave one out.
 * @param {Element} element
 * @param {Record<string, string | number | boolean | undefined>} attributes
 */
export const set = (element, attributes) => {
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) element.setAttribute(key, String(value));
};

/**
 * A new element, the last one in `parent`.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Element} parent
 * @param {Record<string, string | number | boolean | undefined>} [attributes]
 * @param {string} [text]
 */
export const make = (name, parent, attributes = {}, text = '') => {
  const element = parent.appendChild(document.createElement(name));
  set(element, attributes);
  if (text) element.textContent = text;
  return element;
};

/**
 * A new element of a picture, the last one in `parent`.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Element} parent
 * @param {Record<string, string | number | boolean | undefined>} [attributes]
 */
export const draw = (name, parent, attributes = {}) => {
  const element = parent.appendChild(document.createElementNS(SVG, name));
  set(element, attributes);
  return element;
};

/**
 * A button with a word or an icon; `act` names it for style sheets and tests.
 * @param {Element} parent
 * @param {string} act
 * @param {string} label
 * @param {() => void} onclick
 * @param {string} [icon] a path in a square of 16
 */
export const button = (parent, act, label, onclick, icon = '') => {
  const element = make('button', parent, { ...KEYS_ARE_OURS, type: 'button', 'data-act': act });
  if (icon) {
    set(element, { 'aria-label': label, title: label });
    draw('path', draw('svg', element, { viewBox: '0 0 16 16', 'aria-hidden': 'true' }), { d: icon });
  } else element.textContent = label;
  on(element, 'click', onclick);
  return element;
};

/**
 * @template {keyof GlobalEventHandlersEventMap} Type
 * @param {EventTarget} target
 * @param {Type} type
 * @param {(event: GlobalEventHandlersEventMap[Type]) => void} listener
 * @param {AddEventListenerOptions} [options]
 */
export const on = (target, type, listener, options) =>
  target.addEventListener(type, /** @type {EventListener} */ (listener), options);

/**
 * Nobody else takes an event, neither the browser nor an element around.
 * @param {Event} event
 */
export const taken = (event) => {
  event.preventDefault();
  event.stopPropagation();
};
