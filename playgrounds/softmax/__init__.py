"""Scores and their probabilities as bars at any temperature, and three regions of the plane while a classifier learns.

Left out: hidden layers, so every boundary is a straight line, and temperatures other than 1 in training.
"""
