"""A sequence is reversed by two nets trained side by side: one squeezes it into a single vector, one has attention.

Left out: beam search, subword vocabularies, an end-of-sequence sign (the output is as long as the input), and decoders
that feed the attention's output back into the recurrence.
"""
