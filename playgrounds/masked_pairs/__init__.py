"""Two encoders guess a digit hidden by [MASK] in pairs (a + 1, a): one sees both sides of the blank, one only its left.

Left out: next-sentence prediction, [CLS] and [SEP], dropout, and fine-tuning.
"""
