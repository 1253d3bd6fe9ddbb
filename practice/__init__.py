"""What a student practises, derived from the glossary: cards, their schedule, sessions, exams, decks. No Streamlit."""
