"""Terms as HTML without a server: what a page's first paint shows, its meta data, its pictures. No Streamlit here."""

NAME = "Trainable Glossary"
