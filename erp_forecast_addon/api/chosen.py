"""The records that a person chose in a list, as a request names them."""

import frappe
from frappe import _


def chosen_names(given: list[str] | str, records: str, most: int) -> list[str]:
    """The names, each once; a list, or one in JSON. Refused: anything else, none, or more than `most`.

    records: what is named, for the refusal; plural, in the user's language.
    """
    try:
        names = frappe.parse_json(given) if isinstance(given, str) else given
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        frappe.throw(_("Name the {0} as a list of names.").format(records))
    if not names or len(names) > most:
        frappe.throw(_("Choose between 1 and {0} {1}.").format(most, records))
    return list(dict.fromkeys(names))
