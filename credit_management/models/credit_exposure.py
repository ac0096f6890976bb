from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..engine.facts import CATEGORIES

CATEGORY_LABELS = [
    ('open_item', "Open items"),
    ('in_clearing', "In clearing"),
    ('draft_invoice', "Draft invoices"),
    ('delivered', "Delivered, not invoiced"),
    ('ordered', "Ordered, not delivered"),
]
# What the builder reads: flushed before each statement, because raw SQL does
# not see pending writes.
SOURCES = {
    'account.move': [
        'amount_total', 'commercial_partner_id', 'company_id', 'currency_id', 'invoice_date', 'invoice_date_due',
        'move_type', 'name', 'partner_id', 'payment_state', 'reversed_entry_id', 'state',
    ],
    'account.move.line': [
        'account_id', 'amount_residual', 'amount_residual_currency', 'balance', 'company_id', 'currency_id', 'date',
        'date_maturity', 'move_id', 'name', 'parent_state', 'partner_id', 'price_total', 'product_uom_id', 'quantity',
        'reconciled', 'sale_line_ids',
    ],
    'account.account': ['account_type'],
    'res.partner': ['commercial_partner_id'],
    'sale.order': ['company_id', 'currency_id', 'date_order', 'name', 'partner_invoice_id', 'state'],
    'sale.order.line': [
        'credit_unit_price', 'display_type', 'is_downpayment', 'name', 'order_id', 'price_total', 'product_id',
        'product_uom_id', 'product_uom_qty', 'qty_delivered', 'qty_invoiced',
    ],
}  # fmt: skip


class CreditExposure(models.Model):
    """What we stand to lose, one row per open document line.

    There is no table: the rows are computed from the documents at each reading,
    by the same statement that the figures of an account and every check use.
    """

    _name = 'credit.exposure'
    _description = "Credit Exposure"
    _auto = False
    _order = 'date_due, id'

    account_id = fields.Many2one('credit.account', string="Credit Account", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    company_id = fields.Many2one('res.company', readonly=True, help="Company that carries the credit risk.")
    document_company_id = fields.Many2one('res.company', readonly=True, help="Company or branch of the document.")
    currency_id = fields.Many2one('res.currency', readonly=True)
    category = fields.Selection(CATEGORY_LABELS, readonly=True)
    res_model = fields.Char(string="Document Type", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    name = fields.Char(string="Description", readonly=True)
    date = fields.Date(readonly=True)
    date_due = fields.Date(string="Due Date", readonly=True)
    amount = fields.Monetary(readonly=True, help="Taxed amount in company currency.")
    amount_currency = fields.Monetary(
        string="Amount in Currency",
        currency_field='document_currency_id',
        readonly=True,
        help="Taxed amount in the currency of the document.",
    )
    document_currency_id = fields.Many2one('res.currency', readonly=True)

    @property
    def _table_query(self):
        # The context narrows what is computed, never what may be seen: access
        # rights and the company rule are applied to the rows as to any record.
        partner_ids = self._partners_of_context()
        companies = self.env.companies.root_id or self.env.company.root_id
        self._flush_sources()
        return SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT exposure.*, account.id AS account_id, %(company)s AS company_id, %(currency)s AS currency_id
                  FROM (%(rows)s) AS exposure
             LEFT JOIN credit_account AS account
                    ON account.partner_id = exposure.partner_id
                   AND account.company_id = %(company)s
                   AND account.active
                """,
                company=company.id,
                currency=company.currency_id.id,
                rows=self._rows_sql(company, company._credit_today(), partner_ids),
            )
            for company in companies
        )

    @api.model
    def _partners_of_context(self):
        """Return the commercial partners to which an action narrows the rows, None for all."""
        context = self.env.context
        if account_id := context.get('credit_account_id'):
            return self.env['credit.account'].sudo().browse(int(account_id)).exists().partner_id.ids
        if partner_id := context.get('credit_partner_id'):
            return self.env['res.partner'].sudo().browse(int(partner_id)).exists().commercial_partner_id.ids
        return None

    @api.model
    def _action(self, name, record, category):
        """Return the action on the rows of a record, with the filter of one category if it is one."""
        action = self.env['ir.actions.act_window']._for_xml_id(f'credit_management.credit_exposure_action_{name}')
        action['context'] = {'active_id': record.id, f'credit_{name}_id': record.id}
        if category in CATEGORIES:
            action['context'][f'search_default_{category}'] = True
        return action

    def action_open_document(self):
        """Open the invoice, journal entry or order behind this row."""
        self.ensure_one()
        # The row stands for a document that the user may be barred from.
        document = self.env[self.res_model].browse(self.res_id)
        if not document.has_access('read'):
            raise AccessError(
                self.env._(
                    "You are not allowed to open %(document)s. Ask its salesperson.", document=self.document_name
                )
            )
        return document.get_formview_action()

    # -------------------------------------------------------------------------
    # The builder
    # -------------------------------------------------------------------------

    @api.model
    def _sources(self):
        """Return {model: fields} that the builder reads; extend with what your SQL adds."""
        return SOURCES

    @api.model
    def _flush_sources(self):
        for model, names in self._sources().items():
            self.env[model].flush_model(names)

    @api.model
    def _rows_sql(self, company, date, partner_ids=None, exclude_order_ids=()):
        """Return the SELECT of all open document lines of one company tree.

        Columns: id, partner_id (commercial), document_company_id, category,
        res_model, res_id, document_name, name, date, date_due, amount (company
        currency, rounded), amount_currency, document_currency_id. The caller
        flushes first, see `_flush_sources`.

        :param company: the root company
        :param date: the date whose rates convert what is not posted
        :param partner_ids: commercial partners to restrict to, None for all
        :param exclude_order_ids: orders left out, as the one being checked
        """
        rounding = company.currency_id.rounding
        common = {
            'branches': self._branches_sql(company),
            'factor': lambda column: self._factor_sql(company, date, SQL(column)),
            'rounding': rounding,
        }
        return SQL(
            """
            WITH line AS (%(lines)s),
                 open_order AS (%(orders)s)
            SELECT * FROM (%(open_items)s) AS open_item
            UNION ALL
            SELECT * FROM (%(drafts)s) AS draft_invoice
            UNION ALL
            SELECT line.id::bigint * 8 + part.code, line.partner_id, line.document_company_id, part.category,
                   'sale.order', line.order_id, line.document_name, line.name, line.date, NULL::date,
                   ROUND((part.amount / %(rounding)s)::numeric) * %(rounding)s,
                   part.amount / line.factor, line.document_currency_id
              FROM line
              JOIN open_order USING (order_id)
        CROSS JOIN LATERAL (VALUES (0, 'ordered', line.ordered), (1, 'delivered', line.delivered))
                   AS part(code, category, amount)
             WHERE open_order.total > 0 AND part.amount <> 0
            UNION ALL
            SELECT open_order.order_id::bigint * 8 + part.code, open_order.partner_id,
                   open_order.document_company_id, part.category,
                   'sale.order', open_order.order_id, open_order.document_name, %(down_payment)s, open_order.date,
                   NULL::date, -ROUND((part.amount / %(rounding)s)::numeric) * %(rounding)s,
                   -part.amount / open_order.factor, open_order.document_currency_id
              FROM open_order
        CROSS JOIN LATERAL (VALUES (2, 'ordered', LEAST(paid, GREATEST(ordered, 0))),
                                   (3, 'delivered', paid - LEAST(paid, GREATEST(ordered, 0))))
                   AS part(code, category, amount)
             WHERE open_order.total > 0 AND part.amount > 0
            """,
            lines=self._order_lines_sql(partner_ids, exclude_order_ids, common),
            orders=self._orders_sql(common),
            open_items=self._open_items_sql(partner_ids, common),
            drafts=self._drafts_sql(partner_ids, common),
            down_payment=self.env._("Down payment"),
            rounding=rounding,
        )

    @api.model
    def _branches_sql(self, company):
        """Return the subselect of a root company and its branches."""
        return SQL("(SELECT id FROM res_company WHERE parent_path LIKE %s)", f'{company.id}/%')

    @api.model
    def _factor_sql(self, company, date, currency):
        """Return the SQL of one unit of a currency (an SQL column) in company currency at a date.

        The rates are literals, so that the planner has no joins to weigh: for
        one customer it works longer than the executor does.
        """
        factors = self.env['res.currency']._credit_factors(company.id, date)
        if not factors:
            return SQL("1")
        whens = SQL(" ").join(SQL("WHEN %s THEN %s", currency_id, factor) for currency_id, factor in factors)
        return SQL("(CASE %s %s ELSE 1 END)", currency, whens)

    @api.model
    def _partners_sql(self, column, partner_ids):
        """Return the condition that a commercial partner is among those asked for."""
        if partner_ids is None:
            return SQL("TRUE")
        return SQL("%s = ANY(%s)", column, list(partner_ids))

    @api.model
    def _open_items_sql(self, partner_ids, common):
        """Return the rows of posted, unreconciled receivable lines."""
        # Through the partners first: the ledger is indexed by the line's own
        # partner, which may be a contact of the customer.
        partners = (
            SQL("TRUE")
            if partner_ids is None
            else SQL(
                "aml.partner_id IN (SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s))",
                list(partner_ids),
            )
        )
        return SQL(
            """
            SELECT aml.id::bigint * 8 + 4 AS id, partner.commercial_partner_id AS partner_id,
                   aml.company_id AS document_company_id, 'open_item' AS category,
                   'account.move' AS res_model, aml.move_id AS res_id,
                   move.name AS document_name, aml.name AS name, aml.date AS date,
                   COALESCE(aml.date_maturity, aml.date) AS date_due,
                   aml.amount_residual AS amount, aml.amount_residual_currency AS amount_currency,
                   aml.currency_id AS document_currency_id
              FROM account_move_line aml
              JOIN account_account account ON account.id = aml.account_id
              JOIN account_move move ON move.id = aml.move_id
              JOIN res_partner partner ON partner.id = aml.partner_id
             WHERE aml.reconciled IS NOT TRUE
               AND aml.parent_state = 'posted'
               AND aml.amount_residual <> 0
               AND account.account_type = 'asset_receivable'
               AND aml.company_id IN %(branches)s
               AND %(partners)s
            """,
            branches=common['branches'],
            partners=partners,
        )

    @api.model
    def _drafts_sql(self, partner_ids, common):
        """Return the rows of draft customer invoices; draft credit notes count nowhere."""
        return SQL(
            """
            SELECT move.id::bigint * 8 + 5, move.commercial_partner_id, move.company_id, 'draft_invoice',
                   'account.move', move.id, COALESCE(NULLIF(move.name, '/'), %(draft)s), NULL,
                   COALESCE(move.invoice_date, move.date), move.invoice_date_due,
                   ROUND((move.amount_total * %(factor)s / %(rounding)s)::numeric) * %(rounding)s,
                   move.amount_total, move.currency_id
              FROM account_move move
             WHERE move.state = 'draft'
               AND move.move_type IN ('out_invoice', 'out_receipt')
               AND move.amount_total <> 0
               AND move.company_id IN %(branches)s
               AND %(partners)s
            """,
            draft=self.env._("Draft"),
            branches=common['branches'],
            rounding=common['rounding'],
            factor=common['factor']("move.currency_id"),
            partners=self._partners_sql(SQL("move.commercial_partner_id"), partner_ids),
        )

    @api.model
    def _order_lines_sql(self, partner_ids, exclude_order_ids, common):
        """Return the open value of confirmed order lines, split in delivered and ordered.

        Value of one unit v, quantity to be owed Q (at least what was ordered or
        delivered), quantity invoiced I: the line stands for v * max(0, Q - I),
        of which v * max(0, min(Q, delivered) - I) is delivered. A line of a
        negative quantity (trade-in) mirrors that below 0.
        """
        demand = self._demand_sql()
        partners = (
            SQL("TRUE")
            if partner_ids is None
            else SQL(
                "so.partner_invoice_id IN (SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s))",
                list(partner_ids),
            )
        )
        exclude = SQL("so.id <> ALL(%s)", list(exclude_order_ids)) if exclude_order_ids else SQL("TRUE")
        return SQL(
            """
            SELECT valued.*,
                   unit_value * delivered_quantity AS delivered,
                   unit_value * (open_quantity - delivered_quantity) AS ordered
              FROM (SELECT quantities.*,
                           CASE WHEN due < 0 THEN LEAST(0, due - invoiced)
                                ELSE GREATEST(0, due - invoiced) END AS open_quantity,
                           CASE WHEN due < 0 THEN LEAST(0, GREATEST(due, qty_delivered) - invoiced)
                                ELSE GREATEST(0, LEAST(due, qty_delivered) - invoiced) END AS delivered_quantity
              FROM (
                SELECT sol.id, so.id AS order_id, partner.commercial_partner_id AS partner_id,
                       so.company_id AS document_company_id, so.currency_id AS document_currency_id,
                       so.name AS document_name, sol.name, so.date_order::date AS date,
                       %(factor)s AS factor,
                       %(factor)s * CASE WHEN sol.product_uom_qty <> 0
                            THEN sol.price_total / sol.product_uom_qty
                            ELSE COALESCE(sol.credit_unit_price, 0) END AS unit_value,
                       COALESCE(sol.qty_delivered, 0) AS qty_delivered,
                       CASE WHEN sol.product_uom_qty < 0 THEN LEAST(sol.product_uom_qty, COALESCE(sol.qty_delivered, 0))
                            ELSE %(due)s END AS due,
                       COALESCE(invoice.quantity, 0) AS invoiced
                  FROM sale_order so
                  JOIN res_partner partner ON partner.id = so.partner_invoice_id
                  JOIN sale_order_line sol ON sol.order_id = so.id
             LEFT JOIN uom_uom uom ON uom.id = sol.product_uom_id
             LEFT JOIN LATERAL (%(invoiced)s) AS invoice ON TRUE
                       %(demand_join)s
                 WHERE so.state = 'sale'
                   AND so.company_id IN %(branches)s
                   AND sol.display_type IS NULL
                   -- A true down payment line has no quantity of its own.
                   AND (sol.is_downpayment IS NOT TRUE OR sol.product_uom_qty <> 0)
                   -- Skips nothing but finished lines: core's invoiced quantity
                   -- is above ours only where an invoice was reversed in full by
                   -- a credit note that names none of its order lines.
                   AND (sol.product_uom_qty > COALESCE(sol.qty_invoiced, 0)
                        OR sol.qty_delivered > COALESCE(sol.qty_invoiced, 0)
                        OR (sol.product_uom_qty < 0 AND sol.product_uom_qty < COALESCE(sol.qty_invoiced, 0))
                        OR sol.id IN (%(reversed)s)
                        OR %(demand_open)s)
                   AND %(partners)s
                   AND %(exclude)s
              ) AS quantities) AS valued
            """,
            factor=common['factor']("so.currency_id"),
            due=demand['due'],
            demand_join=demand['join'],
            demand_open=demand['open'],
            reversed=self._reversed_lines_sql(partner_ids),
            invoiced=self._invoiced_sql(),
            branches=common['branches'],
            partners=partners,
            exclude=exclude,
        )

    @api.model
    def _reversed_lines_sql(self, partner_ids):
        """Return the SELECT of the order lines on invoices that a posted credit note reverses."""
        partners = (
            SQL("TRUE")
            if partner_ids is None
            else SQL(
                "credit_note.partner_id IN (SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s))",
                list(partner_ids),
            )
        )
        return SQL(
            """
            SELECT rel.order_line_id
              FROM account_move credit_note
              JOIN account_move_line aml ON aml.move_id = credit_note.reversed_entry_id
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = aml.id
             WHERE credit_note.reversed_entry_id IS NOT NULL
               AND credit_note.move_type = 'out_refund'
               AND credit_note.state = 'posted'
               AND %s
            """,
            partners,
        )

    @api.model
    def _demand_sql(self):
        """Return how much of an order line (alias sol, its unit uom) will be owed in the end.

        A dict of three SQL pieces: `join` added to the FROM clause, `due` the
        quantity in the line's unit, `open` a condition that keeps a line which
        looks finished but isn't. Without stock moves that is what was ordered,
        or delivered if that is more.
        """
        return {
            'join': SQL(),
            'due': SQL("GREATEST(sol.product_uom_qty, COALESCE(sol.qty_delivered, 0))"),
            'open': SQL("FALSE"),
        }

    @api.model
    def _invoiced_sql(self):
        """Return the SELECT of an order line's invoiced quantity in the line's unit.

        Drafts count, cancelled invoices don't. A credit note that reverses an
        invoice takes back money, not goods, and does not lower the quantity;
        but an invoice reversed in full is as if it had never been. A posted
        credit note that reverses nothing is the invoice of a return.
        """
        return SQL(
            """
            SELECT SUM(
                       CASE move.move_type WHEN 'out_refund' THEN -aml.quantity ELSE aml.quantity END
                       * COALESCE(aml_uom.factor / uom.factor, 1)
                   ) AS quantity
              FROM sale_order_line_invoice_rel rel
              JOIN account_move_line aml ON aml.id = rel.invoice_line_id
              JOIN account_move move ON move.id = aml.move_id
         LEFT JOIN uom_uom aml_uom ON aml_uom.id = aml.product_uom_id
             WHERE rel.order_line_id = sol.id
               AND (
                    move.move_type = 'out_refund' AND move.state = 'posted' AND move.reversed_entry_id IS NULL
                    OR move.move_type IN ('out_invoice', 'out_receipt')
                   AND (move.state <> 'cancel' OR move.payment_state = 'invoicing_legacy')
                   AND (SELECT SUM(credit_note.amount_total) >= move.amount_total
                          FROM account_move credit_note
                         WHERE credit_note.reversed_entry_id = move.id
                           AND credit_note.move_type = 'out_refund'
                           AND credit_note.state = 'posted') IS NOT TRUE
               )
            """
        )

    @api.model
    def _orders_sql(self, common):
        """Return per order the sums of its lines and what down payments take off them.

        Down payments come off what is not delivered first. An order's sum is
        not below 0, so they take off no more than there is.
        """
        return SQL(
            """
            SELECT summed.*, LEAST(summed.total, down.amount) AS paid
              FROM (
                SELECT order_id, partner_id, document_company_id, document_currency_id, document_name, date, factor,
                       SUM(ordered) AS ordered, SUM(ordered) + SUM(delivered) AS total
                  FROM line
              GROUP BY order_id, partner_id, document_company_id, document_currency_id, document_name, date, factor
              ) AS summed
        CROSS JOIN LATERAL (
                SELECT GREATEST(0, COALESCE(SUM(
                           CASE move.move_type WHEN 'out_refund' THEN -aml.price_total ELSE aml.price_total END
                           * %(factor)s), 0)) AS amount
                  FROM sale_order_line sol
                  JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = sol.id
                  JOIN account_move_line aml ON aml.id = rel.invoice_line_id
                  JOIN account_move move ON move.id = aml.move_id
                 WHERE sol.order_id = summed.order_id
                   AND sol.is_downpayment
                   AND sol.product_uom_qty = 0
                   AND (move.move_type IN ('out_invoice', 'out_receipt') AND move.state <> 'cancel'
                        OR move.move_type = 'out_refund' AND move.state = 'posted')
              ) AS down
            """,
            factor=common['factor']("move.currency_id"),
        )

    @api.model
    def _open_value(self, order):
        """Return what is not invoiced of a confirmed order, in its currency."""
        self._flush_sources()
        company = order.company_id.root_id
        debtor = order.partner_invoice_id.commercial_partner_id
        rows = self._rows_sql(company, company._credit_today(), debtor.ids)
        [[amount]] = self.env.execute_query(
            SQL(
                "SELECT COALESCE(SUM(amount_currency), 0) FROM (%s) AS exposure"
                " WHERE res_model = 'sale.order' AND res_id = %s",
                rows,
                order.id,
            )
        )
        return order.currency_id.round(amount)

    # -------------------------------------------------------------------------
    # Sums
    # -------------------------------------------------------------------------

    @api.model
    def _sums_sql(self, company, date, partner_ids=None, exclude_order_ids=(), graces=(0,), held=False, choice=None):
        """Return the SELECT of one row per customer with anything open.

        Columns: partner_id, one per category, `unallocated` (credits not yet
        matched, positive), `overdue_booked` (before they are applied), `overdue_<n>` for each number of days of grace,
        `days_overdue`, `oldest_due`; amounts in company currency. Age and
        overdue follow from what is left of each item after the unallocated
        credits have paid the oldest ones, without the residues below the
        floors of the customer's policy.

        :param held: with what counts in rules, without the items due before the
            policy starts or before what was accepted as is: `held_overdue_<n>`,
            `held_days_overdue`, and `overdue_left_out`, the amount of the others
        :param choice: which policy is taken, see `credit.policy._policy_sql`
        """
        categories = SQL(", ").join(
            SQL("COALESCE(SUM(amount) FILTER (WHERE category = %s), 0) AS %s", category, SQL.identifier(category))
            for category in CATEGORIES
        )
        overdue = SQL(", ").join(
            SQL("COALESCE(SUM(remaining) FILTER (WHERE age > %s), 0) AS %s", grace, SQL.identifier(f'overdue_{grace}'))
            for grace in graces
        )
        columns = SQL(", ").join(
            SQL(
                "CASE WHEN aged.counts THEN aged.%(name)s ELSE 0 END AS %(name)s",
                name=SQL.identifier(f'overdue_{grace}'),
            )
            for grace in graces
        )
        aggregates, counted = [], []
        if held:
            aggregates = [
                SQL(
                    "COALESCE(SUM(remaining) FILTER (WHERE age > %s AND late), 0) AS %s",
                    grace,
                    SQL.identifier(f'held_overdue_{grace}'),
                )
                for grace in graces
            ] + [
                SQL(
                    "COALESCE(SUM(remaining) FILTER (WHERE age > 0 AND late), 0)"
                    " > COALESCE(MAX(customer.customer_floor), 50) AS held_counts"
                ),
                SQL("MAX(age) FILTER (WHERE age > 0 AND late) AS held_days_overdue"),
                SQL("COALESCE(SUM(remaining) FILTER (WHERE age > 0 AND NOT late), 0) AS overdue_left_out"),
            ]
            names = [('held_counts', f'held_overdue_{grace}') for grace in graces]
            names += [('held_counts', 'held_days_overdue'), ('counts', 'overdue_left_out')]
            counted = [
                SQL(
                    "CASE WHEN aged.%(condition)s THEN COALESCE(aged.%(name)s, 0) ELSE 0 END AS %(name)s",
                    condition=SQL.identifier(condition),
                    name=SQL.identifier(name),
                )
                for condition, name in names
            ]
        return SQL(
            """
            WITH exposure AS (%(rows)s),
            item AS (
                SELECT partner_id, date_due, amount, res_id, (id - 4) / 8 AS line_id,
                       SUM(GREATEST(amount, 0)) OVER (
                           PARTITION BY partner_id ORDER BY date_due, id) AS debits_so_far,
                       SUM(GREATEST(-amount, 0)) OVER (PARTITION BY partner_id) AS unallocated
                  FROM exposure
                 WHERE category = 'open_item'
            ),
            summed AS (SELECT partner_id, %(categories)s FROM exposure GROUP BY partner_id),
            customer AS (
                SELECT summed.partner_id, policy.item_floor_percent, policy.customer_floor,
                       %(counted_from)s AS counted_from
                  FROM summed
             LEFT JOIN credit_account account
                    ON account.partner_id = summed.partner_id AND account.company_id = %(company)s AND account.active
             LEFT JOIN credit_policy policy ON policy.id = %(policy)s
            ),
            aged AS (
                SELECT item.partner_id, MAX(unallocated) AS unallocated,
                       COALESCE(SUM(item.amount) FILTER (
                           WHERE item.amount > 0 AND item.date_due < %(date)s::date), 0) AS overdue_booked,
                       %(overdue)s,
                       COALESCE(SUM(remaining) FILTER (WHERE age > 0), 0)
                           > COALESCE(MAX(customer.customer_floor), 50) AS counts,
                       %(aggregates)s
                       MAX(age) FILTER (WHERE age > 0) AS days_overdue,
                       MIN(date_due) FILTER (WHERE age > 0) AS oldest_due
                  FROM item
                  JOIN customer ON customer.partner_id = item.partner_id
             LEFT JOIN account_move_line aml ON aml.id = item.line_id
        CROSS JOIN LATERAL (
                SELECT CASE WHEN left_over > item_floor THEN left_over ELSE 0 END AS remaining,
                       CASE WHEN left_over > item_floor THEN %(date)s::date - item.date_due END AS age,
                       customer.counted_from IS NULL OR item.date_due >= customer.counted_from AS late
                  FROM (
                    SELECT GREATEST(0, LEAST(item.amount, item.debits_so_far - item.unallocated)),
                           GREATEST(0, aml.balance) * COALESCE(customer.item_floor_percent, 1) / 100
                  ) AS rest(left_over, item_floor)
              ) AS counted
              GROUP BY item.partner_id
            )
            SELECT summed.*, COALESCE(aged.unallocated, 0) AS unallocated,
                   COALESCE(aged.overdue_booked, 0) AS overdue_booked, %(columns)s, %(counted)s
                   CASE WHEN aged.counts THEN COALESCE(aged.days_overdue, 0) ELSE 0 END AS days_overdue,
                   CASE WHEN aged.counts THEN aged.oldest_due END AS oldest_due
              FROM summed
         LEFT JOIN aged USING (partner_id)
            """,
            rows=self._rows_sql(company, date, partner_ids, exclude_order_ids),
            overdue=overdue,
            columns=columns,
            categories=categories,
            company=company.id,
            policy=self.env['credit.policy']._policy_sql(company, SQL("summed.partner_id"), **(choice or {})),
            counted_from=self._counted_from_sql(date),
            aggregates=SQL().join(SQL("%s, ", aggregate) for aggregate in aggregates),
            counted=SQL().join(SQL("%s, ", column) for column in counted),
            date=date,
        )

    @api.model
    def _counted_from_sql(self, date):
        """Return the SQL of the day from which on due items count in rules; NULL for all of them.

        Reads the customer's `account` and `policy`.
        """
        return SQL(
            "GREATEST(policy.date_start, CASE WHEN account.accepted_until >= %s THEN account.accepted_from END)", date
        )
