"""Two encoders fill in masked digits of pairs (a + 1, a): one looks to both sides, one only to the left.

Left out: next-sentence prediction, [CLS] and [SEP], dropout, and fine-tuning.
"""
