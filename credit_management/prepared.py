"""Statements that PostgreSQL plans once per connection instead of at each use.

For one customer, PostgreSQL thinks longer about the exposure statement than it
works on it. A prepared statement keeps its plan as long as the connection
lives, which Odoo's pool keeps for minutes or hours.
"""

import hashlib
import logging
from datetime import date

import psycopg2.errors

from odoo.exceptions import ConcurrencyError

_logger = logging.getLogger(__name__)

# Beyond that, one plan for all numbers of customers is no good plan.
FEW = 20
# Texts differ with the number of rates and of ledger roles; that many never meet on one connection.
MOST_PER_CONNECTION = 50
# As psycopg2 writes them into a statement: its floats are numeric there.
TYPES = {bool: 'bool', int: 'int', float: 'numeric', str: 'text', date: 'date', type(None): 'int'}

_pooled = False


def execute_dict(env, query):
    """Run a SELECT through a prepared statement; return its rows as dicts.

    :param query: an `odoo.tools.SQL` whose values are scalars or lists of them;
        what should be planned once must not be part of its text
    """
    cr = env.cr
    types = [_type(value) for value in query.params]
    connection = getattr(cr, '_cnx', None)
    if _pooled or connection is None or None in types:
        return env.execute_query_dict(query)
    code = query.code
    name = 'credit_' + hashlib.sha256(f"{types} {code}".encode()).hexdigest()[:24]
    known = connection.__dict__.setdefault('credit_prepared', set())
    if name not in known:
        if len(known) >= MOST_PER_CONNECTION:
            return env.execute_query_dict(query)
        numbers = tuple(f'${number}' for number in range(1, len(types) + 1))
        arguments = f"({', '.join(types)})" if types else ''
        # Kept by the connection whatever becomes of the transaction.
        # pylint: disable-next=sql-injection  # our own text, its values are arguments
        cr.execute(f"PREPARE {name} {arguments} AS {code % numbers}")
        known.add(name)
    arguments = f"({', '.join(['%s'] * len(types))})" if types else ''
    try:
        # PostgreSQL would plan anew for the first uses, and go on with it where
        # it believes a plan of its own for each customer to be the cheaper.
        # pylint: disable-next=sql-injection  # as above
        cr.execute(f"SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE {name} {arguments}", query.params)
    except psycopg2.errors.InvalidSqlStatementName:
        _without_prepared_statements()
    columns = [column.name for column in cr.description]
    return [dict(zip(columns, row, strict=True)) for row in cr.fetchall()]


def _without_prepared_statements():
    """Do without from now on, and have Odoo run the request again."""
    global _pooled  # noqa: PLW0603  what is learnt of the server holds for the whole process
    _pooled = True
    _logger.info("Connections are shared between transactions: statements are no longer prepared.")
    raise ConcurrencyError("A prepared statement is gone.")


def _type(value):
    """Return PostgreSQL's type of a value, None of one that can't be passed."""
    if isinstance(value, list):
        inner = {TYPES.get(type(item)) for item in value} or {'int'}
        return f'{inner.pop()}[]' if len(inner) == 1 and None not in inner else None
    return TYPES.get(type(value))
