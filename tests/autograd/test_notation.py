"""Which names are mathematics, and how they are set; and that every other name is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, backward_steps, forward_steps
from autograd.notation import notation
from autograd.steps import latex_name

# the name → its letter, what stands below and above the line, and LaTeX
SET = {
    "x": ("x", "", "", "x"),
    "w_1": ("w", "1", "", "w_{1}"),
    "w_12": ("w", "12", "", "w_{12}"),
    "w_{12}": ("w", "12", "", "w_{12}"),
    "W_xh": ("W", "xh", "", "W_{xh}"),
    "x_train": ("x", "train", "", "x_{train}"),
    "h_{t-1}": ("h", "t−1", "", "h_{t-1}"),
    "x^2": ("x", "", "2", "x^{2}"),
    "x^{n+1}": ("x", "", "n+1", "x^{n+1}"),
    "x^-1": ("x", "", "−1", "x^{-1}"),
    "w^*": ("w", "", "*", "w^{*}"),
    "a^{[l]}": ("a", "", "[l]", "a^{[l]}"),
    "w_{ij}^{(2)}": ("w", "ij", "(2)", "w_{ij}^{(2)}"),
    "w^{(2)}_{ij}": ("w", "ij", "(2)", "w_{ij}^{(2)}"),
    "sigma": ("σ", "", "", r"\sigma"),
    r"\sigma": ("σ", "", "", r"\sigma"),
    "σ": ("σ", "", "", r"\sigma"),
    "lambda": ("λ", "", "", r"\lambda"),
    "Omega": ("Ω", "", "", r"\Omega"),
    "alpha_1": ("α", "1", "", r"\alpha_{1}"),
    r"\theta_\alpha": ("θ", "α", "", r"\theta_{\alpha}"),
    "x_alpha": ("x", "α", "", r"x_{\alpha}"),
    r"w_{\alpha\beta}": ("w", "αβ", "", r"w_{\alpha \beta}"),
    r"\hat{y}": ("y\u0302", "", "", r"\hat{y}"),
    r"\hat y": ("y\u0302", "", "", r"\hat{y}"),
    r"\hat\theta_0": ("θ\u0302", "0", "", r"\hat{\theta}_{0}"),
    r"\bar{x}": ("x\u0304", "", "", r"\bar{x}"),
    r"\tilde{z}^2": ("z\u0303", "", "2", r"\tilde{z}^{2}"),
    r"\vec{v}": ("v\u20d7", "", "", r"\vec{v}"),
    r"\dot{x}": ("x\u0307", "", "", r"\dot{x}"),
    r"\ddot{x}": ("x\u0308", "", "", r"\ddot{x}"),
}
TYPED = [
    *("w0", "beta1", "loss_1", "my_var", "snake_case_name", "layers.0.weights", "a_b_c", "x_1_2", "x^1^2", "_x", "x_"),
    *("^2", "x_{1", "x_1}", "x_{}", "x_{ }", "x__1", "x_{{1}}", "x_{a_b}", r"\foo", r"\foo{x}", r"\haty"),
    *(r"\hat{}", r"\hat{xy}", r"\hat{y", r"x_{\foo}", r"\sigmax", "x_{<b>}", "x_{a&b}", "x_$", "w_1 x_1", "w_1."),
    *(r"\mathbf{w}", "x_1\n"),
    *("权_1", "w_权", "权重", "متغير", "x₁", "Alpha", "learning rate", "", " ", "+", "f(x)", "x1*w1 + x2*w2"),
]  # fmt: skip


@pytest.mark.parametrize("name", SET)
def test_a_letter_with_scripts_and_accents_is_set(name: str) -> None:
    found = notation(name)
    assert found is not None
    assert (found.base, found.sub, found.sup, found.latex) == SET[name]
    assert found.nth == "" and latex_name(name) == found.latex
    again = notation(f"{name} (2)")  # a second node of this name
    assert again is not None and again[:4] == (*found[:3], "(2)")


@pytest.mark.parametrize("name", TYPED)
def test_every_other_name_is_as_it_was_typed(name: str) -> None:
    assert notation(name) is None


@given(st.text(alphabet=r"xσ_^{}\ 1-()&<" + "\n权", max_size=12) | st.text())
def test_the_latex_of_any_name_has_its_braces_in_pairs_and_no_script_twice(name: str) -> None:
    found = notation(name)
    if found is None:
        return
    depth = 0
    for c in found.latex.replace(r"\{", "").replace(r"\}", ""):
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert found.latex.count("_{") <= 1 and found.latex.count("^{") <= 1
    assert not set("<>&%$#~") & set(found.latex)


def test_in_latex_alone_the_number_behind_a_letter_goes_down() -> None:
    assert notation("w0") is None and latex_name("w0") == "w_{0}"
    assert latex_name("beta1 (2)") == r"\beta_{1\,(2)}"
    assert latex_name("loss_1") == r"\mathrm{loss\_1}"
    assert latex_name("learning rate (2)") == r"\mathrm{learning\ rate}_{(2)}"


def test_a_name_that_is_a_power_stands_in_brackets_where_a_power_is_taken() -> None:
    x = Value(2.0, "x^2")
    (step,) = forward_steps(x**3)
    assert step.latex == "f = (x^{2})^{3} = 8" and step.text.startswith("f = (x^2)^3 = 2^3")
    (back,) = backward_steps(x**3)
    assert back.local_latex == r"3\,(x^{2})^{2}"
