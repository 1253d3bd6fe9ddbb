"""Your expression as a graph: values go forward through it node by node, then gradients go backward.

Left out: vectors and matrices (a node holds one number), second derivatives, and forward mode.
"""
