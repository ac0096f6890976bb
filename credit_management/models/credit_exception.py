from odoo import fields, models
from odoo.tools import SQL


class CreditException(models.Model):
    """A decision that lets a customer go beyond what the policy says: one row each, of whatever kind.

    There is no table. Kinds come together in `_branches`; an add-on or a later
    kind adds one there.
    """

    _name = 'credit.exception'
    _description = "Decision Outside Policy"
    _auto = False
    _order = 'date desc, id desc'
    _rec_name = 'document_name'

    kind = fields.Selection(
        [
            ('release', "Order released"),
            ('limit', "Limit outside policy"),
            ('acceptance', "Accepted as is"),
        ],
        string="Decision",
        readonly=True,
    )
    date = fields.Datetime(string="Decided On", readonly=True)
    user_id = fields.Many2one('res.users', string="Decided By", readonly=True)
    requested_by_id = fields.Many2one('res.users', string="Asked For By", readonly=True)
    account_id = fields.Many2one('credit.account', string="Credit Account", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    company_id = fields.Many2one('res.company', readonly=True, help="Company or branch of the decision.")
    currency_id = fields.Many2one('res.currency', readonly=True)
    policy_id = fields.Many2one(
        'credit.policy', readonly=True, help="Of the check that held the order; of a limit, the one that applies today."
    )
    amount = fields.Monetary(
        readonly=True, help="The released total, the limit or the accepted exposure, in company currency."
    )
    excess = fields.Monetary(
        string="Beyond By",
        readonly=True,
        help="How far an order goes beyond the customer's limit, or a limit beyond the highest of the policy that "
        "applies today, in company currency.",
    )
    reason_id = fields.Many2one('credit.reason', string="Reason Code", readonly=True)
    reason = fields.Text(readonly=True, help="As the decision states it.")
    outside_policy = fields.Boolean(readonly=True, help="It went beyond the bounds that the policy sets to decisions.")
    emergency = fields.Boolean(readonly=True, help="Released in an emergency, to be confirmed afterwards.")
    broken = fields.Boolean(
        string="Held Again", readonly=True, help="The order was held again after it had been released."
    )
    condition_broken = fields.Boolean(
        readonly=True, help="The release had a condition, as a payment promise, that was not kept."
    )
    # What is counted beside the decisions themselves.
    outside_count = fields.Integer(string="Number Outside Policy", readonly=True)
    emergency_count = fields.Integer(string="Number of Emergencies", readonly=True)
    broken_count = fields.Integer(string="Number Held Again", readonly=True)
    condition_broken_count = fields.Integer(string="Number of Broken Conditions", readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    res_model = fields.Char(string="Document Type", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT *, outside_policy::int AS outside_count, emergency::int AS emergency_count,
                   broken::int AS broken_count, condition_broken::int AS condition_broken_count
              FROM (%s) AS decision
            """,
            SQL(" UNION ALL ").join(self._branches()),
        )

    def _branches(self):
        """Return a SELECT per kind, with the columns in the same order; ids end in the number of the kind."""
        for model in (
            'credit.account',
            'credit.check',
            'credit.event',
            'credit.limit',
            'credit.policy',
            'credit.release',
        ):
            self.env[model].flush_model()
        self.env['res.currency.rate'].flush_model()
        return [
            self._releases_sql(),
            *(self._limits_sql(company) for company in self.env.companies.root_id.sudo()),
            self._acceptances_sql(),
        ]

    def _releases_sql(self):
        """Return the released orders; what the order was worth is what the check that held it has noted."""
        return SQL(
            """
            SELECT release.id::bigint * 4 AS id, 'release' AS kind, release.decided_date AS date,
                   release.decided_by_id AS user_id, release.requested_by_id, release.account_id, release.partner_id,
                   release.company_id, checked.currency_id, checked.policy_id,
                   CASE WHEN release.currency_id = checked.currency_id THEN release.amount
                        ELSE checked.document_total END AS amount,
                   checked.excess, release.reason_id, release.decision_note AS reason,
                   release.outside_policy IS TRUE AS outside_policy, release.emergency_state IS NOT NULL AS emergency,
                   EXISTS (
                       SELECT FROM credit_check again
                        WHERE again.res_model = release.res_model AND again.res_id = release.res_id
                          AND again.date > release.decided_date AND again.outcome IN ('hold', 'block')
                          AND again.shadow IS NOT TRUE AND again.release_id IS NULL
                   ) AS broken,
                   release.condition_state IS NOT DISTINCT FROM 'broken' AS condition_broken,
                   release.document_name, release.res_model, release.res_id
              FROM credit_release release
              JOIN credit_check checked ON checked.id = release.check_id
             WHERE release.state = 'released'
            """
        )

    def _limits_sql(self, company):
        """Return the limits of a root company that were marked outside policy, at the rate of their day of decision."""
        return SQL(
            """
            SELECT decision.id::bigint * 4 + 1, 'limit', decision.decided_date, decision.decided_by_id,
                   decision.requested_by_id, decision.account_id, decision.partner_id, decision.company_id,
                   %(currency)s, decision.applied_policy_id, decision.company_amount,
                   CASE WHEN decision.limit_kind = 'amount' AND decision.max_limit_amount > 0
                        THEN GREATEST(decision.company_amount - decision.max_limit_amount, 0) END,
                   decision.reason_id, COALESCE(decision.decision_note, decision.reason), TRUE, FALSE, FALSE, FALSE,
                   NULL, 'credit.limit', decision.id
              FROM (
                SELECT decision.*, policy.id AS applied_policy_id, policy.max_limit_amount,
                       CASE WHEN decision.limit_kind = 'unlimited' THEN 0
                            WHEN decision.currency_id = %(currency)s THEN decision.amount
                            ELSE ROUND((decision.amount * %(own_rate)s / %(rate)s / %(rounding)s)::numeric)
                                 * %(rounding)s
                        END AS company_amount
                  FROM credit_limit decision
                  JOIN credit_account account ON account.id = decision.account_id
             LEFT JOIN credit_policy policy ON policy.id = %(policy)s
                 WHERE decision.company_id = %(company)s
                   AND decision.outside_policy
                   AND decision.decided_date IS NOT NULL
                   AND decision.state IN ('approved', 'superseded', 'expired')
              ) AS decision
            """,
            company=company.id,
            currency=company.currency_id.id,
            rounding=company.currency_id.rounding,
            own_rate=self._decided_rate_sql(company, SQL("%s", company.currency_id.id)),
            rate=self._decided_rate_sql(company, SQL("decision.currency_id")),
            policy=self.env['credit.policy']._policy_sql(company, SQL("account.partner_id")),
        )

    def _decided_rate_sql(self, company, currency):
        """Return the SQL of a currency's rate on the day of a `decision`, the day being that of its company.

        Core's choice: the latest until that day, the company's own before the shared; else the first after it.
        """
        return SQL(
            """
            COALESCE((
                SELECT quoted.rate
                  FROM res_currency_rate quoted,
                       CAST(decision.decided_date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s AS date) AS day
                 WHERE quoted.currency_id = %(currency)s
                   AND (quoted.company_id IS NULL OR quoted.company_id = %(company)s)
              ORDER BY quoted.name > day, quoted.company_id, ABS(quoted.name - day)
                 LIMIT 1
            ), 1)
            """,
            zone=company._credit_timezone(),
            currency=currency,
            company=company.id,
        )

    def _acceptances_sql(self):
        """Return what was accepted as is, from the credit file, which keeps each of them."""
        return SQL(
            """
            SELECT event.id::bigint * 4 + 2, 'acceptance', event.date, event.user_id, event.user_id, event.account_id,
                   account.partner_id, account.company_id, company.currency_id, account.policy_id,
                   (event.payload::json->>'amount')::numeric, NULL, NULL, NULL, FALSE, FALSE, FALSE, FALSE, NULL,
                   'credit.account', event.account_id
              FROM credit_event event
              JOIN credit_account account ON account.id = event.account_id
              JOIN res_company company ON company.id = account.company_id
             WHERE event.kind = 'accepted' AND (event.payload::json->>'ended') IS NULL
            """
        )

    def action_open_document(self):
        """Open the order, limit or account that was decided about."""
        self.ensure_one()
        self.check_access('read')
        return self.env[self.res_model].browse(self.res_id).get_formview_action()
