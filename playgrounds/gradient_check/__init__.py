"""The gradient of a small net is checked by differences at ever smaller ε, and a planted bug shows as a floor.

Left out: checks along random directions, and nets with dropout, whose noise has to be switched off before any check.
"""
