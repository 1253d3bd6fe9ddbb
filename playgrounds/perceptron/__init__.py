"""Rosenblatt's learning rule, one mistake at a time: each turns the line, and on separable points it stops.

Left out: more than two inputs, where the line becomes a hyperplane and the rule stays the same, and layers of
perceptrons, which the rule cannot train because a step function has no slope.
"""
