"""What a convolution costs on an image of n × n pixels, and what a dense layer between the same values would."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from playgrounds import kit
from playgrounds._maps import outputs
from playgrounds.kit import Metric, knob

SIZES = 40  # about so many images


class Params(kit.Params):
    image: int = knob(32, 8, 256, label="Image size", help="pixels a side")
    size: int = knob(3, 1, 7, label="Kernel size F")
    channels_in: int = knob(3, 1, 64, label="Channels in", help="1: grey, 3: RGB")
    channels_out: int = knob(64, 1, 128, label="Filters K")

    @property
    def sizes(self) -> list[int]:
        """Sizes up to the image's, growing by the same factor."""
        low = max(4, self.size)
        return sorted({round(low * (self.image / low) ** (k / SIZES)) for k in range(SIZES + 1)})

    @property
    def length(self) -> int:
        return len(self.sizes)


class State(NamedTuple):
    step: int  # n, pixels of the image a side
    width: Annotated[int, Metric("columns of a map", "count")]
    maps: Annotated[int, Metric("maps", "count")]
    parameters: Annotated[int, Metric("parameters of the convolution", "count", shown=True)]
    dense_parameters: Annotated[int, Metric("parameters of a dense layer in its place", "count", shown=True)]
    products: Annotated[int, Metric("products of the convolution", "count", shown=True)]
    inputs: int  # values that both layers read
    outputs: int  # values that both layers write


def run(p: Params) -> Iterator[State]:
    """The image grows; neither layer has padding, both have biases."""
    weights = p.size**2 * p.channels_in  # of one filter
    for n in p.sizes:
        side = outputs(n, p.size)
        read = n**2 * p.channels_in
        written = side**2 * p.channels_out
        yield State(
            step=n,
            width=side,
            maps=p.channels_out,
            parameters=(weights + 1) * p.channels_out,
            dense_parameters=(read + 1) * written,
            products=weights * written,
            inputs=read,
            outputs=written,
        )
