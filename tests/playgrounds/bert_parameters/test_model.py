"""What BERT is made of."""

from functools import cache

import numpy as np
import pytest

from playgrounds.bert_parameters.model import SIZES, Params, State, bert, run
from playgrounds.bert_parameters.picture import PRESETS, draw, note
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def total(size: str, vocabulary: int = 30522) -> int:
    return sum(part.total for part in bert(size, vocabulary))


@pytest.mark.fact("bert")
def test_bert_base_has_109_482_240_parameters_half_of_them_in_feed_forward_layers():
    parts = {part.name: part.total for part in bert("base", 30522)}
    assert sum(parts.values()) == 109_482_240 == last().parameters
    assert sum(n for name, n in parts.items() if "embed" in name or "norm" in name) == 23_837_184
    assert {parts[f"layer {i}"] for i in range(1, 13)} == {7_087_872} and parts["pooler"] == 590_592
    by_kind = last().counts
    assert by_kind["feed-forward"] / 109_482_240 == pytest.approx(0.518, abs=0.001)
    assert by_kind["embeddings"] < by_kind["attention"] < by_kind["feed-forward"]


@pytest.mark.fact("bert")
def test_large_cased_and_multilingual_bert_have_as_many_as_the_published_nets():
    assert total("large") == 335_141_888
    assert (total("base", 28996), total("base", 119547)) == (108_310_272, 177_853_440)


@pytest.mark.parametrize("size", SIZES)
def test_the_parts_are_those_of_torch_modules_and_heads_add_nothing(size):
    import torch

    layers, d = SIZES[size]
    with torch.device("meta"):  # shapes without memory
        nets = {
            heads: torch.nn.ModuleList([
                *(torch.nn.Embedding(n, d) for n in (30522, 512, 2)), torch.nn.LayerNorm(d),
                *(torch.nn.TransformerEncoderLayer(d, heads, 4 * d) for _ in range(layers)), torch.nn.Linear(d, d),
            ])
            for heads in (1, d // 64)
        }  # fmt: skip
    for net in nets.values():
        ours = [part.total for part in bert(size, 30522)]
        assert [sum(w.numel() for w in part.parameters()) for part in net] == ours


def test_the_count_goes_part_by_part_and_its_notes_say_the_sum():
    played = states(size="tiny")
    parts = bert("tiny", 30522)
    assert [s.parameters for s in played] == np.cumsum([part.total for part in parts]).tolist()
    notes = [note(Params(size="tiny"), played, now) for now in range(len(played))]
    assert f"{total('tiny'):,}" in notes[-1]
    assert all(f"{part.total:,}" in said for part, said in zip(parts, notes, strict=True))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))


@pytest.mark.parametrize("size", ["mini", "base"])
def test_the_area_of_the_tower_is_as_large_as_the_parameters_counted_so_far(size):
    p, played = Params(size=size), states(size=size)
    for now in (0, 5, len(played) - 1):
        shapes = [s for s in draw(p, played, now).figure()["layout"]["shapes"] if s["xref"] == "x" and "fillcolor" in s]
        area = sum((s["y1"] - s["y0"]) * (s["x1"] - s["x0"]) for s in shapes)
        assert area * total(size) == pytest.approx(played[now].parameters, rel=1e-3)
