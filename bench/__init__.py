"""Benchmarks: every figure is a ratio against a named peer on the same data in the same run.

`make bench` (or `python -m bench`) writes docs/performance.md and bench/results/*.json; `--quick`
uses a tenth of the data and prints only.
"""
