"""Compare: two runs payment by payment with who delayed whom, or two studies run by run; and their pages."""
