"""The benchmarks of this project: each a ratio against its plain counterpart, in one run, on one machine."""
