"""The plots: what their artists hold, what they refuse, and that nothing of the reader's is changed."""

from __future__ import annotations

import base64
import io
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd
import viz

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from viz import plots  # noqa: E402
from viz.plots import figures  # noqa: E402

POINTS = [[0.0, 0.0], [1.0, 0.2], [0.2, 1.0], [1.0, 1.0]]
PATHS = {"a": [[1.0, 1.0], [0.5, 0.4], [0.1, 0.0]], "b": [[1.0, 1.0], [0.9, 0.2]]}


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    plt.close("all")  # those of other tests, too
    yield
    plt.close("all")


class Recorded(dict[str, list[float]]):
    best_epoch = 2
    compiled = "numpy"


def recorded() -> Recorded:
    return Recorded(
        epoch=[1, 2, 3], loss=[3.0, 2.0, 1.0], val_loss=[3.0, 2.5, 2.7], lr=[0.1] * 3, accuracy=[0.5, 0.6, 0.7]
    )


def bowl(p: Any) -> Any:
    return 0.5 * (p[0] ** 2 + 10.0 * p[1] ** 2)


def drawn(ax: Any, label: str) -> Any:
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


EVERY: dict[str, Any] = {
    "history": lambda ax: viz.plot_history({"loss": [2.0, 1.0]}, ax=ax),
    "regions": lambda ax: viz.plot_decision_regions(lambda r: r[:, 0] - 2 * r[:, 1], POINTS, [0, 1, 0, 1], ax=ax),
    "activation": lambda ax: viz.plot_activation(autograd.tanh, ax=ax),
    "fit": lambda ax: viz.plot_fit(np.sin, [0.0, 1.0], [0.0, 1.0], ax=ax),
    "descent": lambda ax: viz.plot_descent(bowl, PATHS, ax=ax),
    "animation": lambda ax: viz.animate_descent(bowl, PATHS, ax=ax).ax,
    "perceptron": lambda ax: viz.plot_perceptron(
        [SimpleNamespace(w=(1.0, -1.0), b=0.1, examples=(1,))], POINTS, [-1, 1, -1, 1], ax=ax
    ),
    "confusion": lambda ax: viz.plot_confusion([0, 1, 1], [0, 1, 0], ax=ax),
    "digits": lambda ax: viz.show_digits(np.eye(4).reshape(1, 16), [1], [2], ax=ax),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_plot_is_drawn_on_the_axes_given_and_leaves_the_settings_alone(name: str) -> None:
    _, ax = plt.subplots()
    before = dict(matplotlib.rcParams)
    assert EVERY[name](ax) is ax
    assert dict(matplotlib.rcParams) == before
    assert ax.get_xlabel()
    assert ax.get_ylabel() or name == "digits"
    assert plt.get_fignums() == [ax.figure.number]


def test_settings_that_others_change_while_a_plot_is_drawn_stay_changed() -> None:
    def setting(x: Any) -> Any:
        matplotlib.rcParams["figure.dpi"] = 72.0
        return np.sin(x)

    before = matplotlib.rcParams["figure.dpi"]
    try:
        viz.plot_fit(setting, [0.0, 1.0], [0.0, 1.0])
        assert matplotlib.rcParams["figure.dpi"] == 72.0 != before
    finally:
        matplotlib.rcParams["figure.dpi"] = before


@pytest.mark.slow
def test_figures_of_a_notebook_are_shown_also_when_the_first_is_ours() -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [
        "from viz import plot_history\nplot_history({'loss': [2.0, 1.0]});",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    for cell in notebook.cells:
        assert ["image/png" in output.get("data", {}) for output in cell.outputs] == [True]


@pytest.mark.parametrize("name", EVERY)
def test_axes_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match="ax must be one Axes"):
        EVERY[name]("here")


def test_styles_differ_without_colour() -> None:
    assert len(set(plots.MARKERS)) == len(set(plots.HATCHES)) == len(set(map(str, plots.LINES))) == len(plots.COLOURS)
    assert len(set(plots.TINTS)) == len(plots.TINTS)
    ax = viz.plot_descent(bowl, {str(k): [[1.0, 1.0], [0.1 * k, 0.0]] for k in range(7)})
    lines = [drawn(ax, str(k)) for k in range(7)]
    assert len({line.get_marker() for line in lines}) == 7


def test_importing_viz_imports_no_matplotlib_and_no_numpy() -> None:
    code = "import sys, viz; dir(viz); sys.exit(any(m in sys.modules for m in ('matplotlib', 'numpy', 'viz.plots')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    code = "import sys; from viz import plot_history; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=f"{re.escape(sys.executable)} -m pip install matplotlib"):
        viz.plot_history({"loss": [1.0]})


def test_every_name_that_viz_exports_is_there() -> None:
    assert all(hasattr(viz, name) for name in viz.__all__)
    with pytest.raises(AttributeError, match="plot_histroy"):
        viz.plot_histroy  # noqa: B018


@pytest.mark.parametrize("name", sorted({*EVERY} - {"confusion", "digits"}))
@pytest.mark.parametrize("own", [False, True])
def test_a_legend_stands_outside_the_axes_and_a_title_above_it(name: str, own: bool) -> None:
    ax = EVERY[name](None if own else plt.subplots()[1])
    for one in getattr(ax, "axes", ax) if name == "perceptron" and own else [ax]:
        if one.get_legend() is None:
            continue
        one.set_title("a title, set afterwards")
        one.figure.draw_without_rendering()
        legend, title = one.get_legend().get_window_extent(), one.title.get_window_extent()
        assert legend.y0 >= one.get_window_extent().y1 - 1
        assert title.y0 >= legend.y1 - 6  # a legend has padding


def test_a_legend_is_not_wider_than_its_axes_where_fewer_columns_help() -> None:
    _, ax = plt.subplots(figsize=(2.4, 4.0))
    viz.plot_history(recorded(), ax=ax)
    assert ax.get_legend()._ncols == 1
    _, ax = plt.subplots(figsize=(12, 4))
    viz.plot_history(recorded(), ax=ax)
    assert ax.get_legend()._ncols == 4


# --- letters of other scripts


@pytest.fixture
def fonts_anew() -> Iterator[None]:
    """Matplotlib's list is as it was made before a font with Chinese letters was installed, and we have not looked."""
    from matplotlib import font_manager

    listed = font_manager.fontManager.ttflist
    before = [*listed]
    listed[:] = [font for font in listed if font.name not in figures.CHINESE]
    figures.chinese_fonts.cache_clear()
    yield
    listed[:] = before
    figures.chinese_fonts.cache_clear()


def drawn_in_chinese() -> Any:
    kinds = np.array(["猫", "狗"])
    _, ax = plt.subplots()
    viz.plot_confusion(kinds[[0, 1, 1]], kinds[[0, 1, 0]], ax=ax)
    ax.set_title("混淆矩阵")
    ax.figure.savefig(io.BytesIO(), format="png")
    ax = viz.plot_decision_regions(
        lambda rows: kinds[(rows[:, 0] > 0.5).astype(int)], POINTS, kinds[[0, 1, 0, 1]], names=("身高", "体重")
    )
    ax.figure.savefig(io.BytesIO(), format="png")
    return ax


@pytest.mark.usefixtures("fonts_anew")
def test_chinese_labels_are_drawn_where_a_font_has_them(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    if not figures.chinese_fonts():
        pytest.skip("no font with Chinese letters is installed, such as that of the package fonts-wqy-zenhei")
    ax = drawn_in_chinese()
    assert not [str(w.message) for w in recwarn.list if "missing from" in str(w.message)]
    assert not caplog.records
    usual = matplotlib.rcParams["font.family"]
    assert ax.get_legend().get_texts()[0].get_fontfamily() == [*usual, *figures.chinese_fonts()]


@pytest.mark.usefixtures("fonts_anew")
@pytest.mark.filterwarnings("ignore:Glyph")
def test_where_there_is_no_such_font_none_is_asked_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", list)
    ax = drawn_in_chinese()
    assert not caplog.records
    assert ax.xaxis.label.get_fontfamily() == matplotlib.rcParams["font.family"]


# --- history


def test_a_history_is_drawn_in_two_panels_with_its_best_epoch() -> None:
    figure = viz.plot_history(recorded())
    top, bottom = figure.axes
    assert drawn(top, "training loss").get_ydata().tolist() == [3.0, 2.0, 1.0]
    assert drawn(top, "validation loss").get_ydata().tolist() == [3.0, 2.5, 2.7]
    assert drawn(bottom, "accuracy").get_ydata().tolist() == [0.5, 0.6, 0.7]
    assert any(list(line.get_xdata()) == [2, 2] for line in top.lines)
    assert "compiled, numpy" in top.get_title()
    assert "lr" not in [line.get_label() for line in bottom.lines]
    assert viz.plot_history({"loss": [2.0, 1.0]}, log=True).get_yscale() == "log"


@pytest.mark.parametrize(
    ("history", "kwargs", "message"),
    [
        ({}, {}, 'under "loss"'),
        ({"loss": []}, {}, "empty"),
        ({"loss": [1.0, math.nan]}, {}, r"'loss'\]\[1\] is nan"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0]}, {}, "2 numbers, but 'val_loss'"),
        ({"loss": [1.0, 0.0]}, {"log": True}, "logarithmic"),
    ],
)
def test_a_history_that_cannot_be_drawn_is_refused(history: Any, kwargs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viz.plot_history(history, **kwargs)


# --- decision regions


def boundary(ax: Any) -> Any:
    """The places on the lines between regions."""
    found = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    return np.concatenate([path.vertices for c in found for path in c.get_paths() if len(path.vertices)])


@pytest.mark.parametrize(
    "predict",
    [
        lambda rows: np.asarray(rows)[:, 0] - 0.5,
        lambda row: row[0] - 0.5 if isinstance(row, list) else 1 / 0,
        lambda row: autograd.Value(row[0]) - 0.5 if isinstance(row, list) else 1 / 0,
        lambda rows: np.stack([np.zeros(len(rows)), rows[:, 0] - 0.5], axis=1),
    ],
)
def test_the_boundary_is_where_the_score_is_nought(predict: Any) -> None:
    ax = viz.plot_decision_regions(predict, POINTS, [0, 1, 0, 1])
    assert boundary(ax)[:, 0] == pytest.approx(0.5, abs=1e-9)


def test_probabilities_need_a_threshold() -> None:
    def probability(rows: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-4.0 * (rows[:, 1] - 0.5)))

    with pytest.raises(ValueError, match="threshold=0.5"):
        viz.plot_decision_regions(probability, POINTS, [0, 0, 1, 1])
    ax = viz.plot_decision_regions(probability, POINTS, [0, 0, 1, 1], threshold=0.5)
    assert boundary(ax)[:, 1] == pytest.approx(0.5, abs=1e-3)


def test_an_estimator_is_asked_for_labels_and_each_class_has_its_marker() -> None:
    model = SimpleNamespace(
        predict=lambda rows: np.array(list("abc"))[(rows[:, 0] > 0.5) + (rows[:, 1] > 0.5).astype(int)]
    )
    ax = viz.plot_decision_regions(model, POINTS, list("abbc"))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class a", "class b", "class c"]
    hatches = [h for c in ax.collections if getattr(c, "filled", False) for h in c.hatches]
    assert len(set(hatches)) == 3


def grounds(ax: Any) -> list[Any]:
    """The filled regions, class by class."""
    return [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and c.filled]


def sigmoid(z: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-z))


@pytest.mark.parametrize(
    ("predict", "threshold"),
    [
        (lambda rows: 8.0 * (rows[:, 0] - 0.4), 0.0),  # log-odds
        (lambda rows: sigmoid(8.0 * (rows[:, 0] - 0.4)), 0.5),
        (lambda rows: np.stack([-3.0 * (rows[:, 0] - 0.4), 5.0 * (rows[:, 0] - 0.4)], axis=1), None),  # for softmax
        (lambda rows: np.stack([sigmoid(-8.0 * (rows[:, 0] - 0.4)), sigmoid(8.0 * (rows[:, 0] - 0.4))], axis=1), None),
    ],
)
def test_a_region_has_the_colour_of_its_class_stronger_where_it_is_more_probable(predict: Any, threshold: Any) -> None:
    ax = viz.plot_decision_regions(predict, POINTS, [0, 1, 0, 1], threshold=threshold)
    regions = grounds(ax)
    assert len(regions) == 2
    for k, (region, sign) in enumerate(zip(regions, (-1.0, 1.0), strict=True)):
        rgba = region.get_facecolor()
        assert rgba[:, :3] == pytest.approx(np.tile(matplotlib.colors.to_rgb(plots.COLOURS[k]), (5, 1)))
        assert (np.diff(rgba[:, 3]) > 0.01).all()
        for p, path in zip((0.5, 0.6, 0.7, 0.8, 0.9), region.get_paths(), strict=True):
            edge = (sign * path.vertices[:, 0]).min() * sign  # where the ground begins to be so strong
            assert sigmoid(sign * 8.0 * (edge - 0.4)) == pytest.approx(p, abs=2e-3)


def test_a_model_that_tells_probabilities_is_shaded_and_one_that_does_not_is_flat() -> None:
    def proba(rows: Any) -> Any:
        p = sigmoid(6.0 * (np.asarray(rows)[:, 1] - 0.5))
        return np.stack([p, 1.0 - p], axis=1)

    names = np.array(["up", "down"])
    none = SimpleNamespace(predict=lambda rows: names[proba(rows).argmax(axis=1)])
    told = SimpleNamespace(predict=none.predict, predict_proba=proba, classes_=names)
    other = SimpleNamespace(predict=lambda rows: names[proba(rows).argmin(axis=1)], predict_proba=proba, classes_=names)
    for model, steps in ((none, 1), (told, 5), (other, 1)):  # what the labels contradict is not shown
        ax = viz.plot_decision_regions(model, POINTS, ["down", "down", "up", "up"])
        assert [len(region.get_facecolor()) for region in grounds(ax)] == [steps, steps]
        assert boundary(ax)[:, 1] == pytest.approx(0.5, abs=0.01)
        down, up = (region.get_paths()[-1].vertices[:, 1].max() for region in grounds(ax))
        assert (down > up) == (model is other)


def test_without_colour_the_grounds_of_the_classes_differ_in_lightness() -> None:
    def lightness(k: int) -> float:
        """CIE L* of the strongest ground over white."""
        rgb = [1.0 - plots.TINTS[k] * (1.0 - c) for c in matplotlib.colors.to_rgb(plots.COLOURS[k])]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return float(116 * (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]) ** (1 / 3) - 16)

    shades = [lightness(k) for k in range(len(plots.COLOURS))]
    assert min(abs(a - b) for i, a in enumerate(shades) for b in shades[:i]) > 2.0
    assert min(abs(a - b) for i, a in enumerate(shades[:4]) for b in shades[:i]) > 4.5
    assert abs(shades[0] - shades[1]) > 12.0


@pytest.mark.parametrize(
    ("X", "y", "predict", "message"),
    [
        ([[1.0, 2.0, 3.0]], [0], np.sum, "points of a plane"),
        (POINTS, [0, 1], np.sum, "need 4 labels"),
        ([], [], np.sum, "empty"),
        ([[math.nan, 0.0]], [0], np.sum, r"X\[0\]\[0\] is nan"),
        (POINTS, [0, 1, 2, 3], lambda rows: rows[:, 0] * 9.0, "one score tells 2 classes apart"),
        (POINTS, ["a", "b", "c", "c"], lambda rows: rows, "scores for 2 classes"),
        (POINTS, [0, 1, 0, 1], lambda rows: rows[:, 0] * np.inf, "inf or nan"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_regions_that_cannot_be_drawn_are_refused(X: Any, y: Any, predict: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viz.plot_decision_regions(predict, X, y)


def test_a_network_is_compiled_to_be_asked_at_many_points() -> None:
    import nn

    model = nn.MLP(2, [16, 16, 1], activation="tanh", seed=0)
    asked = 0

    def counted(row: Any) -> Any:
        nonlocal asked
        asked += 1
        return model(row)

    ax = viz.plot_decision_regions(counted, POINTS, [0, 1, 0, 1])
    assert asked < 200  # for 200 × 200 points
    assert max(abs(model(place.tolist()).data) for place in boundary(ax)) < 1e-3


@pytest.mark.parametrize(
    "answer", [lambda y: int(y > 0), lambda y: autograd.Value(1.0) if y > 0 else autograd.Value(-1.0)]
)
def test_a_function_that_decides_by_its_numbers_is_not_compiled(answer: Any) -> None:
    def decided(row: Any) -> Any:
        return answer((autograd.Value(2.0) * row[0] - 1.0).data)

    ax = viz.plot_decision_regions(decided, POINTS, [0, 1, 0, 1], resolution=21)
    assert boundary(ax)[:, 0] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("kind", ["perceptron", "logistic", "estimator", "module"])
def test_the_models_of_nn_can_be_asked(kind: str) -> None:
    import nn

    X = [[0.0, 0.1], [0.3, 1.0], [1.0, 0.2], [0.7, 0.9], [0.4, 0.4], [0.6, 0.5]]
    y = [0, 0, 1, 1, 1, 0]
    if kind == "perceptron":
        model: Any = nn.lessons.Perceptron(2)
        y = [-1, -1, 1, 1, -1, 1]
        model.fit(X, y)
    elif kind == "logistic":
        model = nn.lessons.LogisticRegression(2).fit(X, y, l2=0.1)
    elif kind == "estimator":
        model = nn.MLPClassifier((4,), epochs=5).fit(np.array(X), np.array(y))
    else:
        model = nn.MLP(2, [3, 3], seed=0)
    ax = viz.plot_decision_regions(model, X, y, resolution=15)
    assert len(ax.get_legend().get_texts()) == (3 if kind == "module" else 2)


# --- functions


def test_the_derivative_is_that_of_the_closed_form() -> None:
    ax = viz.plot_activation(autograd.tanh, interval=(-3, 3))
    z, slope = drawn(ax, "tanh, derivative").get_data()
    assert slope == pytest.approx(1.0 - np.tanh(z) ** 2, abs=1e-12)
    assert not np.isnan(slope).any()


def test_a_jump_of_the_derivative_is_not_joined() -> None:
    ax = viz.plot_activation(autograd.relu, interval=(-2, 3))
    z, slope = (np.asarray(a) for a in drawn(ax, "relu, derivative").get_data())
    assert np.isnan(slope).sum() == 1 and abs(z[np.isnan(slope)][0]) < 1e-9
    assert set(slope[~np.isnan(slope)]) == {0.0, 1.0}
    assert not np.isnan(drawn(ax, "relu").get_ydata()).any()


def test_a_pole_is_a_gap_and_what_has_no_value_is_left_out() -> None:
    ax = viz.plot_activation(autograd.reciprocal, interval=(-1, 1.3))
    z, y = (np.asarray(a) for a in drawn(ax, "reciprocal").get_data())
    assert np.isnan(y[np.abs(z) < 1e-4]).any()
    assert ax.get_ylim()[1] < 1e4
    z, y = (np.asarray(a) for a in drawn(viz.plot_activation(autograd.log), "log").get_data())
    assert np.isnan(y[z < 0]).all() and y[z > 0] == pytest.approx(np.log(z[z > 0]))


def test_activations_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="low < high"):
        viz.plot_activation(autograd.tanh, interval=(1, 1))
    with pytest.raises(TypeError, match="function of one Value"):
        viz.plot_activation(3.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no finite value"):
        viz.plot_activation(autograd.log, interval=(-2, -1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("f", [np.sin, lambda row: [math.sin(row[0])], math.sin, lambda row: autograd.sin(row[0])])
def test_a_fit_is_asked_in_the_way_that_it_takes(f: Any) -> None:
    ax = viz.plot_fit({"wave": f}, [[0.0], [3.0]], [0.0, 0.1], truth=math.sin, band=0.2)
    x, y = drawn(ax, "wave").get_data()
    assert y == pytest.approx(np.sin(x))
    (band,) = [c for c in ax.collections if c.get_label() == "truth ± 0.2"]
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(np.sin(x).max() + 0.2)


def test_fits_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="equally long"):
        viz.plot_fit(np.sin, [1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="give truth="):
        viz.plot_fit(np.sin, [1.0, 2.0], [1.0, 2.0], band=0.1)
    with pytest.raises(ValueError, match="one number for each example"):
        viz.plot_fit(np.sin, POINTS, [1.0] * 4)


# --- descents


def test_paths_start_where_they_start_and_end_where_they_end() -> None:
    trace = SimpleNamespace(name="a", points=PATHS["a"])
    for traces in (PATHS, {"a": trace}, trace, [trace]):
        ax = viz.plot_descent(bowl, traces)
        assert np.stack(drawn(ax, "a").get_data(), axis=1).tolist() == PATHS["a"]
        ends = [line.get_xydata().tolist() for line in ax.lines if len(line.get_xdata()) == 1]
        assert [PATHS["a"][0]] in ends and [PATHS["a"][-1]] in ends
        assert ax.get_xlim()[0] < 0.1 and ax.get_xlim()[1] > 1.0


def test_contours_are_where_the_surface_has_their_height() -> None:
    ax = viz.plot_descent(bowl, PATHS, log=False, levels=5)
    (lines,) = [c for c in ax.collections if not c.filled]
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        assert bowl(path.vertices.T) == pytest.approx(level, rel=0.02, abs=2e-3)


def test_six_panels_are_a_small_picture() -> None:
    figure = viz.plot_descent(bowl, {str(k): [[1.0, 1.0], [0.1 * k, 0.0]] for k in range(6)}, side_by_side=True)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    assert len(picture.getvalue()) <= 60_000


def test_side_by_side_has_a_panel_for_each() -> None:
    figure = viz.plot_descent(bowl, PATHS, side_by_side=True)
    assert [ax.get_title() for ax in figure.axes] == ["a, 2 steps", "b, 1 steps"]
    with pytest.raises(ValueError, match="leave out ax"):
        viz.plot_descent(bowl, PATHS, side_by_side=True, ax=figure.axes[0])


@pytest.mark.parametrize(
    ("traces", "kind", "message"),
    [
        ({}, ValueError, "no path"),
        ({"a": [[1.0, 2.0, 3.0]]}, ValueError, "points of a plane"),
        ({"a": [[1.0, math.inf]]}, ValueError, "finite"),
        ({"a": []}, ValueError, "empty"),
        (3, TypeError, "dict"),
    ],
)
@pytest.mark.parametrize("draw", [viz.plot_descent, viz.animate_descent])
def test_paths_that_cannot_be_drawn_are_refused(draw: Any, traces: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        draw(bowl, traces)


def images(page: str) -> dict[str, Any]:
    """The pictures that a piece of HTML holds, by their kinds."""
    from PIL import Image

    found = re.findall(r"data:image/(\w+);base64,([\w+/=]+)", page)
    return {kind: Image.open(io.BytesIO(base64.b64decode(data))) for kind, data in found}


def test_an_animation_is_an_image_that_needs_neither_scripts_nor_svg() -> None:
    page = viz.animate_descent(bowl, {"<a&b>": PATHS["a"], "b": PATHS["b"]})._repr_html_()
    assert "<script" not in page and "<svg" not in page
    assert 'alt="The paths of &lt;a&amp;b&gt;, b over a surface, 2 steps"' in page
    assert re.search(r'<source media="\(prefers-reduced-motion: reduce\)" srcset="data:image/png;base64,', page)
    assert re.search(r'<img [^>]*src="data:image/gif;base64,', page)
    assert images(page)["gif"].n_frames == 3
    assert plt.get_fignums() == []


def test_an_animation_with_many_paths_is_small() -> None:
    pytest.importorskip("PIL", minversion="10.1", reason="older ones write more than what changed")
    turns = np.linspace(0.0, 9.0, 151)
    spirals = {str(k): np.stack([np.cos(turns + k), np.sin(turns + k)], 1) / (1 + turns[:, None]) for k in range(6)}
    assert len(viz.animate_descent(bowl, spirals)._repr_html_()) <= 90_000


def test_an_animation_ends_with_the_whole_paths_and_keeps_their_colours() -> None:
    shown = images(viz.animate_descent(bowl, PATHS)._repr_html_())
    film, still = shown["gif"], shown["png"].convert("RGB")
    first = np.asarray(film.convert("RGB")).astype(int)
    film.seek(film.n_frames - 1)
    last = np.asarray(film.convert("RGB")).astype(int)
    assert np.array_equal(last, np.asarray(still))
    for colour in plots.COLOURS[: len(PATHS)]:
        rgb = [round(255 * c) for c in matplotlib.colors.to_rgb(colour)]
        many, few = ((np.abs(picture - rgb).sum(axis=2) == 0).sum() for picture in (last, first))
        assert many > few + 50  # pixels of its path


def test_an_animation_plays_once_unless_it_is_to_repeat() -> None:
    once, again = (viz.animate_descent(bowl, PATHS, seconds=1, repeat=repeat) for repeat in (False, True))
    films = [images(animation._repr_html_())["gif"] for animation in (once, again)]
    assert ["loop" in film.info for film in films] == [False, True]
    assert [films[0].seek(k) or films[0].info["duration"] for k in range(3)] == [500, 500, 2000]


def test_an_animation_is_written_whole_and_leaves_its_axes_as_they_were(tmp_path: Path) -> None:
    _, ax = plt.subplots()
    canvas = ax.figure.canvas
    animation = viz.animate_descent(bowl, PATHS, seconds=1, ax=ax)
    assert ax.figure.canvas is canvas
    assert [line.get_label() for line in ax.lines] == ["start"]
    assert animation.save(tmp_path / "a.gif").read_bytes() == animation.gif
    assert animation.save(tmp_path / "a.png").read_bytes() == animation.png
    assert animation._repr_html_() in animation.save(tmp_path / "a.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"\.gif, \.html, or \.png"):
        animation.save(tmp_path / "a.mp4")
    with pytest.raises(FileNotFoundError):
        animation.save(tmp_path / "nowhere" / "a.gif")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gif", "a.html", "a.png"]


# --- classifiers


def corrections(n: int) -> Any:
    steps = [SimpleNamespace(w=(1.0, -1.0 - i), b=0.1 * i, examples=(i % 4,)) for i in range(n)]
    return SimpleNamespace(corrections=steps)


def test_each_correction_shows_its_line_and_its_mistake() -> None:
    figure = viz.plot_perceptron(corrections(3), POINTS, [-1, 1, -1, 1])
    assert [ax.get_title() for ax in figure.axes] == [f"correction {i} of 3" for i in (1, 2, 3)]
    for i, ax in enumerate(figure.axes):
        x, y = drawn(ax, "line after").get_data()
        assert x - (1.0 + i) * y + 0.1 * i == pytest.approx(0.0, abs=1e-12)
        (ring,) = [c for c in ax.collections if c.get_label() == "corrected for"]
        assert ring.get_offsets().tolist() == [POINTS[i]]


def test_of_many_corrections_the_first_and_the_last_are_among_those_drawn() -> None:
    figure = viz.plot_perceptron(corrections(50), POINTS, [-1, 1, -1, 1], most=4)
    titles = [ax.get_title() for ax in figure.axes]
    assert len(titles) == 4 and titles[0] == "correction 1 of 50" and titles[-1] == "correction 50 of 50"


def test_corrections_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="no mistake"):
        viz.plot_perceptron([], POINTS, [-1, 1, -1, 1])
    with pytest.raises(ValueError, match="does not belong"):
        viz.plot_perceptron(corrections(4), POINTS[:2], [-1, 1])


@pytest.mark.parametrize("normalise", [False, True])
def test_a_confusion_matrix_is_that_of_scikit_learn(normalise: bool) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    true, guess = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    ax = viz.plot_confusion(true, guess, normalise=normalise)
    table = metrics.confusion_matrix(true, guess, normalize="true" if normalise else None)
    assert np.asarray(ax.images[0].get_array()) == pytest.approx(table)
    assert [float(t.get_text()) for t in ax.texts] == pytest.approx(table.ravel(), abs=0.005)


def test_numbers_in_the_cells_can_be_read() -> None:
    ax = viz.plot_confusion([0] * 20 + [1] * 9 + [1] * 11 + [2], [0] * 20 + [1] * 9 + [2] * 11 + [0])
    image = ax.images[0]

    def luminance(colour: Any) -> float:
        rgb = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]

    for text in ax.texts:
        if text.get_text() != "0":
            n = float(text.get_text())
            a, b = sorted([luminance(image.cmap(image.norm(n))), luminance(matplotlib.colors.to_rgb(text.get_color()))])
            assert (b + 0.05) / (a + 0.05) >= 4.5


def test_confusions_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="need 2 labels"):
        viz.plot_confusion([0, 1], [0])
    with pytest.raises(ValueError, match="not among labels"):
        viz.plot_confusion([0, 1], [0, 1], labels=[0])
    with pytest.raises(ValueError, match="empty"):
        viz.plot_confusion([], [])


def test_a_wrong_digit_is_marked_by_more_than_colour() -> None:
    ax = viz.show_digits(np.arange(32.0).reshape(2, 16), [3, 5], [3, 8])
    assert [t.get_text() for t in ax.texts] == ["3", "✗ 5 → 8"]
    right, wrong = ax.patches
    assert wrong.get_linewidth() > 2 * right.get_linewidth()
    assert np.asarray(ax.images[1].get_array()).tolist() == np.arange(16.0, 32.0).reshape(4, 4).tolist()


@pytest.mark.parametrize(
    ("images", "kwargs", "message"),
    [
        ([], {}, "empty"),
        (np.ones((2, 15)), {}, "square"),
        (np.ones((2, 15)), {"shape": (4, 4)}, "16 pixels"),
        (np.full((1, 16), np.nan), {}, "nan"),
        (np.ones((2, 16)), {"labels": [1]}, "need 2 labels"),
        (np.ones((2, 16)), {"columns": 0}, "columns"),
    ],
)
def test_images_that_cannot_be_drawn_are_refused(images: Any, kwargs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viz.show_digits(images, **kwargs)
