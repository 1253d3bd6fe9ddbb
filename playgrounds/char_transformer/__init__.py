"""A tiny Transformer learns a text by heart, character by character, and writes it back.

Left out: dropout, warm-up, a held-out text (this one is to be memorized), a cache of keys and values, and beam search.
"""
