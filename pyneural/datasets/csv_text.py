"""csv_text.py -- a CSV file as rows of text: its encoding, its delimiter, the names in its first line.

Python's csv module does the parsing; rows are read in blocks, so that memory holds one block of text at a time.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from pyneural.arguments.paths import readable
from pyneural.printing import shortened

Row = list[str]
DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "pipes", ",": "commas"}  # if two fit, the first one is meant
_BLOCK = range(16, 1_024)  # rows that are converted at once
_CELLS = 16_384  # of a block, whose text fits the cache
_SAMPLE = 65_536  # characters from which the delimiter is found
_CHUNK = 1 << 20  # bytes
_LONGEST = 1_000_000  # characters of the line of names
_GZIP = b"\x1f\x8b"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive or a spreadsheet (.xlsx, .ods)",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
    b"\x93NUMPY": "a NumPy .npy file",
    _GZIP: "packed with gzip",
    b"\x89HDF": "an HDF5 file",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
}
_EXPORT = "export the table as CSV, a text file with one row per line"


class Text(NamedTuple):
    """A CSV file that can be read, again and again: its path or bytes, the prefix of messages, how its text is read."""

    source: Path | bytes
    who: str
    packed: bool = False
    encoding: str = ""
    delimiter: str = ","


def examined(who: str, path: str | Path) -> Text:
    """Finds out how the text of a CSV file is read.

    UTF-8 and UTF-16 with a byte-order mark are recognized; text that is not UTF-8 is read as Windows-1252, the superset
    of Latin-1 that spreadsheets write.  A gzip file is unpacked.

    Raises:
        OSError: there is no such file, or it is a folder, a pipe, or not readable.
        ValueError: it is not text, or has no line; the message says what it is.
    """
    source = readable(who, path, "a CSV file")
    with source.open("rb") as file:
        packed = file.read(2) == _GZIP
    return _examined(Text(source, f"{who}: '{source.name}'", packed))


def examined_bytes(who: str, data: bytes) -> Text:
    """Like `examined`, for the bytes of a file, which must not be packed."""
    return _examined(Text(data, who))


def _examined(text: Text) -> Text:
    text = text._replace(encoding=_encoding(text))
    with lines(text) as stream:
        sample = stream.read(_SAMPLE)
        more = bool(stream.read(1))
    if not sample.strip():
        raise ValueError(f"{text.who} is empty: a CSV file has a line of column names, and one line per example")
    if sample.startswith("sep="):
        raise ValueError(f"{text.who} begins with '{sample.splitlines()[0]}', a line for spreadsheets: remove it")
    _refuse_markup(text.who, sample)
    return text._replace(delimiter=_delimiter(sample, more))


@contextmanager
def lines(text: Text) -> Iterator[IO[str]]:
    """The file as a stream of text, with the line ends that it has; damage raises a ValueError."""
    with _bytes(text) as file, io.TextIOWrapper(file, encoding=text.encoding, newline="") as stream:
        try:
            yield stream
        except UnicodeDecodeError:
            raise ValueError(f"{text.who} is damaged: it is not {text.encoding} throughout: {_EXPORT}") from None


def blocks(text: Text, width: int, skip: int) -> Iterator[list[Row]]:
    """The rows of a file in blocks, all with `width` cells.

    Empty lines are left out, and so are rows of empty cells at the end of the file, which spreadsheets write.

    Args:
        text: the file.
        width: the number of cells.
        skip: the number of rows at the beginning that are left out: 1 if there are column names.

    Raises:
        ValueError: a row has another number of cells, or a quote is not closed; the message names the line.
    """
    with lines(text) as stream:
        reader = csv.reader(stream, delimiter=text.delimiter, skipinitialspace=True, strict=True)
        rows = filter(None, reader)
        try:
            for _ in islice(rows, skip):
                pass
            before, at_once = 0, min(max(_CELLS // width, _BLOCK.start), _BLOCK.stop)
            empty: list[Row] = []  # rows, after which a row with values may follow
            while block := list(islice(rows, at_once)):
                if set(map(len, block)) != {width}:
                    at = next(number for number, row in enumerate(block) if len(row) != width)
                    line = lines_of(text, [before + at], skip)[before + at]
                    raise ValueError(_uneven(text, width, len(block[at]), line, block))
                before += len(block)
                if width == 1:  # an empty cell in quotes
                    yield block
                    continue
                end = _end(block)
                if end and empty:
                    yield empty
                    empty = []
                if end:
                    yield block[:end]
                empty += block[end:]
        except csv.Error as error:
            raise ValueError(f"{text.who}: {_broken(str(error), reader.line_num)}") from None


def _end(block: list[Row]) -> int:
    """The number of rows up to the last one that has a cell with text."""
    return next((at for at in range(len(block), 0, -1) if any(block[at - 1])), 0)


def first_row(text: Text) -> Row:
    """The first row that is not empty.

    Raises:
        ValueError: it has more than a million characters, or a quote is not closed.
    """
    with lines(text) as stream:
        start = stream.read(_LONGEST)
    if len(start) == _LONGEST and len(start.splitlines()) < 2:
        raise ValueError(f"{text.who}: the first line has more than {_LONGEST:,} characters: {_EXPORT}")
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=text.delimiter, skipinitialspace=True, strict=True)
    try:
        return next(filter(None, reader))
    except csv.Error as error:
        raise ValueError(f"{text.who}: {_broken(str(error), reader.line_num)}") from None


def lines_of(text: Text, rows: Iterable[int], skip: int) -> dict[int, int]:
    """The lines on which rows begin, counted from 1 as editors do."""
    left = sorted(set(rows), reverse=True)
    found: dict[int, int] = {}
    with lines(text) as stream, suppress(csv.Error):
        reader = csv.reader(stream, delimiter=text.delimiter, skipinitialspace=True, strict=True)
        row, begins = -skip, 1
        while left:
            if next(reader):
                if row == left[-1]:
                    found[left.pop()] = begins
                row += 1
            begins = reader.line_num + 1
    return found


@contextmanager
def _bytes(text: Text) -> Iterator[Any]:
    """The bytes of the file, unpacked."""
    with io.BytesIO(text.source) if isinstance(text.source, bytes) else text.source.open("rb") as file:
        if not text.packed:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{text.who} is a damaged gzip file ({error}): copy or download it again") from None


def _encoding(text: Text) -> str:
    """The encoding of a file, all of which is looked at."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf_8, first = True, True
    with _bytes(text) as file:
        while chunk := file.read(_CHUNK):
            if first:
                _refuse_binary(text.who, chunk)
                if chunk[:2] in _UTF_16:
                    return _UTF_16[chunk[:2]]
            if b"\0" in chunk:
                raise ValueError(f"{text.who} is not text, since it has bytes that are 0: {_EXPORT}")
            first = False
            if is_utf_8:
                is_utf_8 = _decodes(decoder, chunk)
        return "utf-8-sig" if is_utf_8 and _decodes(decoder, b"", final=True) else _windows(text)


def _windows(text: Text) -> str:
    """Windows-1252, if that is what the bytes are."""
    decoder = codecs.getincrementaldecoder("cp1252")()
    with _bytes(text) as file:
        while chunk := file.read(_CHUNK):
            control = set(chunk) & {*range(9), *range(14, 26), *range(27, 32), 127}
            if control or not _decodes(decoder, chunk):
                raise ValueError(f"{text.who} is not text in UTF-8, UTF-16 or Windows-1252: save it as CSV in UTF-8")
    return "cp1252"


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_binary(who: str, start: bytes) -> None:
    for magic, what in _NOT_TEXT.items():
        if start.startswith(magic):
            raise ValueError(f"{who} is {what}, not text: {_EXPORT}")


def _refuse_markup(who: str, sample: str) -> None:
    start = sample.lstrip()[:100].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise ValueError(f"{who} is a web page or XML, not CSV: download the file itself, or export the table as CSV")
    if start.startswith(("[{", '{"', "[\n")):
        raise ValueError(f"{who} is JSON, not CSV: convert it, such as with pandas.read_json(path).to_csv(path)")


def _delimiter(sample: str, more: bool) -> str:
    """The delimiter that gives the rows of a sample as many cells as the first one has, which are at least two."""
    found, best = ",", 0.0
    for delimiter in DELIMITERS:
        rows = [row for row in _parsed(sample, delimiter) if row]
        rows = rows[:-1] if more and len(rows) > 1 else rows
        if rows and len(rows[0]) > 1:
            agreeing = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
            if agreeing > best:
                found, best = delimiter, agreeing
    return found


def _parsed(sample: str, delimiter: str) -> list[Row]:
    """The rows of a sample, up to the first one that cannot be read."""
    rows: list[Row] = []
    with suppress(csv.Error):
        rows.extend(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True))
    return rows


def _uneven(text: Text, width: int, found: int, line: int, block: list[Row]) -> str:
    """The message for a row with another number of cells."""
    if found == width + 1 and all(len(row) == found for row in block):
        return (
            f"{text.who} has {width} column names, and rows of {found} cells: give a name to each column, also to the "
            "first one"
        )
    if width == 1:
        return (
            f"{text.who}: line {line:,} has {found:,} cells, and the first line has 1: if it is a title, remove the "
            "lines above the column names"
        )
    return (
        f"{text.who}: line {line:,} has {found:,} cells, and the first line has {width:,} (they are separated by "
        f"{DELIMITERS[text.delimiter]}): correct the line, and put text that has {DELIMITERS[text.delimiter]} in it "
        "in quotes"
    )


def _broken(reason: str, line: int) -> str:
    """What the csv module says of a row that it cannot read, with the fix."""
    if "field larger" in reason:
        return f"a cell that ends in line {line:,} is longer than 131,072 characters: is a quote before it not closed?"
    if "unexpected end" in reason:
        return "the file ends within quotes: close the quote, or double a quote that is part of the text"
    why = shortened(reason, 80)
    return f"line {line:,} cannot be read ({why}): double a quote that is part of the text, as in " + '"5"" pipe"'
