"""The player's own files, and what joins them: as parts of a component, or as one HTML page. No Streamlit."""
