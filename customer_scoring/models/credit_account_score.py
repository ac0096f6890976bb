from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .scoring_field import EnteredFloat
from .scoring_score import READERS

ANALYST = 'credit_management.group_credit_analyst'
# Written by scoring only.
SCORE_FIELDS = {'score_id', 'score', 'score_date', 'score_advisory'}


class CreditAccount(models.Model):
    """The score of a customer: for analysts, managers and auditors; sales see the grade only."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    score_id = fields.Many2one(
        'scoring.score', string="Last Score", readonly=True, copy=False, ondelete='set null', groups=READERS
    )
    # NULL without a score, also of an account that was entered by hand: 0 is the worst score, and stops orders.
    score = EnteredFloat(
        readonly=True,
        copy=False,
        digits=(16, 1),
        aggregator='avg',
        groups=READERS,
        help="From 0, the worst, to 100, the best.",
    )
    score_date = fields.Date(string="Scored On", readonly=True, copy=False, groups=READERS)
    score_grade_id = fields.Many2one(related='score_id.grade_id', string="Grade of the Score", groups=READERS)
    score_change = fields.Float(related='score_id.change', string="Change of the Score", groups=READERS)
    score_little = fields.Boolean(related='score_id.little', groups=READERS)
    score_advisory = fields.Boolean(string="Advice Only", readonly=True, copy=False, groups=READERS)
    score_stake = fields.Float(related='score_id.stake', string="Stake Score", groups=READERS)
    score_has_stake = fields.Boolean(related='score_id.has_stake', groups=READERS)
    score_card_id = fields.Many2one(related='score_id.card_id', string="Scorecard", groups=READERS)
    score_rest_text = fields.Char(related='score_id.rest_text', string="Rests On", groups=READERS)
    score_drawn = fields.Float(related='score_id.drawn', string="Drawn Towards the Segment", groups=READERS)
    score_line_ids = fields.One2many(related='score_id.line_ids', string="Why This Grade?", groups=READERS)
    score_differs = fields.Boolean(
        string="Grade Differs From the Score",
        compute='_compute_score_differs',
        search='_search_score_differs',
        groups=READERS,
    )
    override_ids = fields.One2many('scoring.override', 'account_id', string="Overrides", groups=READERS)
    override_id = fields.Many2one('scoring.override', compute='_compute_override_id', groups=READERS)
    override_until = fields.Date(compute='_compute_override_id', string="Overridden Until", groups=READERS)
    override_reason = fields.Char(compute='_compute_override_id', string="Overridden Because", groups=READERS)
    score_count = fields.Integer(string="Scores", compute='_compute_score_count', groups=READERS)

    @api.depends('score_id.grade_id', 'grade_id')
    def _compute_score_differs(self):
        for account in self:
            account.score_differs = bool(account.score_grade_id) and account.score_grade_id != account.grade_id

    def _search_score_differs(self, operator, value):
        if operator != 'in' or list(value) != [True]:
            return NotImplemented
        self.flush_model(['grade_id', 'score_id'])
        self.env['scoring.score'].flush_model(['grade_id'])
        differing = SQL(
            "(SELECT account.id FROM credit_account account JOIN scoring_score score ON score.id = account.score_id"
            " WHERE score.grade_id IS DISTINCT FROM account.grade_id AND score.grade_id IS NOT NULL)"
        )
        return [('id', 'in', differing)]

    @api.depends('override_ids.date_until', 'override_ids.reason', 'override_ids.state')
    def _compute_override_id(self):
        overrides = {override.account_id: override for override in self.env['scoring.override']._in_force(self)}
        for account in self:
            override = overrides.get(account._origin, self.env['scoring.override'])
            account.override_id = override
            account.override_until = override.date_until
            account.override_reason = override.reason

    def _compute_score_count(self):
        counts = dict(
            self.env['scoring.score']._read_group([('account_id', 'in', self.ids)], ['account_id'], ['__count'])
        )
        for account in self:
            account.score_count = counts.get(account._origin, 0)

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS credit_management: nobody enters a score
        return super().create(
            [{**vals, **dict.fromkeys(SCORE_FIELDS & self._fields.keys(), False)} for vals in vals_list]
        )

    def write(self, vals):
        # EXTENDS credit_management
        if SCORE_FIELDS & vals.keys():
            raise AccessError(self.env._("Scores are computed; none can be entered. Override the grade instead."))
        return super().write(vals)

    @api.model
    def _fact_columns(self):
        # EXTENDS credit_management: for the rule on the score
        return [*super()._fact_columns(), 'score', 'score_advisory']

    @api.model
    def _flush_accounts(self):
        # EXTENDS credit_management
        super()._flush_accounts()
        self.flush_model(['score', 'score_advisory'])

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def _check_may_score(self):
        if not self.env.su and not self.env.user.has_group(ANALYST):
            raise AccessError(self.env._("Only credit analysts and managers have customers scored. Ask one of them."))
        self.check_access('write')

    def action_compute_score(self):
        """Score these customers now, as of today.

        :raise AccessError: if the user is no credit analyst
        :raise UserError: if nothing is known of any of them, or no active card is for them
        """
        self._check_may_score()
        scored = 0
        for accounts in self.filtered('active').grouped('company_id').values():
            scored += self.env['scoring.score']._compute_for(accounts)
        if not scored:
            raise UserError(
                self.env._(
                    "No score can be given: there is no active scorecard for this customer, or nothing is known of it "
                    "yet. Activate one under Credit, Configuration, Scoring, Scorecards."
                )
            )
        return True

    def action_override_grade(self):
        """Ask for a grade against the score, the reason, and until when.

        :raise AccessError: if the user is no credit analyst
        """
        self.ensure_one()
        self._check_may_score()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Override the Grade"),
            'res_model': 'scoring.override',
            'views': [(self.env.ref('customer_scoring.scoring_override_view_form_new').id, 'form')],
            'target': 'new',
            'context': {'default_account_id': self.id},
        }

    def action_end_override(self):
        """End the override in force.

        :raise AccessError: if the user is no credit analyst, or may not give the grade that follows
        """
        self._check_may_score()
        return (
            self.env['scoring.override'].search([('account_id', 'in', self.ids), ('state', '=', 'active')]).action_end()
        )

    def action_apply_score_grade(self):
        """Ask about the grade of the last score, with what it implies.

        :raise AccessError: if the user may not read scores or not write the account
        """
        self.ensure_one()
        return self.score_id.action_apply_grade()

    def action_view_scores(self):
        """Open the scores of this account over time; readable by analysts, managers and auditors."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('customer_scoring.scoring_score_action_account')
        # Up to this day the last score holds: a day on which nothing changed writes none.
        context = {'active_id': self.id, 'scoring_until': fields.Date.to_string(self.score_date)}
        return action | {'domain': [('account_id', '=', self.id)], 'context': context}
