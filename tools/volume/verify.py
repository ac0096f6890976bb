"""Whether a volume database is one that Odoo could have made: what differs, in words."""

from odoo.fields import Command

BALANCES = {
    "a posted entry does not balance": """
        SELECT move_id FROM account_move_line
         WHERE display_type NOT IN ('line_section', 'line_subsection', 'line_note')
      GROUP BY move_id HAVING ROUND(SUM(balance), 4) <> 0""",
    "a balance is not debit less credit": """
        SELECT id FROM account_move_line WHERE ROUND(balance - debit + credit, 4) <> 0""",
    "a residual is not the balance less the reconciliations": """
        SELECT aml.id
          FROM account_move_line aml
          JOIN account_account account ON account.id = aml.account_id
          JOIN account_move move ON move.id = aml.move_id
     LEFT JOIN (SELECT debit_move_id AS id, SUM(amount) AS amount FROM account_partial_reconcile GROUP BY 1) paid
            ON paid.id = aml.id
     LEFT JOIN (SELECT credit_move_id AS id, SUM(amount) AS amount FROM account_partial_reconcile GROUP BY 1) used
            ON used.id = aml.id
         WHERE account.account_type = 'asset_receivable' AND move.state = 'posted'
           AND ROUND(aml.amount_residual - aml.balance, 4)
               <> ROUND(COALESCE(used.amount, 0) - COALESCE(paid.amount, 0), 4)""",
    "a line is reconciled with a residual, or not without one": """
        SELECT aml.id
          FROM account_move_line aml
          JOIN account_account account ON account.id = aml.account_id
         WHERE account.account_type = 'asset_receivable' AND aml.parent_state = 'posted'
           AND aml.reconciled IS DISTINCT FROM (aml.amount_residual = 0)""",
    "an invoice's residual is not that of its lines": """
        SELECT move.id
          FROM account_move move
          JOIN account_move_line aml ON aml.move_id = move.id AND aml.display_type = 'payment_term'
         WHERE move.state = 'posted'
      GROUP BY move.id HAVING ROUND(SUM(ABS(aml.amount_residual_currency)) - move.amount_residual, 4) <> 0""",
    "an entry's lines have another date, partner or state": """
        SELECT aml.id
          FROM account_move_line aml JOIN account_move move ON move.id = aml.move_id
         WHERE (aml.date, aml.parent_state, aml.partner_id, aml.move_name)
               IS DISTINCT FROM (move.date, move.state, move.commercial_partner_id, move.name)""",
    "two entries of a journal have one name": """
        SELECT MIN(id) FROM account_move WHERE state = 'posted' GROUP BY journal_id, name HAVING COUNT(*) > 1""",
    "two orders have one name": "SELECT MIN(id) FROM sale_order GROUP BY name HAVING COUNT(*) > 1",
    "an order's total is not that of its lines": """
        SELECT so.id FROM sale_order so JOIN sale_order_line sol ON sol.order_id = so.id
      GROUP BY so.id HAVING ROUND(SUM(sol.price_total) - so.amount_total, 4) <> 0""",
}
# What Odoo computes and stores, computed once more on a sample.
RECOMPUTED = {
    "account.move": (
        ["amount_untaxed", "amount_tax", "amount_total", "amount_residual", "amount_total_signed", "payment_state",
         "invoice_date_due", "sequence_prefix", "sequence_number", "commercial_partner_id", "needed_terms_dirty"],
        [("move_type", "in", ("out_invoice", "out_refund", "entry"))],
    ),
    "account.move.line": (
        ["amount_residual", "amount_residual_currency", "reconciled", "price_subtotal", "price_total",
         "matching_number"],
        [("parent_state", "=", "posted")],
    ),
    "account.payment": (["state", "is_reconciled", "is_matched", "name"], []),
    "sale.order": (["amount_untaxed", "amount_tax", "amount_total", "invoice_status", "delivery_status"], []),
    "sale.order.line": (
        ["qty_invoiced", "qty_delivered", "qty_to_invoice", "invoice_status", "price_subtotal", "price_total",
         "price_tax", "untaxed_amount_invoiced", "untaxed_amount_to_invoice", "credit_unit_price"],
        [],
    ),
    "stock.picking": (["state", "sale_id"], []),
    "res.partner": (["complete_name", "commercial_partner_id", "commercial_company_name"], []),
}  # fmt: skip


def verify(env, sample: int = 150) -> list[str]:
    """Return what is wrong, nothing if all is well; nothing is changed."""
    problems = [*_balances(env), *_orphans(env), *_recomputed(env, sample)]
    problems += _goes_on(env)
    env.cr.rollback()
    return problems


def _balances(env) -> list[str]:
    problems = []
    for text, query in BALANCES.items():
        env.cr.execute(query)
        if ids := [row[0] for row in env.cr.fetchall()]:
            problems.append(f"{text}: {len(ids)}, as {sorted(ids)[:5]}")
    return problems


def _orphans(env) -> list[str]:
    """Look for references that lead nowhere: what is loaded without triggers is not checked by PostgreSQL."""
    env.cr.execute(
        """
        SELECT con.conrelid::regclass::text, att.attname, con.confrelid::regclass::text, target.attname
          FROM pg_constraint con
          JOIN pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = con.conkey[1]
          JOIN pg_attribute target ON target.attrelid = con.confrelid AND target.attnum = con.confkey[1]
         WHERE con.contype = 'f' AND cardinality(con.conkey) = 1
        """
    )
    problems = []
    for table, column, target, key in env.cr.fetchall():
        env.cr.execute(
            f'SELECT COUNT(*) FROM {table} WHERE "{column}" IS NOT NULL'
            f' AND NOT EXISTS (SELECT FROM {target} target WHERE target."{key}" = {table}."{column}")'
        )
        [[count]] = env.cr.fetchall()
        if count:
            problems.append(f"{table}.{column} leads nowhere: {count}")
    return problems


def _recomputed(env, sample: int) -> list[str]:
    problems = []
    for model, (names, domain) in RECOMPUTED.items():
        fields = env[model]._fields
        names = [name for name in names if name in fields and fields[name].store and fields[name].compute]
        ids = env[model].search(domain).ids
        records = env[model].browse(ids[:: max(1, len(ids) // sample)])
        stored = {record.id: {name: record[name] for name in names} for record in records}
        for name in names:
            env.add_to_compute(records._fields[name], records)
        for record in records:
            for name in names:
                before, after = stored[record.id][name], record[name]
                same = abs(before - after) < 1e-6 if isinstance(after, float) else before == after
                if not same:
                    problems.append(f"{model} {record.id}: {name} is {before!r}, Odoo computes {after!r}")
        # Nothing of it is to be written.
        env.cr.rollback()
        env.invalidate_all(flush=False)
        env.transaction.clear()
    return problems


def _goes_on(env) -> list[str]:
    """Make another order, its delivery, invoice and payment, as a user would."""
    customer = env["credit.account"].search([], limit=1, order="id desc").partner_id
    product = env["product.product"].search([("name", "=", "Article 1")], limit=1)
    order = env["sale.order"].create(
        {"partner_id": customer.id, "order_line": [Command.create({"product_id": product.id, "price_unit": 20})]}
    )
    order.action_confirm()
    order.picking_ids.move_ids.quantity = 1
    order.picking_ids.with_context(skip_sms=True).button_validate()
    invoice = order._create_invoices()
    invoice.action_post()
    register = env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids)
    register.create({})._create_payments()
    env.flush_all()
    problems = []
    if invoice.payment_state not in ("paid", "in_payment"):
        problems.append(f"a new invoice is {invoice.payment_state}, not paid")
    for record, domain in (
        (order, []),
        (order.picking_ids, []),
        (invoice, [("journal_id", "=", invoice.journal_id.id), ("state", "=", "posted")]),
    ):
        if record.search_count([*domain, ("name", "=", record.name)]) != 1:
            problems.append(f"the name {record.name} was taken")
    if invoice.made_sequence_gap:
        problems.append(f"{invoice.name} leaves a gap")
    return problems
