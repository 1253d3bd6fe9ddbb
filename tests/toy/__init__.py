"""A point walks along a line at random, and a strip below it shows how often it has been where.

Left out: everything that a playground is for; it has every kind of knob and of picture, for the tests.
"""
