"""Norms, attention, transformer blocks and a small GPT: against PyTorch, and what holds for any of them."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import autograd
import nn
from autograd import Value, gradcheck, no_grad, topological_order
from nn import one_hot
from nn.attention import GPT, LayerNorm, Projection, RMSNorm, SelfAttention, TransformerBlock


def vectors(count: int, size: int, seed: int = 0) -> list[list[Value]]:
    rng = random.Random(seed)
    return [[Value(rng.gauss(0, 1), f"x{t},{i}") for i in range(size)] for t in range(count)]


def numbers(rows: Any) -> list[list[float]]:
    return [[float(y.data) for y in row] for row in rows]


def weighted(rows: Any) -> Value:
    """A number in which every output has a weight of its own."""
    entries = [y for row in rows for y in row]
    return sum((y * math.sin(1.0 + k) for k, y in enumerate(entries)), Value(0.0))


def tensor(rows: Any) -> Any:
    torch = pytest.importorskip("torch")
    return torch.tensor([[float(x.data) for x in row] for row in rows], dtype=torch.float64, requires_grad=True)


def agree(mine: Any, theirs: Any) -> None:
    """The gradients of rows of Values are those of a tensor."""
    assert [x.grad for row in mine for x in row] == pytest.approx(theirs.grad.flatten().tolist(), rel=1e-10, abs=1e-12)


def sum_of(outputs: Any) -> Any:
    torch = pytest.importorskip("torch")
    flat = outputs.flatten()
    return (flat * torch.sin(1.0 + torch.arange(len(flat), dtype=torch.float64))).sum()


@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
def test_a_norm_and_its_gradients_are_pytorchs(kind: Any) -> None:
    torch = pytest.importorskip("torch")
    norm, (x,) = kind(6, eps=1e-3), vectors(1, 6)
    rng = random.Random(5)
    for p in norm.parameters():
        p.data = rng.gauss(0, 1)
    theirs = (torch.nn.RMSNorm if kind is RMSNorm else torch.nn.LayerNorm)(6, eps=1e-3, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(tensor([norm.gain])[0])
        if kind is LayerNorm:
            theirs.bias.copy_(tensor([norm.bias])[0])
    inputs = tensor([x])
    sum_of(theirs(inputs)).backward()
    weighted([norm(x)]).backward()
    assert numbers([norm(x)])[0] == pytest.approx(theirs(inputs)[0].tolist(), rel=1e-12)
    agree([x], inputs)
    agree([norm.gain], theirs.weight)


def torch_attention(torch: Any, x: Any, q: Any, k: Any, v: Any, o: Any, heads: int, causal: bool) -> Any:
    """PyTorch's own scaled dot-product attention between its own linear maps."""

    def split(y: Any) -> Any:
        return y.reshape(len(y), heads, -1).transpose(0, 1)

    mixed = torch.nn.functional.scaled_dot_product_attention(
        split(x @ q.T), split(x @ k.T), split(x @ v.T), is_causal=causal
    )
    return mixed.transpose(0, 1).reshape(len(x), -1) @ o.T


@pytest.mark.parametrize(("heads", "causal", "count"), [(1, True, 3), (2, True, 5), (2, False, 4), (4, True, 1)])
def test_attention_and_its_gradients_are_pytorchs(heads: int, causal: bool, count: int) -> None:
    torch = pytest.importorskip("torch")
    attention, xs = SelfAttention(8, heads, causal=causal, seed=1), vectors(count, 8)
    parts = [attention.query, attention.key, attention.value, attention.out]
    inputs, matrices = tensor(xs), [tensor(part.rows) for part in parts]
    theirs = torch_attention(torch, inputs, *matrices, heads, causal)
    sum_of(theirs).backward()
    ours = attention(xs)
    weighted(ours).backward()
    assert sum(numbers(ours), []) == pytest.approx(theirs.flatten().tolist(), rel=1e-10)
    agree(xs, inputs)
    for part, matrix in zip(parts, matrices, strict=True):
        agree(part.rows, matrix)


@pytest.mark.parametrize("norm", ["rms", "layer"])
def test_a_gpts_loss_and_all_its_gradients_are_pytorchs(norm: str) -> None:
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    model = GPT(11, 6, 8, 2, 2, norm=norm, seed=3)
    text, following = [3, 1, 4, 1, 5], [1, 4, 1, 5, 9]
    token, position, logits = (tensor(p.rows) for p in (model.token, model.position, model.logits))

    def normed(x: Any) -> Any:
        return f.rms_norm(x, (8,), eps=1e-5) if norm == "rms" else f.layer_norm(x, (8,), eps=1e-5)

    x = normed(token[text] + position[: len(text)])
    matrices = []
    for block in model.blocks:
        a = block.attention
        parts = [tensor(p.rows) for p in (a.query, a.key, a.value, a.out, block.wide, block.narrow)]
        matrices.append(parts)
        x = x + torch_attention(torch, normed(x), *parts[:4], 2, True)
        x = x + torch.relu(normed(x) @ parts[4].T) @ parts[5].T
    theirs = f.cross_entropy(normed(x) @ logits.T, torch.tensor(following))
    theirs.backward()
    ours = model.loss(text, following)
    ours.backward()
    assert ours.data == pytest.approx(theirs.item(), rel=1e-12)
    agree(model.logits.rows, logits)
    agree(model.token.rows, token)
    agree(model.position.rows, position)
    for block, parts in zip(model.blocks, matrices, strict=True):
        a = block.attention
        for mine, part in zip((a.query, a.key, a.value, a.out, block.wide, block.narrow), parts, strict=True):
            agree(mine.rows, part)


def test_gradients_are_those_of_difference_quotients() -> None:
    block, xs = TransformerBlock(4, 2, hidden=5, norm="layer", learned=True, activation="tanh", seed=2), vectors(3, 4)
    assert gradcheck(lambda *rows: weighted(block(rows)), xs)


def test_what_comes_later_changes_nothing_before_it() -> None:
    model = GPT(7, 5, 8, 2, seed=0)
    long, short = numbers(model([1, 2, 3, 4])), numbers(model([1, 2]))
    assert long[:2] == short
    seen = SelfAttention(8, 2, causal=False, seed=0)
    xs = vectors(3, 8)
    assert numbers(seen(xs))[:2] != numbers(seen(xs[:2]))


def test_attention_weights_are_probabilities_of_what_is_seen() -> None:
    found = SelfAttention(6, 3, seed=4).attention_weights(vectors(4, 6))
    assert (len(found), len(found[0]), len(found[0][0])) == (3, 4, 4)
    for head in found:
        for t, row in enumerate(head):
            assert sum(row) == pytest.approx(1.0) and row[t + 1 :] == [0.0] * (3 - t) and min(row[: t + 1]) > 0.0


def test_one_hot_tokens_give_what_their_numbers_give_and_compile() -> None:
    model = GPT(5, 4, 4, 2, seed=0)
    text, following = [0, 3, 2], [3, 2, 4]
    coded = [one_hot(k, 5) for k in text], [one_hot(k, 5) for k in following]
    eager = model.loss(text, following)
    assert model.loss(*coded).data == pytest.approx(eager.data, rel=1e-12)
    step = autograd.compile(model.loss, *coded)
    assert step([coded[0]], [coded[1]]) == pytest.approx(eager.data, rel=1e-12)
    eager.backward()
    there = dict(zip(step.parameters, step.gradient, strict=True))
    for p in model.parameters():
        assert there.get(p, 0.0) == pytest.approx(p.grad, rel=1e-9, abs=1e-13)


def test_a_gpt_learns_a_rhythm_and_goes_on_with_it() -> None:
    model = GPT(3, 6, 8, 2, seed=1)
    text = [0, 1, 2, 0, 1, 2, 0]
    coded = [one_hot(k, 3) for k in text]
    step, optimizer = autograd.compile(model.loss, coded[:-1], coded[1:]), nn.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        step([coded[:-1]], [coded[1:]])
        step.push(gradient=True)
        optimizer.step()
        step.pull()
    assert model.sample([0], 8, temperature=0) == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    assert model.sample([0], 9, temperature=0, end=2) == [0, 1, 2]


def test_sampling_follows_its_seed_and_its_temperature() -> None:
    model = GPT(9, 4, 4, 1, seed=0, std=0.4)
    assert model.sample([1], 12, seed=5) == model.sample([1], 12, seed=5) != model.sample([1], 12, seed=6)
    with no_grad():
        logits = [float(z.data) for z in model([1])[0]]
    rng = random.Random(0)
    drawn = [model.sample([1], 1, temperature=0.5, seed=rng)[-1] for _ in range(400)]
    odds = [math.exp(2 * z) for z in logits]
    for k in range(9):
        p = odds[k] / sum(odds)
        assert abs(drawn.count(k) / 400 - p) < 5 * math.sqrt(p * (1 - p) / 400) + 1e-9


def test_the_default_gpt_over_27_letters_has_4192_parameters() -> None:
    assert len(GPT(27, 16).parameters()) == 4192


def test_nodes_are_filed_by_block_and_by_head() -> None:
    f = GPT(3, 2, 2, 2, hidden=2, seed=0).loss([0, 1], [1, 2])
    scopes = {node.scope for node in topological_order(f)}
    assert {"blocks.0.attention.head.0", "blocks.0.attention.head.1", "blocks.0.wide", "logits"} <= scopes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: SelfAttention(6, 4), "4 heads cannot share 6"),
        (lambda: SelfAttention(4)([]), "got none"),
        (lambda: SelfAttention(4)([[1.0, 2.0]]), "takes 4 inputs, but got 2"),
        (lambda: TransformerBlock(4, norm="batch"), "one of rms, layer"),
        (lambda: RMSNorm(4, eps=0.0), "eps must be above 0"),
        (lambda: GPT(5, 2)([1, 2, 3]), "1 to 2 tokens"),
        (lambda: GPT(5, 2)([]), "1 to 2 tokens"),
        (lambda: GPT(5, 2)([5]), "0"),
        (lambda: GPT(5, 2).loss([1], [1, 2]), "1 tokens and 2"),
        (lambda: GPT(5, 2).sample([1], 3, temperature=-1.0), "temperature"),
        (lambda: Projection(3, 2)([1.0]), "takes 3 inputs"),
    ],
)
def test_what_cannot_be_done_is_said(wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()
