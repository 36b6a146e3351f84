"""The commands train, predict, evaluate and info for tables in CSV files."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pyneural as pn
from pyneural.commands.command_line import main


def customers(n: int, seed: int, names: str = "id,age,plan,paid,group,left") -> str:
    """Customers who leave if they are young or have not paid."""
    generator = np.random.default_rng(seed)
    lines = [names]
    for number in range(n):
        age, plan, paid = generator.integers(18, 80), generator.choice(["basic", "full"]), generator.integers(2)
        left = "yes" if age < 40 or not paid else "no"
        shown = age if generator.uniform() > 0.05 else ""
        lines.append(f"{number},{shown},{plan},{('no', 'yes')[paid]},g{number // 2},{left}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with c.csv, the model that train made of it, m.safetensors, and more rows in new.csv."""
    root = tmp_path_factory.mktemp("tables")
    (root / "c.csv").write_text(customers(300, 0))
    (root / "new.csv").write_text(customers(40, 1))
    options = ["--target", "left", "--groups", "group", "--epochs", "30", "-o", str(root / "m.safetensors")]
    assert main(["train", str(root / "c.csv"), *options]) == 0
    return root


def test_train_says_what_it_read_and_how_good_the_model_is(trained, tmp_path, capsys):
    model = str(tmp_path / "again.safetensors")
    options = ["--target", "left", "--groups", "group", "--epochs", "30", "-o", model]
    assert main(["train", str(trained / "c.csv"), *options]) == 0
    out = capsys.readouterr().out
    assert "  id      names the rows, left out\n" in out
    assert re.search(r"^  left    category, the target +0 +2$", out, re.M)
    assert re.search(r"^  group   category, the groups +0 +150$", out, re.M)
    assert re.search(
        r"^c: 240 train, 60 held out \(shuffled, stratified, by group: 120 and 30 groups, none in both\)$", out, re.M
    )
    assert re.search(r"^test: .*accuracy", out, re.M)
    loaded = pn.load(model)
    assert loaded.fingerprint() == pn.load(trained / "m.safetensors").fingerprint()
    assert (loaded.card.target, loaded.card.columns) == (("left",), ("age", "plan", "paid"))
    assert loaded.card.task.classes == ("no", "yes")


def test_predict_answers_each_row_without_the_target(trained, tmp_path, capsys):
    rows = [line.rsplit(",", 2)[0] for line in (trained / "new.csv").read_text().splitlines()]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    assert (
        main(["predict", str(trained / "m.safetensors"), str(tmp_path / "rows.csv"), "--csv", str(tmp_path / "a.csv")])
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[-2:] == ["left", "probability of yes"]
    assert (len(lines), lines[-2]) == (23, "and 20 more rows")
    assert lines[-1] == f"answers in {tmp_path / 'a.csv'}"
    with (tmp_path / "a.csv").open() as file:
        found = list(csv.DictReader(file))
    model = pn.load(trained / "m.safetensors")
    wanted = pn.predict(model, pn.datasets.csv(trained / "new.csv", target="left", drop="group", verbose=0))
    assert [row["row"] for row in found] == [str(number) for number in range(1, 41)]
    assert [float(row["probability of yes"]) for row in found] == pytest.approx(wanted[:, -1].tolist(), abs=1e-6)
    assert [row["left"] for row in found] == ["yes" if one >= 0.5 else "no" for one in wanted[:, -1]]


def test_rows_in_python_have_the_words_of_the_file(trained):
    model = pn.load(trained / "m.safetensors")
    row = {"age": 42, "plan": "full", "paid": True}
    assert np.array_equal(pn.predict(model, row | {"paid": "yes"}), pn.predict(model, row))
    frame = pd.DataFrame([row | {"paid": "No"}, row | {"paid": "YES"}])
    wanted = pn.predict(model, pd.DataFrame([row | {"paid": False}, row]))
    assert np.array_equal(pn.predict(model, frame), wanted)
    assert wanted[0, -1] != wanted[1, -1]


def test_predict_ignores_other_columns_and_reads_a_european_file(trained, tmp_path, capsys):
    assert main(["predict", str(trained / "m.safetensors"), str(trained / "new.csv")]) == 0
    out = capsys.readouterr().out
    text = (trained / "new.csv").read_text().replace(",", ";")
    (tmp_path / "e.csv").write_text(text, encoding="utf-16")
    assert main(["predict", str(trained / "m.safetensors"), str(tmp_path / "e.csv")]) == 0
    assert capsys.readouterr().out == out


def test_evaluate_says_what_pn_evaluate_does(trained, tmp_path, capsys):
    data = pn.datasets.csv(trained / "new.csv", target="left", groups="group", verbose=0)
    report = pn.evaluate(pn.load(trained / "m.safetensors"), data, verbose=0)
    assert main(["evaluate", str(trained / "m.safetensors"), str(trained / "new.csv"), "--groups", "group",
                 "--csv", str(tmp_path / "a.csv")]) == 0  # fmt: skip
    out = capsys.readouterr().out
    assert out.startswith(f"new: {report!r}")
    assert (tmp_path / "a.csv").read_text().startswith("row,group,actual,predicted,probability of yes,threshold\n0,g0,")


def test_info_shows_the_columns_and_the_target(trained, capsys):
    assert main(["info", str(trained / "m.safetensors")]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^columns +age, plan \(2 categories\), paid \(boolean\)$", out, re.M)
    assert re.search(r"^target +left$", out, re.M)
    assert re.search(r"^last epoch +30 of 30 ", out, re.M)  # a table is trained without validation


def test_train_takes_values_several_targets_and_files_without_names(tmp_path, capsys):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3))
    rows = [f"{a:.4f};{b:.4f};{round(5 + np.clip(a, -1, 1))};{c:.4f}".replace(".", ",") for a, b, c in x]
    (tmp_path / "v.csv").write_text("\n".join(rows))
    model = str(tmp_path / "m.safetensors")
    base = ["train", str(tmp_path / "v.csv"), "--no-header", "--epochs", "5", "-o", model, "--test", "0"]
    assert main([*base, "--target", "column_3"]) == 0
    assert pn.load(model).card.task.kind == "classes"
    assert "column_3  number, the target, as classes" in capsys.readouterr().out
    assert main([*base, "--target", "column_3", "--values", "--drop", "column_2"]) == 0
    loaded = pn.load(model)
    assert (loaded.card.task.kind, loaded.card.columns) == ("values", ("column_1", "column_4"))
    assert main(["predict", model, str(tmp_path / "v.csv")]) == 0
    assert main(["evaluate", model, str(tmp_path / "v.csv")]) == 0
    assert "r2" in capsys.readouterr().out.lower().replace("²", "2")
    assert main([*base, "--target", "column_1", "--target", "column_4"]) == 0
    assert pn.load(model).card.target == ("column_1", "column_4")


def test_train_has_the_network_of_an_estimator_for_the_number_of_training_rows(tmp_path):
    values = np.random.default_rng(0).normal(size=(7500, 2)).round(2)
    for rows, expected in ((7500, [128, 64, 1]), (7000, [128, 1])):  # of which 6000 and 5600 are trained on
        np.savetxt(tmp_path / "many.csv", values[:rows], delimiter=",", header="a,b", comments="", fmt="%.2f")
        model = pn.apps.train_table(tmp_path / "many.csv", target="b", epochs=1, batch_size=1000, verbose=0)[0]
        assert [layer.units for layer in model.layers] == expected


def test_a_table_that_cannot_be_split_names_the_option(tmp_path, capsys):
    path = tmp_path / "one (1).csv"
    path.write_text("a,b,y\n1,2,3\n")
    assert main(["train", str(path), "--target", "y", "--values", "-o", str(tmp_path / "m.safetensors")]) == 1
    words = "pyneural: train: --test=0.2 of 1 examples leaves a part empty: give another share, or more examples\n"
    assert capsys.readouterr().err == words


def test_train_takes_names_that_look_like_values(tmp_path):
    (tmp_path / "years.csv").write_text("2019,2020,y\n" + "".join(f"{i},{i % 3},{'ab'[i % 2]}\n" for i in range(40)))
    model = str(tmp_path / "m.safetensors")
    asked = ["train", str(tmp_path / "years.csv"), "--target", "y", "--epochs", "1", "-o", model]
    assert main(asked) == 1
    assert main([*asked, "--header"]) == 0
    assert pn.load(model).card.columns == ("2019", "2020")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "c.csv"], "train: --target is missing: name the column of 'c.csv' to predict, --target COLUMN"),
        (["train", "c.csv", "--target", "lef"], "has no column 'lef' (target); did you mean 'left'"),
        (["train", "c.csv", "--target", "left", "--size", "9"], "train: --size is for images, and 'c.csv' is a table"),
        (["train", "images", "--drop", "a"], "train: --drop is for a CSV file, and 'images' is not one"),
        (
            ["train", "c.csv", "--target", "left", "--test", "1.5"],
            "train: --test is 1.5: give the share of rows to hold out",
        ),
        (
            ["train", "c.csv", "--target", "left", "--drop", "group", "--values"],
            "the target 'left' has text, such as 'no'",
        ),
        (["train", "none.csv", "--target", "left"], "there is no file 'none.csv'"),
        (["train", "c.csv", "--target", "left", "-o", "m.bin"], "models are .safetensors files"),
        (["predict", "m.safetensors", "c.csv", "new.csv"], "takes a table, and 2 files are given: give one CSV file"),
        (["predict", "m.safetensors", "c.csv", "--method", "occlusion"], "are for images, and the model takes a table"),
        (
            ["predict", "m.safetensors", "bad.csv"],
            "the column 'age' has numbers in 1 row and text in 1: 'old' in line 3",
        ),
        (["predict", "m.safetensors", "few.csv"], "has no column plan"),
        (["predict", "m.safetensors", "new.csv", "--csv", "new.csv"], "is the file with the rows: give another path"),
        (["predict", "m.safetensors", "."], "is a folder: give a CSV file"),
        (["evaluate", "m.safetensors"], "the model was trained on a table: give a CSV file"),
        (
            ["evaluate", "m.safetensors", "bad.csv"],
            "has no column 'left' (the target, which evaluate needs, and predict does not); the columns are age, plan",
        ),
        (
            ["evaluate", "m.safetensors", "new.csv", "--groups", "left"],
            "the column 'left' is the target, not the groups",
        ),
    ],
)
def test_mistakes_are_one_line(trained, tmp_path, monkeypatch, capsys, arguments, words):
    for name in ("c.csv", "new.csv", "m.safetensors"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    (tmp_path / "bad.csv").write_text("age,plan,paid\n3,basic,yes\nold,full,no\n")
    (tmp_path / "few.csv").write_text("age,plans,paid\n3,basic,yes\n")
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert err.startswith("pyneural: ")
    assert err.count("\n") == 1
    assert words in err


def test_fit_names_the_reader_of_csv_files(tmp_path):
    with pytest.raises(ValueError, match=r"read it with pn.datasets.csv\('c.csv', target='...'\)"):
        pn.fit(pn.Sequential(pn.Dense(2)), "c.csv")
    with pytest.raises(ValueError, match=r"pn.apps.train_table\('c.csv', target='...'\) trains on tables"):
        pn.apps.train("c.csv")


@pytest.mark.filterwarnings("always")
def test_new_categories_at_prediction_are_counted_on_stderr(trained, tmp_path, capsys):
    (tmp_path / "n.csv").write_text("age,plan,paid\n30,gold,yes\n40,basic,no\n")
    assert main(["predict", str(trained / "m.safetensors"), str(tmp_path / "n.csv")]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "gold" in err
    assert "plan" in err


def test_a_folder_of_images_is_named_with_a_star(tmp_path, sample, capsys):
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    pn.fit(model, sample.train, epochs=1, verbose=0)
    pn.save(model, tmp_path / "m.safetensors")
    (tmp_path / "scans").mkdir()
    assert main(["predict", str(tmp_path / "m.safetensors"), str(tmp_path / "scans")]) == 1
    assert f"is a folder: give the images in it, {Path(tmp_path / 'scans' / '*')}" in capsys.readouterr().err
