"""Below the player: what the playground is, its numbers, its code, ways to share it. Only the open tab is made."""

import html
import io
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from playgrounds.kit import export
from playgrounds.kit.catalogue import Playground
from playgrounds.kit.film import label, metrics
from playgrounds.kit.params import Params
from playgrounds.kit.runs import Run
from playgrounds.stage import player, url

MOST_QR = 1200  # characters; a denser code is not read from the last row


def below(page: str, title: str, playground: Playground, run: Run, preset: Params, step: int | None) -> None:
    about, numbers, code, share = st.tabs(["About", "Numbers", "Code", "Share"], key=f"{page}:below", on_change="rerun")
    link = address(page, url.to_query(run.params, preset, step))
    if about.open:
        with about:
            st.markdown(playground.about)
    if numbers.open:
        with numbers:
            _numbers(page, run)
    if code.open:
        with code:
            _code(page, title, playground, run.params, link)
    if share.open:
        with share:
            _share(page, title, playground, run, link)


def address(page: str, query: dict[str, str], **more: str) -> str:
    """The full link to a page in this state, as this reader's browser reaches the app.

    Only the host is taken from the reader's address: where one page's name ends with another's,
    Streamlit garbles the path.
    """
    here = urlsplit(st.context.url or "http://localhost:8501/")
    folder = (st.get_option("server.baseUrlPath") or "").strip("/")
    base = "/".join(filter(None, [f"{here.scheme}://{here.netloc}", folder, page]))
    arguments = urlencode(query | more, safe=",~")
    return f"{base}?{arguments}" if arguments else base


def _numbers(page: str, run: Run) -> None:
    if not run.done:
        st.caption(f"The {len(run.states)} steps computed so far.")
    rows = [{"step": label(s, i)} | metrics(s) for i, s in enumerate(run.states)]
    st.dataframe(rows, hide_index=True, height=320)
    st.download_button(
        "Download as CSV", export.table(run.states), f"{page}.csv", "text/csv", key=f"{page}:csv", on_click="ignore"
    )


def _code(page: str, title: str, playground: Playground, params: Params, link: str) -> None:
    source = export.script(playground, params, title, link)
    st.markdown(
        "What ran on this page, with your values. It needs Python with NumPy, PyTorch and scikit-learn, and prints "
        "the numbers of every step."
    )
    notebook = "application/x-ipynb+json"
    with st.container(horizontal=True):
        st.download_button("Download .py", source, f"{page}.py", "text/x-python", key=f"{page}:py", on_click="ignore")
        st.download_button(
            "Download .ipynb",
            lambda: export.ipynb(playground, params, title, link),
            f"{page}.ipynb",
            notebook,
            key=f"{page}:ipynb",
            on_click="ignore",
        )
    st.code(source, "python", height=480)


def _share(page: str, title: str, playground: Playground, run: Run, link: str) -> None:
    written, code = st.columns([0.6, 0.4], gap="large")
    with written:
        st.markdown("**Link** to exactly this: every knob, and the step.")
        st.code(link, None, wrap_lines=True)
        st.markdown("**Embed** in a course page: the playground alone.")
        separator = "&" if "?" in link else "?"
        source = f"{link}{separator}embed=true"
        embed = f'<iframe src="{source}" width="100%" height="900" title="{html.escape(title)}"></iframe>'
        st.code(embed, "html", wrap_lines=True)
        st.markdown("**Download** the run: one file that plays in any browser, with no network.")
        st.download_button(
            "Download this run", lambda: _file(title, playground, run, link), f"{page}.html", "text/html",
            key=f"{page}:html", on_click="ignore",
        )  # fmt: skip
    with code:
        if len(link) > MOST_QR:
            st.info(f"The link has {len(link):,} characters, too many for a QR code: it holds your own text. "
                    "Send the link itself, or use a shorter text.")  # fmt: skip
        else:
            st.image(qr(link), caption="Scan to open this on a phone", width="stretch")


def qr(link: str) -> str:
    """The link as a QR code in SVG: dark on white in both themes, as cameras want it."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", scale=8, border=3, light="#ffffff", xmldecl=False)
    return out.getvalue().decode()


def _file(title: str, playground: Playground, run: Run, link: str) -> bytes:
    knobs = ", ".join(f"{one.label} {getattr(run.params, one.name)}" for one in run.params.knobs().values()
                      if one.kind != "text" and not one.more)  # fmt: skip
    message = run.finish().message(0, start=None, plotly="", alt=playground.about.partition("\n")[0])
    return player.standalone(message, title, f"{knobs}.", link)
