"""A point, its scores and their probabilities, while a classifier cuts the plane into regions; or typed scores by hand.

Left out: hidden layers, so every boundary is a straight line, and temperatures other than 1 in training.
"""
