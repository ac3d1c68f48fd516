"""What a player looks like on a page, and the script that moves it.

The script finds its players by an attribute, never by its own place in the page (a notebook runs scripts from nowhere),
and marks those that it has made; so several of them stand on one page without knowing of each other. There are no ids.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from ..markup import DARK, LIGHT, Rules
from ..metrics import FONT
from ..picture import KEYS_ARE_OURS
from .stage import stylesheet

_ROOT = ".cr-player"
_STYLE = """\
%(root)s{color-scheme:light dark;color:var(--ink);font:15px/1.5 %(font)s;margin:0;text-align:left}
:is([data-jp-theme-light=true],.vscode-light,[data-md-color-scheme=default]) %(root)s{color-scheme:light}
:is([data-jp-theme-light=false],.vscode-dark,[data-md-color-scheme=slate]) %(root)s{color-scheme:dark}
%(root)s%(root)s[data-theme=light]{color-scheme:light}
%(root)s%(root)s[data-theme=dark]{color-scheme:dark}
%(root)s[data-ready]>.cr-instead{display:none}
%(root)s *{box-sizing:border-box}
%(root)s .cr-box{background:var(--card);border:1px solid var(--edge);border-radius:12px;overflow:hidden}
%(root)s .cr-stage{overflow:auto;max-height:74vh;border-radius:12px 12px 0 0}
%(root)s svg .card{fill:none;stroke:none}
%(root)s .cr-stage svg{display:block;margin:0 auto;height:auto}
%(root)s .cr-bar{display:flex;align-items:center;gap:12px;padding:10px 16px;border-top:1px solid var(--edge)}
%(root)s .cr-keys{display:flex;gap:6px}
%(root)s button{all:unset;display:grid;place-items:center;width:38px;height:38px;border-radius:50%%;cursor:pointer;
background:var(--gate);border:1px solid var(--edge)}
%(root)s button:hover{border-color:var(--rim)}
%(root)s button[aria-disabled=true]{opacity:.45;cursor:default}
%(root)s button svg{width:16px;height:16px;fill:var(--ink)}
%(root)s :focus-visible{outline:3px solid var(--tag-rim);outline-offset:2px}
%(root)s input:focus-visible{outline-offset:0;border-radius:8px}
%(root)s .cr-stage:focus-visible{outline-offset:-3px}
%(root)s .cr-track{flex:1;min-width:0}
%(root)s .cr-passes{display:flex;gap:3px;font-size:12px;line-height:1.3;color:var(--muted);padding:0 8px}
%(root)s .cr-passes span{border-bottom:3px solid;padding-bottom:2px;white-space:nowrap;overflow:hidden}
%(root)s .cr-forward{border-color:var(--value)!important}
%(root)s .cr-backward{border-color:var(--gradient)!important}
%(root)s input{display:block;width:100%%;height:24px;margin:4px 0 0;accent-color:var(--rim);cursor:pointer}
%(root)s .cr-count{font-variant-numeric:tabular-nums;color:var(--muted);white-space:nowrap;text-align:right}
%(root)s .cr-captions{display:grid;padding:12px 18px 16px;border-top:1px solid var(--edge)}
%(root)s .cr-captions>*{grid-area:1/1;min-width:0}
%(root)s .cr-captions p{margin:0;overflow-wrap:anywhere}
%(root)s .cr-ghost{visibility:hidden}
%(root)s .cr-title{font-size:13px;color:var(--muted)}
%(root)s .cr-text{font-size:clamp(17px,1.1vw + 10px,26px);line-height:1.45;margin:2px 0 4px!important}
%(root)s .cr-text span{display:inline-block}
%(root)s .cr-words{font-size:clamp(15px,.6vw + 8px,20px);max-width:85ch}
%(root)s .cr-more{font-size:14px;color:var(--muted);max-width:95ch}
%(root)s .cr-note{margin:0;padding:8px 18px;font-size:13px;color:var(--muted);border-top:1px solid var(--edge)}
@media (max-width:560px){%(root)s .cr-bar{flex-wrap:wrap;justify-content:space-between;padding:10px 12px}
%(root)s .cr-track{flex:1 0 100%%;order:-1}%(root)s .cr-captions{padding:10px 14px 14px}
%(root)s .cr-note{padding:8px 14px}}
@media (prefers-reduced-motion:no-preference){%(root)s .cr-lights>g{animation:cr-light .25s ease-out}}
@keyframes cr-light{from{opacity:0}}
"""

_SCRIPT = """\
(() => {
const ICONS = {previous: 'M3 2h2v12H3zM14 2v12L6 8z', next: 'M11 2h2v12h-2zM2 2v12l8-6z',
  play: 'M4 2v12l10-6z', pause: 'M4 2h3v12H4zM9 2h3v12H9z'};
const ours = {'data-lm-suppress-shortcuts': ''};  // see KEYS_ARE_OURS
const still = matchMedia('(prefers-reduced-motion: reduce)');
const make = (name, parent, attributes = {}) => {
  const element = parent.appendChild(document.createElement(name));
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  return element;
};
for (const root of document.querySelectorAll('[data-chainrule-player]:not([data-ready])')) {
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const frames = data.frames, last = frames.length - 1;
  root.dataset.ready = '';
  const box = make('div', root, {class: 'cr-box', role: 'group', 'aria-label': data.title + ', step by step'});

  // the picture: what stands still, the lights, and a group of numbers for each part
  const stage = make('div', box, {...ours, class: 'cr-stage', tabindex: 0, role: 'group', 'aria-label': data.shown});
  stage.innerHTML = `<svg viewBox="0 0 ${data.width} ${data.height}" role="img"
    text-anchor="middle" xml:space="preserve" style="width:100%;min-width:${data.width * 0.7}px;
    max-width:clamp(${data.width * 1.4}px,55vw,${data.width * 2}px)">` +
    data.still + '<g class="cr-lights"></g>' +
    Array.from({length: data.parts}, (_, i) => `<g data-part="${i}"></g>`).join('') + '</svg>';
  const picture = stage.firstChild, lights = picture.querySelector('.cr-lights');
  const parts = [...picture.querySelectorAll('[data-part]')];

  const bar = make('div', box, {class: 'cr-bar'}), keys = make('div', bar, {class: 'cr-keys'});
  const button = (name, label, act, key = '') => {
    const element = make('button', keys, {...ours, type: 'button', 'aria-label': label, title: label + key});
    element.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
    element.addEventListener('click', act);
    return element;
  };
  const previous = button('previous', 'Previous step', () => go(at - 1), ' (←)');
  const play = button('play', 'Play', () => timer ? pause() : start());
  const next = button('next', 'Next step', () => go(at + 1), ' (→)');
  const track = make('div', bar, {class: 'cr-track'}), passes = make('div', track, {class: 'cr-passes'});
  passes.setAttribute('aria-hidden', 'true');
  for (const pass of ['forward', 'backward']) {
    const count = frames.filter(f => ({graph: 'forward', seed: 'backward'}[f[0]] || f[0]) === pass).length;
    if (count) make('span', passes, {class: 'cr-' + pass, style: `flex:${count} 1 0`}).textContent = pass;
  }
  const slider = make('input', track, {...ours, type: 'range', min: 0, max: last, step: 1, 'aria-label': 'Step'});
  const count = make('div', bar, {class: 'cr-count'});
  count.style.minWidth = `${2 * String(last + 1).length + 3}ch`;

  // the captions: unseen ones keep room for the longest, so that nothing jumps
  const captions = make('div', box, {class: 'cr-captions'});
  const say = (element, [, title, text, words, more]) => {
    element.textContent = '';
    make('p', element, {class: 'cr-title'}).textContent = title;
    const formula = make('p', element, {class: 'cr-text'});
    text.split(' = ').forEach((side, k) => {  // a line breaks before an equals sign first
      if (k) formula.append(' ');
      make('span', formula).textContent = (k ? '= ' : '') + side;
    });
    if (words) make('p', element, {class: 'cr-words'}).textContent = words + '.';
    if (more) make('p', element, {class: 'cr-more'}).textContent = more + '.';
  };
  const length = f => f[2].length * 1.6 + f[3].length + f[4].length;
  for (const frame of [...frames].sort((a, b) => length(b) - length(a)).slice(0, 24))
    say(make('div', captions, {class: 'cr-ghost', 'aria-hidden': 'true'}), frame);
  const caption = make('div', captions, {class: 'cr-caption', 'aria-live': 'polite', 'aria-atomic': 'true'});
  if (data.note) make('p', box, {class: 'cr-note'}).textContent = data.note;

  // what each part shows at each frame
  const shown = [];
  frames.forEach((frame, k) => shown.push(Object.assign([...(shown[k - 1] || [])], frame[6])));
  let at = -1, timer = 0;
  const go = (to, playing) => {
    if (!playing) pause();
    to = Math.max(0, Math.min(last, to));
    if (to === at) return;
    parts.forEach((part, i) => {
      const markup = shown[to][i] || '';
      if (at < 0 || markup !== (shown[at][i] || '')) part.innerHTML = markup;
    });
    const before = at;
    at = to;
    const [, title, text] = frames[at];
    lights.innerHTML = frames[at][5];
    say(caption, frames[at]);
    picture.setAttribute('aria-label', `${data.title}. ${title}: ${text}`);
    slider.value = at;
    slider.setAttribute('aria-valuetext', `${at + 1} of ${last + 1}. ${title}: ${text}`);
    count.textContent = `${at + 1} / ${last + 1}`;
    previous.setAttribute('aria-disabled', at === 0);
    next.setAttribute('aria-disabled', at === last);
    follow(before < 0 || still.matches);
  };
  const follow = at_once => {  // bring what is lit into sight, if the picture is wider or higher than its place
    if (!lights.firstChild) return;
    const lit = lights.getBoundingClientRect(), view = stage.getBoundingClientRect();
    let across = (lit.left + lit.right - view.left - view.right) / 2;
    if (lit.width > view.width - 16)  // not all of it has room: the end with the new number
      across = frames[at][0] === 'forward' ? lit.right - view.right + 8 : lit.left - view.left - 8;
    if (lit.left < view.left + 8 || lit.right > view.right - 8 || lit.top < view.top || lit.bottom > view.bottom)
      stage.scrollTo({
        left: stage.scrollLeft + across,
        top: stage.scrollTop + (lit.top + lit.bottom - view.top - view.bottom) / 2,
        behavior: at_once ? 'auto' : 'smooth'});
  };
  const show = (name, label) => {
    play.querySelector('path').setAttribute('d', ICONS[name]);
    play.setAttribute('aria-label', label);
    play.title = label;
  };
  const pause = () => { clearInterval(timer); timer = 0; show('play', 'Play'); };
  const start = () => {
    if (at === last) go(0);
    show('pause', 'Pause');
    timer = setInterval(() => { go(at + 1, true); if (at === last) pause(); }, 1800);
  };
  const press = event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(to);
  };
  slider.addEventListener('input', () => go(Number(slider.value)));
  root.addEventListener('keydown', press);
  if ('page' in root.parentElement.dataset)  // alone on its page, it need not be chosen first
    document.addEventListener('keydown', event => { if (event.target === document.body) press(event); });
  go(0);
}
})();
"""


def piece(data: dict[str, Any], rules: Rules, theme: str, fallback: str = "") -> str:
    """A player as a piece of HTML: ``rules`` are those of its picture, ``fallback`` is for where no script runs."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # nothing in the text may end the script element, or begin another inside it
    text = re.sub(r"<(?=!|script)", r"\\u003c", text, flags=re.IGNORECASE).replace("</", "<\\/")
    instead = fallback or "<p>The steps need JavaScript, which is switched off here.</p>"
    script = re.sub(r"^ +| *// .*$", "", _SCRIPT, flags=re.MULTILINE)
    return (
        f'<div class="cr-player" data-chainrule-player data-theme="{theme}">\n'
        f'<style>\n{_style(rules)}</style>\n<div class="cr-instead">{instead}</div>\n'
        f'<script type="application/json">{text}</script>\n<script>\n{script}</script>\n</div>\n'
    )


def step(title: str, text: str, words: str, more: str, picture: str, *, is_open: bool) -> str:
    """A step that opens without a script."""
    paragraphs = "".join(f"<p>{html.escape(t)}.</p>" for t in (words, more) if t)
    head = f"<summary {KEYS_ARE_OURS}>{html.escape(title)}: {html.escape(text)}</summary>"
    return f"<details{' open' if is_open else ''}>{head}{paragraphs}{picture}</details>\n"


def page(piece: str, title: str, theme: str) -> str:
    """A whole page around a player."""
    scheme, name = "light dark" if theme == "auto" else theme, f"{html.escape(title)}, step by step"
    muted = f"light-dark({LIGHT['muted']},{DARK['muted']})"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{name}</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<style>:root{{color-scheme:{scheme};background:light-dark(#f3f5f8,#0c0f14)}}"
        "body{margin:clamp(8px,2vw,2rem) auto;padding:0 clamp(8px,2vw,2rem);max-width:1700px}"
        f"h1{{margin:0 0 .8rem;font:600 15px {FONT};color:{muted}}}</style></head>\n"
        f"<body>\n<main data-page>\n<h1>{name}</h1>\n{piece}</main>\n</body>\n</html>\n"
    )


def _style(rules: Rules) -> str:
    return stylesheet(_ROOT, rules) + _STYLE % {"root": _ROOT, "font": FONT}


__all__ = ["page", "piece", "step"]
