"""What somebody might write who uses all of chainrule, for type checkers to read; and it runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from autograd import Value, backward_steps, compile, dot, exp, grad, gradcheck, hessian, jacobian, maximum, parse
from autograd import no_grad, register, softmax, value_and_grad
from nn import MLP, Adam, Layer, LSTMCell, Module, Neuron, Recurrent, Sequential, accuracy, binary_cross_entropy
from nn import cross_entropy, data, fit, minimize, predict, schedules, squared_error
from viz import draw_derivation, draw_graph, plot_history, step_through

x, y = Value(-2.0, label="x"), Value(5.0, "y")
f = (x + y) * exp(-x) + maximum(x, 0.5) + 2**y / 3
f.backward()
slope = x.grad + float(f"{f:.3f}") + exp(1.0)
words = [step.words for step in backward_steps(f)]
formula = parse("(x + y) * z", x=-2, y=5, z=-4)
total = sum([x, y, formula], Value(0.0)) + dot([x, y], [0.5, 2]) + softmax([x, y])[0]
if x < y and gradcheck(exp, [0.5]):
    with no_grad():
        total = total * 2


def rosenbrock(p: list[Value]) -> Value:
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def cube(z: Value) -> Value:
    return z**3


def both(p: list[Value]) -> list[Value]:
    return [p[0] * p[1], p[0]]


def swish_of(a: Value) -> Value:
    return a / (1 + exp(-a))


def slopes_of_swish(y: Value, a: Value) -> tuple[Value]:
    return ((y + (1 - y) / (1 + exp(-a))),)


curvature = grad(grad(cube))(2.0)
gradient = grad(rosenbrock)([1.0, 2.0])
height, direction = value_and_grad(rosenbrock)([1.0, 2.0])
matrix = hessian(rosenbrock)([1.0, 2.0])
rows = jacobian(both)([3.0, 4.0])
lowest = minimize(rosenbrock, [0.5, 0.5], "newton").x
swish = register("swish", swish_of, slopes_of_swish)
smooth = swish(x)


class Line(Module):
    def __init__(self) -> None:
        self.w, self.b = Value(0.0, "w"), Value(0.0, "b")

    def forward(self, x: float) -> Value:
        return self.w * x + self.b


line = Line()
optimizer = Adam(line, lr=schedules.cosine(0.1, 100), clip_norm=1.0)
loss = squared_error(line(2.0), 1.0)
for _ in range(3):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss = squared_error(line(2.0), 1.0)

X, labels = data.moons(40, seed=0)
X_train, y_train, X_test, y_test = data.split(X, labels)
model = MLP(2, [4, 1], activation="tanh", seed=0)
history = fit(model, X, labels, loss="binary_cross_entropy", epochs=2, lr=0.1, progress=False)
losses, share, answers = history["loss"], accuracy(model, X, labels), predict(model, X)
classifier = Sequential(Layer(2, 3), Layer(3, 2, "linear"))
logits = classifier(X[0])
surprise = cross_entropy(logits, labels[0])
score = Neuron(2, activation="sigmoid")(X[0]).data
memory = Recurrent(LSTMCell(1, 2, seed=0))([0.5, -0.25])


def loss_of_one(x: list[Value], t: Value) -> Value:
    return binary_cross_entropy(model(x), t)


step = compile(loss_of_one, X[0], labels[0], backend="numpy")
mean_loss, program, slopes = step(X, labels), step.source, step.gradient
ask = compile(classifier, X[0])
outputs = ask(X)

folder = Path(tempfile.mkdtemp())
picture = draw_graph(f, theme="dark").save(folder / "graph.svg")
page = step_through(f).save(folder / "steps.html")
derivation = str(draw_derivation(f, y))
plot_history(history)
