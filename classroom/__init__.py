"""Live rooms: what a room knows and permits, and the database that keeps it. Knows no page and no Streamlit."""
