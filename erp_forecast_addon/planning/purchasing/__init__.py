"""Purchasing: net position in time, suppliers, lots, proposals, their evidence and their grouping into orders."""
