"""What playgrounds share. Knows neither Streamlit nor any playground by name."""

from playgrounds.kit.conditions import fails, works
from playgrounds.kit.metrics import Metric
from playgrounds.kit.params import Params, knob

__all__ = ["Metric", "Params", "fails", "knob", "works"]
