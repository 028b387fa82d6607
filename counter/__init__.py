"""The counter: is a slip that a citizen shows one of ours? Works without network and without us.

A room of its own: a counter's computer is neither a terminal nor the centre, holds no secret, and
needs of the whole project only what a slip says (`protocol`) and the command line (`tongban`).
"""
