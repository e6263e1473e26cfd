"""Sentences for users, written here in English and translated by the site that shows them."""


def _(template: str) -> str:
    """Mark a template for translation; the site translates it before it fills in the values."""
    return template
