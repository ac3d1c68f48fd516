"""Backends: the ways to run a compiled function, one class in one file each.

    base        what all of them are: `Backend`
    numpy       the array program, in place: what runs if nobody says otherwise
    jax         the array program as it reads, under `jax.jit`
    javascript  the same groups as loops over the numbers of one sample, for pages
    python      straight-line code for small or irregular graphs, one line per node
    numba       a tape and an interpreter for it, for large irregular graphs

The first three run what the passes made of the trace, the last two the trace itself. A new backend is one more class,
and one line in the table `BACKENDS` of `compiled`.
"""
