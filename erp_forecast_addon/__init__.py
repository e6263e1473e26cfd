"""Demand forecasts, safety stock and purchase proposals inside ERPNext."""

__version__ = "0.1.0"
