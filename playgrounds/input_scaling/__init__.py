"""Gradient descent on two inputs of unequal spread, raw and standardized: a narrow valley, and a round bowl.

Left out: inputs whose mean is not 0 (here they are centred), and other optimizers than plain gradient descent.
"""
