from itertools import pairwise

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
        "Active: scores the customers of its segment, from its first day on, and can't be changed any more.\n"
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
    date_from = fields.Date(
        string="Valid From",
        copy=False,
        help="Empty: from its activation on. A card that is activated before this day waits for it; until then the one "
        "in force goes on.",
    )
    date_to = fields.Date(
        string="Valid Until", copy=False, help="Last day. Empty: until another card for the same segment is in force."
    )
    date_activated = fields.Date(string="Activated On", readonly=True, copy=False)
    date_retired = fields.Date(string="Retired On", readonly=True, copy=False)
    in_force = fields.Boolean(
        compute='_compute_in_force',
        search='_search_in_force',
        help="Scores the customers of its segment today: of the active cards that have begun the last one.",
    )
    force_text = fields.Char(string="When", compute='_compute_in_force')
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
        "(company_id, segment_key, COALESCE(date_from, '0001-01-01'::date)) WHERE state = 'active'",
        "There is an active card for this segment already that begins on the same day. Retire it, or choose another.",
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

    @api.depends('company_id', 'date_activated', 'date_from', 'date_to', 'segment_key', 'state')
    def _compute_in_force(self):
        for company, cards in self.grouped(lambda card: card.company_id.root_id or self.env.company.root_id).items():
            today = company.sudo()._credit_today()
            active = self.sudo().search([('company_id', '=', company.id), ('state', '=', 'active')])
            in_force = self._in_force(company, today)
            for card in cards:
                card.in_force = card._origin in in_force
                card.force_text = card._describe_force(today, active - card._origin, in_force)

    def _describe_force(self, today, others, in_force):
        """Say from when to when a card is in force, and which one is before or after it; False of retired ones.

        :param others: the other active cards of the company
        :param in_force: the cards that are in force today
        """
        self.ensure_one()
        of_segment = others.filtered(lambda card: card.segment_key == self.segment_key)
        present = of_segment & in_force
        if self.state == 'retired' or (self.state == 'draft' and not self.date_from):
            return False
        figures = {
            'start': format_date(self.env, self._start() or today),
            'end': format_date(self.env, self.date_to),
            'present': present.display_name,
        }
        if self.state == 'draft':
            if self.date_from <= today:
                return False
            if present:
                return self.env._(
                    "Once it is activated it will be in force from %(start)s on; until then %(present)s stays.",
                    **figures,
                )
            return self.env._(
                "Once it is activated it will be in force from %(start)s on; until then there is none for its segment.",
                **figures,
            )
        if self._start() > today:
            if present:
                return self.env._("In force from %(start)s on. Until then %(present)s is.", **figures)
            return self.env._("In force from %(start)s on. Until then there is none for its segment.", **figures)
        if self._origin not in in_force:
            if present:
                return self.env._("No longer in force: %(present)s is.", **figures)
            return self.env._("No longer in force: its last day was %(end)s.", **figures)
        if following := of_segment.filtered(lambda card: card._start() > today).sorted('date_from')[:1]:
            return self.env._(
                "In force since %(start)s. %(following)s follows on %(day)s.",
                following=following.display_name,
                day=format_date(self.env, following.date_from),
                **figures,
            )
        return self.env._("In force since %(start)s.", **figures)

    def _search_in_force(self, operator, value):
        if operator != 'in' or list(value) != [True]:
            return NotImplemented
        companies = self.sudo().search([('state', '=', 'active')]).company_id
        cards = self.browse().union(*(self._in_force(company, company._credit_today()) for company in companies))
        return [('id', 'in', cards.ids)]

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
        if {'date_from', 'date_to'} & vals.keys():
            self._check_days(vals)
        return super().write(vals)

    def _write_flow(self, vals):
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _check_days(self, vals):
        """Raise a UserError if with these days another card would have scored on a day that is past."""
        for card in self.filtered(lambda card: card.state != 'draft'):
            today = card.company_id.sudo()._credit_today()
            days = {'date_from': card.date_from, 'date_to': card.date_to} | vals
            first, last = (fields.Date.to_date(days[name]) or False for name in ('date_from', 'date_to'))
            moved, ended = first != card.date_from, last != card.date_to
            if (
                (card.state == 'retired' and (moved or ended))
                or (moved and (card._start() <= today or not first or first < today))
                or (ended and last and last < add(today, days=-1))
            ):
                raise UserError(
                    self.env._(
                        "On which days %(card)s has scored stays as it is. Its first day can be moved until it has "
                        "come; its last day can't be before yesterday.",
                        card=card.display_name,
                    )
                )

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
        """Let these drafts score from now on, or from their first day on, in place of the cards for the same segment.

        Until its day has come a card is active beside the one in force, see `_change_over`.

        :raise AccessError: if the user is no credit manager
        :raise UserError: if a card is no draft, is not complete, or would take another's place without being valid
        """
        self._check_manager()
        self.check_access('write')
        for card in self:
            card._check_draft()
            card._check_complete()
            today = card.company_id._credit_today()
            start = max(card.date_from or today, today)
            active = self.search(
                [
                    ('company_id', '=', card.company_id.id),
                    ('segment_key', '=', card.segment_key),
                    ('state', '=', 'active'),
                ]
            )
            if active and card.date_to and card.date_to < today:
                raise UserError(
                    self.env._(
                        "The last day of %(card)s is past. It would take the place of %(former)s, and nobody of its "
                        "segment would be scored. Change its days.",
                        card=card.display_name,
                        former=active[0].display_name,
                    )
                )
            # What is in force is retired when its successor begins; what was to begin on the same day, never does.
            former = active.filtered(lambda other, today=today, start=start: max(other._start(), today) == start)
            former._write_flow({'state': 'retired', 'date_retired': today})
            former.activity_unlink([ENDING])
            self.flush_model(['state'])
            card._write_flow({'state': 'active', 'date_activated': today})
            left = active - former + card
            left.filtered(lambda other, left=left: other._is_followed(left)).activity_unlink([ENDING])
            self.env['scoring.prior'].sudo()._estimate(card, today, SAMPLE)
            if start <= today:
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
    def _change_over(self, company, date):
        """Retire the active cards in whose place another one is in force since its first day."""
        cards = self.search([('company_id', '=', company.id), ('state', '=', 'active')])
        for of_segment in cards.grouped('segment_key').values():
            begun = of_segment.filtered(lambda card: card._start() <= date).sorted(lambda card: card._begin_key())
            for former, successor in pairwise(begun):
                former._write_flow({'state': 'retired', 'date_retired': successor._start()})
                former.activity_unlink([ENDING])
            if len(begun) > 1:
                # It was estimated at the activation, which may be long ago.
                self.env['scoring.prior'].sudo()._estimate(begun[-1], date, SAMPLE)

    def _is_followed(self, active):
        """Tell whether one of the active cards begins by the day after this one's last day."""
        self.ensure_one()
        return any(
            card.segment_key == self.segment_key
            and self._start() < card._start()
            and (not self.date_to or card._start() <= add(self.date_to, days=1))
            for card in active - self
        )

    @api.model
    def _tell_ending(self, company, date):
        """Give the credit managers an activity on each card in use whose last day is near or past, once."""
        cards = self.search([('company_id', '=', company.id), ('state', '=', 'active')])
        ending = cards.filtered(
            lambda card: card.date_to and card.date_to <= add(date, days=ENDING_DAYS) and not card._is_followed(cards)
        )
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
        # A copy with a name of its own has it in one language.
        self.copy_translations(draft)
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

    def _start(self):
        """Return the day from which on an active card scores, or scored."""
        self.ensure_one()
        return max(filter(None, (self.date_from, self.date_activated)), default=None)

    def _begin_key(self):
        """Return the order of the active cards of a segment: the last that has begun is in force."""
        return (self._start(), self.date_activated, self.id)

    @api.model
    def _in_force(self, company, date):
        """Return the cards that score on a day, for each segment the one that has begun last, if it is valid.

        Of a past day those that scored then, though they may be retired. Before the first card was active nothing
        was scored; such a day is scored by what was activated first.
        """
        cards = self.sudo().search([('company_id', '=', company.id), ('date_activated', '!=', False)])
        past = date < company.sudo()._credit_today()
        day = max(date, min(cards.mapped('date_activated'), default=date))
        last = {}
        for card in cards:
            active = card.state == 'active'
            if card._start() > day or not (active or (past and day <= card.date_retired)):
                continue
            # On the day on which a card is retired it has scored, but not beside another.
            key = (active or day < card.date_retired, card._begin_key())
            if card.segment_key not in last or last[card.segment_key][0] < key:
                last[card.segment_key] = (key, card)
        found = self.browse().sudo().union(*(card for _key, card in last.values()))
        return found.filtered(lambda card: card._is_valid(date))

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
        """Return {card: commercial partners that it scores} at a date; the most specific card in force wins.

        A statement per card in force that is for a segment.
        """
        cards = self._in_force(company, date).sorted(lambda card: (-len(card._segment_domain()), card.id))
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
