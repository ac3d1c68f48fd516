"""Modules: finding parameters, filing nodes under paths, saving and loading."""

from __future__ import annotations

import copy
import json
import os
import pickle
import stat
import tracemalloc
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, topological_order
from autograd.modes import current_scope
from nn import MLP, Layer, Module, Neuron, Sequential, l2_penalty
from nn.module import ModelFormatError


class Odd(Module):
    """A module with parts in every kind of container."""

    def __init__(self) -> None:
        self.gain = Value(2.0)
        self.table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
        self.parts = {"first": Neuron(1, seed=0), "second": [Neuron(2, seed=0)]}
        self.grid = np.array([Value(5.0), Value(6.0)], dtype=object)
        self._hidden = Value(7.0)
        self.size = 3
        self.last = self.gain * 2.0  # a result, not a parameter

    def forward(self, x: Any) -> Any:
        return self.parts["first"]([x]) * self.gain  # type: ignore[operator]


def test_parameters_are_found_in_lists_dicts_arrays_and_modules_in_the_order_they_were_set() -> None:
    assert [name for name, _ in Odd().named_parameters()] == [
        "gain",
        "table.0.0",
        "table.0.1",
        "table.1.0",
        "table.1.1",
        "parts.first.w.0",
        "parts.first.b",
        "parts.second.0.w.0",
        "parts.second.0.w.1",
        "parts.second.0.b",
        "grid.0",
        "grid.1",
    ]


def test_private_and_computed_values_are_not_parameters() -> None:
    model = Odd()
    assert model._hidden not in model.parameters()
    assert model.last not in model.parameters()


class Holder(Module):
    """A module that holds one thing, under the name `held`."""

    def __init__(self, held: Any) -> None:
        self.held = held


def test_parameters_in_a_set_would_have_no_names_and_are_refused() -> None:
    w = Value(1.0)
    for held in ({w}, frozenset([w]), {Neuron(1)}, [{w}]):
        with pytest.raises(TypeError, match="a set has no order, so the parameters in it have no names: put them into"):
            Holder(held).parameters()
    marked = Holder([w])
    marked._frozen = {w}  # type: ignore[attr-defined]
    assert marked.parameters() == [w] and Holder({1, 2}).parameters() == [] == Holder({w * 2}).parameters()
    assert Holder(deque([w])).state_dict() == {"held.0": 1.0}


def test_two_parameters_of_one_name_are_not_saved_as_one() -> None:
    model = Holder({"a.b": Value(1.0), "a": {"b": Value(2.0)}})
    for attempt in (model.state_dict, lambda: model.load_state_dict({"held.a.b": 1.0})):
        with pytest.raises(ValueError, match=r"two parameters of this Holder are called 'held\.a\.b'"):
            attempt()
    assert len(model.parameters()) == 2


@pytest.mark.parametrize("state", [None, [1.0], "state"])
def test_a_state_is_a_dict(state: Any) -> None:
    with pytest.raises(TypeError, match=r"a state is a dict, as model\.state_dict\(\) gives it, but got"):
        Holder(Value(1.0)).load_state_dict(state)


def test_a_shared_parameter_is_given_once() -> None:
    model = Odd()
    model.tied = model.gain  # type: ignore[attr-defined]
    assert len(model.parameters()) == 12


def test_names_of_an_mlp_lead_through_layers_and_neurons() -> None:
    names = dict(MLP(3, [4, 1], seed=0).named_parameters())
    assert len(names) == 4 * 4 + 5
    assert {"layers.0.neurons.2.w.1", "layers.0.neurons.3.b", "layers.1.neurons.0.w.3"} <= set(names)


def test_weights_leave_out_biases_and_the_slopes_of_prelu() -> None:
    model = MLP(2, [3, 1], activation="prelu", seed=0)
    assert len(model.parameters()) == 2 * 3 + 3 + 1 + 3 + 1
    assert len(model.weights()) == 2 * 3 + 3
    assert not {model.layers[0].neurons[0].b, model.layers[0].activation.alpha} & set(model.weights())


def test_nodes_are_filed_under_the_module_that_made_them() -> None:
    model = MLP(2, [3, 1], seed=0)
    y = model([1.0, 2.0])
    scopes = {node.scope for node in topological_order(y) if node.op not in ("", "const")}
    assert scopes == {"layers.0.neurons.0", "layers.0.neurons.1", "layers.0.neurons.2", "layers.1.neurons.0"}
    assert y.scope == "layers.1.neurons.0"
    assert current_scope() == ""


def test_the_scope_is_given_back_when_a_module_raises() -> None:
    model = MLP(2, [3, 1], seed=0)
    with pytest.raises(ValueError, match="3 inputs, but got 1"):
        model.layers[1]([1.0])
    assert current_scope() == ""


def test_a_module_inside_a_module_is_filed_under_both_names() -> None:
    class Pair(Module):
        def __init__(self) -> None:
            self.left, self.right = MLP(1, [1], seed=0), MLP(1, [1], seed=1)

        def forward(self, x: Any) -> Any:
            return self.left(x) + self.right(x)

    scopes = {node.scope for node in topological_order(Pair()([1.0])) if node.op == "mul"}
    assert scopes == {"left.layers.0.neurons.0", "right.layers.0.neurons.0"}


def test_softmax_is_filed_under_its_layer() -> None:
    y = MLP(2, [3], output="softmax", seed=0)([1.0, 2.0])[0]
    assert next(n for n in topological_order(y) if n.op == "logsumexp").scope == "layers.0"


def test_parameters_are_filed_under_their_neuron_so_that_drawings_know_them_from_inputs() -> None:
    model = MLP(2, [3, 1], activation="prelu", seed=0)
    for name, p in model.named_parameters():
        owner = name[: name.index(".w.")] if ".w." in name else name[: name.rindex(".")]
        assert p.scope == owner, name
    assert model.layers[0].activation.alpha.scope == "layers.0.activation"
    x = Value(1.0)
    model([x, x])
    assert x.scope == ""

    class Outer(Module):
        def __init__(self) -> None:
            self.inner = model

    Outer()
    assert model.layers[0].neurons[2].b.scope == "inner.layers.0.neurons.2"
    assert model([1.0, 2.0]).scope == "inner.layers.1.neurons.0"


def test_zero_grad_forgets_gradients() -> None:
    model = MLP(2, [3, 1], seed=0)
    model([1.0, 2.0]).backward()
    assert all(p.has_grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.has_grad for p in model.parameters())
    assert all(p.grad == 0.0 for p in model.parameters())


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Module must define forward"):
        Module()(1.0)


# --- state and files


def test_a_state_dict_is_a_copy_that_can_be_put_back() -> None:
    model = MLP(2, [3, 1], seed=0)
    state = model.state_dict()
    before = model([1.0, 2.0]).data
    for p in model.parameters():
        p.data = 0.0
    assert state == MLP(2, [3, 1], seed=0).state_dict()
    model.load_state_dict(state)
    assert model([1.0, 2.0]).data == before


def test_a_state_of_another_model_names_what_is_missing_and_left_over_and_changes_nothing() -> None:
    model = MLP(2, [3, 1], seed=0)
    before = model.state_dict()
    with pytest.raises(
        ValueError, match=r"has 13 parameters, but the state has 11; missing: layers\.0\.neurons\.2\.w\.0"
    ):
        model.load_state_dict({**MLP(2, [2, 1], seed=1).state_dict(), "layers.9.b": 1.0, "q": 2.0})
    with pytest.raises(TypeError, match=r"layers\.0\.neurons\.0\.b.*must be a number, but is str"):
        model.load_state_dict({**dict.fromkeys(before, 1.0), "layers.0.neurons.0.b": "1"})  # type: ignore[dict-item]
    assert model.state_dict() == before


@pytest.mark.parametrize("name", ["model.json", "model.npz", "MODEL.NPZ"])
def test_saving_and_loading_gives_the_same_numbers_to_the_last_bit(tmp_path: Path, name: str) -> None:
    model, twin = MLP(3, [4, 2], activation="prelu", seed=1), MLP(3, [4, 2], activation="prelu", seed=2)
    model.parameters()[0].data = 0.1 + 0.2
    model.parameters()[1].data = float("-inf")
    model.parameters()[2].data = 5e-324
    model.save(tmp_path / name)
    assert twin.load(tmp_path / name) is twin
    assert twin.state_dict() == model.state_dict()


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=3, max_size=3))
def test_any_numbers_survive_json(numbers: list[float]) -> None:
    import tempfile

    model = Neuron(2, seed=0)
    for p, x in zip(model.parameters(), numbers, strict=True):
        p.data = x
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "m.json")
        assert list(Neuron(2, seed=1).load(Path(folder) / "m.json").state_dict().values()) == numbers


@pytest.mark.parametrize("kind", ["json", "npz"])
def test_a_file_cut_short_anywhere_is_an_error_that_leaves_the_model_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"model.{kind}"
    MLP(2, [2, 1], seed=1).save(path)
    whole = path.read_bytes()
    model = MLP(2, [2, 1], seed=0)
    before = model.state_dict()
    for length in range(0, len(whole) - 2, max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFormatError, match=rf"model\.{kind} is not (a )?complete.*cut short"):
            model.load(path)
    assert model.state_dict() == before


@pytest.mark.parametrize("kind", ["json", "npz"])
def test_a_file_of_another_architecture_names_both(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"model.{kind}"
    MLP(2, [5, 1], seed=1).save(path)
    with pytest.raises(ModelFormatError, match=r"MLP\(2 → 5 → 1, tanh, linear\), but this model is MLP\(2 → 2 → 1"):
        MLP(2, [2, 1], seed=0).load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "is not a saved model"),
        ('{"format": "chainrule graph", "version": 1}', "is not a saved model"),
        ('{"format": "chainrule model", "version": 9}', "was saved in version 9; this program reads version 1"),
        ('{"format": "chainrule model", "version": 1, "architecture": 3}', 'needs "architecture", a string'),
        (
            '{"format": "chainrule model", "version": 1, "architecture": "x", "parameters": {"b": true}}',
            'parameter \'b\' must be a number, "inf", "-inf" or "nan", but is True',
        ),
        (
            '{"format": "chainrule model", "version": 1, "architecture": "Neuron(1 → 1, tanh)", '
            '"parameters": {"b": 1}}',
            "this Neuron has 2 parameters, but the state has 1; missing: w.0",
        ),
    ],
)
def test_a_file_that_is_not_a_model_says_what_is_wrong(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ModelFormatError) as caught:
        Neuron(1).load(path)
    assert message in str(caught.value)


def test_an_npz_with_pickled_objects_is_refused(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "model.npz"
    np.savez(path, format=np.array(Bomb(), dtype=object))
    with pytest.raises(ModelFormatError):
        Neuron(1).load(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_bare_nan_is_not_json_and_the_message_says_how_it_is_written(tmp_path: Path, word: str) -> None:
    path = tmp_path / "model.json"
    Neuron(1, seed=0).save(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"b": 0.0', f'"b": {word}'), encoding="utf-8")
    with pytest.raises(ModelFormatError, match=f'a bare {word} is not JSON; .* written as "inf", "-inf" or "nan"'):
        Neuron(1).load(path)
    path.write_text(text.replace('"b": 0.0', f'"b": "{float(word)!r}"'), encoding="utf-8")
    assert repr(Neuron(1).load(path).b.data) == repr(float(word))


def rewritten(path: Path, **arrays: Any) -> None:
    """Write an npz file again, deflated, with other arrays in it."""
    with np.load(path) as old:
        entries = {**{name: old[name] for name in old.files}, **arrays}
    np.savez_compressed(path, **entries)


def with_numbers(path: Path, change: Callable[[bytes], bytes], method: int = zipfile.ZIP_DEFLATED) -> int:
    """Write an npz file again, with other bytes for the array of the numbers; returns how many."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["numbers.npy"] = change(parts["numbers.npy"])
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return len(parts["numbers.npy"])


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


BOMB = 20_000_000  # bytes, of which some twenty thousand are left when they are deflated


@pytest.mark.parametrize("which", ["format", "version", "architecture", "names", "numbers"])
def test_an_npz_is_not_unpacked_beyond_what_its_model_needs(tmp_path: Path, which: str) -> None:
    path = tmp_path / "model.npz"
    model = Neuron(2, seed=0)
    model.save(path)
    rewritten(path, **{which: np.zeros(3 if which == "names" else (), dtype=f"S{BOMB}")})
    if which == "numbers":
        rewritten(path, numbers=np.zeros(BOMB // 8))
    assert path.stat().st_size < 1_000_000
    with little_memory(), pytest.raises(ModelFormatError, match=rf"its {which} would take \d+,\d+,\d+ bytes"):
        model.load(path)
    assert model.state_dict() == Neuron(2, seed=0).state_dict()


def test_what_a_model_does_not_need_is_not_unpacked_at_all(tmp_path: Path) -> None:
    Neuron(2, seed=0).save(tmp_path / "model.npz")
    rewritten(tmp_path / "model.npz", more=np.zeros(BOMB // 8))
    with little_memory():
        model = Neuron(2, seed=1).load(tmp_path / "model.npz")
    assert model.state_dict() == Neuron(2, seed=0).state_dict()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_npz_that_tells_a_smaller_size_than_it_has_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "model.npz"
    Neuron(2, seed=0).save(path)
    length = with_numbers(path, lambda content: content + bytes(BOMB), method)
    whole, told = path.read_bytes(), length.to_bytes(4, "little")
    assert len(whole) < 1_000_000 and whole.count(told) == 2  # once before the member, once in the list at the end
    path.write_bytes(whole.replace(told, (1_000).to_bytes(4, "little")))
    with little_memory(), pytest.raises(ModelFormatError):
        Neuron(2).load(path)


def test_an_array_whose_head_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    Neuron(2, seed=0).save(path)
    with_numbers(path, lambda content: content.replace(b"(3,), }" + b" " * 8, b"(100000000,), }"))
    with little_memory(), pytest.raises(ModelFormatError, match=r"should hold 800,000,000 bytes, but holds 24"):
        Neuron(2).load(path)


def test_a_compressed_npz_is_read_and_one_of_another_model_is_named_however_large(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    model = MLP(40, [60, 1], seed=1)
    model.save(path)
    rewritten(path)
    assert MLP(40, [60, 1], seed=2).load(path).state_dict() == model.state_dict()
    with pytest.raises(ModelFormatError, match="MLP\\(40 → 60 → 1, tanh, linear\\), but this model is Neuron"):
        Neuron(1).load(path)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("kind", ["json", "npz"])
def test_a_private_model_stays_private(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"model.{kind}"
    path.write_text("")
    path.chmod(0o600)
    Neuron(1).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_saving_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.json"
    model = Neuron(1, seed=0)
    model.save(path)
    whole = path.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    model.b.data = 9.0
    with pytest.raises(OSError, match="the disk is full"):
        model.save(path)
    assert path.read_bytes() == whole
    assert os.listdir(tmp_path) == ["model.json"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_saved_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    Neuron(1).save(tmp_path / "model.json")
    assert stat.S_IMODE((tmp_path / "model.json").stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_a_saved_file_can_be_read_by_eye(tmp_path: Path) -> None:
    Neuron(1, seed=0).save(tmp_path / "model.json")
    document = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert set(document["parameters"]) == {"w.0", "b"}


def test_other_endings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for act in (Neuron(1).save, Neuron(1).load):
        (tmp_path / "model.pkl").write_bytes(b"")
        with pytest.raises(ValueError, match=r'".json" or ".npz", but got the name \'model.pkl\''):
            act(tmp_path / "model.pkl")
    assert (tmp_path / "model.pkl").read_bytes() == b""


def test_models_can_be_copied_and_pickled() -> None:
    model = MLP(2, [3, 1], activation="prelu", output="sigmoid", seed=0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.state_dict() == model.state_dict()
        assert not set(twin.parameters()) & set(model.parameters())
        twin.layers[0].activation.alpha.data = 0.9
        assert twin([-1.0, -2.0]).data != model([-1.0, -2.0]).data
        assert model.layers[0].activation.alpha.data == 0.25


def test_repr_counts_parameters() -> None:
    assert repr(MLP(3, [4, 4, 1])) == (
        "MLP(3 → 4 → 4 → 1, tanh, linear, 41 parameters)\n"
        "  layers.0: Layer(3 → 4, tanh, 16 parameters)\n"
        "  layers.1: Layer(4 → 4, tanh, 20 parameters)\n"
        "  layers.2: Layer(4 → 1, linear, 5 parameters)"
    )
    assert repr(Neuron(1)) == "Neuron(1 → 1, tanh, 2 parameters)"
    assert repr(Layer(784, 100, "relu")) == "Layer(784 → 100, relu, 78,500 parameters)"
    assert repr(nn.activations.PReLU()) == "PReLU(1 parameter)"


def test_nn_does_not_import_viz() -> None:
    import subprocess
    import sys

    code = (
        "import sys, nn, nn.training.estimators; sys.exit(any(m == 'viz' or m.startswith('viz.') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(nn.__file__).parent.parent).returncode == 0


@pytest.mark.parametrize("kind", ["json", "npz"])
def test_a_damaged_file_is_a_format_error_whatever_the_damage_and_changes_nothing(tmp_path: Path, kind: str) -> None:
    import random

    path = tmp_path / f"model.{kind}"
    MLP(2, [2, 1], seed=1).save(path)
    whole = path.read_bytes()
    rng = random.Random(0)
    refused = 0
    for _ in range(800):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 2, 5, 20))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged)
        model = MLP(2, [2, 1], seed=0)
        before = model.state_dict()
        try:
            model.load(path)
        except ModelFormatError:
            refused += 1
            assert model.state_dict() == before
    assert refused > 700  # the rest hit a digit of a number, or a byte that means nothing


def test_a_number_too_large_for_a_float_is_a_format_error(tmp_path: Path) -> None:
    Neuron(1, seed=0).save(tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text(encoding="utf-8")
    (tmp_path / "m.json").write_text(text.replace('"b": 0.0', '"b": 1' + "0" * 400), encoding="utf-8")
    with pytest.raises(ModelFormatError, match="parameter 'b' is too large for a float"):
        Neuron(1).load(tmp_path / "m.json")


def test_biases_with_a_number_in_their_name_are_left_alone_by_l2() -> None:
    class Two(Module):
        def __init__(self) -> None:
            for name in ("w1", "b1", "w2", "b2", "bias2", "b_1", "alpha_2", "w_b"):
                setattr(self, name, Value(1.0, name))
            self.biases1 = [Value(1.0)]

    model = Two()
    names = {p: name for name, p in model.named_parameters()}
    assert [names[p] for p in model.weights()] == ["w1", "w2", "w_b"]
    assert l2_penalty(model, 2.0).data == 3.0


class Child(Module):
    def __init__(self, parent: Module | None = None) -> None:
        self.v = Value(2.0, "v")
        if parent is not None:
            self.parent = parent

    def forward(self, x: Any) -> Any:
        return self.v * x


class Parent(Module):
    def __init__(self, knows: bool) -> None:
        self.w = Value(3.0, "w")
        self.child = Child(self if knows else None)

    def forward(self, x: Any) -> Any:
        return self.child(self.w * x)


@pytest.mark.parametrize("early", [True, False])
def test_a_module_that_refers_to_its_parent_does_not_recurse_for_ever(early: bool) -> None:
    model = Parent(knows=early)
    if not early:
        model.child.parent = model
    assert {p.label for p in model.parameters()} == {"v", "w"}
    assert len(model.parameters()) == 2
    assert [name for name, _ in model.modules()] == ["", "child"]
    assert model(2.0).data == 12.0
    assert repr(model) == "Parent(2 parameters)"
    if not early:
        assert model(2.0).scope == "child"  # the parent is not renamed by the child


def test_a_list_that_holds_its_own_module_does_not_recurse_for_ever() -> None:
    model = Parent(knows=False)
    model.family = [model, model.child]
    assert len(model.parameters()) == 2
    assert [name for name, _ in model.modules()] == ["", "child"]


def test_layers_appended_to_a_list_get_their_path_at_the_next_call() -> None:
    class Stack(Module):
        def __init__(self) -> None:
            self.layers: list[Any] = []

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return x

    model = Stack()
    model.layers.append(Layer(1, 2))
    model.layers.append(Neuron(2))
    y = model([1.0])
    assert y.scope == "layers.1"
    assert {n.scope for n in topological_order(y)} >= {"layers.0.neurons.0", "layers.0.neurons.1", "layers.1"}
    model.layers.append(Neuron(1))
    assert model([1.0]).scope == "layers.2"


def test_parts_put_into_lists_of_lists_and_dicts_anywhere_get_their_path_at_the_next_call() -> None:
    class Rows(Module):
        def __init__(self) -> None:
            self.rows: list[Any] = []
            self.by_name: dict[str, Any] = {"a": [Neuron(1, seed=0)]}

        def forward(self, x: Any) -> Any:
            for row in (*self.rows, *self.by_name.values()):
                for part in row:
                    x = part(x)
            return x

    def paths_are_right(model: Module) -> bool:
        made = {n.scope for n in topological_order(model([0.5])) if n.op == "tanh"}
        filed = {p.scope for p in model.parameters()}
        wanted = {path.rpartition(".w")[0] for path, _ in model.named_parameters() if ".w." in path}
        return made == filed == wanted

    inner = Rows()
    model = Sequential(inner)
    assert paths_are_right(model)
    inner.rows.append([Neuron(1, seed=1)])  # the list was empty at the last call
    assert paths_are_right(model)
    inner.rows[0].append(Neuron(1, seed=2))
    inner.by_name["a"].append(Neuron(1, seed=3))
    assert paths_are_right(model)
    inner.rows[0].insert(0, Neuron(1, seed=4))  # moves the others up by one
    inner.by_name["b"] = [Neuron(1, seed=5)]
    assert paths_are_right(model)
    inner.rows[0][1] = Neuron(1, seed=6)  # in the middle
    assert paths_are_right(model)
    inner.more = [Neuron(1)]
    inner.rows.append(inner.more)
    inner.more.append(Neuron(1))
    del inner.more
    assert paths_are_right(model)
    assert len(model.parameters()) == 2 * 8
    assert paths_are_right(copy.deepcopy(model))


def test_saving_to_a_folder_that_is_not_there_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*nodir' to write 'm\.json' into"):
        MLP(1, [1]).save(tmp_path / "nodir" / "m.json")


def test_parameters_in_many_arrays_are_all_found() -> None:
    class Tables(Module):
        def __init__(self) -> None:
            for k in range(20):
                setattr(self, f"w{k}", np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]], dtype=object))

    assert len(Tables().parameters()) == 80
