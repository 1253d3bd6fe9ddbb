"""Share: the link to what is shown, its QR code, a snippet to embed, the run as a file; and what a link may hide."""

import html
import io
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import segno
import streamlit as st

from playgrounds.kit.params import knob_text
from playgrounds.kit.runs import Run
from playgrounds.kit.words import counted
from playgrounds.player import assemble
from playgrounds.stage import address
from playgrounds.stage.address import PageState
from playgrounds.stage.goals import permits
from playgrounds.stage.scene import Scene
from playgrounds.stage.tour import legs

MOST_QR = 1200  # characters; a denser code is not read from the last row
THEMES = {"the reader's own": "", "light": "light_theme", "dark": "dark_theme"}


def show_share(scene: Scene, state: PageState, run: Run, link: str) -> None:
    written, code = st.columns([0.6, 0.4], gap="large")
    with written:
        st.markdown("**Link** to exactly this: every knob, the step, the pinned run.")
        teach = st.toggle("For a class: hide or lock something", key=f"{scene.page}:teach")
        theme, embedded = "", False
        if teach:
            link, theme, embedded = _builder(scene, state, link)
        shared = _with(link, embed="true", embed_options=theme) if embedded else link
        st.code(shared, None, wrap_lines=True)
        st.markdown("**Embed** in a course page: the playground alone.")
        source = _with(link, embed="true", embed_options=theme)
        embed = f'<iframe src="{source}" width="100%" height="900" title="{html.escape(scene.title)}"></iframe>'
        st.code(embed, "html", wrap_lines=True)
        st.markdown("**Download** the run: one file that plays in any browser, with no network.")
        st.download_button(
            "Download this run", lambda: _file(scene, run, link), f"{scene.page}.html", "text/html",
            key=f"{scene.page}:html", on_click="ignore",
        )  # fmt: skip
    with code:
        show_code(shared)


def show_code(link: str) -> None:
    """The link as a QR code, or why there is none."""
    if len(link) > MOST_QR:
        st.info(
            f"The link has {len(link):,} characters, too many for a QR code: it holds your own text. "
            "Send the link itself, or use a shorter text."
        )
    else:
        st.image(qr(link), caption="Scan to open this on a phone", width="stretch", alt="QR code of the link")


def _builder(scene: Scene, state: PageState, link: str) -> tuple[str, str, bool]:
    """What a teacher's link hides and locks and where it starts; returns the link, the theme, whether it embeds."""
    params, key = state.params, scene.page
    labels = {one.name: one.label for one in params.knobs().values()}
    hidden = {**{name: f"Knob: {label}" for name, label in labels.items()}, **address.PARTS}
    hide = st.multiselect("Hide", list(hidden), list(state.view.hide), key=f"{key}:hide",
                          format_func=lambda name: hidden[name],
                          help="What is hidden keeps its value: no control of the page changes it")  # fmt: skip
    lock = st.multiselect("Lock", [address.ALL, *labels], list(state.view.lock), key=f"{key}:lock",
                          format_func=lambda name: labels.get(name, "All knobs"),
                          help="What is locked is shown and cannot be changed")  # fmt: skip
    steps = {"where it is now": state.step, "the first step": 0, "the last step": None}
    start = st.selectbox("Start at", list(steps), key=f"{key}:start")
    theme = st.selectbox("Theme", list(THEMES), key=f"{key}:theme", help="of the embedded playground")
    embedded = st.toggle("Without the glossary around it", key=f"{key}:embedded")
    made = replace(state, step=steps[start], view=address.View(tuple(hide), tuple(lock)))
    fixed = ", ".join(knob_text(params, name) for name in params.knobs() if made.view.fixed(name))
    if fixed:
        st.caption(f"Whoever opens it finds as it is now: {fixed}.")
    for sentence in _what_it_means(scene, replace(made, own=params)):
        st.caption(sentence)
    query = address.to_query(made, scene)
    page = link.partition("?")[0]
    return (f"{page}?{urlencode(query, safe=',~')}" if query else page), THEMES[theme], embedded


def _what_it_means(scene: Scene, made: PageState) -> list[str]:
    """What a link that fixes knobs takes away from the page, and what it does not."""
    if not (made.view.hide or made.view.lock):
        return []
    said = []
    if scene.questions and "question" not in made.view.hide:
        said.append("The questions stay: while one is answered, its run may set a fixed knob.")
    presets = scene.playground.presets
    kept = sum(made.permits(scene.named(one)) for one in presets)
    if kept < len(presets) and "presets" not in made.view.hide:
        said.append(f"Of the {len(presets)} runs to try it offers the {kept} that keep to what is fixed.")
    unsolved = sum(not permits(made, *scene.decided_by(one, one.solution)) for one in scene.goals)
    if unsolved and not {"goals", "answer"} & set(made.view.hide):
        said.append(f"It shows no solution for {counted(unsolved, 'goal')}: the solution sets something fixed.")
    if scene.stops and not legs(scene, made):
        said.append("The tour is left out: its runs set something fixed.")
    return said


def _with(link: str, **more: str) -> str:
    """The link with more parameters; empty ones are left out."""
    page, _, query = link.partition("?")
    pairs = parse_qsl(urlsplit(f"?{query}").query, keep_blank_values=True)
    return f"{page}?{urlencode([*pairs, *((k, v) for k, v in more.items() if v)], safe=',~')}"


def qr(link: str) -> str:
    """The link as a QR code in SVG: dark on white in both themes, as cameras want it."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", scale=8, border=3, light="#ffffff", xmldecl=False)
    return out.getvalue().decode()


def _file(scene: Scene, run: Run, link: str) -> bytes:
    knobs = ", ".join(knob_text(run.params, one.name) for one in run.params.knobs().values()
                      if one.kind != "text" and not one.form and not one.more)  # fmt: skip
    message = run.finish().message(0, start=None, plotly="", alt=scene.playground.about.partition("\n")[0])
    return assemble.standalone(message, scene.title, f"{knobs}.", link)
