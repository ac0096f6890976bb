from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, clean_context, format_date, formatLang
from odoo.tools.date_utils import start_of

from ..engine.limit import DAYS_PER_MONTH, Basis, Standing, next_limit, quantile, recommend

# What is invoiced in so many months shows the need; a younger customer's months count, but not less than these.
MONTHS = 12
FEWEST_MONTHS = 3
# By when so large a share of the invoices is paid counts as the customer's lateness.
LATE_SHARE = 0.8
# So many days nothing is proposed again after a recommendation was rejected, and no limit is lowered that somebody
# has decided otherwise: he may know what the ledger can't say yet.
REST_DAYS = 90
# Customers per round of the job.
BATCH = 500
SALES_TYPES = ('out_invoice', 'out_refund', 'out_receipt')
# What a policy says of the amount; customers without a policy get the defaults.
SETTINGS = [
    'recommend_growth_percent', 'recommend_net_worth_percent', 'recommend_concentration_percent',
    'recommend_margin_percent', 'recommend_tolerated_percent', 'recommend_loss_percent',
]  # fmt: skip
# Of these verdicts a limit is proposed.
PROPOSED = ('first', 'raise', 'lower')
FAILED = 'customer_scoring.mail_activity_type_recommendation_failed'


class ScoringRecommendation(models.Model):
    """A recommended limit on one day, with all that it was derived from.

    Written by the job and the account's button only; nobody has the right to
    change one, so that a decision can be held against what was known.
    """

    _name = 'scoring.recommendation'
    _description = "Recommended Limit"
    _order = 'date desc, id desc'

    account_id = fields.Many2one(
        'credit.account', string="Credit Account", required=True, readonly=True, index=True, ondelete='cascade'
    )
    partner_id = fields.Many2one(related='account_id.partner_id', store=True, index=True)
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    date = fields.Date(required=True, readonly=True)
    policy_id = fields.Many2one('credit.policy', readonly=True, ondelete='set null')
    billed = fields.Monetary(
        string="Invoiced", readonly=True, help="Invoices less credit notes, taxes included, of the months beside it."
    )
    months = fields.Float(readonly=True, digits=(16, 1))
    monthly_billing = fields.Monetary(string="Invoiced per Month", readonly=True)
    terms_days = fields.Float(
        string="Days of Credit",
        readonly=True,
        digits=(16, 1),
        help="From the invoice to the due date, weighted by amount.",
    )
    late_days = fields.Float(
        string="Days Beyond Terms",
        readonly=True,
        digits=(16, 1),
        help="By when four fifths of the customer's invoices are paid; without paid invoices 0. Early payment shows "
        "below 0.",
    )
    counted_days = fields.Float(
        string="Days Counted",
        readonly=True,
        digits=(16, 1),
        help="The days of credit, at least 7, and the days beyond terms: from 0 to 30, and no more than the days of "
        "credit.",
    )
    growth_percent = fields.Float(string="Growth (%)", readonly=True, digits=(16, 1))
    need = fields.Monetary(readonly=True, help="Invoiced per month × days counted ÷ 30 × growth.")
    grade_id = fields.Many2one('credit.grade', readonly=True, ondelete='restrict')
    grade_factor = fields.Float(readonly=True, digits=(16, 2), help="Of the grade; 1 without a grade.")
    graded_need = fields.Monetary(string="Need by Grade", readonly=True)
    net_worth_known = fields.Boolean(readonly=True)
    net_worth = fields.Monetary(readonly=True, help="Equity of the last financial statement, company currency.")
    net_worth_percent = fields.Float(string="Of Net Worth (%)", readonly=True, digits=(16, 2))
    net_worth_cap = fields.Monetary(string="Share of Net Worth", readonly=True)
    own_sales = fields.Monetary(
        string="Our Sales", readonly=True, help="Invoiced to all customers in 12 months, taxes included."
    )
    concentration_percent = fields.Float(string="Of Our Sales (%)", readonly=True, digits=(16, 2))
    concentration_cap = fields.Monetary(string="Share of Our Sales", readonly=True)
    default_percent = fields.Float(
        string="Defaults in a Year (%)", readonly=True, digits=(16, 2), help="Of the customers of this grade."
    )
    loss_known = fields.Boolean(readonly=True)
    loss_cap = fields.Monetary(
        string="Bearable Loss",
        readonly=True,
        help="Of a limit of this amount we expect to lose in a year, by the defaults of the grade and the share that "
        "is lost then, as much of the margin on this customer as the policy allows.",
    )
    binding = fields.Selection(
        [
            ('need', "Need"),
            ('net_worth', "Net worth"),
            ('concentration', "Concentration"),
            ('expected_loss', "Expected loss"),
        ],
        string="Decided By",
        readonly=True,
        help="Which of the amounts is the lowest.",
    )
    amount = fields.Monetary(string="Recommended", readonly=True, aggregator=None)
    present_kind = fields.Selection(
        [('none', "None decided"), ('amount', "Amount"), ('unlimited', "Unlimited")], readonly=True
    )
    present_amount = fields.Monetary(string="Present Limit", readonly=True, aggregator=None)
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    good_months = fields.Integer(readonly=True, aggregator=None, help="Without overdue debt, up to this day.")
    verdict = fields.Selection(
        [
            ('first', "First limit"),
            ('raise', "Raise"),
            ('lower', "Lower"),
            ('same', "Leave as it is"),
            ('wait', "Too early for a raise"),
            ('frozen', "Frozen: overdue"),
        ],
        readonly=True,
    )
    proposed_amount = fields.Monetary(string="To Propose", readonly=True, aggregator=None)
    limit_id = fields.Many2one('credit.limit', string="Proposal", readonly=True, ondelete='set null')
    refusal = fields.Char(string="Could Not Be Proposed", readonly=True)
    waiting_limit_id = fields.Many2one(
        'credit.limit',
        string="Waits for a Decision",
        compute='_compute_waiting_limit_id',
        help="A limit for this customer that was proposed and is not decided. Another one can be proposed afterwards.",
    )
    latest = fields.Boolean(readonly=True, default=True, help="The newest of its customer.")
    monthly = fields.Boolean(readonly=True, help="Made by the monthly job.")

    _latest_unique = models.UniqueIndex('(account_id) WHERE latest', "A customer has one newest recommendation.")

    @api.depends('account_id.limit_ids.state')
    def _compute_waiting_limit_id(self):
        waiting = self.env['credit.limit'].search(
            [('account_id', 'in', self.account_id.ids), ('state', 'in', ('draft', 'submitted'))], order='id desc'
        )
        of_account = waiting.grouped('account_id')
        for recommendation in self:
            recommendation.waiting_limit_id = of_account.get(recommendation.account_id, waiting.browse())[:1]

    @api.depends('partner_id', 'amount', 'currency_id')
    def _compute_display_name(self):
        for record in self:
            amount = formatLang(self.env, record.amount, currency_obj=record.currency_id)
            record.display_name = f"{record.partner_id.display_name}: {amount}"

    # -------------------------------------------------------------------------
    # Computing
    # -------------------------------------------------------------------------

    @api.model
    def _recommend(self, accounts, monthly=False, own_sales=None):
        """Record what is recommended for these accounts today, and return it.

        A constant number of statements per company.

        :param own_sales: see `_own_sales`, if the caller knows it already
        """
        # No default of a client's context gets in.
        self = self.with_context(clean_context(self.env.context))  # noqa: PLW0642
        made = self.browse()
        defaults = self.env['credit.policy'].default_get(SETTINGS)
        for company, group in accounts.grouped('company_id').items():
            company = company.sudo()  # noqa: PLW2901 - all its documents count, whoever asks
            today = company._credit_today()
            partner_ids = group.partner_id.ids
            trade = self._trade(partner_ids, company, today)
            own = self._own_sales(company, today) if own_sales is None else own_sales
            late = self._late_days(partner_ids, company, today)
            worth = self._net_worths(partner_ids, company, today)
            figures = group._figures(company, partner_ids)
            present = {limit.account_id.id: limit for limit in self._present(group)}
            policies = group._applied_policies(group.partner_id, company)
            good = self._last_bad_days(group, company, policies)
            vals_list = []
            for account in group:
                partner = account.partner_id
                policy = policies.get(partner.id, self.env['credit.policy'])
                vals_list.append(
                    self._prepare(
                        account,
                        today,
                        policy,
                        policy or defaults,
                        trade.get(partner.id),
                        late.get(partner.id, 0.0),
                        worth.get(partner.id),
                        own,
                        present.get(account.id, self.env['credit.limit']),
                        figures[partner.id]['overdue_amount'],
                        good.get(account.id),
                    )
                    | {'monthly': monthly}
                )
            self.search([('account_id', 'in', group.ids), ('latest', '=', True)]).write({'latest': False})
            self.flush_model(['latest'])  # before the new rows are
            made |= self.create(vals_list)
        return made

    @api.model
    def _prepare(
        self, account, today, policy, settings, trade, late_days, net_worth, own_sales, present, overdue, good_since
    ):
        """Return the values of one recommendation.

        :param settings: the policy, or {name: value} where there is none
        :param trade: (billed, months, days of credit), see `_trade`; None if there was never any
        :param net_worth: None if not known
        :param good_since: since when nothing was overdue for long, None if not known
        """
        currency = account.currency_id
        billed, months, terms_days = trade or (0.0, FEWEST_MONTHS, float(DAYS_PER_MONTH))
        basis = Basis(
            monthly_billing=billed / months,
            terms_days=round(terms_days, 1),
            late_days=round(late_days, 1),
            growth_percent=settings['recommend_growth_percent'],
            grade_factor=account.grade_id.limit_factor if account.grade_id else 1.0,
            rounding=currency.rounding,
            net_worth=net_worth,
            net_worth_percent=settings['recommend_net_worth_percent'],
            own_sales=own_sales or None,
            concentration_percent=settings['recommend_concentration_percent'],
            default_percent=account.grade_id.default_percent,
            loss_percent=settings['recommend_loss_percent'],
            margin_percent=settings['recommend_margin_percent'],
            tolerated_percent=settings['recommend_tolerated_percent'],
        )
        result = recommend(basis)
        steps = {step.code: step for step in result.steps}
        months_good = 0
        if good_since:
            since = max(good_since, present.date_from or good_since)
            gap = relativedelta(today, since)
            months_good = max(0, gap.years * 12 + gap.months)
        unlimited = present.limit_kind == 'unlimited'
        amount = present and present.currency_id._convert(present.amount, currency, account.company_id, today)
        standing = Standing(amount if present else None, months_good, overdue)
        verdict, proposed = next_limit(result.amount, standing, policy._course(), currency.rounding)
        if unlimited or not trade:
            # That no limit was set was a decision, as is a limit to begin with: nothing here outweighs it.
            verdict, proposed = 'same', None
        return {
            'account_id': account.id,
            'date': today,
            'policy_id': policy.id,
            'billed': billed,
            'months': months,
            'monthly_billing': basis.monthly_billing,
            'terms_days': basis.terms_days,
            'late_days': basis.late_days,
            'counted_days': steps['need'].days,
            'growth_percent': basis.growth_percent,
            'need': steps['need'].amount,
            'grade_id': account.grade_id.id,
            'grade_factor': basis.grade_factor,
            'graded_need': steps['grade'].amount,
            'net_worth_known': net_worth is not None,
            'net_worth': net_worth or 0.0,
            'net_worth_percent': basis.net_worth_percent,
            'concentration_percent': basis.concentration_percent,
            'net_worth_cap': steps['net_worth'].amount if 'net_worth' in steps else 0.0,
            'own_sales': own_sales,
            'concentration_cap': steps['concentration'].amount if 'concentration' in steps else 0.0,
            'default_percent': basis.default_percent,
            'loss_known': 'expected_loss' in steps,
            'loss_cap': steps['expected_loss'].amount if 'expected_loss' in steps else 0.0,
            'binding': next((step.code for step in result.steps if step.binding), 'need'),
            'amount': result.amount,
            'present_kind': present.limit_kind or 'none',
            'present_amount': amount or 0.0,
            'overdue_amount': overdue,
            'good_months': months_good,
            'verdict': verdict,
            'proposed_amount': proposed or 0.0,
        }

    @api.model
    def _trade(self, partner_ids, company, today):
        """Return {partner id: (billed, months, days of credit)} of the last 12 months, of those who ever bought."""
        self.env['account.move'].flush_model(
            ['amount_total_signed', 'commercial_partner_id', 'company_id', 'invoice_date', 'move_type', 'state']
        )
        self.env['account.move.line'].flush_model(['balance', 'date_maturity', 'display_type', 'move_id'])
        start = today - relativedelta(months=MONTHS)
        branches = list(company._credit_branch_ids())
        rows = self.env.execute_query(
            SQL(
                """
                WITH billed AS (
                    SELECT commercial_partner_id AS partner_id,
                           SUM(amount_total_signed) FILTER (WHERE invoice_date > %(start)s) AS amount,
                           MIN(invoice_date) AS first
                      FROM account_move
                     WHERE move_type IN %(types)s AND state = 'posted' AND company_id = ANY(%(branches)s)
                       AND invoice_date <= %(today)s AND commercial_partner_id = ANY(%(partners)s)
                  GROUP BY commercial_partner_id),
                terms AS (
                    SELECT move.commercial_partner_id AS partner_id,
                           SUM(line.balance * (line.date_maturity - move.invoice_date)) / SUM(line.balance) AS days
                      FROM account_move move
                      JOIN account_move_line line
                        ON line.move_id = move.id AND line.display_type = 'payment_term' AND line.balance > 0
                     WHERE move.move_type = 'out_invoice' AND move.state = 'posted'
                       AND move.company_id = ANY(%(branches)s) AND move.invoice_date > %(start)s
                       AND move.invoice_date <= %(today)s AND move.commercial_partner_id = ANY(%(partners)s)
                  GROUP BY move.commercial_partner_id)
                SELECT billed.partner_id, COALESCE(billed.amount, 0), billed.first, terms.days
                  FROM billed LEFT JOIN terms USING (partner_id)
                """,
                start=start,
                today=today,
                types=SALES_TYPES,
                branches=branches,
                partners=list(partner_ids),
            )
        )
        return {
            partner_id: (float(billed), self._months(since, today), float(DAYS_PER_MONTH if days is None else days))
            for partner_id, billed, since, days in rows
        }

    @api.model
    def _own_sales(self, company, today):
        """Return what was invoiced to all customers in a year; of a young company so far, in proportion."""
        self.env['account.move'].flush_model(
            ['amount_total_signed', 'company_id', 'invoice_date', 'move_type', 'state']
        )
        [[own, first]] = self.env.execute_query(
            SQL(
                """
                SELECT SUM(amount_total_signed), MIN(invoice_date)
                  FROM account_move
                 WHERE move_type IN %(types)s AND state = 'posted' AND company_id = ANY(%(branches)s)
                   AND invoice_date > %(start)s AND invoice_date <= %(today)s
                """,
                start=today - relativedelta(months=MONTHS),
                today=today,
                types=SALES_TYPES,
                branches=list(company._credit_branch_ids()),
            )
        )
        return company.currency_id.round(float(own) * MONTHS / self._months(first, today)) if own else 0.0

    @api.model
    def _months(self, since, today):
        """Return over how many months a customer's trade is spread who bought first on that day."""
        return min(float(MONTHS), max(float(FEWEST_MONTHS), round((today - since).days / 30.4, 1)))

    @api.model
    def _late_days(self, partner_ids, company, today):
        """Return {partner id: days beyond terms by when four fifths of the invoices are paid}."""
        customers = self.env['scoring.score']._ledger_customers(partner_ids, company, today, ())
        return {
            partner_id: quantile(customer.history.days, LATE_SHARE)
            for partner_id, customer in customers.items()
            if customer.history.days
        }

    @api.model
    def _net_worths(self, partner_ids, company, today):
        """Return {partner id: equity of the last financial statement that is not out of date, company currency}."""
        Statement = self.env['scoring.statement']
        return {
            latest.partner_id.id: latest.currency_id._convert(latest.equity, company.currency_id, company, today)
            for latest in Statement._latest(partner_ids, company, Statement._oldest_end(company, today))
            if latest.equity is not False
        }

    @api.model
    def _present(self, accounts):
        """Return the base limits in force; one statement."""
        # What is in force counts, whether or not the user of the button may read it.
        return (
            self.env['credit.limit']
            .sudo()
            .with_context(allowed_company_ids=accounts.company_id.ids)
            .search([('account_id', 'in', accounts.ids), ('kind', '=', 'base'), ('in_force', '=', True)])
        )

    @api.model
    def _last_bad_days(self, accounts, company, policies):
        """Return {account id: since when nothing was overdue beyond what its policy tolerates}; none: not known."""
        tolerated = {
            account.id: policies[account.partner_id.id].recommend_tolerance_days
            for account in accounts
            if policies.get(account.partner_id.id)
        }
        self.env['credit.snapshot'].flush_model(['account_id', 'date', 'days_overdue', 'overdue_amount'])
        self.env['credit.snapshot.run'].flush_model(['company_id', 'date', 'kind', 'state'])
        ids = accounts.ids
        rows = self.env.execute_query(
            SQL(
                """
                SELECT wanted.account_id,
                       GREATEST((SELECT MIN(date) FROM credit_snapshot_run
                                 WHERE company_id = %(company)s AND kind = 'daily' AND state = 'done'),
                                MAX(snapshot.date) FILTER (WHERE snapshot.overdue_amount > 0
                                                             AND snapshot.days_overdue > wanted.days))
                  FROM unnest(%(accounts)s, %(days)s) AS wanted(account_id, days)
             LEFT JOIN credit_snapshot snapshot ON snapshot.account_id = wanted.account_id
              GROUP BY wanted.account_id
                """,
                company=company.id,
                accounts=ids,
                days=[tolerated.get(account_id, 0) for account_id in ids],
            )
        )
        return {account_id: since for account_id, since in rows if since}

    # -------------------------------------------------------------------------
    # Job
    # -------------------------------------------------------------------------

    @api.model
    def _cron_recommend(self):
        """Recommend, propose and apply limits in all companies, once a month; what failed, on the next day."""
        self.env['credit.counter']._each_root_company(self._recommend_company, FAILED)

    @api.model
    def _recommend_company(self, company):
        """Recommend limits for the customers of a root company with a grade, and do what their policies say.

        Each once a month, however often it is called: overdue debt lowers a limit each time.
        """
        # Of two servers that do this at once, the second runs again and sees that it is done.
        self.env['credit.counter']._advance('company_id', {company.id: 0})
        month = start_of(company._credit_today(), 'month')
        accounts = self.env['credit.account'].search(
            [
                ('company_id', '=', company.id),
                ('grade_id', '!=', False),
                ('recommendation_ids', 'not any', [('monthly', '=', True), ('date', '>=', month)]),
            ]
        )
        own_sales = self._own_sales(company, company._credit_today()) if accounts else 0.0
        for start in range(0, len(accounts), BATCH):
            self._recommend(accounts[start : start + BATCH], monthly=True, own_sales=own_sales)._follow()

    def _follow(self):
        """Propose, and apply, what the policies of these recommendations say."""
        wanted = self.filtered(lambda record: record.verdict in PROPOSED and record.policy_id.recommend_mode != 'show')
        wanted -= wanted._resting()
        if not wanted:
            return
        # What is written to the proposals is read in the company, not by the system.
        company = wanted.company_id.sudo()
        wanted = wanted.with_context(lang=company.partner_id.lang or self.env.lang)
        applied = wanted.filtered(
            lambda record: (
                record.policy_id.recommend_mode == 'apply'
                # A natural person has the right to a human decision.
                and record.partner_id.is_company
                # That nothing was invoiced lately is no verdict on the customer: somebody says whether it ends credit.
                and not (record.currency_id.is_zero(record.need) and record.currency_id.is_zero(record.proposed_amount))
                and record.currency_id.compare_amounts(record.proposed_amount, record.policy_id.recommend_apply_amount)
                <= 0
            )
        )
        wanted._propose()
        # What is beyond the policy's largest limit takes a person and a reason.
        limits = applied.limit_id.filtered(lambda limit: limit.state == 'submitted' and not limit._approval_outside())
        # Confirmations and other approvals for the same customers queue here.
        self.env['credit.counter']._bump(limits.account_id)
        limits._put_in_force(wanted.env._("Applied by the policy as recommended."))

    def _resting(self):
        """Return those that have to wait: a limit is under way, was rejected lately, or decided to be higher lately."""
        Limit = self.env['credit.limit'].sudo().with_context(allowed_company_ids=self.company_id.ids)
        pending = Limit.search([('account_id', 'in', self.account_id.ids), ('state', 'in', ('draft', 'submitted'))])
        lately = [
            ('account_id', 'in', self.account_id.ids),
            ('decided_date', '>=', fields.Datetime.now() - relativedelta(days=REST_DAYS)),
        ]
        rejected = Limit.search([*lately, ('origin', '=', 'recommended'), ('state', '=', 'rejected')])
        decided = Limit.search(
            [*lately, ('origin', '!=', 'recommended'), ('kind', '=', 'base'), ('in_force', '=', True)]
        )
        return self.filtered(
            lambda record: (
                record.account_id in (pending + rejected).account_id
                or (record.verdict == 'lower' and record.account_id in decided.account_id)
            )
        )

    def _propose(self):
        """Submit these as proposals of one batch, and note why others could not be."""
        vals_list = [record._prepare_limit() for record in self]
        _batch, limits, refused = self.env['credit.limit']._propose_batch(vals_list)
        by_account = {record.account_id: record for record in self}
        for limit in limits:
            recommendation = by_account[limit.account_id]
            limit._follow_recommendation(recommendation)
            # Nobody writes recommendations; what came of one is its only change.
            recommendation.sudo().limit_id = limit
        for vals, reason in refused:
            by_account[self.env['credit.account'].browse(vals['account_id'])].sudo().refusal = reason

    def _prepare_limit(self):
        """Return the values of the proposal."""
        self.ensure_one()
        return {
            'account_id': self.account_id.id,
            'amount': self.proposed_amount,
            'currency_id': self.currency_id.id,
            'date_from': self.company_id._credit_today(),
            'reason': self._explain(),
        }

    def _explain(self):
        """Return the derivation in words."""
        self.ensure_one()

        def money(amount):
            return formatLang(self.env, amount, currency_obj=self.currency_id)

        lines = [
            self.env._(
                "Recommended on %(date)s: %(amount)s", date=format_date(self.env, self.date), amount=money(self.amount)
            ),
            self.env._(
                "Need: %(monthly)s a month × %(days)s days ÷ 30, and %(growth)s %% growth = %(need)s. Days of credit: "
                "%(terms)s, counted as 7 at least. Days beyond terms: %(late)s, counted from 0 to 30 and no more than "
                "the days of credit",
                monthly=money(self.monthly_billing),
                days=formatLang(self.env, self.counted_days, digits=1),
                terms=formatLang(self.env, self.terms_days, digits=1),
                late=formatLang(self.env, self.late_days, digits=1),
                growth=formatLang(self.env, self.growth_percent, digits=1),
                need=money(self.need),
            ),
            self.env._(
                "Grade %(grade)s: × %(factor)s = %(amount)s",
                grade=self.grade_id.code or self.env._("none"),
                factor=formatLang(self.env, self.grade_factor, digits=2),
                amount=money(self.graded_need),
            ),
        ]
        if self.net_worth_known:
            # Accountants read this, but no financial statements: neither the net worth nor a share that tells it.
            lines.append(self.env._("Not above a share of the net worth; the recommendation says of how much"))
        if self.own_sales:
            lines.append(
                self.env._(
                    "Not above %(cap)s, a share of our yearly sales of %(sales)s",
                    cap=money(self.concentration_cap),
                    sales=money(self.own_sales),
                )
            )
        if self.loss_known:
            lines.append(
                self.env._(
                    "Not above %(cap)s, of which we expect to lose as much of our margin as the policy allows",
                    cap=money(self.loss_cap),
                )
            )
        return '\n'.join(lines)

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_propose(self):
        """Submit the recommended limit as a proposal; for analysts and credit managers.

        :raise AccessError: if the user may not propose limits
        :raise UserError: if nothing is to be proposed, it is not the newest, or there is a proposal under way
        """
        self.ensure_one()
        self.check_access('read')
        if self.verdict not in PROPOSED:
            raise UserError(
                self.env._(
                    "The recommendation is not to change the limit now: %(verdict)s. To propose the amount all the "
                    "same, choose Propose Anyway.",
                    verdict=self._verdict_label(),
                )
            )
        return self._propose_by_hand()

    def action_propose_anyway(self):
        """Submit the computed amount although the recommendation is not to change the limit; the proposal says so.

        :raise AccessError: if the user may not propose limits
        :raise UserError: if it is not the newest, or there is a proposal under way
        """
        self.ensure_one()
        self.check_access('read')
        return self._propose_by_hand()

    def _propose_by_hand(self):
        """Submit one recommendation as a proposal of the user, and open that."""
        self.env['credit.limit'].check_access('create')
        if not self.latest:
            raise UserError(self.env._("There is a newer recommendation for this customer. Propose that one."))
        if self.waiting_limit_id:
            raise UserError(
                self.env._(
                    "A limit for %(customer)s waits for a decision already: %(limit)s. Decide about it first, or "
                    "withdraw it.",
                    customer=self.partner_id.display_name,
                    limit=self.waiting_limit_id.display_name,
                )
            )
        vals = self._prepare_limit()
        if self.verdict not in PROPOSED:
            against = self.env._(
                "Proposed against the recommendation, which is not to change the limit now: %(verdict)s",
                verdict=self._verdict_label(),
            )
            vals |= {'amount': self.amount, 'reason': f"{against}\n{vals['reason']}"}
        limit = self.env['credit.limit'].create(vals)
        limit._follow_recommendation(self)
        limit.action_submit()
        # As above.
        self.sudo().limit_id = limit
        return limit.get_formview_action()

    def _verdict_label(self):
        return dict(self._fields['verdict']._description_selection(self.env))[self.verdict]

    def action_view_invoices(self):
        """Open the invoices and credit notes that were counted."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Invoices of %(customer)s", customer=self.partner_id.display_name),
            'res_model': 'account.move',
            'view_mode': 'list,pivot,form',
            'domain': [
                ('commercial_partner_id', '=', self.partner_id.id),
                ('company_id', 'child_of', self.company_id.id),
                ('move_type', 'in', SALES_TYPES),
                ('state', '=', 'posted'),
                ('invoice_date', '>', self.date - relativedelta(months=MONTHS)),
                ('invoice_date', '<=', self.date),
            ],
            'context': {'create': False},
        }

    def action_open_account(self):
        """Open the customer's credit account."""
        self.ensure_one()
        self.check_access('read')
        return self.account_id.get_formview_action()
