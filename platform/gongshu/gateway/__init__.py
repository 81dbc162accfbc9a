"""The one place that may touch data on an analyst's behalf: admit, ask, log, govern, run, meter."""
