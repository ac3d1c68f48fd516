"""What is said about a graph and its steps: one table of sentences with slots, for Python and for the live pages.

A sentence is never put together from pieces: it is a template, and names and numbers go into its slots. So it can be
translated whole, by the standard library's `gettext`: the English template is the message, and a catalogue
``locale/<language>/LC_MESSAGES/chainrule.mo`` beside this file has the others. Formulas are the same in every language.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

MESSAGES: dict[str, str] = {
    # the steps
    "computed": "{q} is {formula}, which is {y}",
    "passed": "{q} passes its gradient {up} on to {v}, times the local derivative {here}: "
    "{added} is added to the gradient of {v}, which is now {now}",
    "cut": "{q} passes nothing of its gradient {up} on to {v}, which was not chosen: "
    "a path that is cut passes nothing, not even {up}; the gradient of {v} is now {now}",
    "cut-text": "{df} += 0, since {v} was not chosen: a path that is cut passes nothing, not even {up}",
    "seed": "The backward pass starts at its end: the gradient of {f} with respect to itself is 1",
    "before": "Before the forward pass only the leaves are known; every other number is still to come",
    "local-is": "The local derivative is {formula}",
    "contribution": "Contribution {k} of {n} to {df}: {sum}",
    "not-finite": "This is the first number that is not finite",
    "title-graph": "Before the first step",
    "title-forward": "Forward pass, step {k} of {n}",
    "title-seed": "The seed of the backward pass",
    "title-backward": "Backward pass, step {k} of {n}",
    # the controls
    "own-name": "English",  # the name of this language, in this language
    "previous": "Previous step",
    "next": "Next step",
    "play": "Play",
    "pause": "Pause",
    "a-step": "Step",
    "speed": "Speed",
    "slow": "slow",
    "normal": "normal",
    "fast": "fast",
    "full": "Full screen",
    "pass-forward": "forward",
    "pass-backward": "backward",
    "reset-all": "All numbers as they were",
    "zoom-in": "Larger",
    "zoom-out": "Smaller",
    "fit": "Fit",
    "fold": "Fold",
    "unfold": "Unfold",
    "open-box": "{box}: open it",
    "close-box": "{box}: fold it",
    "locals": "Local derivatives",
    "predict": "Predict",
    "picture": "The graph",
    "wires": "Gates and wires",
    # pictures of graphs
    "graph-of": "Computation graph of {f}",
    "a-value": "a value",
    "page-steps": "{title}, step by step",
    "page-live": "{title}, live",
    "sentence": "{text}.",
    "then": "{one}. {two}",
    "one-node": "1 node",
    "many-node": "{n} nodes",
    "one-array": "1 array",
    "many-array": "{n} arrays",
    "one-parameter": "1 parameter",
    "many-parameter": "{n} parameters",
    "one-leaf": "1 leaf",
    "many-leaf": "{n} leaves",
    "one-constant": "1 constant",
    "many-constant": "{n} constants",
    "box-more": "{symbol} {n} more",
    "box-alike": "{n} × the same form",
    "box-steps": "{n} more steps",
    "box-each": "each  {symbols}",
    "box-others": "{box} and {n} more",
    "box-parts": "{n} parts",
    "box-numbers": "{n} numbers",
    "tip-constant": "the constant {x}",
    "tip-gradient": "{value}, gradient {g}",
    "tip-unrecorded": "{node} ({op} inside no_grad)",
    "tip-parameter": "{node}, a parameter of {scope}",
    "told-both": "{value} gradient {gradient}",
    "and-more": "and {n} more",
    "drawn-folded": "Folded. draw_graph(…, depth='all') opens everything.",
    "drawn-folded-level": "Folded. draw_graph(…, depth={level}) opens one level more, depth='all' opens everything.",
    "drawn-summary": "{box} folded. draw_graph(…, max_nodes={n}) draws all of them.",
    "outdated": "A leaf has new data since this graph was computed: recompute(root) brings the numbers up to date.",
    "unrecorded": "What was computed inside no_grad has no record of its inputs: gradients go no further back.",
    "older": "There was no backward pass since these numbers were computed, so the gradients are from before: "
    "root.zero_grad() and then root.backward() bring them up to date.",
    "accumulated": "A leaf's gradient is of more than the last backward pass, because leaves add up: "
    "root.zero_grad() before root.backward() starts them anew.",
    # pictures of compiled programs
    "one-result": "1 result",
    "many-result": "{n} results",
    "one-argument": "1 argument",
    "many-argument": "{n} arguments",
    "program-helpers": "Inside their gates: {names}. draw_graph(…, depth='all') draws them.",
    "program-argument": "argument {name}, {shape}",
    "program-parameter": "parameter {name}, {shape}",
    "program-constant": "constant {name}, {shape}",
    "program-stands-for": "{array}, for {nodes}",
    "program-gradient": "{array}; gradient {g}",
    "program-turn": "{array}; reads {name} of the turn before",
    "program-result": "{name} is a result",
    # feature maps
    "maps-one": "a map of {shape}",
    "maps-many": "{n} maps of {shape}",
    "maps-filter": "{maps}, a filter of {filter}, and the result of {result}",
    "maps-pooled": "{maps}, pooled to {result}",
    "maps-rows": "Rows",
    "maps-place": "Place {k} of {n}",
    "maps-seen": "{y}: from {cells}",
    "maps-pools": "{y}: from {cells} to {ends}",
    "maps-and": "{one} and {two}",
    "maps-after": "{sum}; {y} is {shown}",
    "maps-after-more": "{sum}; {y} is {shown}, as after a bias or an activation",
    "maps-window": "The window begins in row {top} and column {left}; what it sees becomes one number",
    "maps-window-filter": "The window begins in row {top} and column {left}; each number in it is multiplied by the "
    "weight at its place, and the products are added up",
    # frames of many steps
    "one-operation": "1 operation",
    "many-operation": "{n} operations",
    "one-contribution": "1 contribution",
    "many-contribution": "{n} contributions",
    "steps-inside": "{steps} in {scopes}",
    "steps-more": "{steps}; and {n} more: in all {gates}",
    "steps-at": "{n} at {symbol}",
    "no-leaves": "there are no leaves",
    "only-constants": "The graph has only constants, and nothing is differentiated by them",
    "and-parameters": "{leaves}, and {parameters}",
    "picture-maps": "The maps",
    "by-layer": "{n} steps, shown layer by layer; step_through(…, depth='all') shows each of them.",
    "by-layers": "{n} steps, shown {k} layers at a time; step_through(…, depth='all') shows each of them.",
    "folded-once": "What is folded takes one step; step_through(…, depth='all') opens everything.",
    "place": "{k} of {n}",
    "few-pictures": "Only {n} of the steps have their picture here. Run the cell to see a player with all of them.",
    "steps-no-script": "The steps need JavaScript, which is switched off here.",
    "a-box": "box {k}",
    # exploring
    "hint": "Drag a number, or choose it and type: every value and gradient follows. "
    "Arrow keys change it, with Shift more and with Alt less; a double click takes it back.",
    "leaf": "{v}, a number that you can change",
    "not-a-number": "{text} is no number; write one such as -1.5, 1000 or 1e-3",
    "way-direct": "direct",
    "way-input": "input {k}",
    "way-cut": "cut",
    "derivation": "Every path from {v} to {f}, and their sum",
    "too-many-paths": "From {v} to {f} there are more paths than one can check by hand: {n}",
    "no-path": "{f} does not depend on {v}",
    "wire": "The wire from {v} to {q}: {formula}",
    "a-path": "{path}: {product}",
    "nudge": "Nudge",
    "nudged": "{v} by {h}: {f} changed by {change}, and the gradient promised {promised}",
    "descend": "Step down",
    "rate": "η",
    "amount": "h",
    "descended": "Step {n}, each chosen number down its gradient times {rate}: {f} is {y}",
    "chosen": "Which numbers",
    "course": "The course of {f}, from {start} to {y}; steps: {n}",
    # predicting
    "your-turn": "What is {what}?",
    "check": "Check",
    "reveal": "Show it",
    "right": "Right: {what} is {x}",
    "wrong": "{guess} is not {what}",
    "looks-like": "it looks like this slip: {slip}",
    "looks-like-one-of": "it could be one of these slips: {slips}",
    "revealed": "{what} is {x}",
    "slip-path": "the other path was not added",
    "slip-swapped": "the two inputs were swapped",
    "slip-local": "the local derivative is missing",
    "slip-sign": "the sign",
    "slip-old": "the gradient from before was taken",
    "slip-upstream": "the gradient that arrives at the gate was not multiplied in",
    "slip-formula": "the local derivative of another formula was taken",
    "slip-operation": "another operation was done",
    # exercises
    "answers-right": "Right: {names}.",
    "answer-follows": "{what} = {guess} is not {x}, but it follows rightly from your {source}: only that slip counts.",
    "answer-blank": "Still open: {names}.",
    "first-wrong": "The first wrong one is {what}: {guess} is not right.",
    "also-wrong": "{what} = {guess} is not right, even from your own numbers.",
    "answer-slip": "It looks like this slip: {slip}.",
    "answer-slips": "It could be one of these slips: {slips}.",
    "answer-hint": "Here the local derivative is {formula}.",
    "answer-before": "The slip lies one step before: it makes {what} = {x}.",
    "answer-unknown": "None of the classic slips gives it: work this one step out again.",
    "answer-all": "All {n} are right.",
    "answer-one": "That is right.",
    "answer-score": "{n} of {of} count.",
    "code-raised": "{step} stopped with {error}.",
    "code-leaf": "{step}.{slot} must be {right}, but is {got}.",
    "code-value": "{step} gives {got} at {at}; right is {right}.",
    "code-gradient": "{step} at {at}: the gradient {what} comes out as {got}; right is {right}.",
    "code-count": "{what}: as many numbers as there are inputs, {n}, must come back, but it is {got}.",
    "code-no-number": "{what}: a number must come back, but it is {got}. Does the function end with `return`?",
    "fault-overwrites": "a gradient is set by = where it must be added by +=",
    "fault-recursion": "a node passes on all that it has whenever something arrives; it must wait until all of it has "
    "arrived, in reverse topological order",
    "fault-order": "the nodes are not in reverse topological order: one passes its gradient on before all of it is "
    "there",
    "fault-unseeded": "the gradient of the result was not set to 1 before the pass, so that all are 0",
    "fault-kept": "the result has its 1, but passes nothing on: each input's gradient must grow by its share",
    "fault-left-out": "one input of an operation gets no gradient: each input must be given its share",
    "fault-last-only": "only the last operation passes its gradient on; go through all nodes",
    "exercise-asks": "Work out by hand: {names}, where {formulas}, at {numbers}.",
    # worksheets
    "sheet-title-gradients": "The gradients of {f}",
    "sheet-title-values": "The values on the way to {f}",
    "sheet-title-both": "The values and gradients of {f}",
    "sheet-title-some": "The missing numbers of {f}",
    "sheet-key": "{title}: the key",
    "sheet-gradients": "Below each wire, write the gradient of {f} by its number into the box.",
    "sheet-values": "Above each wire, write its value into the box.",
    "sheet-both": "Go from left to right: above each wire, write its value. Then go back from right to left: below it, "
    "write the gradient of {f}.",
    "sheet-some": "Fill in the empty boxes: above a wire stands its value, below it the gradient of {f}.",
    "sheet-gradients-down": "To the right of each wire, write the gradient of {f} by its number into the box.",
    "sheet-values-down": "To the left of each wire, write its value into the box.",
    "sheet-both-down": "Go downwards: to the left of each wire, write its value. Then go back up: to its right, write "
    "the gradient of {f}.",
    "sheet-some-down": "Fill in the empty boxes: to the left of a wire stands its value, to the right the gradient of "
    "{f}.",
    "sheet-rule": "Begin at {f}, where the gradient is 1. Each gate passes its gradient on to its inputs, times the "
    "local derivative.",
    "sheet-paths": "Where several wires leave one number, what comes back along them adds up.",
    "sheet-rounding": "Four digits are enough.",
    "sheet-given": "Given: {numbers}",
    "sheet-name": "Name",
    "sheet-date": "Date",
    "sheet-work": "Room to work",
    "sheet-forward": "Forward, gate by gate",
    "sheet-backward": "Backward, contribution by contribution",
    "sheet-number": "Sheet {n}",
    # plots
    "plot-loss": "loss",
    "plot-epoch": "epoch",
    "plot-training": "training",
    "plot-compiled": "training (compiled, {backend})",
    "plot-eager": "training (eager)",
    "plot-metric": "metric",
    "plot-training-loss": "training loss",
    "plot-validation": "validation {name}",
    "plot-best": "best epoch: {epoch}",
    "plot-derivative": "{name}, derivative",
    "plot-truth": "truth",
    "plot-truth-band": "truth ± {band}",
    "plot-examples": "examples",
    "plot-start": "start",
    "plot-minimum": "minimum",
    "plot-steps": "{name}, {n} steps",
    "plot-descent": "Descent",
    "plot-paths": "The paths of {names} over a surface, {n} steps",
    "plot-after": "after correction {k}",
    "plot-mistaken": "mistaken once",
    "plot-line-before": "line before",
    "plot-line-after": "line after",
    "plot-outside": "its line is outside",
    "plot-no-line": "no line: w = 0",
    "plot-corrected": "corrected for",
    "plot-correction": "correction {k} of {n}",
    "plot-predicted": "predicted class",
    "plot-true": "true class",
    "plot-class": "class {name}",
    # where it does not compute
    "fixed": "The numbers stand still here: {why}.",
    "folded": "{n} nodes are too many for a page to compute: this shows the last of them, and the numbers stand still.",
    "folded-steps": "{n} nodes are too many for a page: these are the last operations, and what feeds them "
    "stands as a number.",
    "shortened": "At first some of it is folded: a click on a box opens everything.",
    "shortened-shut": "What is folded is too much for one picture: explore(…, depth='all') opens everything.",
    "new-data": "A leaf has new data since this graph was computed: this page shows the numbers of the new data.",
    "no-script": "The numbers can be changed where JavaScript runs.",
    # the playground
    "playground-title": "A network in training",
    "playground-play": "Play",
    "playground-pause": "Pause",
    "playground-step": "One batch",
    "playground-epoch": "One epoch",
    "playground-reset": "Start again",
    "playground-epochs": "Epoch",
    "playground-loss": "Loss",
    "playground-accuracy": "Accuracy",
    "playground-rate": "Learning rate",
    "playground-optimizer": "Optimiser",
    "playground-size": "Batch size",
    "playground-speed": "Speed",
    "playground-each": "{n} epochs/s",
    "playground-fastest": "as fast as it goes",
    "playground-all": "all {n}",
    "playground-course": "The mean loss of each epoch",
    "playground-network": "The network",
    "playground-plane": "What the model says in the plane",
    "playground-line": "The curve that the model fits",
    "playground-add": "A click adds an example",
    "playground-add-class": "A click adds",
    "playground-by-keys": "Arrow keys move the cross, Enter adds an example.",
    "playground-undo": "Take back",
    "playground-unit": "Unit {k} of layer {layer}",
    "playground-input": "Input {name}",
    "playground-output": "The output",
    "playground-sees": "{unit}: what it gives here. Bias {bias}.",
    "playground-weight": "Weight {weight}: {from} → {to}",
    "playground-layer": "{n} × {name}",
    "playground-sum": "linear",
    "playground-one-output": "1 output",
    "playground-outputs": "{n} outputs",
    "playground-inputs": "{n} inputs",
    "playground-one-input": "1 input",
    "playground-weights": "{n} weights",
    "playground-tiles": "What each unit of the first layer weighs its inputs with",
    "playground-hint": "Thick lines are large weights: {above} above 0, {below} below. Point at a unit to see it "
    "large.",
    "playground-hint-lines": "Thick lines are large weights: {above} above 0, {below} below.",
    "playground-blue": "blue",
    "playground-orange": "orange",
    "playground-stopped-loss": "The loss is not finite any more, in epoch {epoch}: try a smaller learning rate, and "
    "start again.",
    "playground-stopped-step": "A step would have made a parameter infinite, in epoch {epoch}: try a smaller learning "
    "rate, and start again.",
    "playground-told": "A network {shape} of {parameters} parameters, and {examples} examples",
    "playground-no-script": "To train it here, scripts must be allowed.",
}


def language(lang: str | None = None) -> str:
    """The language of the words: ``lang``, or that of the environment's ``CHAINRULE_LANG``, or else English."""
    return (os.environ.get("CHAINRULE_LANG") or "en") if lang is None else lang


def messages(lang: str | None = None) -> Mapping[str, str]:
    """The table in one language, by default that of the environment (see `language`).

    Raises:
        ValueError: for a language that there is no catalogue of.
    """
    return _table(language(lang))


@cache
def _table(lang: str) -> Mapping[str, str]:
    if lang == "en":
        return MESSAGES
    folder = Path(__file__).parent / "locale"
    if not isinstance(lang, str) or not gettext.find("chainrule", folder, [lang]):
        there = sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/chainrule.mo"))
        known = " or ".join(map(repr, ["en", *there]))
        raise ValueError(f"lang must be {known}, but got {lang!r}: there is no catalogue of that language")
    translation = gettext.translation("chainrule", folder, [lang])
    return {key: translation.gettext(text) for key, text in MESSAGES.items()}


__all__ = ["MESSAGES", "language", "messages"]
