"""One file per resource: parse, call one function of a room below, shape the answer."""
