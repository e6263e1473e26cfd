"""Ways to fill an embedded site from files. Each runs in one transaction: a bad file leaves the site as it was."""
