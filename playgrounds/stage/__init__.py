"""What shows any playground in Streamlit. Knows the kit and the player, and no page, playground or term by name."""
