"""Two encoders guess words hidden by [MASK], one from both sides, one from the left; words are hidden as for BERT.

Left out: next-sentence prediction, [CLS] and [SEP], subword tokens, dropout, fine-tuning, and the transform that BERT
has between its last layer and the logits.
"""
