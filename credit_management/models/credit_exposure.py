from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..engine.facts import CATEGORIES
from .credit_ledger_account import ROLE_LABELS

CATEGORY_LABELS = [
    ('open_item', "Open items"),
    ('in_clearing', "In clearing"),
    ('draft_invoice', "Draft invoices"),
    ('delivered', "Delivered, not invoiced"),
    ('ordered', "Ordered, not delivered"),
]
# The ledger's side of the open items, each a line of the bridge.
LEDGER_ROLES = ('receivable', 'advance', 'other')
# Customers from which on the exposure of all is summed, whoever was asked for.
MANY = 1000
# What the builder reads: flushed before each statement, because raw SQL does
# not see pending writes.
SOURCES = {
    'account.move': [
        'amount_total', 'commercial_partner_id', 'company_id', 'currency_id', 'invoice_date', 'invoice_date_due',
        'move_type', 'name', 'payment_state', 'reversed_entry_id', 'state',
    ],
    'account.move.line': [
        'account_id', 'amount_residual', 'amount_residual_currency', 'balance', 'company_id', 'currency_id', 'date',
        'date_maturity', 'move_id', 'name', 'parent_state', 'partner_id', 'price_total', 'product_uom_id', 'quantity',
        'reconciled', 'sale_line_ids', 'tax_line_id',
    ],
    'account.account': ['name'],
    'account.partial.reconcile': [
        'amount', 'credit_amount_currency', 'credit_move_id', 'debit_amount_currency', 'debit_move_id'
    ],
    'res.partner': ['commercial_partner_id'],
    'sale.order': ['company_id', 'currency_id', 'date_order', 'name', 'partner_invoice_id', 'state'],
    'sale.order.line': [
        'credit_closed_quantity', 'credit_unit_price', 'display_type', 'is_downpayment', 'name', 'order_id',
        'price_total', 'product_id', 'product_uom_id', 'product_uom_qty', 'qty_delivered', 'qty_invoiced',
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
    ledger_account_id = fields.Many2one('account.account', readonly=True)
    ledger_role = fields.Selection(
        [item for item in ROLE_LABELS if item[0] != 'ignored'], string="Ledger Side", readonly=True
    )
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
        self._flush_sources(partner_ids)
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
        """Return the action on the rows of a record, with the filter of one line of the bridge if it is one."""
        action = self.env['ir.actions.act_window']._for_xml_id(f'credit_management.credit_exposure_action_{name}')
        action['context'] = {'active_id': record.id, f'credit_{name}_id': record.id}
        if category in (*CATEGORIES, *(f'ledger_{role}' for role in LEDGER_ROLES)):
            action['context'][f'search_default_{category}'] = True
        return action

    def action_open_document(self):
        """Open the invoice, journal entry or order behind this row."""
        self.ensure_one()
        if self.res_model == 'account.account':
            return self._action_open_balance()
        # The row stands for a document that the user may be barred from.
        document = self.env[self.res_model].browse(self.res_id)
        if not document.has_access('read'):
            raise AccessError(
                self.env._(
                    "You are not allowed to open %(document)s. Ask its salesperson.", document=self.document_name
                )
            )
        return document.get_formview_action()

    def _action_open_balance(self):
        """Open the entries that make up a customer's balance on an account."""
        return {
            'type': 'ir.actions.act_window',
            'name': self.document_name,
            'res_model': 'account.move.line',
            'view_mode': 'list,pivot,form',
            'domain': [
                ('account_id', '=', self.ledger_account_id.id),
                ('partner_id.commercial_partner_id', '=', self.partner_id.id),
                ('company_id', '=', self.document_company_id.id),
                ('parent_state', '=', 'posted'),
            ],
            'context': {'create': False},
        }

    # -------------------------------------------------------------------------
    # The builder
    # -------------------------------------------------------------------------

    @api.model
    def _sources(self):
        """Return {model: fields} that the builder reads; extend with what your SQL adds."""
        return SOURCES

    @api.model
    def _flush_sources(self, partner_ids=()):
        """Make what the builder reads true in the database.

        :param partner_ids: customers that are read next, None for all
        """
        for model, names in self._sources().items():
            self.env[model].flush_model(names)
        if partner_ids is None or len(partner_ids) > MANY:
            # PostgreSQL would compile a statement that looks so dear, which
            # takes a second and makes it no faster; and sort it on disk.
            self.env.cr.execute("SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")

    @api.model
    def _rows_sql(self, company, date, partner_ids=None, exclude_order_ids=(), detail=True):
        """Return the SELECT of all open document lines of one company tree.

        Columns: id, partner_id (commercial), category, ledger_role, date_due,
        amount (company currency, rounded), booked (the amount of the whole
        ledger item); with `detail` also document_company_id, res_model, res_id,
        document_name, name, date, amount_currency, document_currency_id and
        ledger_account_id. The caller flushes first, see `_flush_sources`.

        :param company: the root company
        :param date: the date whose rates convert what is not posted
        :param partner_ids: commercial partners to restrict to, None for all
        :param exclude_order_ids: orders left out, as the one being checked
        :param detail: False for sums per customer, which need no names and are the faster for it
        """
        common = self._common(company, date, partner_ids, exclude_order_ids, detail)
        return SQL(
            """
            WITH %(lines)s,
                 open_order AS (%(orders)s)
            SELECT * FROM (%(open_items)s) AS open_item
            UNION ALL
            SELECT * FROM (%(matched_drafts)s) AS matched_draft
            UNION ALL
            SELECT * FROM (%(balances)s) AS balance
            UNION ALL
            SELECT * FROM (%(drafts)s) AS draft_invoice
            UNION ALL
            %(open_orders)s
            """,
            lines=self._lines_sql(common),
            orders=self._orders_sql(common),
            open_items=self._open_items_sql(common),
            matched_drafts=self._matched_drafts_sql(common),
            balances=self._balances_sql(common),
            drafts=self._drafts_sql(common),
            open_orders=self._order_rows_sql(common) if detail else self._order_sums_sql(common),
        )

    @api.model
    def _common(self, company, date, partner_ids=None, exclude_order_ids=(), detail=False):
        """Return what all pieces of the builder share, for the arguments of `_rows_sql`.

        Each piece joins the table expression `contact`.
        """
        return {
            'company': company,
            'branches': self._branches_sql(company),
            'partner_ids': None if partner_ids is None else list(partner_ids),
            'exclude_order_ids': list(exclude_order_ids),
            'factor': lambda column: self._factor_sql(company, date, SQL(column)),
            'float_factor': lambda column: self._factor_sql(company, date, SQL(column), '::float8'),
            'rounding': company.currency_id.rounding,
            'detail': (lambda columns, *args: SQL(f", {columns}", *args)) if detail else (lambda *_args: SQL()),
        }

    @api.model
    def _contact_sql(self, common):
        """Return the common table expression `contact`: the customers asked for with all their contacts."""
        # For a few customers one list for all pieces: half of the time goes
        # into planning, and that into the tables which each piece names. For
        # all of them the planner has to see the table.
        if common['partner_ids'] is None:
            return SQL("contact AS NOT MATERIALIZED (SELECT id, commercial_partner_id AS partner_id FROM res_partner)")
        return SQL(
            "contact AS MATERIALIZED"
            " (SELECT id, commercial_partner_id AS partner_id FROM res_partner WHERE commercial_partner_id = ANY(%s))",
            common['partner_ids'],
        )

    @api.model
    def _special_moves_sql(self, common):
        """Return the drafts, and the posted credit notes that reverse an invoice."""
        partners = (
            SQL("TRUE")
            if common['partner_ids'] is None
            else SQL("COALESCE(commercial_partner_id, 0) = ANY(%s)", [0, *common['partner_ids']])
        )
        # One step, with an index of its own, for the three pieces that need one or the other.
        return SQL(
            """
            SELECT id, commercial_partner_id, state, move_type, reversed_entry_id, invoice_date_due, amount_total,
                   currency_id %(detail)s
              FROM account_move
             WHERE (state = 'draft'
                    OR (move_type = 'out_refund' AND state = 'posted' AND reversed_entry_id IS NOT NULL))
               AND company_id = ANY(%(branches)s)
               AND %(partners)s
            """,
            detail=common['detail']("company_id, name, invoice_date, date"),
            branches=common['branches'],
            partners=partners,
        )

    @api.model
    def _lines_sql(self, common):
        """Return the common table expressions of the order lines; `line` has their open quantities and values."""
        return SQL(
            """
            %(contacts)s,
            special_move AS MATERIALIZED (%(special_moves)s),
            candidate AS MATERIALIZED (%(candidates)s),
            invoice_line AS MATERIALIZED (%(invoice_lines)s),
            invoiced AS (%(invoiced)s),
            line AS (%(lines)s)
            """,
            contacts=self._contact_sql(common),
            special_moves=self._special_moves_sql(common),
            candidates=self._candidates_sql(common),
            invoice_lines=self._invoice_lines_sql(),
            invoiced=self._invoiced_sql(common),
            lines=self._order_lines_sql(common),
        )

    @api.model
    def _order_rows_sql(self, common):
        """Return one row per order line and category, and those of the down payments."""
        return SQL(
            """
            SELECT line.id::bigint * 8 + part.code, line.partner_id, part.category, NULL, NULL::date,
                   %(rounded_line)s, NULL
                   %(line_detail)s
              FROM line
              JOIN open_order USING (order_id)
        CROSS JOIN LATERAL (VALUES (0, 'ordered', line.ordered, line.ordered_rounded),
                                   (1, 'delivered', line.delivered, line.delivered_rounded))
                   AS part(code, category, amount, rounded_amount)
             WHERE part.amount <> 0
            UNION ALL
            SELECT open_order.order_id::bigint * 8 + part.code, open_order.partner_id, part.category, NULL, NULL::date,
                   -%(rounded)s, NULL
                   %(order_detail)s
              FROM open_order
        CROSS JOIN LATERAL (VALUES (2, 'ordered', paid_ordered), (3, 'delivered', paid_delivered))
                   AS part(code, category, amount)
             WHERE part.amount > 0
            """,
            rounded_line=self._round_sql("part.rounded_amount", common),
            rounded=self._round_sql("part.amount", common),
            line_detail=common['detail'](
                """line.document_company_id, 'sale.order', line.order_id, line.document_name, line.name, line.date,
                   part.amount / line.factor, line.document_currency_id, NULL"""
            ),
            order_detail=common['detail'](
                """open_order.document_company_id, 'sale.order', open_order.order_id, open_order.document_name, %s,
                   open_order.date, -part.amount / open_order.factor, open_order.document_currency_id, NULL""",
                self.env._("Down payment"),
            ),
        )

    @api.model
    def _order_sums_sql(self, common):
        """Return what the rows of `_order_rows_sql` add up to, one row per customer and category."""
        return SQL(
            """
            SELECT NULL::bigint, summed.partner_id, part.category, NULL, NULL::date, %(amount)s, NULL
              FROM (
                SELECT partner_id, SUM(ordered_rounded - %(paid_ordered)s) AS ordered,
                       SUM(delivered_rounded - %(paid_delivered)s) AS delivered
                  FROM open_order
              GROUP BY partner_id
              ) AS summed
        CROSS JOIN LATERAL (VALUES ('ordered', summed.ordered), ('delivered', summed.delivered))
                   AS part(category, amount)
             WHERE part.amount <> 0
            """,
            amount=self._round_sql("part.amount", common),
            paid_ordered=self._round_line_sql("paid_ordered", common),
            paid_delivered=self._round_line_sql("paid_delivered", common),
        )

    @api.model
    def _round_sql(self, amount, common):
        """Return the SQL of an amount (SQL text of a float8) in company currency, rounded."""
        return SQL("ROUND((%(amount)s / %(unit)s)::numeric) * %(unit)s", amount=SQL(amount), unit=common['rounding'])

    @api.model
    def _round_line_sql(self, amount, common):
        """Return the same as a float8: several times as fast, and there are many lines.

        What is a half but for the last bits of a float is rounded as a half.
        """
        return SQL(
            "SIGN(%(amount)s) * FLOOR(ABS(%(amount)s) / %(unit)s + 0.5000001) * %(unit)s",
            amount=SQL(amount),
            unit=SQL("%s::float8", common['rounding']),
        )

    @api.model
    def _branches_sql(self, company):
        """Return the array of the ids of a root company and its branches."""
        # Literals: for one customer the planner works longer than the executor,
        # and each table that it need not know makes it faster.
        return SQL("%s", list(company._credit_branch_ids()))

    @api.model
    def _factor_sql(self, company, date, currency, cast=''):
        """Return the SQL of one unit of a currency (an SQL column) in company currency at a date.

        The rates are literals, so that the planner has no joins to weigh: for
        one customer it works longer than the executor does.
        """
        factors = self.env['res.currency']._credit_factors(company.id, date)
        if not factors:
            return SQL(f"1{cast}")
        whens = SQL(" ").join(SQL(f"WHEN %s THEN %s{cast}", currency_id, factor) for currency_id, factor in factors)
        return SQL(f"(CASE %s %s ELSE 1{cast} END)", currency, whens)

    @api.model
    def _role_sql(self, company, by_item):
        """Return the SQL of a journal item's role, and the ids of the accounts that have one.

        :param by_item: True for accounts whose entries are matched, False for those whose balance counts
        """
        roles = {
            role: ids
            for (role, reconcile), ids in self.env['credit.ledger.account']._roles(company.id).items()
            if reconcile == by_item
        }
        whens = [
            SQL("WHEN aml.account_id = ANY(%s) THEN %s", ids, role)
            for role, ids in roles.items()
            if role != 'receivable'
        ]
        default = 'receivable' if by_item else 'other'
        role_sql = SQL("CASE %s ELSE %s END", SQL(" ").join(whens), default) if whens else SQL("%s", default)
        return role_sql, [account_id for ids in roles.values() for account_id in ids]

    @api.model
    def _down_payment_sql(self):
        """Return the condition that a journal item is an order's down payment, which the order itself takes off.

        Or its tax: one without an account of its own is booked on that of its base.
        """
        return SQL(
            """
            EXISTS (
                SELECT 1
                  FROM account_move_line base
                  JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = base.id
                  JOIN sale_order_line sol ON sol.id = rel.order_line_id
                  JOIN sale_order so ON so.id = sol.order_id
                 WHERE base.move_id = aml.move_id
                   AND base.account_id = aml.account_id
                   AND (base.id = aml.id OR aml.tax_line_id IS NOT NULL)
                   AND sol.is_downpayment AND so.state = 'sale')
            """
        )

    @api.model
    def _open_items_sql(self, common):
        """Return the rows of posted, unmatched entries on the accounts that count entry by entry."""
        role, account_ids = self._role_sql(common['company'], by_item=True)
        return SQL(
            """
            SELECT aml.id::bigint * 8 + 4 AS id, contact.partner_id,
                   CASE %(role)s WHEN 'clearing' THEN 'in_clearing' ELSE 'open_item' END AS category,
                   %(role)s AS ledger_role, COALESCE(aml.date_maturity, aml.date) AS date_due,
                   aml.amount_residual AS amount, aml.balance AS booked
                   %(detail)s
              FROM account_move_line aml
              JOIN contact ON contact.id = aml.partner_id
                   %(move)s
             WHERE aml.reconciled IS NOT TRUE
               AND aml.parent_state = 'posted'
               AND aml.amount_residual <> 0
               AND aml.account_id = ANY(%(accounts)s)
               AND aml.company_id = ANY(%(branches)s)
               AND %(counts)s
            """,
            role=role,
            detail=(
                detail := common['detail'](
                    """aml.company_id AS document_company_id, 'account.move' AS res_model, aml.move_id AS res_id,
                   move.name AS document_name, aml.name AS name, aml.date AS date,
                   aml.amount_residual_currency AS amount_currency, aml.currency_id AS document_currency_id,
                   aml.account_id AS ledger_account_id"""
                )
            ),
            move=SQL("JOIN account_move move ON move.id = aml.move_id") if detail else SQL(),
            accounts=account_ids,
            branches=common['branches'],
            counts=self._counts_once_sql(common['company'], by_item=True),
        )

    @api.model
    def _matched_drafts_sql(self, common):
        """Return what posted entries were matched with that is a draft again.

        Odoo keeps the matching of an entry that is set back to draft: the
        residual of its counterpart is too small by that, while the ledger has
        the counterpart only.
        """
        role, account_ids = self._role_sql(common['company'], by_item=True)
        return SQL(
            """
            SELECT aml.id::bigint * 8 + 7 AS id, contact.partner_id,
                   CASE %(role)s WHEN 'clearing' THEN 'in_clearing' ELSE 'open_item' END AS category,
                   %(role)s AS ledger_role, COALESCE(aml.date_maturity, aml.date) AS date_due,
                   SUM(CASE aml.id WHEN partial.debit_move_id THEN partial.amount ELSE -partial.amount END) AS amount,
                   aml.balance AS booked
                   %(detail)s
              FROM special_move draft
              JOIN account_move_line draft_line ON draft_line.move_id = draft.id
              JOIN account_partial_reconcile partial
                ON partial.debit_move_id = draft_line.id OR partial.credit_move_id = draft_line.id
              JOIN account_move_line aml
                ON aml.id = CASE draft_line.id WHEN partial.debit_move_id THEN partial.credit_move_id
                                 ELSE partial.debit_move_id END
              JOIN contact ON contact.id = aml.partner_id
                   %(move)s
             WHERE draft.state = 'draft'
               AND aml.parent_state = 'posted'
               AND aml.account_id = ANY(%(accounts)s)
               AND %(counts)s
          GROUP BY aml.id, contact.partner_id %(move_id)s
            """,
            role=role,
            detail=(
                detail := common['detail'](
                    """aml.company_id, 'account.move', aml.move_id, move.name, %s, aml.date,
                   SUM(CASE aml.id WHEN partial.debit_move_id THEN partial.debit_amount_currency
                                   ELSE -partial.credit_amount_currency END), aml.currency_id, aml.account_id""",
                    self.env._("Matched with a draft"),
                )
            ),
            move=SQL("JOIN account_move move ON move.id = aml.move_id") if detail else SQL(),
            move_id=SQL(", move.id") if detail else SQL(),
            accounts=account_ids,
            counts=self._counts_once_sql(common['company'], by_item=True),
        )

    @api.model
    def _counts_once_sql(self, company, by_item):
        """Return the condition that no order takes this journal item off already."""
        advances = self.env['credit.ledger.account']._roles(company.id).get(('advance', by_item))
        if not advances:
            return SQL("TRUE")
        return SQL("NOT (aml.account_id = ANY(%s) AND %s)", advances, self._down_payment_sql())

    @api.model
    def _balances_sql(self, common, until=None):
        """Return one row per customer and account that counts by its balance.

        Such a row has no due date: nobody can tell which of its entries is open.
        Each branch has its row; in sums they are one balance, so that an advance
        paid to one company and used up by its branch is none.
        """
        role, account_ids = self._role_sql(common['company'], by_item=False)
        # Without such accounts the statement is the shorter for it; planning is half of its time.
        if not account_ids:
            return SQL(
                "SELECT NULL::bigint, NULL::int, NULL, NULL, NULL::date, NULL::numeric, NULL::numeric %s WHERE FALSE",
                common['detail'](
                    "NULL::int, NULL, NULL::int, NULL, NULL, NULL::date, NULL::numeric, NULL::int, NULL::int"
                ),
            )
        return SQL(
            """
            SELECT summed.id, summed.partner_id,
                   CASE ledger_role WHEN 'clearing' THEN 'in_clearing' ELSE 'open_item' END,
                   summed.ledger_role, NULL::date, summed.amount, summed.amount
                   %(detail)s
              FROM (
                SELECT MIN(aml.id)::bigint * 8 + 6 AS id, contact.partner_id, aml.account_id, MAX(aml.date) AS date,
                       SUM(aml.balance) AS amount, %(role)s AS ledger_role %(document_company)s
                  FROM account_move_line aml
                  JOIN contact ON contact.id = aml.partner_id
                 WHERE aml.parent_state = 'posted'
                   AND aml.account_id = ANY(%(accounts)s)
                   AND aml.company_id = ANY(%(branches)s)
                   AND %(until)s
                   AND %(counts)s
              GROUP BY contact.partner_id, aml.account_id %(branch)s
              ) AS summed
              JOIN account_account account ON account.id = summed.account_id
             WHERE summed.amount <> 0
            """,
            detail=common['detail'](
                """summed.document_company_id, 'account.account', summed.account_id, %s, NULL, summed.date,
                   summed.amount, %s, summed.account_id""",
                self.env['account.account']._field_to_sql('account', 'name'),
                common['company'].currency_id.id,
            ),
            document_company=common['detail']("aml.company_id AS document_company_id"),
            branch=common['detail']("aml.company_id"),
            role=role,
            accounts=account_ids,
            branches=common['branches'],
            counts=self._counts_once_sql(common['company'], by_item=False),
            until=SQL("aml.date <= %s", until) if until else SQL("TRUE"),
        )

    @api.model
    def _drafts_sql(self, common):
        """Return the rows of draft customer invoices; draft credit notes count nowhere."""
        return SQL(
            """
            SELECT move.id::bigint * 8 + 5, move.commercial_partner_id, 'draft_invoice', NULL, move.invoice_date_due,
                   ROUND((move.amount_total * %(factor)s / %(rounding)s)::numeric) * %(rounding)s, NULL::numeric
                   %(detail)s
              FROM special_move move
             WHERE move.state = 'draft'
               AND move.move_type IN ('out_invoice', 'out_receipt')
               AND move.amount_total <> 0
               AND move.commercial_partner_id IS NOT NULL
            """,
            detail=common['detail'](
                """move.company_id, 'account.move', move.id, COALESCE(NULLIF(move.name, '/'), %s), NULL,
                   COALESCE(move.invoice_date, move.date), move.amount_total, move.currency_id, NULL::int""",
                self.env._("Draft"),
            ),
            rounding=common['rounding'],
            factor=common['factor']("move.currency_id"),
        )

    @api.model
    def _candidates_sql(self, common):
        """Return the confirmed order lines that may have something open, with the value of one unit.

        Chosen by their own columns, so that invoices and stock moves are looked
        up for these lines only and not for each line ever sold.
        """
        orders = common['exclude_order_ids']
        return SQL(
            """
            SELECT sol.id, so.id AS order_id, contact.partner_id, sol.product_id,
                   -- A true down payment line has no quantity of its own.
                   sol.is_downpayment IS TRUE AND sol.product_uom_qty = 0 AS is_down_payment,
                   -- Each cast once: PostgreSQL makes a float of a numeric by way of a text.
                   sol.product_uom_qty::float8 AS product_uom_qty,
                   COALESCE(sol.credit_closed_quantity::float8, 0) AS closed_quantity,
                   COALESCE(sol.qty_delivered::float8, 0) AS qty_delivered, sol.product_uom_id,
                   %(factor)s AS factor, sol.price_total::float8 AS price_total,
                   CASE WHEN sol.product_uom_qty = 0 THEN sol.credit_unit_price::float8 END AS unit_price
                   %(detail)s
              FROM sale_order so
              JOIN contact ON contact.id = so.partner_invoice_id
              JOIN sale_order_line sol ON sol.order_id = so.id
             WHERE so.state = 'sale'
               AND so.company_id = ANY(%(branches)s)
               AND sol.display_type IS NULL
               -- Skips nothing but finished lines: core's invoiced quantity
               -- is above ours only where an invoice was reversed in full by
               -- a credit note that names none of its order lines.
               AND (sol.is_downpayment
                    OR sol.product_uom_qty > COALESCE(sol.qty_invoiced, 0)
                    OR sol.qty_delivered > COALESCE(sol.qty_invoiced, 0)
                    OR (sol.product_uom_qty < 0 AND sol.product_uom_qty < COALESCE(sol.qty_invoiced, 0))
                    OR sol.id IN (%(reversed)s)
                    OR %(demand_open)s)
               AND %(exclude)s
            """,
            factor=common['float_factor']("so.currency_id"),
            detail=common['detail'](
                """so.company_id AS document_company_id, so.currency_id AS document_currency_id,
                   so.name AS document_name, sol.name, so.date_order::date AS date"""
            ),
            demand_open=self._demand_sql(common)['open'],
            reversed=self._reversed_lines_sql(),
            branches=common['branches'],
            exclude=SQL("so.id <> ALL(%s)", orders) if orders else SQL("TRUE"),
        )

    @api.model
    def _order_lines_sql(self, common):
        """Return the open value of the candidates, split in delivered and ordered.

        Value of one unit v, quantity to be owed Q (at least what was ordered or
        delivered), quantity invoiced I: the line stands for v * max(0, Q - I),
        of which v * max(0, min(Q, delivered) - I) is delivered. A line ordered
        with a negative quantity (trade-in) mirrors that below 0; what was taken
        back beyond what was delivered does not: it counts once it is credited.
        """
        demand = self._demand_sql(common)
        return SQL(
            """
            SELECT split.*, %(round_ordered)s AS ordered_rounded, %(round_delivered)s AS delivered_rounded
        -- Each step apart (OFFSET 0): merged into one they repeat each expression many
        -- times, for the planner, which takes most of the time for one customer, and at work.
              FROM (
                SELECT valued.*,
                       unit_value * delivered_quantity AS delivered,
                       unit_value * (open_quantity - delivered_quantity) AS ordered
              FROM (
                SELECT quantities.*,
                       CASE WHEN product_uom_qty < 0 THEN LEAST(0, due - invoiced)
                            ELSE GREATEST(0, due - invoiced) END AS open_quantity,
                       CASE WHEN product_uom_qty < 0 THEN LEAST(0, GREATEST(due, qty_delivered) - invoiced)
                            ELSE GREATEST(0, LEAST(due, qty_delivered) - invoiced) END AS delivered_quantity
                  FROM (
                    SELECT sol.*,
                           sol.factor * CASE WHEN sol.product_uom_qty <> 0 THEN sol.price_total / sol.product_uom_qty
                                             ELSE COALESCE(sol.unit_price, 0) END AS unit_value,
                           CASE WHEN sol.product_uom_qty < 0 THEN LEAST(sol.product_uom_qty, sol.qty_delivered)
                                ELSE %(due)s END AS due,
                           COALESCE(invoice.quantity, 0) AS invoiced
                      FROM candidate sol
                 LEFT JOIN invoiced AS invoice ON invoice.order_line_id = sol.id
                           %(demand_join)s
                     WHERE NOT sol.is_down_payment
                    OFFSET 0
                  ) AS quantities
                OFFSET 0
              ) AS valued
              OFFSET 0
              ) AS split
            """,
            round_ordered=self._round_line_sql("ordered", common),
            round_delivered=self._round_line_sql("delivered", common),
            due=demand['due'],
            demand_join=demand['join'],
        )

    @api.model
    def _reversed_lines_sql(self):
        """Return the SELECT of the order lines that core takes as invoiced and we may not.

        Those on invoices that a posted credit note reverses, and those on draft
        credit notes: core makes one of an invoice whose total is negative.
        """
        return SQL(
            """
            SELECT rel.order_line_id
              FROM special_move credit_note
              JOIN account_move_line aml
                ON aml.move_id = CASE credit_note.state WHEN 'draft' THEN credit_note.id
                                      ELSE credit_note.reversed_entry_id END
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = aml.id
             WHERE credit_note.move_type = 'out_refund'
            """
        )

    @api.model
    def _demand_sql(self, common):
        """Return how much of an order line will be owed in the end.

        A dict of three SQL pieces: `open` a condition on sale_order_line (alias
        sol) that keeps a line which looks finished but isn't; `join` added to
        the FROM clause of the candidates (alias sol, columns of
        `_candidates_sql`), `due` the quantity in the line's unit. Without stock
        moves that is what was ordered less what was closed as a remainder, or
        delivered if that is more.
        """
        return {
            'join': SQL(),
            'due': SQL("GREATEST(sol.product_uom_qty - sol.closed_quantity, sol.qty_delivered)"),
            'open': SQL("FALSE"),
        }

    @api.model
    def _invoice_lines_sql(self):
        """Return the SELECT of the invoice lines of the candidates."""
        # A step of its own: most orders with something open have no invoice,
        # and the planner would look at the invoices of all others first.
        return SQL(
            """
            SELECT rel.order_line_id, rel.invoice_line_id, sol.order_id, sol.is_down_payment, sol.product_uom_id
              FROM candidate sol
              JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = sol.id
            """
        )

    @api.model
    def _invoiced_sql(self, common):
        """Return per candidate the invoiced quantity in the line's unit, or the amount of a down payment.

        Drafts count, cancelled invoices don't. A credit note that reverses an
        invoice takes back money, not goods, and does not lower the quantity;
        but an invoice reversed in full is as if it had never been. A posted
        credit note that reverses nothing is the invoice of a return. A down
        payment's amount is lowered by each of its posted credit notes.
        """
        return SQL(
            """
            SELECT invoice_line.order_line_id, invoice_line.order_id,
                   SUM(
                       CASE move.move_type WHEN 'out_refund' THEN -move.quantity ELSE move.quantity END::float8
                       * %(uom_ratio)s
                   ) FILTER (WHERE NOT invoice_line.is_down_payment) AS quantity,
                   SUM(
                       CASE move.move_type WHEN 'out_refund' THEN -move.price_total ELSE move.price_total END::float8
                       * %(factor)s
                   ) FILTER (WHERE invoice_line.is_down_payment) AS amount
              FROM invoice_line
        -- One by one, for nobody can tell the planner how few they are.
        CROSS JOIN LATERAL (
                SELECT aml.quantity, aml.price_total, aml.product_uom_id, move.id, move.currency_id,
                       move.move_type, move.state, move.payment_state, move.reversed_entry_id, move.amount_total
                  FROM account_move_line aml
                  JOIN account_move move ON move.id = aml.move_id
                 WHERE aml.id = invoice_line.invoice_line_id
                OFFSET 0
              ) AS move
             WHERE CASE
                   WHEN move.move_type = 'out_refund'
                   THEN move.state = 'posted' AND (invoice_line.is_down_payment OR move.reversed_entry_id IS NULL)
                   WHEN move.move_type NOT IN ('out_invoice', 'out_receipt') THEN FALSE
                   WHEN invoice_line.is_down_payment THEN move.state <> 'cancel'
                   ELSE (move.state <> 'cancel' OR move.payment_state = 'invoicing_legacy')
                    AND (SELECT SUM(credit_note.amount_total) >= move.amount_total
                           FROM account_move credit_note
                          WHERE credit_note.reversed_entry_id = move.id
                            AND credit_note.move_type = 'out_refund'
                            AND credit_note.state = 'posted') IS NOT TRUE
                   END
          GROUP BY invoice_line.order_line_id, invoice_line.order_id
            """,
            factor=common['float_factor']("move.currency_id"),
            uom_ratio=self._uom_ratio_sql("move.product_uom_id", "invoice_line.product_uom_id"),
        )

    @api.model
    def _uom_ratio_sql(self, uom, line_uom):
        """Return the SQL of one unit of a document in the order line's unit (SQL columns of the ids)."""
        # Looked up where they differ only, in a literal: tables less to plan.
        return SQL(
            """
            CASE WHEN %(uom)s = %(line_uom)s THEN 1
                 ELSE COALESCE((%(factors)s::jsonb ->> %(uom)s::text)::float8
                               / (%(factors)s::jsonb ->> %(line_uom)s::text)::float8, 1) END
            """,
            uom=SQL(uom),
            line_uom=SQL(line_uom),
            factors=self.env['uom.uom']._credit_factors(),
        )

    @api.model
    def _orders_sql(self, common):
        """Return per order the sums of its lines and what down payments take off them.

        Down payments come off what is not delivered first. An order's sum is
        not below 0, so they take off no more than there is.
        """
        columns = common['detail']("document_company_id, document_currency_id, document_name, date, factor")
        return SQL(
            """
            SELECT paid.*, paid_total - paid_ordered AS paid_delivered
              FROM (
                SELECT summed.*, LEAST(total, GREATEST(0, COALESCE(down.amount, 0))) AS paid_total,
                       LEAST(total, GREATEST(0, COALESCE(down.amount, 0)), GREATEST(ordered, 0)) AS paid_ordered
                  FROM (
                    SELECT order_id, partner_id, SUM(ordered) AS ordered, SUM(ordered) + SUM(delivered) AS total,
                           SUM(ordered_rounded) AS ordered_rounded, SUM(delivered_rounded) AS delivered_rounded
                           %(columns)s
                      FROM line
                  GROUP BY order_id, partner_id %(columns)s
                  ) AS summed
             LEFT JOIN (
                    SELECT order_id, SUM(amount) AS amount FROM invoiced WHERE amount IS NOT NULL GROUP BY order_id
                  ) AS down USING (order_id)
                 WHERE total > 0
                OFFSET 0
              ) AS paid
            """,
            columns=columns,
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
    def _sums_sql(self, date, rows, graces=(0,), held=False):
        """Return the SELECT of one row per customer with anything open.

        Columns: partner_id, one per category, `ledger_<role>`, `unallocated` (credits not yet
        matched, positive), `overdue_booked` (before they are applied), `overdue_<n>` for each number of days of grace,
        `days_overdue`, `oldest_due`; amounts in company currency. Age and
        overdue follow from what is left of each item after the unallocated
        credits have paid the oldest ones, without the residues below the
        floors of the customer's policy.

        Joins the table expression `customer`, see `credit.account._customer_sql`;
        who is not in it has no age and nothing overdue.

        :param date: the day of the ages
        :param rows: SELECT of the open rows
        :param held: with what counts in rules, without the items due before the
            policy starts or before what was accepted as is: `held_overdue_<n>`,
            `held_days_overdue`, and `overdue_left_out`, the amount of the others
        """
        categories = SQL(", ").join(
            SQL("COALESCE(SUM(amount) FILTER (WHERE category = %s), 0) AS %s", category, SQL.identifier(category))
            for category in CATEGORIES
        )
        roles = SQL(", ").join(
            SQL(
                "COALESCE(SUM(amount) FILTER (WHERE ledger_role = %s), 0) AS %s", role, SQL.identifier(f'ledger_{role}')
            )
            for role in LEDGER_ROLES
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
                    " > COALESCE(MAX(customer_floor), 50) AS held_counts"
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
                SELECT partner_id, date_due, amount, booked,
                       SUM(GREATEST(amount, 0)) OVER (
                           PARTITION BY partner_id ORDER BY date_due, id) AS debits_so_far,
                       SUM(GREATEST(-amount, 0)) OVER (PARTITION BY partner_id) AS unallocated
                  FROM (
                    -- What is left of an item and what a draft took of it are one item.
                    SELECT partner_id, id / 8 AS id, MIN(date_due) AS date_due, SUM(amount) AS amount,
                           MIN(booked) AS booked
                      FROM exposure
                     WHERE category = 'open_item'
                  GROUP BY partner_id, id / 8
                    -- What is not due yet neither ages nor is paid before what is.
                    HAVING SUM(amount) < 0 OR MIN(date_due) < %(date)s::date
                  ) AS whole
            ),
            summed AS (SELECT partner_id, %(categories)s, %(roles)s FROM exposure GROUP BY partner_id),
            aged AS (
                SELECT partner_id, MAX(unallocated) AS unallocated,
                       COALESCE(SUM(amount) FILTER (WHERE amount > 0), 0) AS overdue_booked,
                       %(overdue)s,
                       COALESCE(SUM(remaining) FILTER (WHERE age > 0), 0)
                           > COALESCE(MAX(customer_floor), 50) AS counts,
                       %(aggregates)s
                       MAX(age) FILTER (WHERE age > 0) AS days_overdue,
                       MIN(date_due) FILTER (WHERE age > 0) AS oldest_due
                  FROM (
                    SELECT rest.*, CASE WHEN left_over > item_floor THEN left_over ELSE 0 END AS remaining,
                           CASE WHEN left_over > item_floor THEN %(date)s::date - date_due END AS age
                      FROM (
                        SELECT item.partner_id, item.amount, item.date_due, item.unallocated, customer.customer_floor,
                               customer.counted_from IS NULL OR item.date_due >= customer.counted_from AS late,
                               GREATEST(0, LEAST(item.amount, item.debits_so_far - item.unallocated)) AS left_over,
                               GREATEST(0, item.booked) * COALESCE(customer.item_floor_percent, 1) / 100 AS item_floor
                          FROM item
                          JOIN customer ON customer.partner_id = item.partner_id
                        OFFSET 0
                      ) AS rest
                    OFFSET 0
                  ) AS counted
              GROUP BY partner_id
            )
            SELECT summed.*, COALESCE(aged.unallocated, 0) AS unallocated,
                   COALESCE(aged.overdue_booked, 0) AS overdue_booked, %(columns)s, %(counted)s
                   CASE WHEN aged.counts THEN COALESCE(aged.days_overdue, 0) ELSE 0 END AS days_overdue,
                   CASE WHEN aged.counts THEN aged.oldest_due END AS oldest_due
              FROM summed
         LEFT JOIN aged USING (partner_id)
            """,
            rows=rows,
            overdue=overdue,
            columns=columns,
            categories=categories,
            roles=roles,
            aggregates=SQL().join(SQL("%s, ", aggregate) for aggregate in aggregates),
            counted=SQL().join(SQL("%s, ", column) for column in counted),
            date=date,
        )
