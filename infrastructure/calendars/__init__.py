"""Makes the calendars that the domain keeps; nothing here runs with the product."""
