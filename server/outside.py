"""No question to the outside: Streamlit would ask an address on the internet what address this server has there."""

from streamlit import net_util


def ask_nobody() -> None:
    """When a page of another origin connects, Streamlit compares that origin with the server's outside address, and
    asks for it, up to two seconds long, while every reader waits. Whoever serves such pages lists their origins in
    server.corsAllowedOrigins, which is still obeyed."""
    net_util.get_external_ip = lambda: None
