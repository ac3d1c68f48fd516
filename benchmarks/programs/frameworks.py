"""The same GPT, RNN and LSTM in PyTorch and in JAX, as their users write them.

Each function gives a step to call, which computes the mean loss and all gradients; the numbers are those of the scalar
program, in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arrays import ByHandLSTM, ByHandRNN, numbers
from .scalars import GPT, Case

Step = Callable[[], Any]


def gpt_weights(model: GPT) -> list[Any]:
    """Token, position and output matrices; then six for each block."""
    return [
        numbers(w) for w in (model.token, model.position, model.logits, *[w for block in model.layers for w in block])
    ]


# --- PyTorch


def torch_gpt(torch: Any, model: GPT, text: Any, following: Any) -> Step:
    functional = torch.nn.functional
    torch.set_num_threads(1)
    weights = [torch.tensor(w, requires_grad=True) for w in gpt_weights(model)]
    token, position, out_matrix = weights[:3]
    blocks = [weights[k : k + 6] for k in range(3, len(weights), 6)]
    x_in, target = torch.tensor(text), torch.tensor(following).reshape(-1)
    n, t = text.shape
    heads, d = model.heads, model.size // model.heads

    def rms(x: Any) -> Any:
        return functional.rms_norm(x, (x.shape[-1],), eps=1e-5)

    def split(x: Any) -> Any:
        return x.view(n, t, heads, d).transpose(1, 2)

    def step() -> Any:
        for w in weights:
            w.grad = None
        x = rms(functional.embedding(x_in, token) + position[:t])
        for q, k, v, out, wide, narrow in blocks:
            a = rms(x)
            mixed = functional.scaled_dot_product_attention(
                split(a @ q.T), split(a @ k.T), split(a @ v.T), is_causal=True
            )
            x = x + mixed.transpose(1, 2).reshape(n, t, heads * d) @ out.T
            x = x + functional.relu(rms(x) @ wide.T) @ narrow.T
        loss = functional.cross_entropy((x @ out_matrix.T).view(n * t, -1), target)
        loss.backward()
        return loss.detach()

    return step


def torch_recurrent(torch: Any, kind: str, case: Case, inputs: int, hidden: int, xs: Any, ys: Any) -> Step:
    """`torch.nn.RNN` or `torch.nn.LSTM`, with a linear layer on its states and the mean squared error."""
    torch.set_num_threads(1)
    ours = (ByHandRNN if kind == "RNN" else ByHandLSTM)(case, inputs, hidden)
    layer = getattr(torch.nn, kind)(inputs, hidden, batch_first=True).double()
    line = torch.nn.Linear(hidden, 1).double()
    with torch.no_grad():
        layer.weight_ih_l0[:] = torch.tensor(ours.wx)
        layer.weight_hh_l0[:] = torch.tensor(ours.wh)
        layer.bias_ih_l0[:] = torch.tensor(ours.b)
        layer.bias_hh_l0.zero_()
        line.weight[0] = torch.tensor(ours.out)
        line.bias[:] = torch.tensor(ours.out_b)
    x, y = torch.tensor(xs), torch.tensor(ys)
    parameters = [*layer.parameters(), *line.parameters()]

    def step() -> Any:
        for p in parameters:
            p.grad = None
        loss = torch.nn.functional.mse_loss(line(layer(x)[0])[:, :, 0], y)
        loss.backward()
        return loss.detach()

    return step


# --- JAX


def _compiled(jax: Any, loss: Callable[..., Any], weights: Sequence[Any], *batch: Any) -> Step:
    both = jax.jit(jax.value_and_grad(loss))
    given, data = [jax.numpy.asarray(w) for w in weights], [jax.numpy.asarray(b) for b in batch]

    def step() -> Any:
        return jax.block_until_ready(both(given, *data))[0]

    return step


def jax_gpt(jax: Any, model: GPT, text: Any, following: Any) -> Step:
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    heads, d = model.heads, model.size // model.heads

    def rms(x: Any) -> Any:
        return x * ((x * x).mean(-1, keepdims=True) + 1e-5) ** -0.5

    def loss(weights: Any, text: Any, following: Any) -> Any:
        token, position, out_matrix = weights[:3]
        n, t = text.shape
        x = rms(token[text] + position[:t])
        for i in range(3, len(weights), 6):
            q, k, v, out, wide, narrow = weights[i : i + 6]
            a = rms(x)
            qs, ks, vs = ((a @ w.T).reshape(n, t, heads, d) for w in (q, k, v))
            scores = jnp.einsum("nthd,nshd->nhts", qs, ks) * d**-0.5
            shares = jax.nn.softmax(jnp.where(np.tri(t, dtype=bool), scores, -jnp.inf), axis=-1)
            x = x + jnp.einsum("nhts,nshd->nthd", shares, vs).reshape(n, t, heads * d) @ out.T
            x = x + jax.nn.relu(rms(x) @ wide.T) @ narrow.T
        logs = jax.nn.log_softmax(x @ out_matrix.T)
        return -jnp.take_along_axis(logs, following[:, :, None], axis=-1).mean()

    return _compiled(jax, loss, gpt_weights(model), text, following)


def jax_recurrent(jax: Any, kind: str, case: Case, inputs: int, hidden: int, xs: Any, ys: Any) -> Step:
    """`lax.scan` over the steps."""
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    ours = (ByHandRNN if kind == "RNN" else ByHandLSTM)(case, inputs, hidden)

    def loss(weights: Any, xs: Any, ys: Any) -> Any:
        wx, wh, b, out, out_b = weights
        n = xs.shape[0]

        def turn(state: Any, x: Any) -> Any:
            h, c = state
            z = x + h @ wh.T
            if kind == "RNN":
                h = jnp.tanh(z)
            else:
                i, f, g, o = jnp.split(z, 4, axis=1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        start = jnp.zeros((n, hidden))
        _, hs = jax.lax.scan(turn, (start, start), (xs @ wx.T + b).swapaxes(0, 1))
        return ((hs @ out + out_b - ys.T) ** 2).mean()

    return _compiled(jax, loss, [ours.wx, ours.wh, ours.b, ours.out, ours.out_b], xs, ys)
