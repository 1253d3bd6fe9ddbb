"""About and privacy: what the glossary is, what it stores and where, its licence, and how to report a mistake."""

import os
import re
from urllib.parse import quote, urlsplit

import streamlit as st

from edition import NAME
from pages.site import Site, frame

SETTING = "GLOSSARY_CONTACT"  # environment: a mail address, or a web address; {link} in it becomes the page's link
MAIL = re.compile(r"[^@\s:/?]+@[^@\s:/?]+\.[^@\s:/?]+")
MOST = 2000  # letters of a link that a report carries

WHAT = """
This is a glossary for a course on deep learning. Its definitions are written for the exam; beside each of them the
thing itself runs, computed on this server while you look.
"""

STORED = """
Nothing that you do here is tied to your name, and there is no account. What is kept about you lies in your own browser:

- which questions you have answered and which goals you have reached;
- the term that you have opened last, for “Continue”;
- of the practice, which cards you have seen and when they are due, the day of your exam, and the answers to a mock
  exam that is not handed in yet;
- whether single keys are switched off;
- of Streamlit, on which this app is built: the theme that you have chosen, and a cookie (`_streamlit_xsrf`) that
  guards against forged requests and ends with the browser's session. The glossary uses it for one thing more: the
  options of a question keep their order when you reload.

In a live lesson the server keeps a nickname (its own making, unless you change it), your votes and your runs, until the
teacher ends the room, and for 24 hours at most. A page of results has no names. Your browser keeps a token, to bring
you back after a reload.

On the home page, “Your progress” saves what you have answered and reached to a file, takes it from one, and erases it;
the practice page does the same for its cards.
"""

NOT_STORED = """
- No statistics of use, no advertising, no fonts, scripts or pictures from other servers.
- The server holds what you look at while the page is open, and forgets it soon after you leave. Runs are kept in its
  memory for a while, so that the next reader need not wait; they hold knobs, drawings and texts, not who has set them.
- A link to a page holds its whole state, also a text that you have typed or a picture that you have drawn. Whoever
  gets the link sees it.
- Whoever runs this server may keep the usual log of requests. Ask them.
"""

LICENCE = """
The glossary's code and texts are free under the MIT licence: use them, change them, pass them on, and keep the notice
of copyright. The libraries that it is built from have licences of their own.
"""


def show(site: Site) -> None:
    frame(site, "About and privacy")
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(site.home, label=f":primary[{NAME}]")
        st.title("About and privacy", anchor=False)
    with st.container(key="definition"):
        st.markdown(WHAT)
        st.header("What is stored", anchor=False)
        st.markdown(STORED)
        st.header("What is not", anchor=False)
        st.markdown(NOT_STORED)
        st.header("Licence", anchor=False)
        st.markdown(LICENCE)
        st.header("Something is wrong?", anchor=False)
        st.markdown(report(os.environ.get(SETTING, "").strip(), _link(site)))


def report(contact: str, link: str) -> str:
    """How to report a mistake, as Markdown, with the link of the page that has it ("" if that is not known)."""
    which = f"The page: `{link}`" if link else "Say which page has it: copy its address."
    if MAIL.fullmatch(contact):
        query = f"subject={quote(f'A mistake in the {NAME}')}" + (f"&body={quote(link)}" if link else "")
        return f"Write to [{contact}](mailto:{contact}?{query}). {which}"
    if contact.startswith(("https://", "http://")):
        address = contact.replace("{link}", quote(link, safe="")).replace(" ", "%20").replace(")", "%29")
        return f"[Report it here]({address}). {which}"
    return f"Tell whoever gave you the address of this glossary, your teacher say. {which}"


def _link(site: Site) -> str:
    """The link of the page from which the reader has come (links.js adds it), if it is one of the app's."""
    page, _, query = st.query_params.get("from", "").partition("?")
    here = urlsplit(st.context.url or "")
    if not here.scheme or page not in site.pages:
        return ""
    state = f"?{quote(query[:MOST], safe='=&%+~')}" if query else ""  # nothing that Markdown would take
    return f"{here.scheme}://{here.netloc}{here.path.rpartition('/')[0]}/{page}{state}"
