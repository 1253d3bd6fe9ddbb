"""A famous net in small, drawn with its activations on a digit while it learns, and the published net to scale below.

A slab is as tall as a layer's maps and as thick as it has channels. Left out: ImageNet itself, local response
normalization, LeNet's scaled tanh, and averages over nets. The miniatures have ReLU and max pooling, and read a digit
of 8 × 8 pixels somewhere on a field of 12 × 12.
"""
