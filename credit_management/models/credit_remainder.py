from odoo import api, fields, models
from odoo.tools import SQL, float_compare


class CreditRemainder(models.Model):
    """A confirmed order of which something is neither delivered nor invoiced.

    There is no table: the amounts are the `ordered` rows of the exposure, summed
    per order, so that this list and the exposure can't differ. The id is that
    of the order.
    """

    _name = 'credit.remainder'
    _description = "Open Remainder"
    _auto = False
    _order = 'age desc, id'
    _rec_name = 'order_id'

    order_id = fields.Many2one('sale.order', readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    debtor_id = fields.Many2one('res.partner', readonly=True, help="The customer who will owe the order.")
    account_id = fields.Many2one('credit.account', string="Credit Account", readonly=True)
    user_id = fields.Many2one('res.users', string="Salesperson", readonly=True)
    team_id = fields.Many2one('crm.team', string="Sales Team", readonly=True)
    company_id = fields.Many2one('res.company', readonly=True, help="Company or branch of the order.")
    currency_id = fields.Many2one('res.currency', readonly=True)
    date = fields.Date(string="Order Date", readonly=True)
    age = fields.Integer(string="Age (Days)", readonly=True, aggregator='max', help="Days since the order date.")
    old = fields.Boolean(readonly=True, help="Older than the number of days in the settings.")
    amount = fields.Monetary(
        string="Open Amount",
        readonly=True,
        help="Ordered, neither delivered nor invoiced, taxes included, less down payments; in company currency.",
    )
    delivered_percent = fields.Float(
        string="Delivered (%)", digits=(16, 0), readonly=True, aggregator='avg', help="By value of the order."
    )
    missing = fields.Text(compute='_compute_missing', help="What is still to be delivered.")

    @property
    def _table_query(self):
        Exposure = self.env['credit.exposure']
        Exposure._flush_sources(None)
        self.env['sale.order'].flush_model(['date_order', 'partner_id', 'team_id', 'user_id'])
        self.env['res.company'].flush_model(['credit_remainder_days'])
        self.env['credit.account'].flush_model(['active', 'company_id', 'partner_id'])
        return SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT so.id, so.id AS order_id, so.partner_id, remainder.partner_id AS debtor_id,
                       account.id AS account_id, so.user_id, so.team_id, so.company_id, %(currency)s AS currency_id,
                       so.date_order::date AS date, %(today)s::date - so.date_order::date AS age,
                       %(today)s::date - so.date_order::date > %(days)s AS old,
                       remainder.amount, COALESCE(delivered.percent, 0) AS delivered_percent
                  FROM (
                    SELECT res_id, partner_id, SUM(amount) AS amount
                      FROM (%(rows)s) AS exposure
                     WHERE category = 'ordered'
                  GROUP BY res_id, partner_id
                  ) AS remainder
                  JOIN sale_order so ON so.id = remainder.res_id
             LEFT JOIN credit_account account
                    ON account.partner_id = remainder.partner_id AND account.company_id = %(company)s AND account.active
             LEFT JOIN LATERAL (
                    SELECT 100 * SUM(sol.price_total * LEAST(1, sol.qty_delivered / sol.product_uom_qty))
                               / NULLIF(SUM(sol.price_total), 0) AS percent
                      FROM sale_order_line sol
                     WHERE sol.order_id = so.id AND sol.display_type IS NULL AND sol.is_downpayment IS NOT TRUE
                       AND sol.product_uom_qty > 0 AND sol.price_total > 0
                  ) AS delivered ON TRUE
                """,
                company=company.id,
                currency=company.currency_id.id,
                days=company.sudo().credit_remainder_days,
                today=company._credit_today(),
                rows=Exposure._rows_sql(company, company._credit_today()),
            )
            for company in self.env.companies.root_id or self.env.company.root_id
        )

    @api.depends('order_id')
    @api.depends_context('lang')
    def _compute_missing(self):
        # Quantities only, of orders that the user reads here already.
        rows = self._lines(self.order_id.sudo())
        lines = self.env['sale.order.line'].sudo().browse(rows)
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        texts = {}
        for line in lines:
            missing = rows[line.id]['missing']
            if float_compare(missing, 0.0, precision_digits=digits) > 0:
                texts.setdefault(line.order_id.id, []).append(
                    f"{missing:g} {line.product_uom_id.name or ''} {line.product_id.display_name or line.name}"
                )
        for remainder in self:
            remainder.missing = '\n'.join(texts.get(remainder.order_id.id, ()))

    @api.model
    def _lines(self, orders):
        """Return {order line id: row} of what the lines of confirmed orders still owe, one statement per company.

        A row has `order_id`, `due` and `missing` (to be delivered in the end,
        and of it neither delivered nor invoiced; in the line's unit) and
        `ordered`, the value of what is missing in company currency, unrounded.
        """
        Exposure = self.env['credit.exposure']
        Exposure._flush_sources()
        result = {}
        for company, group in orders.grouped(lambda order: order.company_id.root_id).items():
            rows = self.env.execute_query_dict(
                SQL(
                    """
                    WITH %s
                    SELECT id, order_id, due, open_quantity - delivered_quantity AS missing, ordered
                      FROM line
                     WHERE order_id = ANY(%s) AND open_quantity <> delivered_quantity
                  ORDER BY id
                    """,
                    Exposure._lines_sql(
                        Exposure._common(
                            company, company._credit_today(), group.partner_invoice_id.commercial_partner_id.ids
                        )
                    ),
                    group.ids,
                )
            )
            result |= {row['id']: row for row in rows}
        return result

    @api.model
    def _amounts(self, orders):
        """Return {order id: open amount} in company currency: the sums of the exposure's `ordered` rows."""
        Exposure = self.env['credit.exposure']
        Exposure._flush_sources()
        result = dict.fromkeys(orders.ids, 0.0)
        for company, group in orders.grouped(lambda order: order.company_id.root_id).items():
            rows = Exposure._rows_sql(
                company, company._credit_today(), group.partner_invoice_id.commercial_partner_id.ids
            )
            result |= dict(
                self.env.execute_query(
                    SQL(
                        "SELECT res_id, SUM(amount)::float8 FROM (%s) AS exposure"
                        " WHERE category = 'ordered' AND res_id = ANY(%s) GROUP BY res_id",
                        rows,
                        group.ids,
                    )
                )
            )
        return result

    def action_open_order(self):
        """Open the order."""
        self.ensure_one()
        return self.order_id.get_formview_action()

    def action_close(self):
        """Ask for the reason and close the remainders of the selected orders."""
        return self.order_id.action_credit_close_remainder()
