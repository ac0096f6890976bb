from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tools import SQL, format_date
from odoo.tools.date_utils import add

from ..engine import score as engine

STATE_LABELS = [('draft', "Draft"), ('active', "Active"), ('retired', "Retired")]
# What decides about a score: as it was when it scored.
CONTENT_FIELDS = {
    'band_ids', 'characteristic_ids', 'company_id', 'country_group_ids', 'little', 'name', 'partner_kind', 'prior',
    'pull', 'tag_ids',
}  # fmt: skip
# The flow writes these, nobody else.
FLOW_FIELDS = {'state', 'version', 'origin_id', 'date_activated', 'date_retired', 'segment_key'}
ENDING = 'customer_scoring.mail_activity_type_card_ends'
# So long before its last day somebody is asked about a card.
ENDING_DAYS = 30
# So many customers say what is usual in a segment before its first run.
SAMPLE = 300


class ScoringCard(models.Model):
    """A scorecard: what is looked at, how many points it gives, and which grade follows.

    Data, not code. A draft may be changed and tried; once active it stays as it
    is, so that each score can be explained by the card that gave it. A change is
    a new version.
    """

    _name = 'scoring.card'
    _inherit = ['credit.root.company', 'mail.thread', 'mail.activity.mixin']
    _description = "Scorecard"
    _order = 'state, name, version desc, id desc'

    name = fields.Char(required=True, translate=True, tracking=True)
    version = fields.Integer(readonly=True, default=1, copy=False)
    origin_id = fields.Many2one(
        'scoring.card', string="First Version", readonly=True, copy=False, index='btree_not_null', ondelete='set null'
    )
    state = fields.Selection(
        STATE_LABELS,
        readonly=True,
        required=True,
        default='draft',
        copy=False,
        tracking=True,
        help="Draft: may be changed and tried, scores nobody.\n"
        "Active: scores the customers of its segment and can't be changed any more.\n"
        "Retired: kept for the scores that it gave.",
    )
    partner_kind = fields.Selection(
        [('all', "Companies and persons"), ('company', "Companies"), ('person', "Natural persons")],
        string="For",
        required=True,
        default='all',
        tracking=True,
        help="What a card says of a natural person is advice: its grade is never written without somebody's decision.",
    )
    tag_ids = fields.Many2many(
        'res.partner.category',
        'scoring_card_tag_rel',
        'card_id',
        'tag_id',
        string="Tags",
        ondelete='restrict',
        help="Only customers that have one of these tags.",
    )
    country_group_ids = fields.Many2many(
        'res.country.group',
        'scoring_card_country_group_rel',
        'card_id',
        'group_id',
        ondelete='restrict',
        help="Only customers in a country of one of these groups.",
    )
    segment_key = fields.Char(compute='_compute_segment_key', store=True)
    date_from = fields.Date(string="Valid From", copy=False, help="Empty: from its activation on.")
    date_to = fields.Date(string="Valid Until", copy=False, help="Last day. Empty: until another version is active.")
    date_activated = fields.Date(string="Activated On", readonly=True, copy=False)
    date_retired = fields.Date(string="Retired On", readonly=True, copy=False)
    grade_mode = fields.Selection(
        [('write', "Write it on the credit account"), ('propose', "Propose it")],
        string="Grade",
        required=True,
        default='write',
        tracking=True,
        help="Write: when the grade of a score changes, it becomes the grade of the credit account, unless it is "
        "overridden by hand. Propose: somebody has to apply it. For natural persons it is always proposed.",
    )
    write_terms = fields.Boolean(
        string="Payment Term and Price List Too",
        tracking=True,
        help="With a grade that is written, the customer gets its payment term and price list, where the grade has "
        "them; the credit file notes what was there before. Not for grades that are given by hand.",
    )
    pull = fields.Integer(
        string="Segment Weighs",
        required=True,
        default=5,
        help="In invoices. The average way of paying of the segment counts as much as so many invoices of the "
        "customer: at 5, a customer with 5 invoices is half its own history, half the segment's.",
    )
    little = fields.Integer(
        string="Little History Below",
        required=True,
        default=3,
        help="In invoices. Scores that rest on fewer say so.",
    )
    prior = fields.Float(
        string="Assumed Average",
        required=True,
        default=60.0,
        digits=(16, 1),
        help="Average way of paying of the segment, 0 to 100, as long as too few customers are scored to know it.",
    )
    description = fields.Html(translate=True, help="What this card is for and where its points come from.")
    characteristic_ids = fields.One2many('scoring.characteristic', 'card_id', string="Characteristics", copy=True)
    band_ids = fields.One2many('scoring.band', 'card_id', string="Grades", copy=True)
    score_count = fields.Integer(string="Scores", compute='_compute_score_count')
    standard = fields.Boolean(readonly=True, copy=False, help="Comes with Odoo.")

    _active_unique = models.UniqueIndex(
        "(company_id, segment_key) WHERE state = 'active'",
        "There is an active card for this segment already. Retire it, or make this one a new version of it.",
    )
    _counts_positive = models.Constraint(
        'CHECK (pull >= 0 AND little >= 0 AND prior >= 0 AND prior <= 100)',
        "Numbers of invoices can't be negative, and the assumed average is from 0 to 100.",
    )

    # -------------------------------------------------------------------------
    # Computes and constraints
    # -------------------------------------------------------------------------

    @api.depends('name', 'version')
    def _compute_display_name(self):
        for card in self:
            card.display_name = f"{card.name or ''} v{card.version}"

    @api.depends('partner_kind', 'tag_ids', 'country_group_ids')
    def _compute_segment_key(self):
        for card in self:
            tags, groups = (sorted(records.ids) for records in (card.tag_ids, card.country_group_ids))
            card.segment_key = f'{card.partner_kind}|{tags}|{groups}'

    def _compute_score_count(self):
        counts = dict(self.env['scoring.score']._read_group([('card_id', 'in', self.ids)], ['card_id'], ['__count']))
        for card in self:
            card.score_count = counts.get(card, 0)

    @api.constrains('date_from', 'date_to')
    def _check_dates(self):
        for card in self:
            if card.date_from and card.date_to and card.date_to < card.date_from:
                raise ValidationError(self.env._("%(card)s would end before it begins.", card=card.display_name))

    def _check_complete(self):
        """Raise a UserError that says what an active card still needs."""
        self.ensure_one()
        if not self.characteristic_ids:
            raise UserError(self.env._("%(card)s has no characteristics. Add what is to be scored.", card=self.name))
        for characteristic in self.characteristic_ids:
            if len(characteristic.bin_ids) < 2 or max(characteristic.bin_ids.mapped('points')) <= 0:
                raise UserError(
                    self.env._(
                        "“%(characteristic)s” needs at least two rows of points, one of them above 0.",
                        characteristic=characteristic.display_name,
                    )
                )
        if not any(not item.stake for item in self.characteristic_ids):
            raise UserError(
                self.env._("%(card)s only looks at the amount at stake. Add how the customer behaves.", card=self.name)
            )
        if not self.band_ids:
            raise UserError(
                self.env._("%(card)s gives no grades. Add from which score on there is which.", card=self.name)
            )

        self._check_fit_for_persons()

    def _check_fit_for_persons(self):
        """Raise a UserError if natural persons would be scored by what must not be held for or against a person."""
        self.ensure_one()
        if self.partner_kind == 'company':
            return
        if unfit := self.characteristic_ids.filtered(lambda item: not item._fit_for_persons()):
            raise UserError(
                self.env._(
                    "%(card)s would score natural persons by “%(characteristic)s”, which is not for natural persons. "
                    "Let the card be for companies, or take it out; an outside factor may be cleared for natural "
                    "persons under Configuration, Outside Factors.",
                    card=self.name,
                    characteristic=unfit[0].display_name,
                )
            )

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # A client makes drafts only; the rest is the flow's, or computed.
        return super().create(
            [{name: value for name, value in vals.items() if name not in FLOW_FIELDS} for vals in vals_list]
        )

    def write(self, vals):
        if FLOW_FIELDS & vals.keys():
            raise AccessError(self.env._("A scorecard is activated and retired by its buttons only."))
        if CONTENT_FIELDS & vals.keys():
            self._check_draft()
        return super().write(vals)

    def _write_flow(self, vals):
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _check_draft(self):
        if fixed := self.filtered(lambda card: card.state != 'draft'):
            raise UserError(
                self.env._(
                    "%(card)s is in use, and the scores that it gave must stay explainable. Make a new version of it.",
                    card=fixed[0].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if fixed := self.filtered(lambda card: card.state != 'draft'):
            raise UserError(
                self.env._(
                    "%(card)s has been in use and is kept with the scores that it gave. Retire it instead.",
                    card=fixed[0].display_name,
                )
            )

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers decide about scorecards. Ask one of them."))

    def action_activate(self):
        """Let these drafts score from now on, in place of the cards that are active for the same segment.

        :raise AccessError: if the user is no credit manager
        :raise UserError: if a card is no draft, is not complete, or would take another's place without being valid
        """
        self._check_manager()
        self.check_access('write')
        for card in self:
            card._check_draft()
            card._check_complete()
            today = card.company_id._credit_today()
            former = self.search(
                [
                    ('company_id', '=', card.company_id.id),
                    ('segment_key', '=', card.segment_key),
                    ('state', '=', 'active'),
                ]
            )
            if former and not card._is_valid(today):
                raise UserError(
                    self.env._(
                        "%(card)s is not valid today, but would take the place of %(former)s: nobody of its segment "
                        "would be scored. Change its days, or activate it later.",
                        card=card.display_name,
                        former=former[0].display_name,
                    )
                )
            former._write_flow({'state': 'retired', 'date_retired': today})
            former.activity_unlink([ENDING])
            self.flush_model(['state'])
            card._write_flow({'state': 'active', 'date_activated': today})
            self.env['scoring.prior'].sudo()._estimate(card, today, SAMPLE)
            self.env['scoring.run'].sudo()._again(card.company_id)
        return True

    def action_retire(self):
        """Stop these cards from scoring; the scores that they gave stay.

        :raise AccessError: if the user is no credit manager
        """
        self._check_manager()
        self.check_access('write')
        for card in self.filtered(lambda card: card.state == 'active'):
            card._write_flow({'state': 'retired', 'date_retired': card.company_id._credit_today()})
            card.activity_unlink([ENDING])
        return True

    @api.model
    def _tell_ending(self, company, date):
        """Give the credit managers an activity on each card in use whose last day is near or past, once."""
        cards = self.search([('company_id', '=', company.id), ('state', '=', 'active')])
        ending = cards.filtered(lambda card: card.date_to and card.date_to <= add(date, days=ENDING_DAYS))
        told = cards.filtered(lambda card: card.activity_search([ENDING]))
        (told - ending).activity_unlink([ENDING])
        for user in company._credit_managers():
            for card in (ending - told).with_context(lang=user.lang or self.env.lang):
                card.activity_schedule(
                    ENDING,
                    # Not its last day: what is due later is not counted in the menu of activities.
                    date_deadline=date,
                    user_id=user.id,
                    note=card.env._(
                        "The last day of this scorecard is %(date)s. From then on nobody of its segment is scored, and "
                        "the scores and grades that were given stay as they are. Activate a new version, change the "
                        "day, or retire the card.",
                        date=format_date(card.env, card.date_to),
                    ),
                )

    def action_new_version(self):
        """Copy this card to a draft with the next number and open it.

        :raise AccessError: if the user is no credit manager
        """
        self.ensure_one()
        self._check_manager()
        self.check_access('write')
        origin = self.origin_id or self
        last = self.search(['|', ('id', '=', origin.id), ('origin_id', '=', origin.id)], order='version desc', limit=1)
        draft = self.copy({'name': self.name})
        draft._write_flow({'version': last.version + 1, 'origin_id': origin.id})
        return draft.get_formview_action()

    def copy_data(self, default=None):
        # EXTENDS base: a copy that is no new version has a name of its own
        vals_list = super().copy_data(default)
        if 'name' not in (default or {}):
            for card, vals in zip(self, vals_list, strict=True):
                vals['name'] = self.env._("%(card)s (copy)", card=card.name)
        return vals_list

    def action_try(self):
        """Ask whom to score with this card for trial; nothing is stored.

        :raise AccessError: if the user may not read the card
        """
        self.ensure_one()
        self.check_access('read')
        trial = self.env['scoring.trial'].create({'card_id': self.id})
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Try %(card)s", card=self.display_name),
            'res_model': 'scoring.trial',
            'res_id': trial.id,
            'views': [(False, 'form')],
        }

    def action_view_scores(self):
        """Open the scores that this card gave."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('customer_scoring.scoring_score_action')
        return action | {'domain': [('card_id', '=', self.id)], 'context': {}, 'name': self.display_name}

    @api.model
    def _copy_standard(self, companies):
        """Give root companies that have none the cards that come with Odoo, as drafts."""
        standard = self.sudo().search([('standard', '=', True)], order='id')
        templates = standard.filtered(lambda card: card.company_id == standard[:1].company_id)
        for company in companies - standard.company_id:
            for template in templates:
                default = {'name': template.name, 'company_id': company.id}
                # A grade that the company of the template has made its own is none of this one.
                if template.band_ids.grade_id.company_id:
                    default['band_ids'] = [
                        Command.create({'minimum': band.minimum, 'grade_id': band.grade_id.id})
                        for band in template.band_ids
                        if not band.grade_id.company_id
                    ]
                card = template.copy(default)
                card.standard = True

    # -------------------------------------------------------------------------
    # Whom it scores
    # -------------------------------------------------------------------------

    def _is_valid(self, date):
        """Tell whether this card may score on a day."""
        self.ensure_one()
        return (not self.date_from or self.date_from <= date) and (not self.date_to or date <= self.date_to)

    def _segment_domain(self):
        """Return the domain of the commercial partners that this card is for."""
        self.ensure_one()
        domain = []
        if self.partner_kind != 'all':
            domain.append(('is_company', '=', self.partner_kind == 'company'))
        if self.tag_ids:
            domain.append(('category_id', 'in', self.tag_ids.ids))
        if self.country_group_ids:
            domain.append(('country_id.country_group_ids', 'in', self.country_group_ids.ids))
        return domain

    @api.model
    def _cards_of(self, partners, company, date):
        """Return {card: commercial partners that it scores} at a date; the most specific card wins.

        A statement per active card that is for a segment.
        """
        cards = self.sudo().search([('company_id', '=', company.id), ('state', '=', 'active')])
        cards = cards.filtered(lambda card: card._is_valid(date)).sorted(
            lambda card: (-len(card._segment_domain()), card.id)
        )
        left, result = partners.sudo(), {}
        for card in cards:
            domain = card._segment_domain()
            chosen = left.with_context(active_test=False).search([('id', 'in', left.ids), *domain]) if domain else left
            if chosen:
                result[card] = chosen
                left -= chosen
            if not left:
                break
        return result

    def _to_engine(self):
        """Return this card as the engine's frozen value."""
        self.ensure_one()
        return engine.Card(
            characteristics=tuple(item._to_engine() for item in self.characteristic_ids if item.bin_ids),
            bands=tuple(engine.Band(band.minimum, band.grade_id.id, band.grade_id.sequence) for band in self.band_ids),
            pull=self.pull,
            little=self.little,
            id=self.id,
        )

    def _sample(self, number):
        """Return some of the customers whom this card would score, the same each time."""
        self.ensure_one()
        partners = self.env['res.partner'].sudo().with_context(active_test=False)
        query = partners._search(self._segment_domain())
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account.partner_id
                  FROM credit_account account
                 WHERE account.company_id = %s AND account.active AND account.partner_id IN %s
                   AND EXISTS (SELECT FROM account_move move
                                WHERE move.commercial_partner_id = account.partner_id
                                  AND move.move_type = 'out_invoice' AND move.state = 'posted')
              ORDER BY md5(account.partner_id::text)
                 LIMIT %s
                """,
                self.company_id.id,
                query.subselect(),
                number,
            )
        )
        return self.env['res.partner'].browse(partner_id for [partner_id] in rows)
