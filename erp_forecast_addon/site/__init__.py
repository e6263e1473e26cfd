"""The sites a plan is read from and written to: one port, two adapters, one set of queries."""
