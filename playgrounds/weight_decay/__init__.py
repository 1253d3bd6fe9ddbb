"""Three weights shrink as bars, by an L2 penalty or by decoupled weight decay, one optimizer beside the other.

Left out: nets. The data, if there are any, are three linear regressions whose best weights are the starting ones, so
that whatever moves a weight away for good is the decay.
"""
