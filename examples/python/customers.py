"""The application's customers, in a table."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import settings
from outcomes import standing

if TYPE_CHECKING:
    from outcomes import Outcome

# `attempt` counts up when the customer may begin anew. `scan_ref` names the verification that
# counts, the latest attempt's. `occurred_at` is of the outcome that `standing` is from.
SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (
    id TEXT PRIMARY KEY,
    attempt INTEGER NOT NULL DEFAULT 1,
    scan_ref TEXT,
    standing TEXT,
    occurred_at TEXT NOT NULL DEFAULT ''
)
"""


def execute(sql: str, *values: object) -> list[sqlite3.Row]:
    with sqlite3.connect(settings.CUSTOMERS_FILE) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, values).fetchall()


execute(SCHEMA)


def add(customer: str) -> None:
    execute("INSERT INTO customers (id) VALUES (?)", customer)


def find(customer: str) -> sqlite3.Row | None:
    return next(iter(execute("SELECT * FROM customers WHERE id = ?", customer)), None)


def begin_anew(customer: str, attempt: int) -> None:
    execute(
        "UPDATE customers SET attempt = ?, scan_ref = NULL, standing = NULL, occurred_at = '' "
        "WHERE id = ? AND attempt < ?",
        attempt, customer, attempt,
    )


def set_session(customer: str, scan_ref: str) -> None:
    """A session that is known keeps its outcome, which may be there by now."""
    execute(
        "UPDATE customers SET scan_ref = ?, standing = NULL, occurred_at = '' "
        "WHERE id = ? AND scan_ref IS NOT ?",
        scan_ref, customer, scan_ref,
    )


def record(outcome: Outcome) -> None:
    """The latest outcome counts. One that comes again, or late, changes nothing."""
    scan_ref, occurred_at = outcome["detail"]["scanRef"], outcome["detail"]["occurredAt"]
    execute(
        "UPDATE customers SET standing = ?, occurred_at = ? WHERE scan_ref = ? AND occurred_at < ?",
        standing(outcome), occurred_at, scan_ref, occurred_at,
    )
