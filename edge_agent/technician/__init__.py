"""What a technician does to a board: build its image, later provision and update it."""
