"""Templates and static files of a package, with the shared ones beside them."""

from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).resolve().parent


def templates(folder: Path) -> Environment:
    """The templates in `folder`, which may extend the shared `page.html`. A value that is missing
    is an error; every value is escaped."""
    return Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(folder / "templates"), FileSystemLoader(HERE / "templates")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def static_mount(folder: Path) -> list[Mount]:
    """`/shared/...` (tokens, htmx) and `/static/...` (the package's own)."""
    return [
        Mount("/shared", StaticFiles(directory=HERE / "static"), name="shared"),
        Mount("/static", StaticFiles(directory=folder / "static"), name="static"),
    ]
