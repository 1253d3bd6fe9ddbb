"""Four famous nets layer by layer, and a miniature of each that learns digits beside a twin without the net's idea.

Left out: ImageNet itself, local response normalization, LeNet's scaled tanh, and averages over nets. The miniatures
have ReLU and max pooling, and read a digit of 8 × 8 pixels somewhere on a field of 12 × 12.
"""
