"""Copies of seed rows by SQL: all columns of a row are copied, also those that we do not know.

Foreign keys between the rows of a seed lead to the copy's own rows, dates and
names follow the plan, money is multiplied. One statement per table makes all
copies of all its rows, document by document, as a company would have made them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from io import StringIO

# Unit prices and the like: money that the data model keeps as a plain number.
SCALED = {"credit_unit_price", "price_reduce_taxexcl", "price_reduce_taxinc", "price_tax", "price_unit",
          "technical_price_unit"}  # fmt: skip


@dataclass
class Seed:
    """The rows of one document (or customer), and what in them follows the plan."""

    rows: dict[str, list[int]]  # table: ids
    names: dict[str, str] = field(default_factory=dict)  # text in a seed: column of the plan
    only: dict[tuple[str, int], str] = field(default_factory=dict)  # (table, id): condition of the plan
    cells: dict[tuple[str, str], str] = field(default_factory=dict)  # (table, column): expression


@dataclass(frozen=True)
class Anchors:
    """What all seeds have in common, and which column of the plan stands in for it."""

    today: date
    dates: dict[date, str]
    records: dict[tuple[str, int], str]  # (table, id): column


class Multiplier:
    """Makes copies on one cursor."""

    def __init__(self, cr, anchors: Anchors) -> None:
        """Read the catalog."""
        self.cr = cr
        self.anchors = anchors
        self.columns: dict[str, dict[str, str]] = defaultdict(dict)
        self.references: dict[str, dict[str, str]] = defaultdict(dict)
        cr.execute(
            """
            SELECT rel.relname, att.attname, format_type(att.atttypid, att.atttypmod)
              FROM pg_attribute att
              JOIN pg_class rel ON rel.oid = att.attrelid
             WHERE rel.relkind = 'r' AND rel.relnamespace = 'public'::regnamespace
               AND att.attnum > 0 AND NOT att.attisdropped AND att.attgenerated = ''
          ORDER BY rel.relname, att.attnum
            """
        )
        for table, column, kind in cr.fetchall():
            self.columns[table][column] = kind
        cr.execute(
            """
            SELECT rel.relname, att.attname, target.relname
              FROM pg_constraint con
              JOIN pg_class rel ON rel.oid = con.conrelid
              JOIN pg_class target ON target.oid = con.confrelid
              JOIN pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = con.conkey[1]
             WHERE con.contype = 'f' AND cardinality(con.conkey) = 1
            """
        )
        for table, column, target in cr.fetchall():
            self.references[table][column] = target
        cr.execute("SELECT REPLACE(model, '.', '_'), name FROM ir_model_fields WHERE ttype = 'monetary' AND store")
        self.money = set(cr.fetchall())

    @contextmanager
    def bulk(self, tables: Iterable[str]):
        """Load without triggers, with the indexes of the tables built afterwards."""
        cr = self.cr
        cr.execute(
            """
            SELECT index.relname, pg_get_indexdef(index.oid)
              FROM pg_index
              JOIN pg_class index ON index.oid = indexrelid
             WHERE NOT indisunique AND indrelid = ANY(%s::regclass[])
          ORDER BY index.relname
            """,
            [list(tables)],
        )
        indexes = cr.fetchall()
        # Checking each of ten million references takes longer than all the rest;
        # what we copy refers to what the seed refers to.
        cr.execute("SET LOCAL session_replication_role = replica")
        for name, _definition in indexes:
            cr.execute(f'DROP INDEX "{name}"')
        yield
        cr.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for _name, definition in indexes:
            cr.execute(definition)
        cr.execute("SET LOCAL session_replication_role = DEFAULT")

    def plan(self, columns: dict[str, str], rows: Iterable[tuple]) -> int:
        """Load the plan of the next copies; return how many there are."""
        cr = self.cr
        cr.execute("DROP TABLE IF EXISTS volume_plan")
        definition = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        cr.execute(f"CREATE TEMP TABLE volume_plan (i int, {definition})")
        buffer = StringIO()
        count = 0
        for count, row in enumerate(rows, start=1):
            cells = ("\\N" if value is None else str(value) for value in (count - 1, *row))
            buffer.write("\t".join(cells) + "\n")
        buffer.seek(0)
        cr.copy_from(buffer, "volume_plan")
        cr.execute("ANALYZE volume_plan")
        return count

    def copy(self, seed: Seed, count: int) -> dict[str, int]:
        """Make `count` copies of a seed by the loaded plan; return {table: id of the first copy's first row}."""
        bases = {}
        for table, ids in seed.rows.items():
            self.cr.execute(f"SELECT GREATEST(MAX(id), (SELECT last_value FROM {table}_id_seq)) + 1 FROM {table}")
            [[bases[table]]] = self.cr.fetchall()
            last = bases[table] + count * len(ids) - 1
            self.cr.execute("SELECT setval(%s, %s)", [f"{table}_id_seq", last])
        for table, ids in seed.rows.items():
            self._insert(table, "id", ids, seed, bases)
        for table, references in self.references.items():
            if "id" not in self.columns[table]:
                for column in [name for name, target in references.items() if target in seed.rows]:
                    self._insert(table, column, seed.rows[references[column]], seed, bases)
                    break  # the other side of the same rows
        return bases

    def _insert(self, table: str, key: str, ids: list[int], seed: Seed, bases: dict[str, int]) -> None:
        columns = self.columns[table]
        listed = ", ".join(f'"{name}"' for name in columns)
        texts = ", ".join(f'"{name}"::text' for name in columns)
        self.cr.execute(f'SELECT {texts} FROM "{table}" WHERE "{key}" = ANY(%s) ORDER BY 1', [ids])
        rows = [dict(zip(columns, row, strict=True)) for row in self.cr.fetchall()]
        if not rows:
            return
        if key == "id":
            rows.sort(key=lambda row: int(row["id"]))
        values = []
        for row in rows:
            keep = seed.only.get((table, int(row["id"])), "TRUE") if key == "id" else "TRUE"
            values.append([keep, *(self._value(table, name, row, seed, bases) for name in columns)])
        chosen = ", ".join(f'v."{name}"' for name in columns)
        tuples = ",\n".join(f"({', '.join(cells)})" for cells in values)
        self.cr.execute(
            f'INSERT INTO "{table}" ({listed}) SELECT {chosen} FROM volume_plan p'
            f" CROSS JOIN LATERAL (VALUES {tuples}) AS v(keep, {listed}) WHERE v.keep ORDER BY p.i"
        )

    def _value(self, table: str, column: str, row: dict[str, str | None], seed: Seed, bases: dict[str, int]) -> str:
        """Return the SQL of one cell of the copies."""
        kind, text = self.columns[table][column], row[column]
        expression = None
        target = table if column == "id" else self.references[table].get(column)
        if text is None:
            return f"NULL::{kind}"
        if (table, column) in seed.cells:
            expression = seed.cells[table, column]
        elif target:
            expression = self._copied_id(target, int(text), seed, bases)
        elif (table, column) in self.money or column in SCALED:
            if float(text):
                expression = f"{text}::numeric * p.factor"
        elif kind == "date":
            day = date.fromisoformat(text)
            found = self.anchors.dates.get(day)
            expression = f"p.{found}" if found else f"p.date + {(day - self.anchors.today).days}"
        elif kind.startswith("timestamp"):
            shift = f"(p.date - {self._literal(self.anchors.today)}::date) * interval '1 day'"
            expression = f"{self._literal(text)}::timestamp + {shift}"
        elif column == "matching_number":
            full = "P" if text.startswith("P") else ""
            linked = "account_partial_reconcile" if full else "account_full_reconcile"
            copied = self._copied_id(linked, int(text.removeprefix("P")), seed, bases)
            expression = f"'{full}' || ({copied})"
        elif column in ("sequence_prefix", "sequence_number") and row.get("name") in seed.names:
            name = f"p.{seed.names[row['name']]}"
            expression = (
                f"regexp_replace({name}, '[0-9]+$', '')"
                if column == "sequence_prefix"
                else f"substring({name} from '[0-9]+$')::int"
            )
        elif kind.startswith("character varying") or kind == "text":
            expression = self._renamed(text, seed)
        return f"({expression})::{kind}" if expression else f"{self._literal(text)}::{kind}"

    def _copied_id(self, table: str, record_id: int, seed: Seed, bases: dict[str, int]) -> str | None:
        ids = sorted(seed.rows.get(table, []))
        if record_id in ids:
            return f"{bases[table] + ids.index(record_id)} + p.i * {len(ids)}"
        column = self.anchors.records.get((table, record_id))
        return f"p.{column}" if column else None

    def _renamed(self, text: str, seed: Seed) -> str | None:
        """Return the text with the seed's names replaced by the plan's, None if it holds none."""
        names = sorted(seed.names, key=len, reverse=True)
        parts = re.split(f"({'|'.join(map(re.escape, names))})", text) if names else [text]
        if len(parts) == 1:
            return None
        return " || ".join(
            f"p.{seed.names[part]}" if part in seed.names else self._literal(part) for part in parts if part
        )

    def _literal(self, value: object) -> str:
        # The statement goes through the driver's formatting once more, without arguments.
        return self.cr.mogrify("%s", [str(value)]).decode()
