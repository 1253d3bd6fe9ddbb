"""Where the parameters of BERT sit, counted part by part: embeddings, every layer's attention and feed-forward, pooler.

Left out: the heads of pre-training, and that cross-lingual and distilled relatives share some of these weights.
"""
