"""Facts in, tables out: every table here can be thrown away and rebuilt."""
