from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import format_list

from ..engine import scale
from .scoring_field import EnteredFloat

ANALYST = 'credit_management.group_credit_analyst'


class ScoringAnswer(models.Model):
    """A questionnaire about one customer, answered by somebody who knows it."""

    _name = 'scoring.answer'
    _inherit = ['scoring.fact']
    _description = "Answered Questionnaire"
    _order = 'id desc'
    _event_key = 'answer_id'
    _event_kinds = {'answered': 'questionnaire_answered', 'withdrawn': 'answer_withdrawn'}

    current_id = fields.Many2one('scoring.answer', readonly=True, copy=False, index='btree_not_null')
    questionnaire_id = fields.Many2one(
        'scoring.questionnaire',
        required=True,
        index=True,
        ondelete='restrict',
        domain="[('state', '=', 'active'), '|', ('company_id', '=', False), ('company_id', '=', company_id)]",
        default=lambda self: self.env['scoring.questionnaire']._default_for(self.env.company.root_id),
    )
    introduction = fields.Text(related='questionnaire_id.introduction')
    state = fields.Selection(
        [('draft', "Draft"), ('done', "Answered")],
        required=True,
        readonly=True,
        default='draft',
        copy=False,
        index=True,
    )
    date = fields.Date(string="Answered On", readonly=True, copy=False, index=True)
    line_ids = fields.One2many('scoring.answer.line', 'answer_id', string="Answers")
    note = fields.Text(help="What the answers rest on.")
    # What it comes to is for those who score.
    score = EnteredFloat(
        string="Score (0–100)",
        digits=(16, 1),
        readonly=True,
        copy=False,
        aggregator='avg',
        groups='credit_management.group_credit_auditor,credit_management.group_credit_analyst',
        help="The share of the points that could be had, each question by its weight.",
    )
    last_day = fields.Date(readonly=True, copy=False, help="The last day on which scores count these answers.")

    @api.depends('partner_id', 'questionnaire_id', 'date')
    def _compute_display_name(self):
        for answer in self:
            parts = [
                answer.partner_id.name,
                answer.questionnaire_id.name,
                answer.date and fields.Date.to_string(answer.date),
            ]
            answer.display_name = ' · '.join(filter(None, parts)) if answer.partner_id else self.env._("New Answers")

    @api.onchange('questionnaire_id')
    def _onchange_questionnaire_id(self):
        self.line_ids = [Command.clear(), *self._line_commands(self.questionnaire_id)]

    @api.model
    def _line_commands(self, questionnaire):
        return [
            Command.create({'question_id': question.id, 'sequence': number})
            for number, question in enumerate(questionnaire.question_ids)
        ]

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        flow = {'state': 'draft', 'date': False, 'last_day': False}
        vals_list = [{**vals, **flow} for vals in vals_list]
        for vals in vals_list:
            vals.pop('score', None)
        answers = super().create(vals_list)
        for answer in answers:
            answer._check_may_answer()
            answer.questionnaire_id._check_serves(answer.company_id)
            if answer.questionnaire_id.state != 'active':
                raise UserError(
                    self.env._("%(questionnaire)s is not in use.", questionnaire=answer.questionnaire_id.display_name)
                )
            answer._fill_lines()
        return answers

    def write(self, vals):
        if {'state', 'date', 'score', 'last_day'} & vals.keys():
            raise AccessError(self.env._("The score follows from the answers, and the day from handing them in."))
        if 'questionnaire_id' in vals and any(
            answer.questionnaire_id.id != vals['questionnaire_id'] for answer in self
        ):
            raise UserError(self.env._("Answers stay with their questionnaire. Begin anew instead."))
        self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_answered(self):
        self._check_draft()

    def _check_draft(self):
        if done := self.filtered(lambda answer: answer.state != 'draft'):
            raise UserError(
                self.env._(
                    "%(answer)s has been handed in and stays as it is. Answer the questions anew instead.",
                    answer=done[0].display_name,
                )
            )

    def _check_may_answer(self):
        """Refuse answers about a customer whose credit the user may not see.

        :raise AccessError: for somebody else's customer
        """
        self.ensure_one()
        # Who is whose salesperson is no secret.
        if not self.env.su and not self.env['credit.account']._visible_partners(self.partner_id.sudo(), self.env.user):
            raise AccessError(
                self.env._(
                    "You answer for your own customers. %(customer)s is somebody else's.",
                    customer=self.partner_id.display_name,
                )
            )

    def _fill_lines(self):
        """Give a sheet a line for each question, and none that its questionnaire doesn't ask."""
        self.ensure_one()
        questions = self.questionnaire_id.question_ids
        # As the system: whoever answers may not drop a question.
        lines = self.line_ids.sudo()
        lines.filtered(lambda line: line.question_id not in questions).unlink()
        missing = questions - lines.question_id
        lines.create([{'answer_id': self.id, 'question_id': question.id} for question in missing])

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def action_submit(self):
        """Hand the answers in: from today on, scores count them.

        :raise UserError: if a question that needs an answer is open
        :raise AccessError: if the user may not answer for the customer
        """
        self.check_access('write')
        self._check_draft()
        self._check_current()
        for answer in self:
            answer._check_may_answer()
            answer._fill_lines()
            answer._check_complete()
            company = answer.company_id.sudo()
            months = answer.questionnaire_id.validity_months
            today = company._credit_today()
            # The score may not be the salesperson's to read; it is nobody's to write.
            answer.sudo()._write_flow(
                {
                    'state': 'done',
                    'date': today,
                    'known_from': today,
                    'user_id': self.env.uid,
                    'score': answer._score(),
                    'last_day': today + relativedelta(months=months) if months else False,
                }
            )
        self._record_events('answered')
        return True

    def _check_complete(self):
        self.ensure_one()
        open_lines = self.line_ids.filtered(lambda line: line.question_id.required and not line.option_id)
        if open_lines:
            raise UserError(
                self.env._(
                    "Answer these questions as well: %(questions)s",
                    questions=format_list(self.env, [f"“{line.question_id.name}”" for line in open_lines]),
                )
            )
        if not self.line_ids.option_id:
            raise UserError(self.env._("Answer at least one question."))

    def _score(self):
        self.ensure_one()
        return scale.questionnaire_score(
            [
                (line.option_id.points, max(line.question_id.option_ids.mapped('points')), line.question_id.weight)
                for line in self.line_ids.sudo()
                if line.option_id
            ]
        )

    def action_withdraw(self):
        """Let answers count no more from today on.

        :raise AccessError: if the user is no credit analyst
        """
        if not self.env.su and not self.env.user.has_group(ANALYST):
            raise AccessError(self.env._("Credit analysts withdraw answers. Answer the questions anew instead."))
        return super().action_withdraw()

    def _is_on_file(self):
        # EXTENDS customer_scoring
        return self.state == 'done'

    def _event_payload(self):
        # EXTENDS customer_scoring
        return {'questionnaire_id': self.questionnaire_id.id, 'date_from': self.date, 'score': self.sudo().score}


class ScoringAnswerLine(models.Model):
    """One question of a sheet and its answer."""

    _name = 'scoring.answer.line'
    _description = "Answer"
    _order = 'answer_id, sequence, id'

    answer_id = fields.Many2one('scoring.answer', string="Sheet", required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='answer_id.company_id', store=True, index=True)
    user_id = fields.Many2one(related='answer_id.user_id', store=True, index=True)
    sequence = fields.Integer(default=10)
    question_id = fields.Many2one('scoring.question', required=True, readonly=True, ondelete='restrict')
    hint = fields.Char(related='question_id.hint')
    required = fields.Boolean(related='question_id.required')
    option_id = fields.Many2one(
        'scoring.question.option', string="Answer", ondelete='restrict', domain="[('question_id', '=', question_id)]"
    )

    _question_unique = models.UniqueIndex('(answer_id, question_id)', "Each question is asked once.")

    @api.constrains('question_id', 'option_id')
    def _check_option(self):
        for line in self:
            if line.option_id and line.option_id.question_id != line.question_id:
                raise UserError(
                    self.env._(
                        "“%(answer)s” is no answer to “%(question)s”.",
                        answer=line.option_id.name,
                        question=line.question_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.answer_id._check_draft()
        return lines

    def write(self, vals):
        self.answer_id._check_draft()
        if {'answer_id', 'question_id'} & vals.keys() and not self.env.su:
            raise AccessError(self.env._("The questionnaire says what is asked."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_answered(self):
        self.answer_id._check_draft()
