"""Two encoders learn a small text by masked words, one from both sides, one from the left, by BERT's 80/10/10 rule.

Left out: next-sentence prediction, [CLS] and [SEP], subword tokens, dropout, fine-tuning, and the transform that BERT
has between its last layer and the logits.
"""
