"""The slope by the code against the chord over ever smaller ε: they agree, unless a planted bug leaves a gap.

Left out: checks along random directions, and nets with dropout, whose noise has to be switched off before any check.
"""
