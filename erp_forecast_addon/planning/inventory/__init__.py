"""Inventory: classes, lead times, demand over them, safety stock and order levels."""
