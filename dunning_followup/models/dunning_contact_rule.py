from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import format_datetime

from ..engine.contact_window import HORIZON, Cap, Past, Window, next_moment
from .dunning_rate_table import CUSTOMER_KINDS
from .res_partner_claims import OPT_OUTS

DAYS = ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')
# Nobody is disturbed by a letter in the letter box.
UNTIMED = ('letter',)
# No contact at all: notes to colleagues.
INTERNAL = ('internal',)


class DunningContactRule(models.Model):
    """When and how often customers may be contacted about what they owe: one gate for all channels."""

    _name = 'dunning.contact.rule'
    _description = "Contact Rule"
    _order = 'sequence, name, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one('res.company', index=True, help="The main company; empty: holds for all companies.")
    country_ids = fields.Many2many('res.country', string="Countries", help="Of the customers. Empty: all others.")
    customer_kind = fields.Selection(CUSTOMER_KINDS, string="For", help="Empty: for both.")
    hour_from = fields.Float(string="Earliest", default=8.0, required=True, help="Time of day where the person is.")
    hour_to = fields.Float(string="Latest", default=21.0, required=True, help="From then on there is no contact.")
    email_timed = fields.Boolean(
        string="Hours Bind E-mail Too", default=True, help="Letters are never bound to hours and days."
    )
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean(default=True)
    wednesday = fields.Boolean(default=True)
    thursday = fields.Boolean(default=True)
    friday = fields.Boolean(default=True)
    saturday = fields.Boolean(default=True)
    sunday = fields.Boolean(default=True)
    calendar_id = fields.Many2one(
        'resource.calendar', string="Holidays Of", help="On the days off of this calendar there is no contact."
    )
    cap_ids = fields.One2many('dunning.contact.cap', 'rule_id', string="Caps", copy=True)
    quiet_days = fields.Integer(help="After any contact, through whatever channel.")
    quiet_days_reached = fields.Integer(string="Quiet Days after a Conversation", help="With any person.")
    quiet_days_dispute = fields.Integer(string="Quiet Days after a Dispute", help="Counted from its first day.")
    source = fields.Text(help="The law or rule that this follows, and what is to be verified.")

    _hours_sound = models.Constraint(
        'CHECK (hour_from >= 0 AND hour_from < hour_to AND hour_to <= 24)',
        "The hours have to lie within a day, the earliest before the latest.",
    )
    _quiet_positive = models.Constraint(
        'CHECK (quiet_days >= 0 AND quiet_days_reached >= 0 AND quiet_days_dispute >= 0)',
        "Quiet days can't be negative.",
    )

    @api.constrains(*DAYS)
    def _check_days(self):
        if any(not any(rule[day] for day in DAYS) for rule in self):
            raise ValidationError(self.env._("Choose at least one day of the week."))

    # -------------------------------------------------------------------------
    # The gate
    # -------------------------------------------------------------------------

    @api.model
    def _gate(self, partners, channel, moment, company=None):
        """Tell whether persons may be contacted now, and if not, when next.

        :param channel: a channel of `dunning.contact`
        :param moment: date and time in UTC
        :param company: whose contacts count; the user's if none is given
        :returns: {partner id: (allowed, next moment or None, reason in words or False)}
        """
        if channel in INTERNAL:
            return {partner.id: (True, moment, False) for partner in partners}
        # Rules, contacts and disputes count whoever asks.
        partners, company = partners.sudo(), (company or self.env.company).sudo()
        rules = self.sudo()._of_partners(partners, company)
        refusals = self._refusals(partners, channel, company)
        past = self._past(partners, company, rules, moment)
        quiet = self._quiet_after_disputes(partners, company, rules)
        windows, untroubled, result = {}, {}, {}
        for partner in partners:
            if refusal := refusals.get(partner.id):
                result[partner.id] = (False, None, refusal)
                continue
            rule, customer = rules[partner.id], partner.commercial_partner_id
            if not rule:
                result[partner.id] = (True, moment, False)
                continue
            until = quiet.get(customer.id)
            key = (rule.id, _timezones(partner, company), until)
            window = windows.get(key)
            if not window:
                window = windows[key] = rule._window(channel, key[1], until, moment)
            contacts = past.get(customer.id, ())
            if contacts:
                allowed, reason = next_moment(window, channel, moment, contacts)
            else:
                if key not in untroubled:
                    untroubled[key] = next_moment(window, channel, moment)
                allowed, reason = untroubled[key]
            result[partner.id] = (reason is None, allowed, reason and self._reason_text(reason))
        return result

    @api.model
    def _warning(self, partner, channel, moment, company):
        """Return what the rules say against a contact at a moment, and when it is allowed; False if nothing does."""
        # A person who is being entered has no id yet, and no contacts.
        partner = partner._origin or partner
        allowed, following, reason = self._gate(partner, channel, moment, company)[partner.id]
        if allowed:
            return False
        now = fields.Datetime.now()
        if following and following < now:
            _allowed, following, _reason = self._gate(partner, channel, now, company)[partner.id]
        if not following:
            return self.env._("Outside the contact rules: %(reason)s", reason=reason)
        if following <= now:
            return self.env._("Outside the contact rules: %(reason)s Allowed now.", reason=reason)
        return self.env._(
            "Outside the contact rules: %(reason)s Allowed from %(moment)s on.",
            reason=reason,
            moment=format_datetime(self.env, following, dt_format='short'),
        )

    @api.model
    def _may_call(self, customers, company):
        """Return {customer id: text} of whether customers may be called now, else when and why not now."""
        contacts = self.env['dunning.notice'].sudo()._contacts(company, customers.ids)
        persons = {customer.id: contacts.get((customer.id, 'followup'), customer.id) for customer in customers}
        people = self.env['res.partner'].browse(set(persons.values()))
        gate = self._gate(people, 'call', fields.Datetime.now(), company)
        texts = {}
        for customer_id, person_id in persons.items():
            allowed, moment, reason = gate[person_id]
            if allowed:
                texts[customer_id] = self.env._("Now")
            elif moment:
                texts[customer_id] = self.env._(
                    "From %(moment)s on. %(reason)s",
                    moment=format_datetime(self.env, moment, dt_format='short'),
                    reason=reason,
                )
            else:
                texts[customer_id] = self.env._("No. %(reason)s", reason=reason)
        return texts

    @api.model
    def _of_partners(self, partners, company):
        """Return {partner id: the rule that fits best}: country and kind, then country, then kind, then the others."""
        rules = self.search(Domain('company_id', 'in', [False, company.root_id.id]))
        kinds = partners._dunning_kinds()
        best, result = {}, {}
        for partner in partners:
            customer = partner.commercial_partner_id
            key = (partner.country_id or customer.country_id or company.country_id, kinds[customer.id])
            if key not in best:
                best[key] = rules._fitting(*key)
            result[partner.id] = best[key]
        return result

    def _fitting(self, country, kind):
        fitting = self.filtered(
            lambda rule: rule.customer_kind in (kind, False) and (not rule.country_ids or country in rule.country_ids)
        )
        ranked = fitting.sorted(
            lambda rule: (not rule.country_ids, not rule.customer_kind, not rule.company_id, rule.sequence, rule.id)
        )
        return ranked[:1]

    @api.model
    def _refusals(self, partners, channel, company):
        """Return {partner id: reason} of those who may not be contacted at all through this channel."""
        field = OPT_OUTS.get(channel)
        customers = partners.commercial_partner_id
        Account = self.env['credit.account'].sudo()
        insolvent, lawyers = Account._insolvent(customers, company), Account._represented(customers, company)
        result = {}
        for partner in partners:
            customer_id = partner.commercial_partner_id.id
            if customer_id in insolvent:
                result[partner.id] = self.env._("Insolvent: claims are filed with the administrator.")
            elif customer_id in lawyers and partner != lawyers[customer_id]:
                result[partner.id] = self.env._("Represented by a lawyer: nobody else is contacted.")
            elif field and (partner[field] or partner.commercial_partner_id[field]):
                result[partner.id] = self.env._("Does not want to be contacted this way.")
        return result

    @api.model
    def _past(self, partners, company, rules, moment):
        """Return {commercial partner id: [Past]} as far back as the rules look."""
        used = self.browse().union(*rules.values()) if rules else self
        days = [0, *used.cap_ids.mapped('days'), *used.mapped('quiet_days'), *used.mapped('quiet_days_reached')]
        if not max(days):
            return {}
        contacts = self.env['dunning.contact']._past(partners, company, moment - timedelta(days=max(days)))
        result = {
            customer: [Past(contact.moment, contact.channel, contact.reached) for contact in mine]
            for customer, mine in contacts.items()
        }
        for customer, notices in self.env['dunning.notice']._under_way(partners, company).items():
            result.setdefault(customer, []).extend(
                Past(notice.date_sent or moment, notice.channel, False) for notice in notices
            )
        return result

    @api.model
    def _quiet_after_disputes(self, partners, company, rules):
        """Return {commercial partner id: moment} until which a dispute gives quiet."""
        days = {}
        for partner in partners:
            if rules[partner.id].quiet_days_dispute:
                days[partner.commercial_partner_id.id] = rules[partner.id].quiet_days_dispute
        if not days:
            return {}
        newest = (
            self.env['dunning.dispute']
            .sudo()
            ._read_group(
                [
                    ('partner_id', 'in', list(days)),
                    ('company_id', 'in', company.root_id._credit_branch_ids()),
                    ('state', '=', 'open'),
                ],
                ['partner_id'],
                ['date_open:max'],
            )
        )
        return {
            partner.id: datetime.combine(day + timedelta(days=days[partner.id]), time.min) for partner, day in newest
        }

    def _window(self, channel, timezones, quiet_until, moment):
        """Return this rule as the engine takes it."""
        self.ensure_one()
        caps = [Cap(cap.number, cap.days, frozenset([cap.channel] if cap.channel else ())) for cap in self.cap_ids]
        return Window(
            timezones=timezones,
            hour_from=self.hour_from,
            hour_to=self.hour_to,
            weekdays=frozenset(number for number, day in enumerate(DAYS) if self[day]),
            holidays=self._holidays(moment),
            timed=channel not in UNTIMED and (channel != 'email' or self.email_timed),
            caps=tuple(caps),
            quiet_days=self.quiet_days,
            quiet_days_reached=self.quiet_days_reached,
            quiet_until=quiet_until,
        )

    def _holidays(self, moment):
        """Return the dates off of the rule's calendar from a moment on, as far as the engine looks."""
        calendar = self.calendar_id
        if not calendar:
            return frozenset()
        zone = pytz.timezone(calendar.tz or 'UTC')
        leaves = calendar.global_leave_ids.filtered(
            lambda leave: leave.date_to >= moment - timedelta(days=1) and leave.date_from <= moment + HORIZON
        )
        days = set()
        for leave in leaves:
            first, last = (
                pytz.utc.localize(value).astimezone(zone).date()
                for value in (leave.date_from, leave.date_to - timedelta(seconds=1))
            )
            days |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
        return frozenset(days)

    @api.model
    def _reason_text(self, reason):
        return {
            'hours': self.env._("Outside the hours for contacts."),
            'day': self.env._("No contacts on this day of the week."),
            'holiday': self.env._("A holiday."),
            'cap': self.env._("As many contacts as are allowed in this time have been made."),
            'quiet': self.env._("Quiet days after the last contact."),
            'reached': self.env._("Quiet days after the last conversation."),
            'dispute': self.env._("Quiet days after a dispute."),
        }[reason]


def _timezones(partner, company):
    """Return the time zones in which a person may be.

    That of the contact if it lies in the country; else all of the country,
    because many contacts have the time zone of whoever entered them. Who has no
    country is taken to be in the company's, as for the rules.
    """
    country = (partner.country_id or partner.commercial_partner_id.country_id or company.country_id).code
    zones = tuple(pytz.country_timezones.get(country, ())) if country else ()
    for candidate in (partner.tz, partner.commercial_partner_id.tz):
        if candidate in pytz.all_timezones_set and (not zones or candidate in zones):
            return (candidate,)
    return zones or (company._credit_timezone(),)
