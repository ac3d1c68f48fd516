"""Models of language on the village diary: held-out perplexity of n-grams and of the neural model (curriculum C5).

    python benchmarks/language.py [--seeds 5] [--choose]

The diary is cut into 60 % to learn from, 20 % to choose by and 20 % to report. The n-grams are favoured: each one's k
is the best for the very sentences that are reported. The neural model's settings were chosen on the middle part, which
also says when to stop (``--choose`` prints what was tried).
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import nn

CHOSEN: dict[str, Any] = {"dimension": 16, "hidden": 32, "lr": 0.005, "batch_size": 32}
EPOCHS, PATIENCE = 30, 4


def parts() -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    """The diary in three: to learn from, to choose by, to report."""
    sentences = nn.lessons.corpora.village()
    a, b = round(0.6 * len(sentences)), round(0.8 * len(sentences))
    return sentences[:a], sentences[a:b], sentences[b:]


def neural(seed: int, dimension: int, hidden: int, **settings: Any) -> nn.lessons.NeuralLanguageModel:
    """A trained model."""
    train, middle, _ = parts()
    model = nn.lessons.NeuralLanguageModel(nn.lessons.Vocabulary(train), 2, dimension, hidden, seed=seed)
    X, y = model.examples(train)
    settings |= {"epochs": EPOCHS, "validation": model.examples(middle), "patience": PATIENCE, "progress": False}
    nn.fit(model, X, y, loss="cross_entropy", seed=seed, **settings)
    return model


def n_grams() -> dict[int, tuple[float, float]]:
    """n -> the k that is best for the reported part itself, and the perplexity there."""
    train, _, test = parts()
    models = {n: nn.lessons.best_k(n, train, test) for n in (1, 2, 3)}
    return {n: (model.k, model.perplexity(test)) for n, model in models.items()}


def choose() -> None:
    """The perplexity on the middle part for other settings."""
    _, middle, _ = parts()
    for dimension, hidden, lr, l2 in product((8, 16), (16, 32, 64), (0.005, 0.01), (0.0, 3e-4, 1e-3)):
        found = [neural(seed, dimension, hidden, lr=lr, l2=l2, batch_size=32).perplexity(middle) for seed in (0, 1)]
        name = f"dimension {dimension:2} hidden {hidden:2} lr {lr:<5} l2 {l2:<6}"
        print(f"  {name}  {'  '.join(f'{x:.3f}' for x in found)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many neural models (5)")
    parser.add_argument("--choose", action="store_true", help="also print what other settings give")
    options = parser.parse_args()
    train, middle, test = parts()
    print(f"village diary: {len(train)} sentences to learn from, {len(middle)} to choose by, {len(test)} held out")
    grams = n_grams()
    for n, (k, found) in grams.items():
        print(f"  {('unigram', 'bigram', 'trigram')[n - 1]:8} of best k = {k:<8.2g} held-out perplexity {found:7.3f}")
    for seed in range(options.seeds):
        start = time.perf_counter()
        model = neural(seed, **CHOSEN)
        seconds = time.perf_counter() - start
        found = model.perplexity(test)
        print(f"  neural, seed {seed}               held-out perplexity {found:7.3f}   {seconds:.1f} s")
        if found >= grams[3][1]:
            raise SystemExit("the neural model should be better than the trigram")
    print(f"  it writes: {' '.join(model.sample(0))}")
    if options.choose:
        choose()


if __name__ == "__main__":
    main()
