"""Random expressions for hypothesis: trees with brackets, flat rows of signs, and values for their names."""

from hypothesis import strategies as st

from playgrounds.autograd.model import FUNCTIONS

NAMES = ("x", "y", "z")
NUMBERS = st.sampled_from(["2", "3.0", "0.5", "1.25", "2e0", ".75"])
ATOMS = st.sampled_from(NAMES) | NUMBERS


def larger(inner: st.SearchStrategy) -> st.SearchStrategy:
    two = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner)
    return st.one_of(
        two.map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"(-{t})"),
        st.tuples(inner, st.sampled_from(["2", "3", "-1", "0.5", "y"])).map(lambda t: f"(({t[0]}) ** {t[1]})"),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner).map(lambda t: f"{t[0]}({t[1]})"),
    )


TREES = st.recursive(ATOMS, larger, max_leaves=8)
FLAT = st.lists(
    st.tuples(st.sampled_from(["", "-"]), ATOMS, st.sampled_from(["+", "-", "*", "/", "**"])), min_size=2, max_size=6
)
VALUES = st.tuples(*[st.floats(-2, 2).map(lambda v: round(v, 3))] * 3)
