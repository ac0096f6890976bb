from odoo import Command, api, fields, models
from odoo.exceptions import UserError

MOST = 2000


class ScoringTrial(models.TransientModel):
    """Scores customers with a card for trial and compares them with the card in force; stores no score."""

    _name = 'scoring.trial'
    _description = "Trial of a Scorecard"

    card_id = fields.Many2one('scoring.card', string="Scorecard", required=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='card_id.company_id')
    scope = fields.Selection(
        [('segment', "The card's segment"), ('chosen', "Chosen customers")], required=True, default='segment'
    )
    partner_ids = fields.Many2many(
        'res.partner', string="Chosen Customers", domain="['|', ('is_company', '=', True), ('parent_id', '=', False)]"
    )
    limit = fields.Integer(
        string="At Most",
        default=200,
        required=True,
        help="Customers of the segment: the same each time, 2,000 at most.",
    )
    date = fields.Date(string="As Of", required=True, default=lambda self: self.env.company._credit_today())
    line_ids = fields.One2many('scoring.trial.line', 'trial_id', string="Who Moves", readonly=True)
    grade_ids = fields.One2many('scoring.trial.grade', 'trial_id', string="By Grade", readonly=True)
    done = fields.Boolean(readonly=True)
    compared_ids = fields.Many2many(
        'scoring.card',
        string="Compared With",
        readonly=True,
        help="The cards in force on the day as of which is scored.",
    )
    up_count = fields.Integer(string="Better Grade", compute='_compute_counts')
    down_count = fields.Integer(string="Worse Grade", compute='_compute_counts')
    same_count = fields.Integer(string="Same Grade", compute='_compute_counts')
    new_count = fields.Integer(string="Without a Score Now", compute='_compute_counts')
    lost_count = fields.Integer(string="Without a Score Then", compute='_compute_counts')

    @api.depends('line_ids.move')
    def _compute_counts(self):
        for trial in self:
            for move in ('up', 'down', 'same', 'new', 'lost'):
                trial[f'{move}_count'] = len(trial.line_ids.filtered(lambda line, move=move: line.move == move))

    @api.depends('card_id')
    def _compute_display_name(self):
        for trial in self:
            trial.display_name = self.env._("Try %(card)s", card=trial.card_id.display_name)

    def action_try(self):
        """Score the chosen customers with the card and with the one in force on the day, and show who moves.

        :raise AccessError: if the user may not read the card
        :raise UserError: if the card can't score, or there is nobody to score
        """
        self.ensure_one()
        card = self.card_id
        card.check_access('read')
        card._check_complete()
        number = max(1, min(self.limit, MOST))
        if self.scope == 'chosen':
            partners = self.partner_ids.commercial_partner_id[:number]
        else:
            partners = card._sample(number)
        if not partners:
            raise UserError(
                self.env._("There is nobody to score: choose customers with a credit account and invoices.")
            )
        Scores = self.env['scoring.score']
        company = card.company_id
        tried = Scores._evaluate(partners, company, self.date, card=card)
        now = Scores._evaluate(partners, company, self.date)
        lines = []
        for partner in partners:
            _card, before = now.get(partner.id, (None, None))
            _card, after = tried.get(partner.id, (None, None))
            if not before and not after:
                continue
            known = after or before
            lines.append(
                {
                    'partner_id': partner.id,
                    'score_before': before.score if before else 0.0,
                    'score_after': after.score if after else 0.0,
                    'change': round(after.score - before.score, 1) if before and after else 0.0,
                    'grade_before_id': before.grade_id if before else False,
                    'grade_after_id': after.grade_id if after else False,
                    'move': self._move(before, after),
                    'little': known.little,
                    'invoice_count': known.count,
                }
            )
        grades = card.band_ids.grade_id | self.env['credit.grade'].browse(
            {line['grade_before_id'] for line in lines if line['grade_before_id']}
        )
        self.write(
            {
                'done': True,
                'compared_ids': [
                    Command.set([used.id for used in self.env['scoring.card']._cards_of(partners, company, self.date)])
                ],
                'line_ids': [Command.clear(), *map(Command.create, lines)],
                'grade_ids': [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                'grade_id': grade.id,
                                'before': sum(line['grade_before_id'] == grade.id for line in lines),
                                'after': sum(line['grade_after_id'] == grade.id for line in lines),
                            }
                        )
                        for grade in grades.sorted()
                    ),
                ],
            }
        )
        return True

    @api.model
    def _move(self, before, after):
        if not after:
            return 'lost'
        if not before or not before.band:
            return 'new'
        if before.grade_id == after.grade_id:
            return 'same'
        return 'up' if after.band.rank < before.band.rank else 'down'


class ScoringTrialLine(models.TransientModel):
    """One customer in a trial: the score of the card in force and that of the tried one."""

    _name = 'scoring.trial.line'
    _description = "Customer in a Trial"
    _order = 'change, id'

    trial_id = fields.Many2one('scoring.trial', required=True, ondelete='cascade')
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True, ondelete='cascade')
    score_before = fields.Float(string="Score Now", readonly=True, digits=(16, 1))
    score_after = fields.Float(string="Score Then", readonly=True, digits=(16, 1))
    change = fields.Float(readonly=True, digits=(16, 1))
    grade_before_id = fields.Many2one('credit.grade', string="Grade Now", readonly=True, ondelete='cascade')
    grade_after_id = fields.Many2one('credit.grade', string="Grade Then", readonly=True, ondelete='cascade')
    move = fields.Selection(
        [
            ('up', "Better"),
            ('down', "Worse"),
            ('same', "Same"),
            ('new', "No score now"),
            ('lost', "No score then"),
        ],
        string="Moves",
        readonly=True,
    )
    invoice_count = fields.Integer(string="Invoices", readonly=True)
    little = fields.Boolean(string="Little History", readonly=True)


class ScoringTrialGrade(models.TransientModel):
    """How many customers of a trial have a grade now and would have it then."""

    _name = 'scoring.trial.grade'
    _description = "Grade in a Trial"
    _order = 'sequence, id'

    trial_id = fields.Many2one('scoring.trial', required=True, ondelete='cascade')
    grade_id = fields.Many2one('credit.grade', readonly=True, ondelete='cascade')
    sequence = fields.Integer(related='grade_id.sequence', store=True)
    before = fields.Integer(string="Now", readonly=True)
    after = fields.Integer(string="Then", readonly=True)
