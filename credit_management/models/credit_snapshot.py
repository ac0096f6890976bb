from odoo import api, fields, models
from odoo.tools import SQL

from .credit_exposure import CATEGORY_LABELS
from .credit_rule import STATUS_LABELS

CATEGORIES = tuple(category for category, _label in CATEGORY_LABELS)
BUCKETS = ('overdue_1_30', 'overdue_31_60', 'overdue_61_90', 'overdue_91', 'not_due_amount')
# What a row holds of its account; NULL where it is not known.
FIGURES = (
    'status',
    'limit_kind',
    'unlimited',
    'effective_limit',
    *(f'exposure_{category}' for category in CATEGORIES),
    'exposure',
    'available',
    'utilisation',
    'overdue_amount',
    'unallocated_credit',
    'days_overdue',
    *BUCKETS,
)
GRACES = (0, 30, 60, 90)


class Known:
    """Of a field that can be "not known": False, never 0, for whoever reads a NULL."""

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return '' if value is None or value is False else value


class KnownMonetary(Known, fields.Monetary):
    """An amount that can be not known."""


class KnownFloat(Known, fields.Float):
    """A number that can be not known."""


class CreditSnapshot(models.Model):
    """An account's figures as they were on one day.

    What is ordered and delivered can't be computed for a day in the past, so it
    is kept from the day of installation on. Rows for days before that come from
    the ledger only: their order side is not known. An account with nothing open,
    no limit decided and nothing to say has no row: on a day that was taken (see
    `credit.snapshot.run`) no row means just that. When an account comes to that
    point, one last row says so.
    """

    _name = 'credit.snapshot'
    _description = "Credit Snapshot"
    _order = 'date desc, id desc'
    _rec_name = 'account_id'
    _log_access = False

    account_id = fields.Many2one('credit.account', required=True, readonly=True, ondelete='cascade')
    partner_id = fields.Many2one(
        'res.partner', string="Customer", required=True, readonly=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    date = fields.Date(required=True, readonly=True, help="Day in the company's calendar.")
    month_last = fields.Boolean(
        string="Last of the Month", readonly=True, help="The account's last row of its month so far."
    )
    order_side_known = fields.Boolean(
        readonly=True,
        help="No: the row was computed later, from the ledger. Orders and drafts of that day are not known.",
    )
    status = fields.Selection(STATUS_LABELS, readonly=True)
    limit_kind = fields.Selection(
        [('none', "None decided"), ('amount', "Amount"), ('unlimited', "Unlimited")],
        readonly=True,
        help="Empty for days before the installation unless a limit was decided: the policy's default of that time is "
        "not known.",
    )
    unlimited = fields.Boolean(readonly=True)
    effective_limit = KnownMonetary(readonly=True, help="What counted in checks, company currency.")
    exposure_open_item = KnownMonetary(string="Open Items", readonly=True)
    exposure_in_clearing = KnownMonetary(string="In Clearing", readonly=True)
    exposure_draft_invoice = KnownMonetary(string="Draft Invoices", readonly=True)
    exposure_delivered = KnownMonetary(string="Delivered, Not Invoiced", readonly=True)
    exposure_ordered = KnownMonetary(string="Ordered, Not Delivered", readonly=True)
    exposure = KnownMonetary(readonly=True, help="All categories together; not known where one of them is not.")
    available = KnownMonetary(readonly=True)
    utilisation = KnownFloat(string="Utilisation (%)", digits=(16, 1), readonly=True, aggregator=None)
    overdue_amount = KnownMonetary(
        string="Overdue",
        readonly=True,
        help="After credits not yet matched have paid the oldest items, without residues below the policy's floors.",
    )
    overdue_1_30 = KnownMonetary(string="Overdue 1–30 Days", readonly=True)
    overdue_31_60 = KnownMonetary(string="Overdue 31–60 Days", readonly=True)
    overdue_61_90 = KnownMonetary(string="Overdue 61–90 Days", readonly=True)
    overdue_91 = KnownMonetary(string="Overdue Over 90 Days", readonly=True)
    not_due_amount = KnownMonetary(
        string="Not Overdue",
        readonly=True,
        help="What is left of the open items, with the residues below the policy's floors. With what is overdue it "
        "makes up the open items.",
    )
    unallocated_credit = KnownMonetary(readonly=True, help="Payments and credit notes not yet matched.")
    days_overdue = fields.Integer(readonly=True, aggregator='max', help="Age of the oldest item.")

    _account_date_unique = models.UniqueIndex('(account_id, date)', "An account has one snapshot a day.")
    _month_last_index = models.Index('(company_id, date) WHERE month_last')
    _retention_index = models.Index('(company_id, date) WHERE month_last IS NOT TRUE')

    @api.depends('account_id', 'date')
    def _compute_display_name(self):
        for snapshot in self:
            snapshot.display_name = f'{snapshot.partner_id.display_name} {fields.Date.to_string(snapshot.date)}'

    # -------------------------------------------------------------------------
    # Sums
    # -------------------------------------------------------------------------

    def _read_group_select(self, aggregate_spec, query):
        # EXTENDS base: amounts of several days don't add up. A sum over rows
        # of which an account has more than one is left empty, also in the
        # totals of a pivot, of groups and of what is exported.
        select = super()._read_group_select(aggregate_spec, query)
        if not aggregate_spec.endswith((':sum', ':sum_currency')):
            return select
        return SQL(
            "CASE WHEN COUNT(DISTINCT %(account)s) = COUNT(*) THEN %(select)s END",
            account=self._field_to_sql(self._table, 'account_id', query),
            select=select,
        )

    # -------------------------------------------------------------------------
    # Taking
    # -------------------------------------------------------------------------

    @api.model
    def _flush(self, partner_ids=()):
        self.env['credit.exposure']._flush_as_of_sources(partner_ids)
        self.env['credit.account']._flush_accounts()

    @api.model
    def _take(self, company, date, partner_ids):
        """Write the rows of some customers' accounts for the company's today, replacing those of this day.

        :returns: the number of rows, in one statement
        """
        self._flush(partner_ids)
        return self._store(company, date, self._known_sql(company, date, list(partner_ids)))

    @api.model
    def _take_past(self, company, date):
        """Write the ledger side of all accounts of a company at the end of a day in the past.

        Rows that were taken on the day itself stay as they are.

        :returns: the number of rows, in one statement
        """
        self._flush(None)
        return self._store(company, date, self._ledger_sql(company, date))

    @api.model
    def _open_accounts(self, company, date=None):
        """Make the accounts of customers with anything open that have none, so that the trend is whole.

        :param date: what was open at the end of that day; now, if none is given
        """
        self._flush(None)
        exposure = self.env['credit.exposure']
        rows = (
            exposure._open_items_as_of_sql(company, date)
            if date
            else exposure._rows_sql(company, company._credit_today())
        )
        missing = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT exposure.partner_id
                  FROM (%(rows)s) AS exposure
                 WHERE NOT EXISTS (
                       SELECT FROM credit_account account
                        WHERE account.partner_id = exposure.partner_id
                          AND account.company_id = %(company)s AND account.active)
                """,
                rows=rows,
                company=company.id,
            )
        )
        if missing:
            partners = self.env['res.partner'].browse(partner_id for [partner_id] in missing)
            self.env['credit.account']._for_partners(partners, company)

    @api.model
    def _known_sql(self, company, date, partner_ids):
        """Return the SELECT of all figures as of now, the same statement as everybody's."""
        return SQL(
            """
            SELECT account_id, partner_id, TRUE AS order_side_known,
                   %(named)s,
                   overdue_0 - overdue_30 AS overdue_1_30,
                   overdue_30 - overdue_60 AS overdue_31_60,
                   overdue_60 - overdue_90 AS overdue_61_90,
                   overdue_90 AS overdue_91,
                   GREATEST(0, exposure_open_item) - overdue_0 AS not_due_amount
              FROM (%(figures)s) AS figures
             WHERE account_id IS NOT NULL
            """,
            named=self._columns_sql(name for name in FIGURES if name not in BUCKETS),
            figures=self.env['credit.account']._figures_sql(company, date, partner_ids, graces=GRACES),
        )

    @api.model
    def _ledger_sql(self, company, date, accounts=None):
        """Return the SELECT of the figures that the ledger and the decided limits know of a day in the past.

        :param accounts: some accounts of the company; None for all that are active
        """
        Exposure = self.env['credit.exposure']
        partner_ids = None if accounts is None else accounts.partner_id.ids
        chosen = SQL(
            "account.company_id = %s AND %s",
            company.id,
            SQL("account.active") if accounts is None else SQL("account.id = ANY(%s)", accounts.ids),
        )
        return SQL(
            """
            WITH customer AS MATERIALIZED (%(customers)s)
            SELECT account.id AS account_id, account.partner_id, FALSE AS order_side_known,
                   NULL::varchar AS status, decided.limit_kind, decided.limit_kind = 'unlimited' AS unlimited,
                   CASE decided.limit_kind WHEN 'unlimited' THEN 0 ELSE decided.amount END AS effective_limit,
                   COALESCE(sums.open_item, 0) AS exposure_open_item,
                   COALESCE(sums.in_clearing, 0) AS exposure_in_clearing,
                   NULL::numeric AS exposure_draft_invoice, NULL::numeric AS exposure_delivered,
                   NULL::numeric AS exposure_ordered, NULL::numeric AS exposure,
                   NULL::numeric AS available, NULL::numeric AS utilisation,
                   COALESCE(overdue_0, 0) AS overdue_amount,
                   COALESCE(overdue_0 - overdue_30, 0) AS overdue_1_30,
                   COALESCE(overdue_30 - overdue_60, 0) AS overdue_31_60,
                   COALESCE(overdue_60 - overdue_90, 0) AS overdue_61_90,
                   COALESCE(overdue_90, 0) AS overdue_91,
                   COALESCE(GREATEST(0, sums.open_item) - overdue_0, 0) AS not_due_amount,
                   COALESCE(sums.unallocated, 0) AS unallocated_credit,
                   COALESCE(sums.days_overdue, 0) AS days_overdue
              FROM credit_account account
         LEFT JOIN (%(sums)s) AS sums ON sums.partner_id = account.partner_id
         LEFT JOIN LATERAL (%(limits)s) AS decided ON TRUE
             WHERE %(chosen)s
            """,
            customers=self.env['credit.account']._customer_sql(
                company, date, SQL("SELECT account.partner_id FROM credit_account account WHERE %s", chosen)
            ),
            sums=Exposure._sums_sql(date, Exposure._open_items_as_of_sql(company, date, partner_ids), GRACES),
            limits=self.env['credit.limit']._in_force_sql(company, date),
            chosen=chosen,
        )

    @api.model
    def _columns_sql(self, names, template="%s"):
        return SQL(", ").join(SQL(template, *[SQL.identifier(name)] * template.count("%s")) for name in names)

    @api.model
    def _idle_sql(self, alias):
        """Return the condition that a row has nothing to say: nothing open, no limit decided, status normal."""
        amounts = SQL(" AND ").join(
            SQL("COALESCE(%s, 0) = 0", SQL.identifier(alias, name))
            for name in (*(f'exposure_{category}' for category in CATEGORIES), 'unallocated_credit')
        )
        return SQL(
            "(%s AND COALESCE(%s, 'none') = 'none' AND COALESCE(%s, 'normal') = 'normal')",
            amounts,
            SQL.identifier(alias, 'limit_kind'),
            SQL.identifier(alias, 'status'),
        )

    @api.model
    def _store(self, company, date, figures):
        """Insert the rows of a SELECT for one day, or replace those of this day, and return how many.

        A row from the ledger alone never replaces one that was taken on the
        day. In the order of the accounts, so that two writers can't deadlock.
        """
        names = ('order_side_known', *FIGURES)
        [[count]] = self.env.execute_query(
            SQL(
                """
                WITH taken AS (
                    INSERT INTO credit_snapshot
                           (account_id, partner_id, company_id, currency_id, date, month_last, %(columns)s)
                    SELECT figures.account_id, figures.partner_id, %(company)s, %(currency)s, %(date)s, TRUE, %(values)s
                      FROM (%(figures)s) AS figures
                 LEFT JOIN LATERAL (
                           SELECT *
                             FROM credit_snapshot
                            WHERE account_id = figures.account_id AND date <= %(date)s
                         ORDER BY date DESC
                            LIMIT 1
                           ) AS previous ON TRUE
                     WHERE NOT %(idle)s OR NOT %(was_idle)s OR previous.date = %(date)s
                  ORDER BY figures.account_id
                    ON CONFLICT (account_id, date) DO UPDATE SET %(updates)s
                     WHERE EXCLUDED.order_side_known OR credit_snapshot.order_side_known IS NOT TRUE
                 RETURNING account_id
                ),
                earlier AS (
                    UPDATE credit_snapshot
                       SET month_last = FALSE
                      FROM taken
                     WHERE credit_snapshot.account_id = taken.account_id
                       AND credit_snapshot.month_last
                       AND credit_snapshot.date >= %(month)s AND credit_snapshot.date < %(date)s
                )
                SELECT COUNT(*) FROM taken
                """,
                company=company.id,
                currency=company.currency_id.id,
                date=date,
                month=date.replace(day=1),
                columns=self._columns_sql(names),
                values=SQL(", ").join(SQL.identifier('figures', name) for name in names),
                updates=self._columns_sql(names, "%s = EXCLUDED.%s"),
                figures=figures,
                idle=self._idle_sql('figures'),
                was_idle=self._idle_sql('previous'),
            )
        )
        self.invalidate_model()
        return count

    @api.model
    def _thin(self, company, date, limit):
        """Delete up to `limit` rows before a date but the last of each month, and return how many."""
        [[count]] = self.env.execute_query(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM credit_snapshot
                     WHERE id IN (SELECT id
                                    FROM credit_snapshot
                                   WHERE company_id = %s AND date < %s AND month_last IS NOT TRUE
                                   LIMIT %s)
                 RETURNING id
                )
                SELECT COUNT(*) FROM gone
                """,
                company.id,
                date,
                limit,
            )
        )
        self.invalidate_model()
        return count

    # -------------------------------------------------------------------------
    # As of a date
    # -------------------------------------------------------------------------

    @api.model
    def _as_of(self, accounts, date):
        """Return {account: figures} as of a date, in two statements per company at most.

        Figures are FIGURES plus `date`, the day that they are of, and
        `order_side_known`. They come from the snapshot of the day or the nearest
        before; an account without a row on a day that was taken had nothing open
        and no limit decided. Before the first snapshot the ledger side is
        computed from the ledger, at the date itself. What is not known is None.
        """
        result = {}
        runs = self.env['credit.snapshot.run']
        self._flush()
        runs.flush_model(['company_id', 'date', 'kind', 'state'])
        for company, group in accounts.grouped('company_id').items():
            company = company.sudo()
            rows = self.env.execute_query_dict(
                SQL(
                    """
                    SELECT account.id, account.active, run.date AS run_date, snapshot.date, snapshot.order_side_known,
                           %(columns)s
                      FROM credit_account account
                CROSS JOIN (SELECT MAX(date) AS date
                              FROM credit_snapshot_run
                             WHERE company_id = %(company)s AND kind = 'daily' AND state = 'done' AND date <= %(date)s
                           ) AS run
                 LEFT JOIN LATERAL (
                           SELECT *
                             FROM credit_snapshot
                            WHERE account_id = account.id AND date <= %(date)s AND order_side_known
                         ORDER BY date DESC
                            LIMIT 1
                           ) AS snapshot ON TRUE
                     WHERE account.id = ANY(%(accounts)s)
                    """,
                    columns=SQL(", ").join(SQL.identifier('snapshot', name) for name in FIGURES),
                    company=company.id,
                    date=date,
                    accounts=group.ids,
                )
            )
            unknown = self.env['credit.account']
            for row in rows:
                account = group.browse(row.pop('id'))
                active, run_date = row.pop('active'), row.pop('run_date')
                if active and run_date and (not row['date'] or row['date'] < run_date):
                    result[account] = self._nothing(run_date)
                elif row['date']:
                    result[account] = row
                else:
                    unknown += account
            result.update(self._ledger_as_of(company, unknown, date))
        return result

    @api.model
    def _nothing(self, date):
        """Return the figures of an account that has no row on a day that was taken."""
        zero = {name: 0.0 for name in FIGURES if self._fields[name].type in ('monetary', 'float')}
        return {
            **dict.fromkeys(FIGURES),
            **zero,
            # The policy's default of that day was not written down.
            'effective_limit': None,
            'available': None,
            'days_overdue': 0,
            'status': 'normal',
            'limit_kind': 'none',
            'date': date,
            'order_side_known': True,
        }

    @api.model
    def _ledger_as_of(self, company, accounts, date):
        """Return {account: figures} of what the ledger knows of a day in the past."""
        if not accounts:
            return {}
        rows = self.env.execute_query_dict(self._ledger_sql(company, date, accounts))
        figures = {row['account_id']: row for row in rows}
        unknown = dict.fromkeys(FIGURES)
        return {
            account: {name: figures.get(account.id, unknown)[name] for name in FIGURES}
            | {'date': date, 'order_side_known': False}
            for account in accounts
        }
