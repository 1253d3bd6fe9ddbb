"""Words of a corpus whose pieces join, one merge a step, and a sentence cut into tokens: BPE and WordPiece learn.

Left out: bytes in place of characters, spaces that belong to the word after them, normalising (case, accents), and the
model that reads the ids.
"""
