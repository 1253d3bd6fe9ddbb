"""Gradient descent finds a hidden kernel from a picture and its map: every position adds its share to the gradient.

Left out: several channels and layers, the gradient for the input, and an activation, which hides a part of the map.
"""
