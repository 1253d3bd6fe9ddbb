"""The player as a component of a page, and what it reports."""

import streamlit as st

from playgrounds.player import assemble

mount = st.components.v2.component(
    "player", html=assemble.html_of_player(), css=assemble.css(), js=assemble.component(), isolate_styles=False
)
