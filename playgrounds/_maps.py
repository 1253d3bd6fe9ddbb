"""What the playgrounds of convolution share: pictures, kernels, where windows lie, and the convolution itself."""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import knob
from playgrounds.kit.forms import matrix, pixels

KERNELS = {
    "difference": "1,-1",
    "identity": "0,0,0;0,1,0;0,0,0",
    "Sobel x": "-1,0,1;-2,0,2;-1,0,1",
    "Sobel y": "-1,-2,-1;0,0,0;1,2,1",
    "outline": "-1,-1,-1;-1,8,-1;-1,-1,-1",
    "blur": ";".join([",".join([str(1 / 9)] * 3)] * 3),
    "sharpen": "0,-1,0;-1,5,-1;0,-1,0",
    "emboss": "-2,-1,0;-1,1,1;0,1,2",
}
LETTERS = {"E": "007e607c60607e00", "T": "007e7e1818181800", "X": "0066663c3c666600", "O": "003c666666663c00"}
SIDES = {"digit": 8, "own": 16, "photo": 40}  # pixels of the pictures that come in one size


class Pictured(kit.Params):
    """The knobs that choose a picture; a playground adds its own, among them `seed`."""

    picture: Literal["ramp", "step", "checker", "letter", "digit", "photo", "noise", "plain", "own"] = knob(
        "letter", label="Picture"
    )
    own: str = knob("", 16, SIDES["own"], form="drawing", label="Your picture", when=lambda p: p.picture == "own")
    letter: Literal[tuple(LETTERS)] = knob("E", label="Letter", when=lambda p: p.picture == "letter")
    digit: int = knob(3, 0, 9, label="Digit", when=lambda p: p.picture == "digit")
    side: int = knob(8, 3, 32, label="Input size W", help="pixels a side", when=lambda p: p.picture not in SIDES)


# ------------------------------------------------------------------------------------------------------- pictures


@lru_cache(maxsize=1)
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Drawn digits (1797, 8, 8) of values 0 to 16, and their labels."""
    from sklearn.datasets import load_digits

    return load_digits().images, load_digits().target


@lru_cache(maxsize=1)
def photo() -> np.ndarray:
    """Red, green and blue (3, 40, 40) of a pagoda in levels 0 to 15, means of 10 × 10 pixels."""
    from sklearn.datasets import load_sample_image

    patch = load_sample_image("china.jpg")[15:415, 15:415].astype(float)
    return np.rint(patch.reshape(40, 10, 40, 10, 3).mean(axis=(1, 3)) / 17).transpose(2, 0, 1)


def side_of(p: Any) -> int:
    """Pixels of the picture a side."""
    return SIDES.get(p.picture, p.side)


def picture(p: Any) -> np.ndarray:
    """Whole numbers (side, side), 0 for empty: up to 16 in a digit, 15 in a photo or a drawing, 1 in most others."""
    n = side_of(p)
    at = np.arange(n)
    match p.picture:
        case "ramp":
            return np.arange(n * n, dtype=float).reshape(n, n)
        case "step":  # Zhang et al., Dive into Deep Learning, section 7.2: bright, dark, bright
            return np.tile(((at < n // 4) | (at >= n - n // 4)).astype(float), (n, 1))
        case "checker":
            return ((at[:, None] // 2 + at // 2) % 2).astype(float)
        case "letter":
            bits = np.unpackbits(np.frombuffer(bytes.fromhex(LETTERS[p.letter]), np.uint8)).reshape(8, 8)
            return bits[np.ix_(at * 8 // n, at * 8 // n)].astype(float)
        case "digit":
            images, labels = digits()
            return images[labels == p.digit][0]
        case "photo":
            return np.rint(photo().mean(axis=0))
        case "noise":
            return np.random.default_rng([p.seed, 1]).integers(0, 2, (n, n)).astype(float)
        case "plain":
            return np.ones((n, n))
        case _:
            return np.rint(pixels(p.own, n) * 15)


def colours(p: Any) -> np.ndarray:
    """The picture's channels (3, side, side); all three are the same unless it is the photo."""
    return photo() if p.picture == "photo" else np.repeat(picture(p)[None], 3, axis=0)


def kernel_of(p: Any) -> np.ndarray:
    """The reader's kernel (rows, columns), as it stands in the grid."""
    return matrix(p.grid if p.kernel == "own" else KERNELS[p.kernel])


# -------------------------------------------------------------------------------------------------- where windows lie


class Places(NamedTuple):
    """Where the windows of a convolution lie."""

    padding: int = 0  # rings of zeros around the input
    stride: int = 1  # pixels from a window to the next
    dilation: int = 1  # pixels from a weight of the kernel to the next


VALID = Places()


def reach(f: int, dilation: int = 1) -> int:
    """Effective size of f weights in a row: dilation · (f − 1) + 1 pixels."""
    return dilation * (f - 1) + 1


def outputs(w: int, f: int, places: Places = VALID) -> int:
    """⌊(W − F + 2P)/S⌋ + 1 positions along one dimension, F the effective size; 0 if not even one fits."""
    return max(0, (w - reach(f, places.dilation) + 2 * places.padding) // places.stride + 1)


def map_shape(shape: tuple[int, int], kernel: tuple[int, int], places: Places = VALID) -> tuple[int, int]:
    """Rows and columns of the map of an input of that shape; (0, 0) where no position fits."""
    rows, columns = (outputs(w, f, places) for w, f in zip(shape, kernel, strict=True))
    return (rows, columns) if rows and columns else (0, 0)


def padded(x: np.ndarray, padding: int) -> np.ndarray:
    """Channels (C, H, W) with rings of zeros around them."""
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding)))


def window(x: np.ndarray, i: int, j: int, kernel: tuple[int, int], places: Places) -> np.ndarray:
    """What the kernel covers of the padded x (C, H, W) for output (i, j): a view of shape (C, *kernel)."""
    from_corner = x[:, places.stride * i :, places.stride * j :]
    return from_corner[:, :: places.dilation, :: places.dilation][:, : kernel[0], : kernel[1]]


def convolve(x: np.ndarray, w: np.ndarray, places: Places = VALID) -> np.ndarray:
    """y[k, i, j] = Σ w[k, c, u, v] · x[c, iS + du, jS + dv] over c, u, v: x (C, H, W), w (K, C, f, g), y (K, h, w).

    What libraries call a convolution and mathematics a cross-correlation: w is not flipped.
    """
    x = padded(x, places.padding)
    covered = reach(w.shape[2], places.dilation), reach(w.shape[3], places.dilation)
    if covered[0] > x.shape[1] or covered[1] > x.shape[2]:
        return np.zeros((len(w), 0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(x, covered, axis=(1, 2))
    windows = windows[:, :: places.stride, :: places.stride, :: places.dilation, :: places.dilation]
    return np.einsum("chwuv,kcuv->khw", windows, w)


def has_seen_padding(seen: np.ndarray, kernel: tuple[int, int], places: Places) -> np.ndarray:
    """Which values of the map have read padding, or a value that `seen` (rows, columns) says has."""
    ones = np.ones((1, 1, *kernel))
    clean = convolve(~seen[None] * 1.0, ones, places)[0]
    return clean < ones.size


def unread(side: int, kernel: tuple[int, int], places: Places) -> int:
    """Pixels of a picture (side, side) that are in no window; those of the padding do not count."""
    read = np.zeros((1, side + 2 * places.padding, side + 2 * places.padding), bool)
    for i, j in np.ndindex(map_shape((side, side), kernel, places)):
        window(read, i, j, kernel, places)[:] = True
    inner = slice(places.padding, places.padding + side)
    return int((~read[0, inner, inner]).sum())
