"""Words as vectors: one-hot times E is row lookup (C4), skip-gram with softmax, neighbours and the map."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value, gradcheck, leaves
from autograd import compile as compile_function
from nn import Embedding, one_hot
from nn.lessons import NeuralLanguageModel, SkipGram, Vocabulary, skip_gram_pairs
from nn.lessons.words import BOUNDARY, UNKNOWN, UnknownWordError, WordVectors

MAGIC = [[17, 24, 1], [23, 5, 7], [4, 6, 13], [10, 12, 19], [11, 18, 25]]
VOCABULARY = Vocabulary([["a", "b", "c"], ["a", "b"], ["a"]])


def numbers(values: list[Value]) -> list[float]:
    return [v.data for v in values]


# --- one_hot


def test_one_hot_is_a_row_of_the_identity() -> None:
    assert [one_hot(i, 4) for i in range(4)] == np.eye(4).tolist()
    assert one_hot(np.int64(2), 3) == one_hot(np.array(2), 3) == [0.0, 0.0, 1.0]
    assert [one_hot(i, 4) for i in (2, 0)] == nn.data.one_hot([2, 0], 4)


@pytest.mark.parametrize("index", [-1, 5, 5.0])
def test_an_index_out_of_range_is_refused_and_the_range_named(index: float) -> None:
    with pytest.raises(ValueError, match=r"5 places, 0…4, but the class is"):
        one_hot(index, 5)
    with pytest.raises(ValueError, match=r"5 places, 0…4"):
        Embedding.from_arrays(MAGIC)(index)


@pytest.mark.parametrize("index", [1.5, "cat", True, None])
def test_an_index_that_is_no_whole_number_is_refused(index: object) -> None:
    with pytest.raises(TypeError, match="whole number"):
        one_hot(index, 5)


# --- Embedding


def test_a_one_hot_vector_times_e_is_a_row_c4() -> None:
    embedding = Embedding.from_arrays(MAGIC)
    assert numbers(embedding([0, 0, 0, 1, 0])) == [10, 12, 19]
    assert numbers(embedding(3)) == [10, 12, 19]


@given(st.lists(st.floats(-5, 5), min_size=5, max_size=5))
def test_the_embedding_of_a_vector_is_its_product_with_e(x: list[float]) -> None:
    assert numbers(Embedding.from_arrays(MAGIC)(x)) == pytest.approx((np.array(x) @ np.array(MAGIC)).tolist())


@pytest.mark.parametrize("x", [2, np.array(2), one_hot(2, 5), np.eye(5, dtype=np.float32)[2]])
def test_only_the_row_that_was_looked_up_gets_a_gradient(x: object) -> None:
    embedding = Embedding.from_arrays(MAGIC)
    a, b, c = embedding(x)
    (a * b + 2.0 * c).backward()
    gradients = [[p.grad or 0.0 for p in row] for row in embedding.rows]
    assert gradients == [[0, 0, 0], [0, 0, 0], [6, 4, 2], [0, 0, 0], [0, 0, 0]]


def test_a_lookup_compiles_and_its_gradients_add_up_over_the_batch() -> None:
    embedding = Embedding(5, 3, seed=1)
    step = compile_function(lambda x: sum((v * v for v in embedding(x)), 0.0), one_hot(0, 5))
    indices = [3, 1, 3, 0]
    loss = step(np.eye(5)[indices])
    table = np.array([numbers(row) for row in embedding.rows])
    assert loss == pytest.approx((table[indices] ** 2).sum(axis=1).mean())
    expected = np.zeros((5, 3))
    for i in indices:
        expected[i] += 2.0 * table[i] / len(indices)
    place = {p: k for k, p in enumerate(step.parameters)}
    found = [[step.gradient[place[p]] for p in row] for row in embedding.rows]
    assert np.allclose(found, expected)


def test_it_equals_pytorchs_embedding() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Embedding.from_pretrained(torch.tensor(MAGIC, dtype=torch.float64), freeze=False)
    ours = Embedding.from_arrays(MAGIC)
    indices = [4, 0, 4]
    torch.tanh(theirs(torch.tensor(indices)) / 10).sum().backward()
    for i in indices:
        sum(((v / 10).tanh() for v in ours(i)), 0.0).backward()
    assert np.allclose([[p.grad or 0.0 for p in row] for row in ours.rows], theirs.weight.grad.numpy(), atol=1e-14)


def test_a_value_as_an_index_is_refused_with_the_way_out() -> None:
    embedding = Embedding(4, 2, seed=0)
    with pytest.raises(TypeError, match=r"one_hot\(index, n\)"):
        embedding(Value(1.0))
    with pytest.raises(TypeError, match=r"one_hot\(index, n\)"):
        compile_function(lambda i: embedding(i)[0], 1.0)


def test_a_word_in_place_of_its_number_is_refused_with_the_way_out() -> None:
    with pytest.raises(TypeError, match=r"not the word 'cat'; vocabulary\.index\('cat'\) gives it"):
        Embedding(4, 2, seed=0)("cat")


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"given a list, such as one_hot\(0, 5\), takes 5 inputs, but got 4"):
        Embedding.from_arrays(MAGIC)([0, 1, 0, 0])


@pytest.mark.parametrize("matrix", [[], [[]], [[1.0, 2.0], [3.0]]])
def test_rows_of_unequal_length_are_refused(matrix: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"equal length|at least 1"):
        Embedding.from_arrays(matrix)


@pytest.mark.parametrize("matrix", [[1.0, 2.0], ["ab", "cd"], [["1"]], [[[1.0]]], [[Value(1.0)]]])
def test_what_is_not_rows_of_numbers_is_refused(matrix: Any) -> None:
    with pytest.raises(TypeError, match=r"rows of numbers, such as|a Value holds"):
        Embedding.from_arrays(matrix)


def test_a_seed_gives_the_same_embedding_and_repr_says_its_size() -> None:
    assert Embedding(4, 2, seed=3).state_dict() == Embedding(4, 2, seed=3).state_dict()
    assert Embedding(4, 2, seed=3).state_dict() != Embedding(4, 2, seed=4).state_dict()
    assert repr(Embedding(4, 2)) == "Embedding(4 × 2, 8 parameters)"


# --- Vocabulary


def test_frequent_words_come_first_and_ties_by_the_alphabet() -> None:
    assert list(Vocabulary([["b", "c", "a"], ["c"]])) == [BOUNDARY, UNKNOWN, "c", "a", "b"]
    assert list(Vocabulary([["b", "c", "a"], ["c"]], min_count=2)) == [BOUNDARY, UNKNOWN, "c"]
    assert list(Vocabulary([[UNKNOWN, "a", BOUNDARY]])) == [BOUNDARY, UNKNOWN, "a"]


def test_encode_reads_strange_words_as_unknown_and_index_refuses_them() -> None:
    vocabulary = Vocabulary([["monday", "cat"]])
    assert vocabulary.encode(["cat", "dog"]) == [vocabulary.index("cat"), vocabulary.index(UNKNOWN)]
    assert "cat" in vocabulary and "dog" not in vocabulary
    with pytest.raises(UnknownWordError, match=r"4 words does not have 'monda'; did you mean 'monday'\?") as caught:
        vocabulary.index("monda")
    assert isinstance(caught.value, KeyError)


def test_a_string_is_not_a_sentence() -> None:
    for wrong in (lambda: Vocabulary(["the cat"]), lambda: skip_gram_pairs("the cat"), lambda: VOCABULARY.encode("a")):
        with pytest.raises(TypeError, match=r"list of words.*\.split\(\)"):
            wrong()


@pytest.mark.parametrize("sentence", [{"a", "b"}, {"a": 1}, b"ab", 3, ["a", 2], [["a"]], [None]])
def test_what_is_no_list_of_strings_is_no_sentence(sentence: Any) -> None:
    for wrong in (lambda: Vocabulary([sentence]), lambda: VOCABULARY.encode(sentence)):
        with pytest.raises(TypeError, match=r"a list of words, but got|a word is a string, but got"):
            wrong()


def test_words_of_an_array_are_words_and_a_generator_is_read_once() -> None:
    assert repr(Vocabulary(np.array([["a", "b"]])).words) == repr([BOUNDARY, UNKNOWN, "a", "b"])
    assert skip_gram_pairs(c for c in "ab") == [("a", "b"), ("b", "a")]  # type: ignore[arg-type]


@pytest.mark.parametrize("least", [0, 1.5, math.nan, "2"])
def test_how_often_a_word_must_occur_is_a_whole_number_from_one_up(least: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="how often a word must occur"):
        Vocabulary([["a"]], least)


@pytest.mark.parametrize("sentences", [[], [[]], [[UNKNOWN]]])
def test_a_vocabulary_of_nothing_is_refused(sentences: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="at least one word"):
        Vocabulary(sentences)


# --- skip-gram


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 4))
def test_pairs_are_all_positions_at_most_a_window_apart(words: list[int], window: int) -> None:
    positions = skip_gram_pairs(list(range(len(words))), window)
    assert set(positions) == {(i, j) for i in range(len(words)) for j in range(len(words)) if 0 < abs(i - j) <= window}
    assert skip_gram_pairs(words, window) == [(words[i], words[j]) for i, j in positions]


def test_a_window_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="window must be at least 1"):
        skip_gram_pairs(["a", "b"], 0)


def spread_out(model: nn.Module, seed: int) -> None:
    rng = random.Random(seed)
    for p in model.parameters():
        p.data = rng.gauss(0.0, 1.0)


def test_the_skip_gram_gradient_is_softmax_minus_one_hot() -> None:
    model = SkipGram(VOCABULARY, 3, seed=0)
    spread_out(model, 1)
    centre, context = 2, 4
    v = np.array(numbers(model.embedding.rows[centre]))
    u = np.array([numbers(row) for row in model.outputs.rows])
    z = u @ v
    error = np.exp(z) / np.exp(z).sum() - np.eye(len(z))[context]
    loss = nn.cross_entropy(model(centre), context)
    loss.backward()
    assert loss.data == pytest.approx(np.log(np.exp(z).sum()) - z[context])
    assert np.allclose([[p.grad for p in row] for row in model.outputs.rows], np.outer(error, v))
    assert np.allclose([p.grad for p in model.embedding.rows[centre]], error @ u)


def test_in_a_picture_the_vectors_of_centre_and_context_have_names_of_their_own() -> None:
    model = SkipGram(VOCABULARY, 2, seed=0)
    named = [leaf.label for leaf in leaves(nn.cross_entropy(model(3), 2)) if leaf.label]
    assert sorted(named) == [
        "U0,0",
        "U0,1",
        "U1,0",
        "U1,1",
        "U2,0",
        "U2,1",
        "U3,0",
        "U3,1",
        "U4,0",
        "U4,1",
        "V3,0",
        "V3,1",
    ]


def test_the_skip_gram_gradient_agrees_with_central_differences() -> None:
    model = SkipGram(VOCABULARY, 2, seed=0)
    spread_out(model, 2)
    gradcheck(lambda *_: nn.cross_entropy(model(one_hot(3, 5)), 2), model.parameters())


def test_examples_are_one_hot_centres_and_contexts() -> None:
    X, y = SkipGram(VOCABULARY, 2, seed=0).examples([["a", "b", "zebra"]], window=1)
    a, b, unknown = VOCABULARY.encode(["a", "b", "zebra"])
    assert X.argmax(axis=1).tolist() == [a, b, b, unknown]
    assert X.sum() == 4.0
    assert y == [b, a, unknown, b]
    with pytest.raises(ValueError, match="fewer than 2 words"):
        SkipGram(VOCABULARY, 2, seed=0).examples([["a"], []])


@pytest.fixture(scope="module")
def trained() -> SkipGram:
    sentences = nn.lessons.corpora.village()
    model = SkipGram(Vocabulary(sentences), 8, seed=0)
    X, y = model.examples(sentences, window=1)
    history = nn.fit(model, X, y, loss="cross_entropy", lr=0.02, epochs=20, batch_size=128, progress=False)
    assert history.compiled == "numpy"
    return model


GROUPS = [
    "monday tuesday wednesday thursday friday saturday sunday",
    "cat dog hen goat horse pig duck rabbit cow donkey",
    "red blue green yellow white",
    "apple pear plum cherry peach",
    "john peter paul tom oscar",
    "river lake pond well",
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.split()[0])
def test_nearest_neighbours_make_sense_c4(trained: SkipGram, group: str) -> None:
    words = group.split()
    near = [word for word, _ in trained.nearest(words[0], 3)]
    assert len(set(near) & set(words[1:])) >= 2, near


def test_on_the_map_words_of_a_kind_lie_together(trained: SkipGram) -> None:
    points = trained.map()
    days, animals = ([points[trained.vocabulary.index(w)] for w in group.split()] for group in GROUPS[:2])
    centres = np.mean(days, axis=0), np.mean(animals, axis=0)
    apart = math.dist(*centres)
    assert all(math.dist(p, centres[0]) < math.dist(p, centres[1]) for p in days)
    assert all(math.dist(p, centres[1]) < math.dist(p, centres[0]) for p in animals)
    assert apart > 2 * np.mean([math.dist(p, centres[0]) for p in days])


# --- neighbours and the map, on vectors that are known


def vectors(table: list[list[float]]) -> WordVectors:
    model = SkipGram(VOCABULARY, len(table[0]), seed=0)
    model.embedding = Embedding.from_arrays([[0.0] * len(table[0])] * 2 + table)
    return model


def test_nearest_is_by_angle_not_by_length_and_leaves_the_markers_out() -> None:
    model = vectors([[1.0, 0.0], [3.0, 4.0], [-2.0, 0.0]])
    assert model.nearest("a", 9) == [("b", pytest.approx(0.6)), ("c", pytest.approx(-1.0))]
    assert model.nearest("a", 1) == [("b", pytest.approx(0.6))]
    assert model.vector("b") == [3.0, 4.0]


def test_a_vector_of_zeros_is_near_to_nothing() -> None:
    assert vectors([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]]).nearest("a") == [("c", pytest.approx(1.0)), ("b", 0.0)]


@pytest.mark.parametrize("make", [lambda v: SkipGram(v, 2, seed=0), lambda v: NeuralLanguageModel(v, 2, 2, 2, seed=0)])
def test_vectors_are_loaded_for_the_same_words_in_the_same_order_only(make: Any, tmp_path: Path) -> None:
    model = make(VOCABULARY)
    model.save(tmp_path / "model.json")
    again = make(Vocabulary([["a", "b", "c"], ["a", "b"], ["a"]]))
    assert again.load(tmp_path / "model.json").vector("b") == model.vector("b")
    other = make(Vocabulary([["c", "b", "a"], ["c", "b"], ["c"]]))
    with pytest.raises(
        nn.module.ModelFormatError, match=r"with the vocabulary \w{8}, but this model is .* vocabulary \w{8}"
    ):
        other.load(tmp_path / "model.json")


def test_a_vector_that_is_not_finite_is_named_and_not_compared() -> None:
    model = vectors([[1.0, 0.0], [math.nan, 0.0], [2.0, 0.0]])
    for question in (lambda: model.nearest("a"), lambda: model.map()):
        with pytest.raises(ValueError, match="the vector of 'b' holds inf or nan"):
            question()


def test_a_model_without_a_vocabulary_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a vocabulary, Vocabulary\(sentences\), but got list"):
        SkipGram(["a", "b"], 2)  # type: ignore[arg-type]


def test_nearest_of_a_word_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownWordError, match="does not have 'zebra'"):
        vectors([[1.0], [2.0], [3.0]]).nearest("zebra")


def test_the_map_is_the_two_principal_components_with_a_fixed_sign() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(5, 4)) * [3.0, 2.0, 0.1, 0.1]
    model = vectors(table[2:].tolist())
    model.embedding = Embedding.from_arrays(table.tolist())
    points = model.map()
    centred = table - table.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    for k in range(2):
        expected = centred @ axes[:, -1 - k]
        assert np.allclose(np.abs(points[:, k]), np.abs(expected))
        assert (points[:, k] ** 2).sum() == pytest.approx(variances[-1 - k])
        assert points[np.abs(points[:, k]).argmax(), k] > 0.0
    model.embedding = Embedding.from_arrays((-table).tolist())
    assert np.allclose(model.map(), points)


def test_the_map_of_one_dimension_lies_on_a_line() -> None:
    points = vectors([[1.0], [2.0], [3.0]]).map()
    assert points.shape == (5, 2)
    assert not points[:, 1].any() and np.ptp(points[:, 0]) == pytest.approx(3.0)
