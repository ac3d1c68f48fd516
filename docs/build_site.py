"""Build the site: ``python docs/build_site.py [FOLDER] [--in-browser] [--archive FILE.zip]``, into ./site as a rule.

It needs ``pip install "chainrule[docs]"``. The gallery's code is run, and every warning is an error: a link that leads
nowhere, a name of ours that the reference does not have, a figure of a lesson that is not what the page says.

``--in-browser`` adds JupyterLite, in which lessons run with nothing installed. For that some 30 MB are fetched; where
they cannot be had, the site is built without, and says so. ``--archive`` packs the whole for a server.

``--links`` builds no site: it asks each address of another host, to which a page leads, whether it is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]  # the source tree beside this folder, installed or not

import in_browser  # noqa: E402
import pages  # noqa: E402
from sphinx.cmd.build import build_main  # noqa: E402


def build(folder: Path, builder: str = "html", *, with_doors: bool = False) -> int:
    """The pages, in a folder, the Chinese ones in its ``zh``; returns Sphinx's exit status.

    ``with_doors`` links lessons to where they run.
    """
    with tempfile.TemporaryDirectory(prefix="chainrule-site") as work:
        source = Path(work) / "source"
        pages.stage(source, in_browser=with_doors)
        strict = ["--fail-on-warning", "--nitpicky", "--keep-going", "--quiet"]
        editions = (("en", folder), ("zh", folder / "zh"))
        for language, where in editions if builder == "html" else editions[:1]:  # they lead to the same places
            settings = ["-b", builder, "-c", str(DOCS), "-d", f"{work}/doctrees-{language}", *strict]
            if language == "zh":
                settings += ["-D", "language=zh_CN"]
            if status := build_main([*settings, str(source / language), str(where)]):
                return status
    return 0


def lessons_in_browser(folder: Path) -> bool:
    """Whether JupyterLite could be added to the site in a folder; if not, the reason is told."""
    try:
        in_browser.build(folder)
    except in_browser.CannotFetch as why:
        print(f"note: the site is built without lessons that run in the browser: {why}", file=sys.stderr)
        return False
    return True


def pack(folder: Path, archive: Path) -> None:
    """The site in one file; the same site gives the same bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            name = f"{archive.stem}/{path.relative_to(folder).as_posix()}"
            info = zipfile.ZipInfo(name)  # dated 1980
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(info, path.read_bytes())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the site.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("site"), help="where to (site)")
    parser.add_argument("--in-browser", action="store_true", help="with lessons that run in the browser")
    parser.add_argument("--archive", type=Path, help="pack it into this .zip, too")
    parser.add_argument("--links", action="store_true", help="look at what pages lead to elsewhere, and build no site")
    options = parser.parse_args(arguments)
    if options.links:
        return build(options.folder, "linkcheck")
    with_doors = options.in_browser and lessons_in_browser(options.folder)
    if status := build(options.folder, with_doors=with_doors):
        return status
    if options.archive:
        pack(options.folder, options.archive)
        print(f"{options.archive}: {options.archive.stat().st_size / 1e6:.0f} MB; unpack it where a server finds it")
    else:
        print(f"{options.folder / 'index.html'}: open it in a browser")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
