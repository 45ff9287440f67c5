"""The model card: complete, equal to the tables, honest about what is hidden and what only the site can answer, and closed to the outside."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import itertools
import json
import re
import stat
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from fuller_popheath import registry
from fuller_popheath.errors import FileRefused, InputMissing
from fuller_popheath.publish import card_answers, card_bias, model_card
from fuller_popheath.publish.card_figures import model_figures
from fuller_popheath.risk.model_runs import _decides
from fuller_popheath.risk.verdicts import worst
from fuller_popheath.site import Models, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuller_popheath.publish.model_card import ModelCard

_spec = importlib.util.spec_from_file_location("card_example", Path(__file__).with_name("card_example.py"))
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(example)

OUTCOME = registry.outcomes()[example.OUTCOME]
PICTURES = ("roc", "precision_recall", "calibration", "decision", "subgroups", "learning")


def make(site: Site | None = None, **changes: Any) -> ModelCard:
    """The card of the example; `changes`: fields of the example, or of its manifest."""
    given = example.example()
    for name in ("evaluation", "curves", "population", "drift"):
        if name in changes:
            given = given._replace(**{name: changes.pop(name)})
    return model_card.model_card(
        {**given.manifest, **changes},
        given.evaluation,
        given.curves,
        outcome=OUTCOME,
        site=site or Site(),
        training_population=given.population,
        drift=given.drift,
    )


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return make()


VOID = {"meta", "br"}


class _Text(HTMLParser):
    """The words of a page, its elements, and that every element is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def read(html: str) -> tuple[str, list[tuple[str, dict[str, str]]]]:
    parser = _Text()
    parser.feed(html)
    assert parser.open == []
    return re.sub(r"\s+", " ", " ".join(parser.words)), parser.elements


def first_screen(text: str) -> str:
    return text[: text.index("What it is not for")]


def test_the_first_screen_says_what_for_whom_how_good_on_whom_and_of_when(card: ModelCard) -> None:
    text = first_screen(read(card.html)[0])
    for told in (
        "An emergency admission to hospital within 12 months",
        "adults (18 and older)",
        "0.790 0.781 to 0.799",
        "79 times in 100",
        "1.00 0.96 to 1.05",
        "Slope 0.99 (0.96 to 1.03)",
        "Judged on 28,005 people, 2,240 of them with the outcome",
        "Fitted on 41,005 people, 3,275 of them with the outcome",
        "from 1 October 2025 to 1 October 2026",
        "51.4% (45.6 to 57.2%)",
        "94 of every 100 were not among them",
        "at most 0.88",
    ):
        assert told in text, told


def test_a_red_quintile_is_named_and_makes_the_card_red(card: ModelCard) -> None:
    checks = {check["what"]: check for check in card.content["checks"]}
    quintiles = checks["Observed over expected by deprivation quintile"]
    assert quintiles["verdict"] == "red"
    assert quintiles["found"] == "1 red, 4 green (red: 5 (least deprived))"
    assert card.content["verdict"] == "red"
    assert checks["Worse than the model in use before?"]["verdict"] == ""
    assert checks["Have the people or records changed since?"]["found"] == "1 features red, 0 amber, 1 green"


def test_the_worst_check_is_what_the_evaluation_says_it_is() -> None:
    table = example.evaluation()
    verdicts = ["green" if verdict else None for verdict in table["verdict"].to_pylist()]
    green = table.set_column(table.column_names.index("verdict"), "verdict", pa.array(verdicts, pa.string()))
    assert make(evaluation=green, drift=example.drift().slice(0, 1)).content["verdict"] == "green"
    blank = table.set_column(table.column_names.index("verdict"), "verdict", pa.nulls(table.num_rows, pa.string()))
    without = make(evaluation=blank, drift=example.drift().slice(0, 0))
    assert without.content["verdict"] == ""
    assert "nothing was judged" in first_screen(read(without.html)[0])


def test_the_verdict_of_the_card_is_that_of_the_run(card: ModelCard) -> None:
    """Groups beside the quintiles, people never fitted on and drift are shown, and decide neither there nor here."""
    rows = [row for row in example.evaluation().to_pylist() if row["model"] == "additive" and row["validation"] == "temporal"]

    def with_verdict(wanted: str, *, of: Callable[[dict[str, Any]], bool]) -> pa.Table:
        given = example.evaluation()
        told = [wanted if row["verdict"] and of(row) else row["verdict"] and "green" for row in given.to_pylist()]
        return given.set_column(given.column_names.index("verdict"), "verdict", pa.array(told, pa.string()))

    assert card.content["verdict"] == worst(row["verdict"] for row in rows if _decides(row)) == "red"
    for kind, colour in (("contact_level", "green"), ("imd_quintile", "red"), ("all", "red")):
        made = make(evaluation=with_verdict("red", of=lambda row, kind=kind: row["subgroup_kind"] == kind))  # type: ignore[misc]
        assert made.content["verdict"] == colour, kind
        shown = [check for check in made.content["checks"] if not check["decides"]]
        assert {check["verdict"] for check in shown if "shown, most too small to tell" in check["limit"]} == {""}
        assert [check["what"] for check in shown if check["verdict"]] == ["Have the people or records changed since?"]


def test_who_has_no_quintile_recorded_is_in_no_quintile() -> None:
    table = example.evaluation()
    groups = ["not_recorded" if group == "5" else group for group in table["subgroup"].to_pylist()]
    made = make(evaluation=table.set_column(table.column_names.index("subgroup"), "subgroup", pa.array(groups)))
    (quintiles,) = [check for check in made.content["checks"] if "quintile" in check["what"] and check["decides"]]
    assert (quintiles["found"], quintiles["verdict"]) == ("4 green", "green")


def test_hidden_figures_are_said_to_be_hidden_and_have_no_number(card: ModelCard) -> None:
    row = re.search(r'<tr class="is-hidden"><th scope="row">homelessness</th>(.*?)</tr>', card.html, re.S)
    assert row is not None
    assert re.findall(r'<td class="n">(.*?)</td>', row[1])[:3] == ["hidden"] * 3
    assert not re.search(r"\d", re.sub(r"<[^>]*>", "", row[1]))
    (figure,) = [f for f in card.content["evaluation"] if f["subgroup"] == "homelessness" and f["metric"] == "auroc"]
    assert figure["is_hidden"]
    assert figure["value"] is figure["people"] is None


def test_counts_are_never_exact(card: ModelCard) -> None:
    everything = card.html + json.dumps(card.content)
    for exact in ("41003", "41,003", "3277", "3,277", "28,004", "28004", "1,204", "1204", "43,006", "43006", "41,002", "41002"):
        assert exact not in everything, exact
    assert card.content["people"]["… of them, told of by a later list"] == {"development": "1 to 7", "validation": "810"}


def test_make_believe_data_says_demonstration_on_the_screen_on_paper_and_in_the_data(card: ModelCard) -> None:
    assert card.html.index("DEMONSTRATION") < card.html.index("<h1>")
    assert '@bottom-center{content:"DEMONSTRATION' in card.html
    assert card.content["is_demonstration"] is True
    real = make(is_synthetic=False)
    assert "DEMONSTRATION" not in real.html
    assert "make-believe" not in read(real.html)[0]
    assert "at most 0.85" in read(real.html)[0]


def test_all_52_parts_of_the_27_items_of_tripod_are_answered_once(card: ModelCard) -> None:
    items = [item["item"] for item in card.content["tripod_ai"]["items"]]
    # Collins 2024: 27 items, 52 with their parts
    parts = {"3": "abc", "5": "ab", "6": "abc", "8": "abc", "9": "abc", "12": "abcdefg", "18": "abcdef", "20": "abc", "23": "ab", "27": "abc"}
    wanted = [f"{n}{part}" for n in range(1, 28) for part in parts.get(str(n), [""])]
    assert items == wanted
    assert len(items) == 52
    assert all(len(item["answer"]) > 20 and item["topic"] for item in card.content["tripod_ai"]["items"])
    text = read(card.html)[0]
    assert all(item["answer"] in text for item in card.content["tripod_ai"]["items"])


def test_what_only_the_site_knows_is_left_to_the_site(card: ModelCard) -> None:
    left = [item["item"] for item in card.content["tripod_ai"]["items"] if item["state"] == "the site must answer"]
    assert left == ["17", "18a", "18b", "18d", "19"]
    assert card.html.count('class="state-site"') == len(left)


def test_probast_has_16_and_18_questions_in_four_domains(card: ModelCard) -> None:
    questions = card.content["probast_ai"]["questions"]
    # Moons 2025: development 16, evaluation 18; domains of 3, 4, 4 and 5 or 7 questions
    assert Counter(q["part"] for q in questions) == {"development": 16, "evaluation": 18}
    for part, sizes in (("development", [3, 4, 4, 5]), ("evaluation", [3, 4, 4, 7])):
        assert [q["number"] for q in questions if q["part"] == part] == [f"{d + 1}.{k + 1}" for d, size in enumerate(sizes) for k in range(size)]
    assert {q["answer"] for q in questions} <= set(card_bias.ANSWERS)


def test_make_believe_people_are_a_high_concern_and_real_ones_are_not(card: ModelCard) -> None:
    def concern(of: ModelCard) -> str:
        return next(c["concern"] for c in of.content["probast_ai"]["concerns"] if (c["part"], c["domain"]) == ("evaluation", card_bias.PEOPLE))

    assert concern(card) == "high"
    assert concern(make(is_synthetic=False)) == "low"


def test_what_the_manifest_does_not_say_is_not_made_up() -> None:
    bare = dict.fromkeys(("code_version", "seed", "recalibration", "people", "parameters", "trials", "columns", "library_versions"))
    given = {k: v for k, v in example.manifest().items() if k not in bare}
    made = model_card.model_card(given, example.evaluation(), example.curves(), outcome=OUTCOME, site=Site())
    text = read(made.html)[0]
    assert "not recorded" in text
    assert not re.search(r"\bNone(?!:| is | in | that )", text)
    assert "was not given to this card" in text
    answers = {q["topic"]: q["answer"] for q in made.content["probast_ai"]["questions"] if q["part"] == "development"}
    assert answers["Enough people"] == card_bias.UNKNOWN


def test_predictors_are_told_by_their_contracts_and_strangers_as_such(card: ModelCard) -> None:
    text = read(card.html)[0]
    assert "shoe_size declared by no contract" in text
    assert "emergency_admission_count_365" in text


def test_other_models_stand_beside_it_best_first(card: ModelCard) -> None:
    text = read(card.html)[0]
    part = text[text.index("Compared with other models") :]
    order = [part.index(words) for words in ("Gradient boosting", "Additive boosting", "Age and sex alone")]
    assert order == sorted(order)
    assert "−0.085 (−0.094 to −0.076)" in part


def test_use_and_misuse_are_said_and_no_fewer_admissions_are_promised(card: ModelCard) -> None:
    text = read(card.html)[0]
    assert "Deciding alone" in text
    assert "Promising fewer admissions" in text
    assert not re.search(r"(will|to) (reduce|prevent|avoid) (emergency )?admissions", text)
    death = registry.outcomes()["death_12m"]
    with pytest.raises(FileRefused, match="another outcome"):
        model_card.card_facts(example.manifest(), _figures(), outcome=death, models=registry.models(), site=Site(), training_population=None)


def test_whether_it_is_in_use_is_read_from_site_toml() -> None:
    key = f"{example.OUTCOME}.adult"
    assert "In use: promoted" in make(Site(models=Models(promoted={key: example.MODEL_ID}))).html
    assert "Not in use: site.toml names another model" in make(Site(models=Models(promoted={key: "another"}))).html
    assert "Not in use: site.toml names no model" in make(is_synthetic=False).html
    assert "used for demonstration until site.toml names one" in make().html


@pytest.mark.parametrize("name", sorted(registry.outcomes()))
@pytest.mark.parametrize("age_group", ["adult", "under_18"])
def test_every_outcome_and_age_group_has_a_card(name: str, age_group: str) -> None:
    def of(table: pa.Table) -> pa.Table:
        for column, value in (("outcome", name), ("age_group", age_group)):
            table = table.set_column(table.column_names.index(column), column, pa.array([value] * table.num_rows))
        return table

    given = example.manifest() | {"outcome": name, "age_group": age_group}
    outcome = registry.outcomes()[name]
    text = read(model_card.model_card(given, of(example.evaluation()), of(example.curves()), outcome=outcome, site=Site()).html)[0]
    assert ("stands on no list" in text) is not outcome.for_lists
    assert ("while alive" in text) is (name != "death_12m")
    assert ("children and young people under 18" in first_screen(text)) is (age_group == "under_18")


def _figures() -> Any:
    return model_figures(example.evaluation(), example.curves(), as_of=example.AS_OF, outcome=example.OUTCOME, age_group="adult", model="additive")


@pytest.mark.parametrize("missing", ["outcome", "is_synthetic", "age_group", "model", "as_of"])
def test_a_manifest_that_tells_too_little_is_refused(missing: str) -> None:
    given = {k: v for k, v in example.manifest().items() if k != missing}
    with pytest.raises((FileRefused, InputMissing)):
        model_card.model_card(given, example.evaluation(), example.curves(), outcome=OUTCOME, site=Site())


def test_a_model_that_was_not_judged_has_no_card() -> None:
    with pytest.raises(InputMissing, match="no row of the model logistic"):
        make(model="logistic")


def test_rows_of_other_runs_outcomes_and_models_do_no_harm(card: ModelCard) -> None:
    def with_others(table: pa.Table) -> pa.Table:
        others = []
        for name, value in (("outcome", "ed_attendance_12m"), ("age_group", "under_18")):
            others.append(table.set_column(table.column_names.index(name), name, pa.array([value] * table.num_rows)))
        later = pa.array([example.AS_OF.replace(month=11)] * table.num_rows, pa.date32())
        return pa.concat_tables([*others, table.set_column(table.column_names.index("as_of"), "as_of", later), table])

    assert make(evaluation=with_others(example.evaluation()), curves=with_others(example.curves())).html == card.html


def test_every_picture_has_words_data_and_a_place_on_the_page(card: ModelCard) -> None:
    assert tuple(p.name for p in card.pictures) == PICTURES
    elements = read(card.html)[1]
    links = {a["download"]: a["href"] for tag, a in elements if tag == "a" and "download" in a}
    for picture in card.pictures:
        assert len(picture.alternative) > 60
        assert picture.data.num_rows > 2
        csv = base64.b64decode(links[f"{picture.name}.csv"].split(",")[1]).decode()
        assert csv.count("\n") == picture.data.num_rows + 1
    drawn = [a["aria-label"] for tag, a in elements if tag == "svg" and a.get("role") == "img"]
    assert len(drawn) == len(PICTURES) - 1  # the groups are drawn row by row in their table
    assert any(label.startswith("ROC curve.") and "0.790" in label for label in drawn)


def test_without_curves_there_are_no_pictures_of_them_and_still_a_card() -> None:
    made = make(curves=example.curves().slice(0, 0))
    assert tuple(p.name for p in made.pictures) == ("subgroups",)


def test_the_page_asks_for_nothing_and_runs_nothing(card: ModelCard) -> None:
    _, elements = read(card.html)
    tags = {tag for tag, _ in elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not re.search(r"https?:|//[a-z]|@import|url\(", card.html)
    references = [a[name] for _, a in elements for name in ("src", "href", "srcset") if name in a]
    assert all(r.startswith(("#", "data:text/csv;")) for r in references)
    targets = {a["id"] for _, a in elements if "id" in a}
    assert {r[1:] for r in references if r.startswith("#")} <= targets
    assert not [name for _, a in elements for name in a if name == "style" or name.startswith("on")]
    (style,) = re.findall(r"<style>(.*?)</style>", card.html, re.S)
    assert f"style-src 'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in card.html


def test_tables_have_headings_for_who_cannot_see_them(card: ModelCard) -> None:
    _, elements = read(card.html)
    assert [a for tag, a in elements if tag == "th" and "scope" not in a] == []
    assert dict(elements)["html"] == {"lang": "en-GB"}
    headings = [int(tag[1]) for tag, _ in elements if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(headings))


def test_a_hostile_text_is_text(card: ModelCard) -> None:
    made = make(code_version='<script>alert("x")</script>', library_versions={"<b>": "&"})
    assert "<script" not in made.html
    assert "<b>" not in made.html


def test_it_is_written_whole_privately_and_the_same_each_time(tmp_path: Path, card: ModelCard) -> None:
    folder = tmp_path / example.MODEL_ID
    page = model_card.write(folder, card)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["card.html", "card.json", *sorted(f"figures/{name}.{kind}" for name in PICTURES for kind in ("csv", "png"))]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert page.read_text(encoding="utf-8") == card.html == make().html
    content = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert [f["png"] for f in content["figures"]] == [f"figures/{name}.png" for name in PICTURES]
    assert all((folder / f[kind]).is_file() for f in content["figures"] for kind in ("png", "csv"))


def test_writing_again_leaves_the_model_and_no_old_picture(tmp_path: Path, card: ModelCard) -> None:
    (tmp_path / "model.skops").write_bytes(b"model")
    model_card.write(tmp_path, card)
    model_card.write(tmp_path, make(curves=example.curves().slice(0, 0)))
    assert (tmp_path / "model.skops").read_bytes() == b"model"
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["subgroups.csv", "subgroups.png"]


def test_every_state_that_an_answer_has_is_counted_above_the_table(card: ModelCard) -> None:
    text = read(card.html)[0]
    items = card.content["tripod_ai"]["items"]
    states = Counter(item["state"] for item in items)
    assert f"{states['answered']} are answered" in text
    assert card_answers.SOURCE in text
