"""What other libraries call things, and what to write here instead; for errors that teach (see `hints`)."""

from __future__ import annotations

from .hints import WRITTEN_OUT, ReadOnly, add_elsewhere

ROOMS = ("exercises",)  # whose names are public, but stand at no door

_DATA = "its number is x.data, a float"
_GRAD = "its gradient is x.grad, a float, once backward() has been called"
_DETACH = "write autograd.detach(x), a node that stops the gradient, or x.data for the number alone"
_FLOAT = "a Value is one Python float, on no device and of no other type"


class LikeATensor:
    """Names that one reaches for who knows PyTorch, JAX or TensorFlow; each raises an error that explains."""

    __slots__ = ()


add_elsewhere(
    LikeATensor,
    {
        **{name: f"{name}(x) is {formula}" for name, formula in WRITTEN_OUT.items()},
        "item": _DATA,
        "numpy": _DATA,
        "tolist": _DATA,
        "value": _DATA,
        "val": _DATA,
        "gradient": _GRAD,
        "derivative": _GRAD,
        "detach": _DETACH,
        "detach_": _DETACH,
        "clone": "a Value is never changed by what is computed from it; for a copy there is copy.copy(x)",
        "requires_grad": "every Value gets a gradient; to compute without, write `with autograd.no_grad():`",
        "requires_grad_": "every Value gets a gradient; to compute without, write `with autograd.no_grad():`",
        "retain_grad": "every node keeps its gradient, x.grad",
        "is_leaf": "a leaf is a Value with no x.inputs",
        "grad_fn": "the operation that made it is x.op, and what it was made from x.inputs",
        "children": "the nodes that it was computed from are x.inputs",
        "_children": "the nodes that it was computed from are x.inputs",
        "_local_grads": "its derivatives by its inputs are x.local_derivatives",
        "parents": "the nodes that it was computed from are x.inputs",
        "name": "its name is x.label",
        "zero_": "assign x.data = 0.0",
        "fill_": "assign x.data = 3.0, for instance",
        "pow": "write x**2, for instance",
        "abs": "write abs(x)",
        "max": "write autograd.maximum(x, y), or of a list maximum(xs)",
        "min": "write autograd.minimum(x, y), or of a list minimum(xs)",
        "clamp": "write maximum(low, minimum(x, high))",
        "clip": "write maximum(low, minimum(x, high))",
        "sum": "a Value is one number; of a list of them write sum(xs)",
        "mean": "a Value is one number; of a list of them write sum(xs) / len(xs)",
        "softmax": "softmax is of several numbers: autograd.softmax([x, y, z])",
        "no_grad": "write `with autograd.no_grad():`",
        "to": _FLOAT,
        "cuda": _FLOAT,
        "cpu": _FLOAT,
        "double": _FLOAT,
    },
    ReadOnly,
)

# `from autograd import …`
ENGINE = {
    "Tensor": "a number in a graph is a Value: Value(2.0); a vector is a list of them",
    "tensor": "a number in a graph is a Value: Value(2.0); a vector is a list of them",
    "Variable": "a number in a graph is a Value: Value(2.0)",
    "Scalar": "a number in a graph is a Value: Value(2.0)",
    "backward": "backward is a method: f.backward()",
    "numpy": "that is another project, HIPS autograd; chainrule is for scalars: from autograd import Value, exp, grad",
    "elementwise_grad": "take grad for each number: [grad(f)(x) for x in xs]",
    "make_vjp": "write grad for one result, jacobian for several",
    "jit": "write compile(f, x), with one example x",
    "vmap": "write compile(f, x), with one example x; it runs on batches",
    "enable_grad": "recording is on, unless inside `with no_grad():`",
    "stop_gradient": "write detach(x)",
    "check_grad": "write gradcheck(f, [x, y])",
    "check_gradients": "write gradcheck(f, [x, y])",
    "log_softmax": "write x - logsumexp(xs) for each x of xs",
    "max": "write maximum(x, y)",
    "min": "write minimum(x, y)",
    "nn": "nn is a package beside this one: import nn",
    "viz": "viz is a package beside this one: import viz",
    **{name: f"it is in nn: from nn import {name}" for name in "MLP Layer Neuron Module fit SGD Adam".split()},
    **{
        name: f"it is in viz: from viz import {name}"
        for name in "draw_graph draw_dot draw_derivation step_through explore worksheet".split()
    },
}
