from collections import defaultdict
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..engine.limitation import LEVELS, Restart, Rule, last_day, level

RESTARTS = ('confirmation', 'demand', 'payment', 'promise')
# How many items are looked at between two commits.
BATCH = 2000


class DunningLimitationRule(models.Model):
    """After how many years a country bars a claim, from when they count, and what restarts them."""

    _name = 'dunning.limitation.rule'
    _description = "Limitation Period"
    _order = 'country_id, id'
    _rec_name = 'country_id'

    active = fields.Boolean(default=True)
    company_id = fields.Many2one('res.company', index=True, help="The main company; empty: holds for all companies.")
    country_id = fields.Many2one(
        'res.country', index=True, help="Where the customer is. Empty: for customers in other countries."
    )
    years = fields.Integer(required=True, default=3)
    start = fields.Selection(
        [('due', "The due date"), ('year_end', "The end of the year in which it is due")],
        string="Counted From",
        required=True,
        default='due',
    )
    restart_confirmation = fields.Boolean(string="Confirmation", help="Signed or stamped by the customer.")
    restart_demand = fields.Boolean(string="Written Demand", help="A demand that provably reached the customer.")
    restart_payment = fields.Boolean(string="Part Payment", help="Taken from the ledger by itself.")
    restart_promise = fields.Boolean(string="Promise to Pay")
    source = fields.Text(help="The law that this follows, and what is to be verified.")

    _years_positive = models.Constraint('CHECK (years > 0)', "State at least one year.")
    _country_unique = models.UniqueIndex(
        '(COALESCE(country_id, 0), COALESCE(company_id, 0)) WHERE active', "There is a rule for this country already."
    )

    @api.depends('country_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for rule in self:
            rule.display_name = rule.country_id.name or self.env._("Other countries")

    def _engine_rule(self):
        """Return this rule as the engine takes it."""
        self.ensure_one()
        restarts = frozenset(kind for kind in RESTARTS if self[f'restart_{kind}'])
        return Rule(self.years, self.start == 'year_end', restarts)

    @api.model
    def _of_countries(self, company):
        """Return a function that gives the rule of a country id in a company tree; empty if there is none."""
        rules = self.sudo().search(Domain('company_id', 'in', [False, company.root_id.id]))
        # Those of the company last: they displace the others.
        by_country = {rule.country_id.id: rule for rule in rules.sorted(lambda rule: bool(rule.company_id))}
        return lambda country_id: by_country.get(country_id) or by_country.get(False) or self.browse()

    @api.model
    def _ends(self, items):
        """Return {id: (last day, engine's Restart or None)} of items of customers, in a constant number of statements.

        Items without a rule are left out, as are those that are no claims.
        """
        facts = items.sudo()._dunning_facts() if items.ids else {}
        # No claim without a due date on a receivable account.
        receivable = set(items.sudo().filtered(lambda line: line.account_type == 'asset_receivable').ids)
        facts = {id_: fact for id_, fact in facts.items() if id_ in receivable and fact['amount'] > 0}
        if not facts:
            return {}
        partners = self.env['res.partner'].sudo().browse({fact['partner_id'] for fact in facts.values()})
        countries = {partner.id: partner.country_id.id for partner in partners}
        events = self._restarts(facts)
        result = {}
        rule_of, engine = {}, {}
        for line_id, fact in facts.items():
            root_id = fact['root_id']
            if root_id not in rule_of:
                root = self.env['res.company'].sudo().browse(root_id)
                rule_of[root_id] = (self._of_countries(root), root.country_id.id)
            find, home = rule_of[root_id]
            rule = find(countries[fact['partner_id']] or home)
            if rule:
                if rule not in engine:
                    engine[rule] = rule._engine_rule()
                result[line_id] = last_day(fact['date_due'], engine[rule], events.get(line_id, ()))
        return result

    @api.model
    def _restarts(self, facts):
        """Return {item id: [Restart]}: what was entered, and the payments that left something open.

        What was entered for the invoices in whose place these items' invoices are counts too: it is the same claim.
        """
        result = defaultdict(list)
        Event = self.env['dunning.limitation.event'].sudo()
        lines_of = defaultdict(list)
        for line_id, fact in facts.items():
            lines_of[fact['move_id']].append(line_id)
        for move_id, chain in self.env['dunning.exclusion']._chains(facts).items():
            for origin_id in chain:
                lines_of[origin_id] += lines_of[move_id]
        for event in Event.search([('move_ids', 'in', list(lines_of))]):
            for move_id in event.move_ids.ids:
                for line_id in lines_of.get(move_id, ()):
                    result[line_id].append(Restart(event.date, event.kind))
        self.env['account.partial.reconcile'].flush_model()
        self.env['account.move'].flush_model(['journal_id', 'move_type'])
        for line_id, day in self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT partial.debit_move_id, credit.date
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_move move ON move.id = credit.move_id
                  JOIN account_journal journal ON journal.id = move.journal_id
                 WHERE partial.debit_move_id = ANY(%s) AND move.move_type = 'entry'
                   -- What we write off ourselves acknowledges nothing.
                   AND journal.type IN ('bank', 'cash', 'credit')
                   AND partial.debit_amount_currency > 0
                """,
                list(facts),
            )
        ):
            result[line_id].append(Restart(day, 'payment'))
        return result

    # -------------------------------------------------------------------------
    # Warnings
    # -------------------------------------------------------------------------

    @api.model
    def _cron_warn(self):
        """Warn 180, 90 and 30 days before claims are barred, of each item once per level."""
        self.env['credit.counter']._each_root_company(
            self._warn_today, 'dunning_followup.mail_activity_type_limitation_failed'
        )

    @api.model
    def _warn_today(self, company):
        self._warn(company, company._credit_today())

    @api.model
    def _warn(self, company, date):
        """Schedule activities for open items of a company tree that are soon barred: one per customer and level."""
        rules = self.sudo().search(Domain('company_id', 'in', [False, company.id]))
        if not rules:
            return
        Line = self.env['account.move.line'].sudo()
        branches = self.env['res.company'].sudo().browse(company._credit_branch_ids())
        # No period is shorter than the shortest, so younger items need not be looked at.
        newest = date + timedelta(days=max(LEVELS)) - relativedelta(years=min(rules.mapped('years')))
        items = Line.search(Line._dunning_open_domain(branches) & Domain('date_maturity', '<=', newest))
        Warning_ = self.env['dunning.limitation.warning'].sudo()
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            ends = {
                line_id: (end, reached)
                for line_id, (end, _since) in self._ends(batch).items()
                if (reached := level(end, date))
            }
            told = {
                (warning.move_line_id.id, warning.level, warning.date_end)
                for warning in Warning_.search([('move_line_id', 'in', list(ends))])
            }
            due = {
                line_id: entry
                for line_id, entry in ends.items()
                # What is said at 30 days need not be said again at 90.
                if not any((line_id, days, entry[0]) in told for days in LEVELS if days <= entry[1])
            }
            Warning_.create(
                [
                    {'move_line_id': line_id, 'level': reached, 'date_end': end, 'date_warned': date}
                    for line_id, (end, reached) in due.items()
                ]
            )
            self._schedule(Line.browse(due), due, company, date)

    @api.model
    def _schedule(self, items, due, company, date):
        """Schedule one activity per invoice, for who answers for the debt."""
        responsibles = self.env['credit.debt.duty'].sudo()._responsibles(items)
        managers = company._collections_managers()
        for move, mine in items.grouped('move_id').items():
            end = min(due[line.id][0] for line in mine)
            user = responsibles[mine[0]] or managers[:1]
            if not user:
                continue
            summary = (
                self.env._("Claim barred since %(date)s", date=format_date(self.env, end))
                if end < date
                else self.env._("Claim barred after %(date)s", date=format_date(self.env, end))
            )
            move.activity_schedule(
                'mail.mail_activity_data_todo',
                date_deadline=date,
                summary=summary,
                note=self.env._(
                    "Get a stamped confirmation, a payment or a promise, send a demand that provably arrives, or sue, "
                    "and enter it at the invoice."
                ),
                user_id=user.id,
            )
