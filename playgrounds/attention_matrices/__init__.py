"""Your sentence in self-attention, matrix by matrix: who looks at whom, and what becomes of it in another order.

Left out: training (a word's vector is drawn at random, by the word itself, so that the same word has the same vector;
W_Q, W_K and W_V are random too, so who looks at whom means nothing here), dropout, several heads, and the layers around
attention.
"""
