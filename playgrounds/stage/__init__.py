"""What shows any playground in Streamlit: controls, player, share. Knows no playground and no term by name."""
