"""The same GPT, RNN and LSTM in NumPy by hand, forward and backward: what an expert writes who knows the field.

Each class takes its numbers from the scalar program's Values, and ``step(...)`` gives the mean loss over a batch and
leaves the gradients, in arrays that stand beside the weights. `gradient()` puts these in the order of the scalar
program's parameters, for comparison. Samples are the first axis, as in the frameworks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Value

from .scalars import GPT, Case

Array = NDArray[np.float64]


def numbers(rows: Sequence[Any]) -> Array:
    return np.array([[v.data for v in row] if isinstance(row, list) else row.data for row in rows])


class ByHandGPT:
    """Tokens are numbers here: an embedding is a row that is taken, and its gradient a product with one-hot rows."""

    def __init__(self, model: GPT) -> None:
        self.heads, self.eye = model.heads, np.eye(model.tokens)
        self.d = model.size // model.heads
        self.token, self.position = numbers(model.token), numbers(model.position)
        # one product for queries, keys and values
        self.qkv = [np.concatenate([numbers(w) for w in b[:3]]) for b in model.layers]
        self.rest = [[numbers(w) for w in b[3:]] for b in model.layers]
        self.logits = numbers(model.logits)
        t = model.length
        self.mask = np.where(np.tri(t, dtype=bool), 0.0, -np.inf)
        self.found: dict[str, Any] = {}

    def step(self, text: NDArray[np.intp], following: NDArray[np.intp]) -> float:
        n, t = text.shape
        e, h, d = self.token.shape[1], self.heads, self.d
        eye = self.eye[text.ravel()]
        x, back = rms(self.token[text].reshape(n * t, e) + np.tile(self.position[:t], (n, 1)))
        kept: list[Any] = []
        for qkv, (out, wide, narrow) in zip(self.qkv, self.rest, strict=True):
            a, back_a = rms(x)
            z = (a @ qkv.T).reshape(n, t, 3, h, d).transpose(2, 0, 3, 1, 4)  # [q k v][sample][head][position][entry]
            q, k, v = np.ascontiguousarray(z)
            shares = q @ k.swapaxes(2, 3)
            shares *= d**-0.5
            shares += self.mask[:t, :t]
            shares -= shares.max(3, keepdims=True)
            np.exp(shares, shares)
            shares /= shares.sum(3, keepdims=True)
            mixed = (shares @ v).transpose(0, 2, 1, 3).reshape(n * t, e)
            x = x + mixed @ out.T
            b, back_b = rms(x)
            hidden = np.maximum(b @ wide.T, 0.0)
            x = x + hidden @ narrow.T
            kept.append((a, back_a, q, k, v, shares, mixed, b, back_b, hidden))
        z = x @ self.logits.T
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        total = p.sum(1, keepdims=True)
        rows, right = np.arange(n * t), following.ravel()
        loss = (np.log(total).sum() - z[rows, right].sum()) / (n * t)
        p /= total
        p[rows, right] -= 1.0
        p /= n * t

        found = self.found
        found["logits"] = p.T @ x
        dx = p @ self.logits
        found["blocks"] = [()] * len(kept)
        for i in reversed(range(len(kept))):
            a, back_a, q, k, v, shares, mixed, b, back_b, hidden = kept[i]
            qkv, (out, wide, narrow) = self.qkv[i], self.rest[i]
            d_narrow = dx.T @ hidden
            dh = dx @ narrow
            dh *= hidden > 0.0
            d_wide = dh.T @ b
            dx = dx + back_b(dh @ wide)
            d_out = dx.T @ mixed
            dm = (dx @ out).reshape(n, t, h, d).transpose(0, 2, 1, 3)
            dz = np.empty((n, t, 3, h, d))
            parts = dz.transpose(2, 0, 3, 1, 4)
            np.matmul(shares.swapaxes(2, 3), dm, out=parts[2])
            ds = dm @ v.swapaxes(2, 3)
            ds -= (ds * shares).sum(3, keepdims=True)
            ds *= shares
            ds *= d**-0.5
            np.matmul(ds, k, out=parts[0])
            np.matmul(ds.swapaxes(2, 3), q, out=parts[1])
            flat = dz.reshape(n * t, 3 * e)
            found["blocks"][i] = (flat.T @ a, d_out, d_wide, d_narrow)
            dx = dx + back_a(flat @ qkv)
        dx = back(dx)
        found["token"] = eye.T @ dx
        found["position"] = dx.reshape(n, t, e).sum(0)
        return float(loss)

    def gradient(self) -> Array:
        """As the scalar program has its parameters."""
        f = self.found
        parts = [f["token"], f["position"], *[g for block in f["blocks"] for g in block], f["logits"]]
        return np.concatenate([part.ravel() for part in parts])


def rms(x: Array) -> tuple[Array, Any]:
    """Each row over its root mean square, and the way back."""
    scale = (np.einsum("ij,ij->i", x, x) / x.shape[1] + 1e-5) ** -0.5
    y = x * scale[:, None]

    def back(dy: Array) -> Array:
        inner = np.einsum("ij,ij->i", dy, y) / y.shape[1]
        return (dy - y * inner[:, None]) * scale[:, None]

    return y, back


class _Layer:
    """What RNN and LSTM share: their weights, in the order of the scalar program, and the line of output."""

    def __init__(self, case: Case, gates: int, inputs: int, hidden: int) -> None:
        flat = np.array([p.data for p in case.parameters])
        sizes = [(gates * hidden, inputs), (gates * hidden, hidden), (gates * hidden,), (hidden,), (1,)]
        cuts = np.cumsum([int(np.prod(s)) for s in sizes])
        parts = [part.reshape(s) for part, s in zip(np.split(flat, cuts[:-1]), sizes, strict=True)]
        self.wx, self.wh, self.b, self.out, self.out_b = parts
        self.hidden = hidden
        self.found: list[Array] = []

    def answers(self, hs: Array, ys: Array) -> tuple[float, Array]:
        """The mean squared error over samples and steps of what the states [T, n, hidden] say; its slope by them."""
        errors = hs @ self.out + self.out_b - ys.T
        slope = errors * (2.0 / errors.size)
        self.d_out = np.einsum("tn,tnh->h", slope, hs)
        self.d_out_b = slope.sum()
        return float((errors * errors).mean()), slope[:, :, None] * self.out

    def finish(self, dz: Array, xs: Array, before: Array) -> None:
        """The gradients of the weights, from those before the activations, all steps at once."""
        t, n, width = dz.shape
        flat = dz.reshape(t * n, width)
        dwx, dwh = flat.T @ xs.reshape(t * n, -1), flat.T @ before.reshape(t * n, -1)
        self.found = [dwx, dwh, flat.sum(0), self.d_out, np.array([self.d_out_b])]

    def gradient(self) -> Array:
        return np.concatenate([part.ravel() for part in self.found])


class ByHandRNN(_Layer):
    def __init__(self, case: Case, inputs: int, hidden: int) -> None:
        super().__init__(case, 1, inputs, hidden)

    def step(self, xs: Array, ys: Array) -> float:
        n, steps, inputs = xs.shape
        xs = np.ascontiguousarray(xs.transpose(1, 0, 2))
        z = (xs.reshape(steps * n, inputs) @ self.wx.T + self.b).reshape(steps, n, self.hidden)
        hs = np.empty((steps + 1, n, self.hidden))
        hs[0] = 0.0
        for t in range(steps):
            np.tanh(z[t] + hs[t] @ self.wh.T, out=hs[t + 1])
        loss, dhs = self.answers(hs[1:], ys)
        slopes = 1.0 - hs[1:] * hs[1:]
        dz = np.empty_like(dhs)
        np.multiply(dhs[-1], slopes[-1], out=dz[-1])
        for t in range(steps - 2, -1, -1):
            np.multiply(dz[t + 1] @ self.wh + dhs[t], slopes[t], out=dz[t])
        self.finish(dz, xs, hs[:-1])
        return loss


class ByHandLSTM(_Layer):
    def __init__(self, case: Case, inputs: int, hidden: int) -> None:
        super().__init__(case, 4, inputs, hidden)

    def step(self, xs: Array, ys: Array) -> float:
        n, steps, inputs = xs.shape
        m = self.hidden
        xs = np.ascontiguousarray(xs.transpose(1, 0, 2))
        z = (xs.reshape(steps * n, inputs) @ self.wx.T + self.b).reshape(steps, n, 4 * m)
        hs, cs = np.zeros((steps + 1, n, m)), np.zeros((steps + 1, n, m))
        tanhs = np.empty((steps, n, m))
        for t in range(steps):
            gates = z[t]
            gates += hs[t] @ self.wh.T
            sigmoid(gates[:, : 2 * m])
            sigmoid(gates[:, 3 * m :])
            np.tanh(gates[:, 2 * m : 3 * m], out=gates[:, 2 * m : 3 * m])
            i, f, g, o = (gates[:, k * m : (k + 1) * m] for k in range(4))
            np.multiply(f, cs[t], out=cs[t + 1])
            cs[t + 1] += i * g
            np.tanh(cs[t + 1], out=tanhs[t])
            np.multiply(o, tanhs[t], out=hs[t + 1])
        loss, dhs = self.answers(hs[1:], ys)
        i, f, g, o = (z[:, :, k * m : (k + 1) * m] for k in range(4))
        # what stands beside dh and dc in each gate's slope, all steps at once
        by_c = np.empty((steps, n, 3 * m))
        np.multiply(g, i * (1.0 - i), out=by_c[:, :, :m])
        np.multiply(cs[:-1], f * (1.0 - f), out=by_c[:, :, m : 2 * m])
        np.multiply(i, 1.0 - g * g, out=by_c[:, :, 2 * m :])
        by_h = tanhs * (o * (1.0 - o))
        through = o * (1.0 - tanhs * tanhs)
        by_c = by_c.reshape(steps, n, 3, m)
        dz = np.empty((steps, n, 4 * m))
        inner = dz.reshape(steps, n, 4, m)
        dh, dc = dhs[-1], 0.0
        for t in range(steps - 1, -1, -1):
            dc = dc + dh * through[t]
            np.multiply(dc[:, None], by_c[t], out=inner[t, :, :3])
            np.multiply(dh, by_h[t], out=inner[t, :, 3])
            if t:
                dc = dc * f[t]
                dh = dz[t] @ self.wh + dhs[t - 1]
        self.finish(dz, xs, hs[:-1])
        return loss


def sigmoid(z: Array) -> None:
    """In place, and safe far out."""
    z *= 0.5
    np.tanh(z, out=z)
    z += 1.0
    z *= 0.5


def same_order(step: Any, parameters: Sequence[Value], gradient: Array) -> Array:
    """A gradient in the order of a compiled function's theta."""
    place = {p: k for k, p in enumerate(parameters)}
    return gradient[[place[p] for p in step.parameters]]
