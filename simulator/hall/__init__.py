"""The hall: terminals, centre, network and people, live."""
