"""The planner: panels in, a plan out. No frappe, no input or output, no clock."""
