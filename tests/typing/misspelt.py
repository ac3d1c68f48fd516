"""The users' script's careless twin: every line that ends in `# wrong` must be reported by every type checker."""

from __future__ import annotations

from autograd import Valu  # wrong
from autograd import Value, compile, exp, grad, softmax
from autograd import maxmum  # wrong
from nn import MLP, Adam, Layer, Neuron, data, fit, predict, squared_error
from nn import MPL  # wrong
from nn import Linear  # wrong
from viz import draw_graph, step_through
from viz import draw_grpah  # wrong

x = Value(2.0, "x")
name = Value(2.0, name="x")  # wrong
text = Value("2.0")  # wrong
print(x.grade)  # wrong
print(x.item())  # wrong
x.backwards()  # wrong
x.backward(retain_graph=True)  # wrong
print(exp("2"))  # wrong
print(exp(2.0).data)  # wrong
print(softmax([x, x]).data)  # wrong


def cube(z: Value) -> Value:
    return z**3


print(grad(2.0))  # wrong
print(grad(cube)(2.0).data)  # wrong

X, y = data.moon()  # wrong
rows, labels = data.moons(10)
neuron = Neuron(2, nonlin=False)  # wrong
model = MLP(2, [4, 1], activaton="tanh")  # wrong
layer = Layer(2, 3)
print(layer("a row"))  # wrong
print(layer(0.5, 0.25))  # wrong
print(layer(rows[0]).data)  # wrong
layer.fit(rows, labels)  # wrong
optimizer = Adam(layer, learning_rate=0.1)  # wrong
fit(layer, rows, labels, epoch=3)  # wrong
history = fit(layer, rows, labels)
print(history.losses)  # wrong
print(squared_error(layer(rows[0])))  # wrong
print(predict(layer, rows)[0].data)  # wrong


def loss(a: list[Value], t: Value) -> Value:
    return squared_error(layer(a), t)


step = compile(loss, rows[0], 1.0)
print(step.sourse)  # wrong
print(step(rows, labels).data)  # wrong
compile(loss, rows[0], 1.0, backends="numpy")  # wrong
draw_graph(x).sav("graph.svg")  # wrong
draw_graph(x, them="dark")  # wrong
draw_graph([x])  # wrong
step_through(x, "steps.html")  # wrong
