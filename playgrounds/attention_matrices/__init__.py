"""What one word of your sentence collects from all: its query meets their keys, and the scores weight their values.

Left out: training (a word's vector is drawn at random, by the word itself, so that the same word has the same vector;
W_Q, W_K and W_V are random too, so who looks at whom means nothing here), dropout, several heads, and the layers around
attention.
"""
