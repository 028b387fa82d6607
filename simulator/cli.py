"""`tongban sim ...`: parts of the simulator by themselves."""

from cyclopts import App

app = App(name="sim", help="Parts of the simulator by themselves.")
app.command("simulator.fuzz.cli:app", name="fuzz", help="Hostile bytes for the firmware.")
app.command(
    "simulator.paper.cli:paper",
    name="paper",
    help="Draw what a receipt printer makes of raw ESC/POS bytes.",
)
app.command(
    "simulator.sweep.cli:app",
    name="sweep",
    help="Cut the power at every instant, and see what is lost.",
)
app.command(
    "simulator.replay.cli:replay",
    name="replay",
    help="A field fault again: what a board's flight recorder held, against the firmware.",
)
