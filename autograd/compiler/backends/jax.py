"""The jax backend: the readable program, run on `jax.numpy`.

The program has no side effects, so it is already a function that JAX can trace: ``jax.jit(step.function)`` compiles it,
and with the batch axis of the arguments sharded over devices XLA puts in the one sum over devices that the gradient
needs. Nothing here knows what the program computes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from ..write import Text


def function(text: Text, names: Sequence[str], shapes: Sequence[Any], dtype: Any) -> Callable[..., Any]:
    jax = _jax(dtype)
    from ..compiled import array_words, load

    program = load(text, "program", array_words(jax.numpy, importlib.import_module("jax.scipy.special")))

    def run(theta: Any, *batch: Any) -> Any:
        columns = [jax.numpy.asarray(X).reshape(X.shape[0], -1).T for X in batch]
        return program(theta, *columns)

    return run


def jit(run: Callable[..., Any]) -> Callable[..., Any]:
    import jax

    compiled: Callable[..., Any] = jax.jit(run)
    return compiled


def _jax(dtype: Any) -> Any:
    try:
        import jax
    except ImportError as error:
        raise ImportError("the jax backend needs JAX: pip install 'chainrule[jax]'") from error
    if str(dtype) == "float64" and jax.dtypes.canonicalize_dtype("float64") != "float64":
        raise ValueError(
            "JAX computes in float32 unless told otherwise: call jax.config.update('jax_enable_x64', True) at the "
            "start, or compile with dtype='float32'"
        )
    return jax
