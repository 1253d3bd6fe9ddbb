"""Knobs: declared once, read by the widgets, the URL, the glossary's presets and the exported code."""

import base64
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from playgrounds.kit.forms import read_drawing, read_matrix, read_points

Form = Literal["drawing", "matrix", "points"]
Kind = Literal["toggle", "choice", "choices", "int", "float", "text"] | Form
TEXTS = ("text", "drawing", "matrix", "points")  # kinds whose value is a text

LINK_TEXT_PLAIN = 80  # longer texts are compressed in links
PACKED = "~"  # first character of a compressed text in a link
MOST_FORM = 40_000  # characters of a drawing, a matrix or points


def knob(
    default: Any,
    lo: float | None = None,
    hi: float | None = None,
    *,
    label: str,
    help: str = "",
    step: float | None = None,
    log: bool = False,
    more: bool = False,
    when: Callable[[Any], bool] | None = None,
    form: Form | None = None,
) -> Any:
    """Declare a field of Params as a knob. The annotation decides its kind.

    int, float: a slider from `lo` to `hi` (both needed) in steps of `step`, or on a log scale.
    bool: a switch. Literal: one of its values. tuple[Literal, ...]: one or several of them.
    str: a text of `lo` to `hi` characters; or, by its form (kit/forms.py), a drawing on `hi` × `hi` cells, a matrix of
    `lo` to `hi` rows and columns, or points of up to `hi` classes.

    more: folded away under "More". when: shown only while `when(params)` is true (its value still counts).
    """
    return Field(default, title=label, description=help, json_schema_extra=_Extra(lo, hi, step, log, more, when, form))


class _Extra(dict[str, Any]):
    """What pydantic does not keep for us, in the place it offers for extras."""

    def __init__(
        self,
        lo: float | None,
        hi: float | None,
        step: float | None,
        log: bool,
        more: bool,
        when: Callable[[Any], bool] | None,
        form: Form | None,
    ):
        super().__init__(lo=lo, hi=hi, step=step, log=log, more=more, when=when, form=form)


@dataclass(frozen=True)
class Knob:
    """One declared knob, in the form the stage and the glossary ask for it."""

    name: str
    kind: Kind
    default: Any
    label: str
    help: str
    choices: tuple[Any, ...]
    lo: Any
    hi: Any
    step: Any
    log: bool
    more: bool
    when: Callable[[Any], bool] | None
    form: Form | None = None

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> Self:
        extra = field.json_schema_extra
        if not isinstance(extra, _Extra):
            raise TypeError(f"Params.{name} is not declared with knob(...)")
        kind, choices = _kind(name, field.annotation)
        if extra["form"] is not None:
            if kind != "text":
                raise TypeError(f"Params.{name}: the value of a {extra['form']} is a str")
            kind = extra["form"]
        one = cls(name, kind, field.default, field.title or name, field.description or "", choices, **extra)
        if problem := one._misdeclared():
            raise TypeError(f"Params.{name}: {problem}")
        return one

    def _misdeclared(self) -> str:
        if self.kind in ("int", "float") and (self.lo is None or self.hi is None):
            return "a number needs bounds, knob(default, lo, hi, ...)"
        if self.kind in TEXTS and self.kind != "text" and not self.hi:
            return "it needs bounds, knob(default, lo, hi, form=...)"
        if self.kind == "text" and self.hi is None:
            return "a text needs bounds, the fewest and the most characters: knob(default, 0, 20_000, ...)"
        if self.kind in ("int", "float") and self.lo >= self.hi:
            return f"the bounds {self.lo} and {self.hi} are the wrong way round"
        if self.log and self.lo <= 0:
            return f"a log scale cannot start at {self.lo}"
        if self.kind == "choices" and any("," in str(choice) for choice in self.choices):
            return "a choice must not have a comma: links separate several by commas"
        value, problem = self.read(self.default, None)
        if problem or value != self.default or type(value) is not type(self.default):
            return f"the default {self.default!r} is not a legal value{': ' + problem if problem else ''}"
        return ""

    def read_link(self, raw: Any, fallback: Any) -> tuple[Any, str]:
        """The value that a link means by `raw`, and what was wrong with it; see `read`."""
        if self.kind in TEXTS and raw.startswith(PACKED):
            try:
                raw = _unpack(raw, 4 * self.hi if self.kind == "text" else MOST_FORM)
            except ValueError as error:
                return fallback, str(error)
        return self.read(raw, fallback)

    def read(self, raw: Any, fallback: Any) -> tuple[Any, str]:
        """The value meant by `raw`, from a widget or a preset, and what was wrong with it ("" if nothing).

        Numbers outside the bounds are moved to the nearest bound; what else is not legal becomes `fallback`.
        """
        try:
            return getattr(self, f"_read_{self.kind}")(raw)
        except ValueError as error:
            return fallback, str(error)

    def write(self, value: Any) -> str:
        """The value as it stands in a link; `read_link` undoes it exactly."""
        match self.kind:
            case "toggle":
                return "1" if value else "0"
            case "choices":
                return ",".join(map(str, value))
            case _ if self.kind in TEXTS and (len(value) > LINK_TEXT_PLAIN or value.startswith(PACKED)):
                return PACKED + base64.urlsafe_b64encode(zlib.compress(value.encode(), 9)).decode().rstrip("=")
            case _:
                return str(value)

    def grid(self) -> list[Any]:
        """The values a log slider stops at: about 20 a decade, two significant digits, both bounds included."""
        decades = math.log10(self.hi / self.lo)
        n = max(2, round(20 * decades) + 1)
        number = int if self.kind == "int" else float
        values = {number(float(f"{self.lo * (self.hi / self.lo) ** (i / (n - 1)):.2g}")) for i in range(n)}
        return sorted({v for v in values if self.lo < v < self.hi} | {self.lo, self.hi})

    def _read_toggle(self, raw: Any) -> tuple[Any, str]:
        legal = {"1": True, "true": True, "0": False, "false": False}
        if isinstance(raw, bool):
            return raw, ""
        if str(raw).lower() not in legal:
            raise ValueError(f"{shown(raw)} is neither 1 (on) nor 0 (off)")
        return legal[str(raw).lower()], ""

    def _read_choice(self, raw: Any) -> tuple[Any, str]:
        for choice in self.choices:
            if str(raw) == str(choice):
                return choice, ""
        raise ValueError(f"{shown(raw)} is not one of {', '.join(map(str, self.choices))}")

    def _read_choices(self, raw: Any) -> tuple[Any, str]:
        if not isinstance(raw, str | list | tuple):
            raise ValueError(f"{shown(raw)} is not a list")
        names = raw.split(",")[:50] if isinstance(raw, str) else raw
        if not names:
            raise ValueError(f"choose at least one of {', '.join(map(str, self.choices))}")
        wanted = {self._read_choice(name)[0] for name in names}
        return tuple(c for c in self.choices if c in wanted), ""

    def _read_number(self, raw: Any) -> tuple[float, str]:
        try:
            if isinstance(raw, bool) or len(str(raw)) > 40:
                raise ValueError
            value = float(raw)
        except (ValueError, TypeError, OverflowError):
            value = math.nan
        if math.isnan(value):
            raise ValueError(f"{shown(raw)} is not a number")
        if value > self.hi:
            return self.hi, f"{shown(raw)} is above {self.hi}"
        if value < self.lo:
            return self.lo, f"{shown(raw)} is below {self.lo}"
        return value, ""

    def _read_float(self, raw: Any) -> tuple[float, str]:
        value, problem = self._read_number(raw)
        return float(value), problem

    def _read_int(self, raw: Any) -> tuple[int, str]:
        value, problem = self._read_number(raw)
        if value != int(value):
            raise ValueError(f"{shown(raw)} is not a whole number")
        return int(value), problem

    def _read_drawing(self, raw: Any) -> tuple[str, str]:
        return read_drawing(_text(raw), self.hi)

    def _read_matrix(self, raw: Any) -> tuple[str, str]:
        return read_matrix(_text(raw), self.lo or 1, self.hi)

    def _read_points(self, raw: Any) -> tuple[str, str]:
        return read_points(_text(raw), self.hi)

    def _read_text(self, raw: Any) -> tuple[str, str]:
        raw = _text(raw)
        if "\x00" in raw or any("\ud800" <= c <= "\udfff" for c in raw):
            raise ValueError("the text has characters that no text can have")
        if len(raw) > self.hi:
            raise ValueError(
                f"the text has {len(raw):,} characters, up to {self.hi:,} are taken: shorten it, or load the sample"
            )
        if len(raw) < (self.lo or 0):
            raise ValueError(f"the text is shorter than {self.lo} characters")
        return raw, ""


class Params(BaseModel):
    """Base of every playground's Params: immutable, hashable, no unknown names, no nan, bounds always checked.

    A run yields `length` states (None: not known before), which is what the progress bar is measured against.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)
    _knobs: ClassVar[dict[str, Knob]]  # each class has its own, made when they are first asked for

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.knobs()  # a badly declared knob is reported on import, not on first use

    def model_post_init(self, context: Any) -> None:
        for one in self.knobs().values():
            value = getattr(self, one.name)
            if value == one.default:
                continue  # checked when the knob was declared
            if one.kind in ("int", "float") and not one.lo <= value <= one.hi:
                raise ValueError(f"{one.name}: {value} is not between {one.lo} and {one.hi}")
            if one.kind == "text" and not (one.lo or 0) <= len(value) <= one.hi:
                raise ValueError(f"{one.name}: {len(value)} characters are not between {one.lo or 0} and {one.hi}")
            if one.form and one.read(value, None) != (value, ""):
                raise ValueError(f"{one.name}: {shown(value)} is not the text of a {one.form}")

    @property
    def length(self) -> int | None:
        return None

    @classmethod
    def knobs(cls) -> dict[str, Knob]:
        """All knobs by name, in the order of declaration."""
        if "_knobs" not in cls.__dict__:
            cls._knobs = {name: Knob.of(name, field) for name, field in cls.model_fields.items()}
        return cls._knobs

    @classmethod
    def preset(cls, values: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """The params of a preset and its mistakes, each as "knob: what is wrong"."""
        params, problems = cls._build(cls(), values, Knob.read)
        return params, [f"{name}: {problem}" for name, problem, _ in problems]

    @classmethod
    def from_query(cls, query: Mapping[str, str], preset: Self) -> tuple[Self, list[str]]:
        """The params that a link asks for, and one sentence per value that could not be taken as it stood."""
        params, problems = cls._build(preset, query, Knob.read_link)
        sentences = []
        for name, problem, raw in problems:
            if name not in cls.knobs():
                sentences.append(f"No knob is called {shown(name)}: ignored.")
                continue
            if cls.knobs()[name].kind in TEXTS:
                what = "The text of this page" if cls.knobs()[name].kind == "text" else "What this page starts with"
                kept = getattr(params, name) == getattr(preset, name)
                sentences.append(f"{name}: {problem}." + f" {what} is kept." * kept)
                continue
            said = f"{name}={problem}" if problem.startswith(shown(raw)) else f"{name}: {problem}"
            sentences.append(f"{said}: using {shown(cls.knobs()[name].write(getattr(params, name)))}.")
        return params, sentences

    def to_query(self, preset: Self) -> dict[str, str]:
        """What a link must say to get these params on a page with that preset: only the differences."""
        return {
            name: one.write(getattr(self, name))
            for name, one in self.knobs().items()
            if getattr(self, name) != getattr(preset, name)
        }

    @classmethod
    def _build(cls, base: Self, values: Mapping[str, Any], read: Callable) -> tuple[Self, list[tuple[str, str, Any]]]:
        taken, problems = base.model_dump(), []
        for name, raw in values.items():
            if name not in cls.knobs():
                problems.append((name, f"no such knob; there are {', '.join(cls.knobs())}", raw))
                continue
            taken[name], problem = read(cls.knobs()[name], raw, taken[name])
            if problem:
                problems.append((name, problem, raw))
        try:
            return cls(**taken), problems
        except ValidationError as error:  # a rule between knobs, written by the playground as a validator
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            return base, [*problems, (next(name for name in values if name in cls.knobs()), said, "")]


def shown(raw: Any, most: int = 40) -> str:
    """A value as it may stand in a sentence: one line, cut, nothing in it that Markdown or HTML would take."""
    text = "".join(c if c.isalnum() or c in " .,;+-/'=!?()%&" else "·" for c in str(raw)[: most + 1])
    text = re.sub(r"(www)\.", r"\1·", text, flags=re.IGNORECASE)  # Markdown would make it a link
    return text if len(text) <= most else text[:most] + "…"


def knob_text(params: Params, name: str) -> str:
    """A knob and its value as they stand in sentences: Hidden units 3."""
    one, value = params.knobs()[name], getattr(params, name)
    match one.kind:
        case "toggle":
            text = "on" if value else "off"
        case "choices":
            text = ", ".join(map(str, value))
        case "float":
            text = f"{value:g}"
        case "text":
            text = f"“{shown(value)}”"
        case _:
            text = "as drawn" if one.form else str(value)
    return f"{one.label} {text}"


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"{shown(raw)} is not a text")
    return raw


def _kind(name: str, annotation: Any) -> tuple[Kind, tuple[Any, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple and get_origin(get_args(annotation)[0]) is Literal:
        return "choices", get_args(get_args(annotation)[0])
    kinds: dict[Any, Kind] = {bool: "toggle", int: "int", float: "float", str: "text"}
    if annotation not in kinds:
        raise TypeError(f"Params.{name}: {annotation} is no kind of knob")
    return kinds[annotation], ()


def _unpack(packed: str, most: int) -> str:
    """Undo `Knob.write` for a text, never inflating to more than `most` bytes."""
    try:
        body = packed[1:]
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        inflater = zlib.decompressobj()
        text = inflater.decompress(raw, most)
        if not inflater.eof:
            raise ValueError
        return text.decode()
    except (ValueError, zlib.error):
        raise ValueError("the text in the link is damaged or too long: copy the whole link") from None
