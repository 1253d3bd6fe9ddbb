"""A text is cut into tokens: one merge a step, and a sentence by characters, words, BPE and WordPiece side by side.

Left out: bytes in place of characters, spaces that belong to the word after them, normalising (case, accents), and the
model that reads the ids.
"""
