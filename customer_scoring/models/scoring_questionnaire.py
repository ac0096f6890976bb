from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

STATE_LABELS = [('draft', "Draft"), ('active', "Active"), ('retired', "Retired")]
# So many questions that the answer says something, and so few that it is given.
FEWEST, MOST = 5, 10
READERS = 'credit_management.group_credit_auditor,credit_management.group_credit_analyst'


class ScoringQuestionnaire(models.Model):
    """Some questions about a customer that those answer who know it; never edited once it was in use."""

    _name = 'scoring.questionnaire'
    _inherit = ['scoring.shared']
    _description = "Questionnaire"
    _order = 'name, version desc, id desc'

    name = fields.Char(required=True, translate=True)
    version = fields.Integer(required=True, readonly=True, default=1, copy=False, aggregator=None)
    state = fields.Selection(STATE_LABELS, required=True, readonly=True, default='draft', copy=False, index=True)
    origin_id = fields.Many2one(
        'scoring.questionnaire', string="First Version", readonly=True, copy=False, index='btree_not_null'
    )
    introduction = fields.Text(translate=True, help="What whoever answers should know.")
    validity_months = fields.Integer(
        string="Valid for (Months)",
        default=12,
        help="After that scores don't count an answer any more. 0: without end.",
    )
    question_ids = fields.One2many('scoring.question', 'questionnaire_id', string="Questions", copy=True)
    answer_count = fields.Integer(string="Answers", compute='_compute_answer_count')

    _validity_positive = models.Constraint('CHECK (validity_months >= 0)', "Validity can't be less than 0 months.")

    @api.depends('name', 'version')
    def _compute_display_name(self):
        for each in self:
            each.display_name = self.env._("%(name)s, version %(version)s", name=each.name or '', version=each.version)

    def _compute_answer_count(self):
        counts = dict(
            self.env['scoring.answer']._read_group(
                [('questionnaire_id', 'in', self.ids)], ['questionnaire_id'], ['__count']
            )
        )
        for each in self:
            each.answer_count = counts.get(each, 0)

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:  # data files may ship one that is active
            vals_list = [
                {name: value for name, value in vals.items() if name not in ('state', 'version', 'origin_id')}
                for vals in vals_list
            ]
            vals_list = [{**vals, 'state': 'draft', 'version': 1, 'origin_id': False} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if {'state', 'version', 'origin_id'} & vals.keys() and not self.env.su:
            raise UserError(self.env._("A questionnaire is put into use with its buttons."))
        if vals.keys() - {'active', 'state', 'version', 'origin_id'}:
            self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_draft()

    def _check_draft(self):
        """Refuse changes of what was in use: answers rest on it."""
        if not self.env.su and (used := self.filtered(lambda each: each.state != 'draft')):
            raise UserError(
                self.env._(
                    "%(questionnaire)s has been in use and stays as it is. Make a new version.",
                    questionnaire=used[0].display_name,
                )
            )

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def action_activate(self):
        """Put a draft into use; its former version is retired.

        :raise UserError: if something is missing
        :raise AccessError: if the user may not write questionnaires
        """
        self.check_access('write')
        for each in self:
            each._check_draft()
            each._check_complete()
            former = self.search([('origin_id', '=', (each.origin_id or each).id), ('state', '=', 'active')])
            former |= each.origin_id.filtered(lambda first: first.state == 'active')
            former._write_flow({'state': 'retired'})
            each._write_flow({'state': 'active'})
        return True

    def action_retire(self):
        """Take these out of use; what was answered stays.

        :raise AccessError: if the user may not write questionnaires
        """
        self.check_access('write')
        self._write_flow({'state': 'retired'})
        return True

    def action_new_version(self):
        """Open a draft that is the next version of this one.

        :raise AccessError: if the user may not write questionnaires
        """
        self.ensure_one()
        self.check_access('write')
        first = self.origin_id or self
        latest = self.with_context(active_test=False).search(
            ['|', ('id', '=', first.id), ('origin_id', '=', first.id)], order='version desc', limit=1
        )
        draft = self.copy()
        draft._write_flow({'version': latest.version + 1, 'origin_id': first.id})
        return {
            'type': 'ir.actions.act_window',
            'res_model': self._name,
            'res_id': draft.id,
            'views': [(False, 'form')],
        }

    def _write_flow(self, vals):
        """Write what `write` keeps clients from writing."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _check_complete(self):
        self.ensure_one()
        if not FEWEST <= len(self.question_ids) <= MOST:
            raise UserError(
                self.env._(
                    "%(questionnaire)s has %(count)s questions. Ask %(fewest)s to %(most)s.",
                    questionnaire=self.display_name,
                    count=len(self.question_ids),
                    fewest=FEWEST,
                    most=MOST,
                )
            )
        for question in self.question_ids:
            points = question.option_ids.mapped('points')
            if len(points) < 2 or max(points) <= 0:
                raise UserError(
                    self.env._(
                        "Give “%(question)s” at least two answers, one of them with more than 0 points.",
                        question=question.name,
                    )
                )

    @api.model
    def _default_for(self, company):
        """Return the questionnaire in use in a root company: its own before one for all."""
        domain = [('state', '=', 'active'), ('company_id', 'in', (company.id, False))]
        return self.search(domain, order='company_id, version desc, id desc', limit=1)


class ScoringQuestion(models.Model):
    """A question with its possible answers."""

    _name = 'scoring.question'
    _description = "Question"
    _order = 'questionnaire_id, sequence, id'

    questionnaire_id = fields.Many2one('scoring.questionnaire', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='questionnaire_id.company_id')
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Question", required=True, translate=True)
    hint = fields.Char(translate=True, help="What to look at.")
    # What an answer is worth is not for those who answer.
    weight = fields.Float(
        default=1.0, aggregator=None, groups=READERS, help="How much it counts beside the other questions."
    )
    required = fields.Boolean(default=True, help="No: may be left open, and then doesn't count.")
    option_ids = fields.One2many('scoring.question.option', 'question_id', string="Possible Answers", copy=True)

    _weight_positive = models.Constraint('CHECK (weight > 0)', "A question weighs more than nothing.")

    @api.model_create_multi
    def create(self, vals_list):
        questions = super().create(vals_list)
        questions.questionnaire_id._check_draft()
        return questions

    def write(self, vals):
        self.questionnaire_id._check_draft()
        result = super().write(vals)
        self.questionnaire_id._check_draft()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self.questionnaire_id._check_draft()


class ScoringQuestionOption(models.Model):
    """A possible answer to a question, with its points."""

    _name = 'scoring.question.option'
    _description = "Possible Answer"
    _order = 'question_id, sequence, id'

    question_id = fields.Many2one('scoring.question', required=True, index=True, ondelete='cascade')
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Answer", required=True, translate=True)
    points = fields.Integer(
        aggregator=None, groups=READERS, help="0 is worst; the answer with the most points is best."
    )

    @api.constrains('points')
    def _check_points(self):
        if any(option.points < 0 for option in self):
            raise ValidationError(self.env._("An answer has 0 points or more."))

    @api.model_create_multi
    def create(self, vals_list):
        options = super().create(vals_list)
        options.question_id.questionnaire_id._check_draft()
        return options

    def write(self, vals):
        self.question_id.questionnaire_id._check_draft()
        result = super().write(vals)
        self.question_id.questionnaire_id._check_draft()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self.question_id.questionnaire_id._check_draft()
