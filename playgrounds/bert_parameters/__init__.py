"""BERT as a tower whose areas are its parameters: embeddings, every layer's attention and feed-forward, pooler.

Left out: the heads of pre-training, and that cross-lingual and distilled relatives share some of these weights.
"""
