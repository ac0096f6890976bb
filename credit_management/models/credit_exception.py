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
            ('limit', "Limit above the policy's default"),
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
        string="Beyond By", readonly=True, help="By how much it goes beyond the limit or the default, company currency."
    )
    reason = fields.Text(readonly=True, help="As the decision states it.")
    emergency = fields.Boolean(readonly=True, help="Released in an emergency, to be confirmed afterwards.")
    broken = fields.Boolean(
        string="Held Again", readonly=True, help="The order was held again after it had been released."
    )
    document_name = fields.Char(string="Document", readonly=True)
    res_model = fields.Char(string="Document Type", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', readonly=True)

    @property
    def _table_query(self):
        return SQL(" UNION ALL ").join(self._branches())

    def _branches(self):
        """Return a SELECT per kind, with the columns in the same order; ids end in the number of the kind."""
        for model in ('credit.account', 'credit.check', 'credit.event', 'credit.limit', 'credit.policy'):
            self.env[model].flush_model()
        self.env['credit.release'].flush_model()
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
                   checked.excess, release.decision_note AS reason, %(emergency)s AS emergency,
                   EXISTS (
                       SELECT FROM credit_check again
                        WHERE again.res_model = release.res_model AND again.res_id = release.res_id
                          AND again.date > release.decided_date AND again.outcome IN ('hold', 'block')
                          AND again.shadow IS NOT TRUE AND again.release_id IS NULL
                   ) AS broken,
                   release.document_name, release.res_model, release.res_id
              FROM credit_release release
              JOIN credit_check checked ON checked.id = release.check_id
             WHERE release.state = 'released'
            """,
            emergency=self._optional_sql(
                'credit.release', 'emergency_state', SQL("release.emergency_state IS NOT NULL")
            ),
        )

    def _limits_sql(self, company):
        """Return the approved limits of a root company that are above what its policy gives without a decision."""
        factor = self.env['credit.exposure']._factor_sql(company, company._credit_today(), SQL("decision.currency_id"))
        return SQL(
            """
            SELECT decision.id::bigint * 4 + 1, 'limit', decision.decided_date, decision.decided_by_id,
                   decision.requested_by_id, decision.account_id, decision.partner_id, decision.company_id,
                   %(currency)s, decision.applied_policy_id, decision.company_amount,
                   CASE WHEN decision.limit_kind = 'amount' AND decision.default_limit_kind = 'amount'
                        THEN decision.company_amount - decision.default_limit_amount END,
                   decision.reason, FALSE, FALSE, NULL, 'credit.limit', decision.id
              FROM (
                SELECT decision.*, policy.id AS applied_policy_id,
                       policy.default_limit_kind, policy.default_limit_amount,
                       CASE WHEN decision.limit_kind = 'unlimited' THEN 0
                            WHEN decision.currency_id = %(currency)s THEN decision.amount
                            ELSE ROUND((decision.amount * %(factor)s / %(rounding)s)::numeric) * %(rounding)s
                        END AS company_amount
                  FROM credit_limit decision
                  JOIN credit_account account ON account.id = decision.account_id
                  JOIN credit_policy policy ON policy.id = %(policy)s
                 WHERE decision.company_id = %(company)s
                   AND decision.decided_date IS NOT NULL
                   AND decision.state IN ('approved', 'superseded', 'expired')
              ) AS decision
             WHERE decision.default_limit_kind = 'amount'
               AND (decision.limit_kind = 'unlimited' OR decision.company_amount > decision.default_limit_amount)
                OR %(marked)s
            """,
            marked=self._optional_sql('credit.limit', 'outside_policy', SQL("decision.outside_policy")),
            company=company.id,
            currency=company.currency_id.id,
            rounding=company.currency_id.rounding,
            factor=factor,
            policy=self.env['credit.policy']._policy_sql(company, SQL("account.partner_id")),
        )

    def _acceptances_sql(self):
        """Return what was accepted as is, from the credit file, which keeps each of them."""
        return SQL(
            """
            SELECT event.id::bigint * 4 + 2, 'acceptance', event.date, event.user_id, event.user_id, event.account_id,
                   account.partner_id, account.company_id, company.currency_id, account.policy_id,
                   (event.payload::json->>'amount')::numeric, NULL, NULL, FALSE, FALSE, NULL,
                   'credit.account', event.account_id
              FROM credit_event event
              JOIN credit_account account ON account.id = event.account_id
              JOIN res_company company ON company.id = account.company_id
             WHERE event.kind = 'accepted' AND (event.payload::json->>'ended') IS NULL
            """
        )

    def _optional_sql(self, model, name, condition):
        """Return a condition on a field of a model, or FALSE where nothing brings that field."""
        return condition if name in self.env[model]._fields else SQL("FALSE")

    def action_open_document(self):
        """Open the order, limit or account that was decided about."""
        self.ensure_one()
        self.check_access('read')
        return self.env[self.res_model].browse(self.res_id).get_formview_action()
