"""What stands between the browser and Streamlit: how many readers fit in, headers, closed doors, files from memory.

Each class here is an ASGI middleware: a callable around the app, which answers a request itself or hands it on.
"""
