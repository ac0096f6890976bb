from collections import defaultdict
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..engine.facts import CATEGORIES, Facts
from ..engine.verdict import OUTCOMES, can_oversubscribe, evaluate, worst
from .credit_rule import OUTCOME_LABELS, STATUS_LABELS


class CreditCheck(models.Model):
    """A documented decision: the facts as they were, each rule's verdict, the outcome.

    Written once, with one INSERT, and never edited.
    """

    _name = 'credit.check'
    _description = "Credit Check"
    _order = 'id desc'
    _rec_name = 'document_name'

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, help="Company or branch of the document.")
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    policy_id = fields.Many2one('credit.policy', readonly=True, ondelete='set null')
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one('res.users', readonly=True, help="Who wanted the document to go on.")
    res_model = fields.Char(string="Document Type", required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field='res_model', required=True, readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    document_currency_id = fields.Many2one('res.currency', readonly=True)
    document_total_currency = fields.Monetary(
        string="Document Total in Currency", currency_field='document_currency_id', readonly=True
    )
    debtor_id = fields.Many2one(
        'res.partner', readonly=True, ondelete='restrict', help="The customer who will owe the document."
    )
    document_total = fields.Monetary(readonly=True, help="Taxed total in company currency.")
    document_paid = fields.Monetary(string="Paid in Advance", readonly=True)
    document_amount = fields.Monetary(
        string="Added Exposure", readonly=True, help="What the document adds to the exposure, in company currency."
    )
    checkpoint = fields.Char(required=True, readonly=True)
    shadow = fields.Boolean(readonly=True, help="Recorded only: the policy was in shadow mode and held nothing.")
    outcome = fields.Selection(OUTCOME_LABELS, required=True, readonly=True)
    main_kind = fields.Selection(
        selection='_kinds',
        string="Main Reason",
        readonly=True,
        help="The kind of the first of the gravest rules that were broken.",
    )
    release_id = fields.Many2one(
        'credit.release',
        readonly=True,
        ondelete='set null',
        help="The release that let the document go on all the same.",
    )
    status = fields.Selection(STATUS_LABELS, string="Account Status", readonly=True)
    grade_id = fields.Many2one('credit.grade', readonly=True, ondelete='restrict')
    limit_kind = fields.Selection(
        [('none', "None decided"), ('amount', "Amount"), ('unlimited', "Unlimited")], readonly=True
    )
    unlimited = fields.Boolean(readonly=True)
    effective_limit = fields.Monetary(readonly=True)
    exposure = fields.Monetary(readonly=True, help="Before the document.")
    exposure_open_item = fields.Monetary(string="Open Items", readonly=True)
    exposure_in_clearing = fields.Monetary(string="In Clearing", readonly=True)
    exposure_draft_invoice = fields.Monetary(string="Draft Invoices", readonly=True)
    exposure_delivered = fields.Monetary(string="Delivered, Not Invoiced", readonly=True)
    exposure_ordered = fields.Monetary(string="Ordered, Not Delivered", readonly=True)
    utilisation_after = fields.Float(string="Utilisation With Document (%)", readonly=True, digits=(16, 1))
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    days_overdue = fields.Integer(readonly=True)
    counted_from = fields.Date(
        string="Items Counted From",
        readonly=True,
        help="The rules on overdue amount and age left out what was due before this day.",
    )
    overdue_left_out = fields.Monetary(string="Overdue, Left Out", readonly=True)
    accepted_exposure = fields.Monetary(readonly=True, help="Exposure that was accepted as is at that time.")
    accepted_until = fields.Date(readonly=True)
    excess = fields.Monetary(string="Over By", readonly=True, help="The largest amount by which a rule was broken.")
    payment_needed = fields.Monetary(readonly=True, help="A payment of this amount would have let the document pass.")
    reduction_needed = fields.Monetary(readonly=True, help="Smaller by this amount, the document would have passed.")
    line_ids = fields.One2many('credit.check.line', 'check_id', string="Rules", readonly=True)
    reason = fields.Text(string="Reasons", compute='_compute_reason')

    _document_index = models.Index('(res_model, res_id)')

    @api.depends('line_ids.message', 'line_ids.verdict')
    @api.depends_context('lang')
    def _compute_reason(self):
        for check in self:
            check.reason = '\n'.join(check._reason_lines().mapped('message'))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Credit checks are kept as they were and can't be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Credit checks are kept as they were and can't be deleted."))

    @api.model
    def _kinds(self):
        """Return the kinds of rules as (value, label), also those that other add-ons bring."""
        return self.env['credit.check.line']._fields['kind']._description_selection(self.env)

    def _reason_lines(self):
        """Return the broken rules, the gravest first, without those that a graver one of their kind includes.

        What is recorded only is no reason of a check that decided something.
        """
        self.ensure_one()
        lines = self.line_ids.filtered(lambda line: self.shadow or not line.shadow)
        gravest = {}
        for line in lines:
            gravest[line.kind] = worst([gravest.get(line.kind, 'pass'), line.verdict])
        broken = lines.filtered(lambda line: line.verdict != 'pass' and line.verdict == gravest[line.kind])
        return broken.sorted(lambda line: -OUTCOMES.index(line.verdict))

    def _prepare_event_payload(self):
        """Return the decision as the credit file keeps it: what was asked for, what stood against it."""
        self.ensure_one()
        return {
            'check_id': self.id,
            'res_model': self.res_model,
            'res_id': self.res_id,
            'outcome': self.outcome,
            'rules': self._deciding_kinds(),
            'amount': self.document_total_currency,
            'currency_id': self.document_currency_id.id,
            'exposure': self.exposure,
            'effective_limit': None if self.unlimited else self.effective_limit,
            'overdue_amount': self.overdue_amount,
            'excess': self.excess,
            'company_currency_id': self.currency_id.id,
        }

    def _deciding_kinds(self):
        """Return the kinds of rules that made the outcome what it is, without those that only warned."""
        lines = self._reason_lines().filtered(lambda line: line.verdict == self.outcome)
        return list(dict.fromkeys(lines.mapped('kind')))

    def _tells_the_same(self, other):
        """Tell whether this check found of the same document what another did, whatever the customer's figures."""
        self.ensure_one()
        told, before = self._prepare_event_payload(), other._prepare_event_payload()
        return self.account_id == other.account_id and all(
            told[name] == before[name] for name in ('outcome', 'rules', 'amount', 'currency_id')
        )

    def action_open_document(self):
        """Open the checked document."""
        self.ensure_one()
        document = self.env[self.res_model].browse(self.res_id).exists()
        if not document:
            raise UserError(self.env._("%(document)s has been deleted.", document=self.document_name))
        return document.get_formview_action()

    # -------------------------------------------------------------------------
    # Rates
    # -------------------------------------------------------------------------

    @api.model
    def _has_rate(self, currency, company):
        """Tell whether amounts of a currency can be converted for a company today.

        Core takes 1 where there is no rate; nobody gets credit on that.
        """
        root = company.root_id
        return (
            not currency
            or currency == root.currency_id
            or currency.id in self.env['res.currency']._credit_rated_ids(root.id, root._credit_today())
        )

    @api.model
    def _require_rate(self, currency, company):
        """Raise a ValidationError that names the currency if it has no rate."""
        if not self._has_rate(currency, company):
            raise ValidationError(
                self.env._(
                    "There is no exchange rate of %(currency)s in %(company)s. "
                    "Enter one under Accounting, Configuration, Currencies.",
                    currency=currency.name,
                    company=company.name,
                )
            )

    # -------------------------------------------------------------------------
    # The check
    # -------------------------------------------------------------------------

    @api.model
    def _run(self, requests, company, checkpoint, record=True, together=True, full=False, choice=None):
        """Check documents of one company tree, each on its own but counting those that passed before it.

        The outcome of a document is the worst of its enforcing checks; where
        there is none (no policy, or shadow mode) it goes on unseen.

        :param requests: list of dicts, in the order in which they are checked:
            `document` (a record), `debtor` (commercial partner who will owe),
            `others` (commercial partners whose rules count too), `currency`,
            `total` in it, `paid` (a function that returns what is paid in
            advance), `release` (a credit.release that covers the document, or
            none), and optionally `increase` (the document counts in the
            exposure already, and this is what it has grown by)
        :param company: root company
        :param record: False for a look ahead: nothing is written or locked
        :param together: False to look at each document as if it were the only one
        :param full: as if each policy and each rule were enforced
        :param choice: which policy is taken, see `credit.policy._policy_sql`
        :returns: {document: {'outcome': str or None, 'check': the deciding credit.check, 'decisions': [...]}}
        """
        today = company._credit_today()
        partners = self.env['res.partner']
        for request in requests:
            partners |= request['debtor'] | request['others']
        profiles = self._profiles(partners, company, checkpoint, record, full, choice)
        every = [profile for group in profiles.values() for profile in group]
        graces = self._graces(every)
        excluded = [
            request['document'].id
            for request in requests
            if request['document']._name == 'sale.order' and 'increase' not in request
        ]
        for specific in {profile['specific'] for profile in every}:
            group = [profile for profile in every if profile['specific'] == specific]
            figures = self.env['credit.account']._figures(
                company,
                [profile['partner_id'] for profile in group],
                today,
                [document_id for document_id in excluded if document_id],
                graces,
                held=True,
                choice={'specific': True} if specific else choice,
            )
            for profile in group:
                profile['figures'] = figures[profile['partner_id']]
        self.env['credit.team.limit']._weigh(every, company, excluded)
        going_on = defaultdict(float)
        results, vals_list = {}, []
        for request in requests:
            decisions = self._assess(request, profiles, going_on, graces, company)
            # What is paid in advance is looked up only where it can matter.
            if any(decision.outcome != 'pass' for _profile, _facts, decision in decisions) and (
                paid := request['paid']()
            ):
                decisions = self._assess(request, profiles, going_on, graces, company, paid)
            enforced = [
                (decision.outcome, position)
                for position, (profile, _facts, decision) in enumerate(decisions, start=len(vals_list))
                if profile['enforcing']
            ]
            outcome, position = max(enforced, key=lambda item: OUTCOMES.index(item[0]), default=(None, None))
            results[request['document']] = {'outcome': outcome, 'position': position, 'decisions': decisions}
            vals_list += [self._prepare_check_vals(request, *decided, checkpoint) for decided in decisions]
            if together and (outcome in (None, 'pass', 'warn') or request['release']):
                adds = {profile['partner_id']: facts.document_amount for profile, facts, _decision in decisions}
                adds |= self._team_adds(decisions)
                for owner, amount in adds.items():
                    going_on[owner] += amount
        if record:
            checks = self.sudo().create(vals_list)
            for result in results.values():
                position = result['position']
                result['check'] = checks[position] if position is not None else self.browse()
        return results

    @api.model
    def _graces(self, profiles):
        """Return the numbers of days after which the rules of some profiles ask for the overdue amount."""
        return sorted({rule.days_tolerated for profile in profiles for rule in profile['rules']} | {0})

    @api.model
    def _assess(self, request, profiles, going_on, graces, company, paid=0.0):
        """Return [(profile, facts, decision)] of the customers that one document concerns.

        :param going_on: {partner id, or ('team', id of a team limit): what the documents before this one add}
        :param paid: what is paid for the document in advance, in its currency
        """
        today = company._credit_today()
        total, paid, increase = (
            request['currency']._convert(amount, company.currency_id, company, today)
            for amount in (request['total'], paid, request.get('increase', 0.0))
        )
        adds = increase if 'increase' in request else max(0.0, total - paid)
        rated = self._has_rate(request['currency'], company)
        decisions = []
        for partner in request['debtor'] | request['others']:
            owes = partner == request['debtor']
            for profile in profiles.get(partner.id, ()):
                facts = self._facts(
                    profile['figures'],
                    graces,
                    company,
                    ordered=going_on[partner.id] - (increase if owes else 0.0),
                    status=profile['status'],
                    document_total=total,
                    document_paid=paid,
                    document_amount=adds if owes else 0.0,
                    missing_rate='' if rated else request['currency'].name,
                    team_limits=tuple(
                        replace(limit, exposure=limit.exposure + going_on['team', limit.id] - (increase if owes else 0))
                        for limit in profile['team_limits']
                    ),
                )
                decisions.append((profile, facts, evaluate(facts, profile['rules'])))
        return decisions

    @api.model
    def _team_adds(self, decisions):
        """Return {('team', id of a team limit): what a document adds}, of those that it concerns."""
        adds = defaultdict(float)
        for profile, facts, _decision in decisions:
            for limit in profile['team_limits']:
                adds['team', limit.id] = max(adds['team', limit.id], facts.document_amount)
        return adds

    @api.model
    def _facts(self, row, graces, company, ordered=0.0, today=None, **values):
        """Return the engine's facts of one customer.

        :param row: of `credit.account._figures` with `held`
        :param ordered: what is to be added to what is ordered
        :param today: the day of the figures
        """
        today = today or company._credit_today()
        review = row['next_review_date']
        return Facts(
            rounding=company.currency_id.rounding,
            grade_rank=row['grade_rank'],
            limit_kind=row['limit_kind'],
            unlimited=row['unlimited'],
            effective_limit=row['effective_limit'],
            exposure_by_category={
                **{category: row[f'exposure_{category}'] for category in CATEGORIES},
                'ordered': row['exposure_ordered'] + ordered,
            },
            overdue_after={grace: row[f'held_overdue_{grace}'] for grace in graces},
            days_overdue=row['held_days_overdue'],
            counted_from=row['counted_from'],
            overdue_left_out=row['overdue_left_out'],
            accepted_exposure=row['accepted_exposure'] or 0.0,
            limit_expired_days=(today - row['limit_until']).days if row['limit_grace_until'] else 0,
            review_overdue_days=max(0, (today - review).days) if review else 0,
            extra={name: row[name] for name in self.env['credit.account']._fact_columns()},
            **values,
        )

    @api.model
    def _profiles(self, partners, company, checkpoint, record, full=False, choice=None):
        """Return {partner id: [its standing, with `rules` and `enforcing`]} of those under a policy.

        A customer who is under an enforced policy while a more specific one is
        in shadow mode has a profile of each.

        :param full: as if each policy and each rule were enforced
        :param choice: which policy is taken, see `credit.policy._policy_sql`
        """
        Account = self.env['credit.account'].sudo()
        standing = Account._standing(partners, company, choice)
        missing = [partner_id for partner_id, row in standing.items() if row['policy_id'] and not row['account_id']]
        if record and missing:
            for account in Account._for_partners(partners.browse(missing), company):
                standing[account.partner_id.id]['account_id'] = account.id
        Policy = self.env['credit.policy'].sudo()
        profiles = {}
        for partner_id, row in standing.items():
            if not row['policy_id']:
                continue
            # Rules of the version that this transaction sees, whatever a cache
            # of this or another server holds.
            rules = Policy.browse(row['policy_id'])._engine_rules(row['policy_version'], checkpoint, full)
            enforcing = full or row['policy_mode'] == 'enforcing'
            profiles[partner_id] = [
                {**row, 'enforcing': enforcing, 'specific': False, 'rules': rules, 'team_limits': ()}
            ]
            if not choice and row['shadow_policy_id']:
                rules = Policy.browse(row['shadow_policy_id'])._engine_rules(row['shadow_policy_version'], checkpoint)
                shadow = {'policy_id': row['shadow_policy_id'], 'enforcing': False, 'specific': True, 'rules': rules}
                shadow['team_limits'] = ()
                profiles[partner_id].append({**row, **shadow})
        if record:
            # Before anything is summed, and only where a sum can decide: two
            # orders of an unlimited customer have no reason to queue.
            summing = [
                profile['account_id']
                for group in profiles.values()
                for profile in group
                if profile['enforcing'] and can_oversubscribe(profile['rules'], profile['unlimited'])
            ]
            self.env['credit.counter'].sudo()._bump(Account.browse(summing))
        self.env['credit.team.limit']._apply(profiles, company, record)
        return profiles

    @api.model
    def _prepare_check_vals(self, request, profile, facts, decision, checkpoint):
        document = request['document']
        return {
            'account_id': profile['account_id'],
            'partner_id': profile['partner_id'],
            'company_id': document.company_id.id,
            'currency_id': document.company_id.root_id.currency_id.id,
            'policy_id': profile['policy_id'],
            'user_id': request.get('user_id') or self.env.uid,
            'res_model': document._name,
            'res_id': document.id,
            'document_name': document.display_name,
            'document_currency_id': request['currency'].id,
            'document_total_currency': request['total'],
            'debtor_id': request['debtor'].id,
            'document_total': facts.document_total,
            'document_paid': facts.document_paid,
            'document_amount': facts.document_amount,
            'checkpoint': checkpoint,
            'shadow': not profile['enforcing'],
            'outcome': decision.outcome,
            'main_kind': decision.main_kind,
            'release_id': request['release'].id,
            'status': facts.status,
            'grade_id': profile['figures']['grade_id'],
            'limit_kind': facts.limit_kind,
            'unlimited': facts.unlimited,
            'effective_limit': facts.effective_limit,
            'exposure': facts.exposure,
            **{f'exposure_{category}': facts.exposure_by_category[category] for category in CATEGORIES},
            'utilisation_after': facts.utilisation_after,
            'overdue_amount': profile['figures']['overdue_amount'],
            'days_overdue': profile['figures']['days_overdue'],
            'counted_from': facts.counted_from,
            'overdue_left_out': facts.overdue_left_out,
            'accepted_exposure': facts.accepted_exposure,
            'accepted_until': profile['figures']['accepted_until'],
            'excess': decision.excess,
            'payment_needed': decision.payment_needed,
            'reduction_needed': decision.reduction_needed,
            'line_ids': [
                fields.Command.create(
                    {
                        'rule_id': verdict.rule.id or False,
                        'kind': verdict.rule.kind,
                        'actual': verdict.actual,
                        'threshold': verdict.threshold,
                        'excess': verdict.excess,
                        'account_status': verdict.rule.account_status or False,
                        'grade_id': verdict.rule.grade_id or False,
                        'verdict': verdict.outcome,
                        'shadow': verdict.rule.watch,
                    }
                )
                for verdict in decision.verdicts
            ],
        }
