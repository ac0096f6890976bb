from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date, formatLang

from ..engine.interest import Change, cover, flat_sum, segments, total

KINDS = [('interest', "Interest"), ('compensation', "Flat compensation"), ('fee', "Fee")]
MANAGER = 'dunning_followup.group_collections_manager'
COLLECTOR = 'dunning_followup.group_collections_collector'


class DunningClaim(models.Model):
    """What a late customer owes besides the invoice: interest, a flat compensation, fees.

    A memo at first: shown on letters, not booked, until it is invoiced. It
    stays when the invoice is paid, and goes only if somebody waives it, with
    a reason. The state follows from the facts: waived or not, the invoice and
    whether that is paid, the late invoice itself.
    """

    _name = 'dunning.claim'
    _description = "Late Payment Claim"
    _order = 'partner_id, date_from, id'
    _check_company_auto = True

    kind = fields.Selection(KINDS, required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True)
    partner_id = fields.Many2one('res.partner', string="Customer", required=True, readonly=True, index=True)
    move_id = fields.Many2one(
        'account.move', string="Late Invoice", readonly=True, index='btree_not_null', ondelete='restrict'
    )
    # The lines of an invoice that is reset to draft and changed are made anew.
    move_line_id = fields.Many2one(
        'account.move.line', string="Late Item", readonly=True, index='btree_not_null', ondelete='set null'
    )
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    principal = fields.Monetary(readonly=True, help="Gross amount of the late item.", currency_field='item_currency_id')
    item_currency_id = fields.Many2one('res.currency', string="Currency of the Item", readonly=True)
    date_from = fields.Date(string="From", required=True, readonly=True, help="First day that is counted.")
    date_to = fields.Date(string="Until", required=True, readonly=True, help="Last day that is counted.")
    rate_table_id = fields.Many2one('dunning.rate.table', string="Rates", readonly=True, ondelete='set null')
    segments = fields.Json(string="Calculation", readonly=True, help="Days, sum and rate of each part of the period.")
    amount = fields.Monetary(readonly=True)
    unrated = fields.Char(string="Without a Rate", compute='_compute_unrated')
    waived = fields.Boolean(readonly=True)
    for_good = fields.Boolean(
        string="Waived for Good", readonly=True, help="No further interest accrues on this item either."
    )
    reason = fields.Char(string="Why Waived", readonly=True)
    waived_by_id = fields.Many2one('res.users', readonly=True)
    waived_on = fields.Date(readonly=True)
    decision_ids = fields.One2many('dunning.claim.decision', 'claim_id', string="Decisions", readonly=True)
    invoice_id = fields.Many2one(
        'account.move', string="Invoiced With", readonly=True, index='btree_not_null', ondelete='set null'
    )
    res_model = fields.Char(string="Charged For Model", readonly=True)
    res_id = fields.Many2oneReference(string="Charged For", model_field='res_model', readonly=True)
    state = fields.Selection(
        [('open', "Open"), ('waived', "Waived"), ('invoiced', "Invoiced"), ('paid', "Paid"), ('void', "Void")],
        compute='_compute_state',
        store=True,
        index=True,
        help="Void: the late invoice was reversed or cancelled.",
    )

    # An item has one claim per kind and first day, also if two compute it at once.
    _item_unique = models.UniqueIndex(
        "(move_line_id, kind, date_from) WHERE kind <> 'fee'", "This has been claimed by somebody else just now."
    )
    _source_unique = models.UniqueIndex(
        "(res_model, res_id) WHERE kind = 'fee' AND res_id IS NOT NULL", "The fee of this reminder is charged already."
    )

    @api.depends('waived', 'invoice_id.state', 'invoice_id.payment_state', 'move_id.state', 'move_id.payment_state')
    def _compute_state(self):
        for claim in self:
            # Whether the invoices are read by whoever writes a payment or the system is the same.
            invoice, late = claim.sudo().invoice_id, claim.sudo().move_id
            if claim.waived:
                claim.state = 'waived'
            elif invoice and invoice.state != 'cancel' and invoice.payment_state != 'reversed':
                paid = invoice.state == 'posted' and invoice.payment_state in ('paid', 'in_payment')
                claim.state = 'paid' if paid else 'invoiced'
            elif late and (late.state == 'cancel' or late.payment_state == 'reversed'):
                claim.state = 'void'
            else:
                claim.state = 'open'

    @api.depends('kind', 'move_id', 'partner_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for claim in self:
            claim.display_name = self.env._(
                "%(kind)s on %(document)s",
                kind=labels.get(claim.kind, ''),
                document=claim.move_id.name or claim.partner_id.display_name,
            )

    @api.depends('segments')
    @api.depends_context('lang')
    def _compute_unrated(self):
        for claim in self:
            days = _without_rate(claim.segments)
            claim.unrated = bool(days) and self.env._(
                "No rate for %(start)s – %(end)s: these days cost nothing.",
                start=format_date(self.env, min(days)),
                end=format_date(self.env, max(days)),
            )

    # -------------------------------------------------------------------------
    # Computing
    # -------------------------------------------------------------------------

    @api.model
    def _update(self, items, date):
        """Bring interest and compensation of late items up to a date; doing it twice changes nothing.

        What is waived, invoiced or paid stays as it is, later days make a new claim.

        :param items: account.move.line of customers, open or paid
        :returns: the claims of these items that are open
        """
        return self._keep(self._computed(items, date))

    @api.model
    def _keep(self, computed):
        """Write what `_computed` has found, and return the open claims."""
        # Claims are made by the flow; nobody writes them by hand.
        Claim = self.sudo()
        claims = Claim.browse()
        new = []
        for claim, vals in computed:
            if claim:
                changed = {name: value for name, value in vals.items() if Claim._differs(claim, name, value)}
                if changed:
                    claim.write(changed)
                claims |= claim
            elif 'kind' in vals:
                new.append(vals)
        return claims | Claim.create(new)

    @api.model
    def _differs(self, claim, name, value):
        current = claim[name]
        return (current.id if isinstance(current, models.BaseModel) else current) != value

    @api.model
    def _computed(self, items, date):
        """Return [(the open claim or an empty recordset, values)] of items at a date, without writing anything.

        Values without a kind claim nothing: they only tell of days for which there is no rate.
        """
        facts = items._dunning_facts()
        result = []
        by_root = defaultdict(list)
        for line_id, fact in facts.items():
            # A reversed invoice is as if it had never been; the one in its place inherits the due date.
            if fact['amount'] > 0 and fact['date_due'] < date and fact['move_state'] != 'reversed':
                by_root[fact['root_id']].append(line_id)
        Claim = self.sudo()
        moves = self.env['account.move'].browse({fact['move_id'] for fact in facts.values()})
        # No interest on interest.
        own = set(Claim.search([('invoice_id', 'in', moves.ids)]).invoice_id.ids)
        claims = Claim.search([('move_line_id', 'in', items.ids), ('kind', '!=', 'fee')], order='date_from, id')
        claims_of = claims.grouped(lambda claim: (claim.move_line_id.id, claim.kind))
        for key, inherited in Claim._inherited(facts).items():
            claims_of[key] = inherited + claims_of.get(key, Claim)
        for root_id, line_ids in by_root.items():
            root = self.env['res.company'].browse(root_id)
            late = {line_id: facts[line_id] for line_id in line_ids if facts[line_id]['move_id'] not in own}
            customers = self.env['res.partner'].browse({fact['partner_id'] for fact in late.values()})
            tables = self.env['dunning.rate.table'].sudo()._for_partners(customers, root)
            late = {line_id: fact for line_id, fact in late.items() if tables.get(fact['partner_id'])}
            changes = self._changes(late, root, date)
            # Of thousands of items, each table is read once.
            rates, bands = cache(lambda table: table._engine_rates()), cache(lambda table, day: table._bands(day))
            for line_id, fact in late.items():
                table = tables[fact['partner_id']]
                mine = [claims_of.get((line_id, kind), Claim) for kind in ('interest', 'compensation')]
                result += self._compute_item(line_id, fact, table, changes.get(line_id, ()), mine, date, rates, bands)
        return result

    @api.model
    def _inherited(self, facts):
        """Return {(item id, kind): claims} that were settled on the invoices in whose place these items' invoices are.

        What was charged or waived there is not owed again; of instalments, the first one has it.
        """
        moves = self.env['account.move'].sudo().browse({fact['move_id'] for fact in facts.values()})
        chains = moves.filtered('dunning_origin_id')._dunning_origins()
        if not chains:
            return {}
        origins = moves.browse().union(*chains.values())
        domain = [('move_id', 'in', origins.ids), ('state', 'in', ('waived', 'invoiced', 'paid'))]
        settled = self.search([*domain, ('kind', '!=', 'fee')], order='date_from, id').grouped('move_id')
        first = {}
        for line_id, fact in facts.items():
            first.setdefault(fact['move_id'], line_id)
        result = defaultdict(self.browse)
        for move_id, chain in chains.items():
            for origin in reversed(chain):
                for kind, claims in settled.get(origin, self.browse()).grouped('kind').items():
                    result[first[move_id], kind] += claims
        return result

    @api.model
    def _compute_item(self, line_id, fact, table, changes, claims, date, rates, bands):
        """Return [(claim, values)] of one item: interest and compensation."""
        currency = self.env['res.currency'].browse(fact['currency_id'])
        principal = Decimal(str(fact['amount']))
        common = {
            'company_id': fact['company_id'],
            'partner_id': fact['partner_id'],
            'move_id': fact['move_id'],
            'move_line_id': line_id,
            'principal': fact['amount'],
            'item_currency_id': currency.id,
            'rate_table_id': table.id,
        }
        compute = partial(
            segments,
            principal,
            fact['date_due'],
            date,
            rates(table),
            changes,
            table.basis,
            rate_stays=table.rate_stays,
        )
        if not compute():
            # Paid in time; what was computed before the payment was known is 0.
            return [
                (claim, {'amount': 0.0, 'segments': []})
                for claim in (claims[0] + claims[1]).filtered(lambda claim: claim.state == 'open' and claim.amount)
            ]
        result = []
        interest, compensation = claims
        last = interest[-1:]
        if not interest.filtered(lambda claim: claim.waived and claim.for_good):
            growing = last.filtered(lambda claim: claim.state == 'open')
            if growing:
                # The first one begins with the due date, which may have been changed.
                since = growing.date_from if len(interest) > 1 else None
            else:
                since = last.date_to + timedelta(days=1) if last else None
            parts = compute(since=since)
            amount = currency.round(float(total(parts)))
            rows = [self._segment_values(part, currency) for part in parts]
            if growing or amount:
                first = since or fact['date_due'] + timedelta(days=1)
                vals = {
                    'kind': 'interest',
                    'currency_id': currency.id,
                    'date_from': first,
                    'date_to': parts[-1].date_to if parts else first,
                    'amount': amount,
                    'segments': rows,
                    **common,
                }
                result.append((growing, vals))
            elif _without_rate(rows):
                result.append((growing, {'segments': rows, 'rate_table_id': table.id}))
        if not compensation.filtered(lambda claim: claim.state != 'open'):
            of_day = bands(table, fact['date_due'] + timedelta(days=1))
            result += self._compute_compensation(fact, of_day, currency, principal, compensation, common)
        return result

    @api.model
    def _compute_compensation(self, fact, bands, currency, principal, claim, common):
        """Return [(claim, values)]: the compensation in the item's currency if the table has one, else in its first."""
        day = fact['date_due'] + timedelta(days=1)
        if not bands:
            return []
        paid_in = currency if currency in bands else next(iter(bands))
        company = self.env['res.company'].browse(fact['root_id'])
        size = Decimal(str(currency._convert(float(principal), paid_in, company, day)))
        amount = float(flat_sum(size, bands[paid_in]))
        if not amount:
            return []
        if not paid_in.active:
            # Nobody books in it here: the same in the company's currency.
            amount, paid_in = paid_in._convert(amount, company.currency_id, company, day), company.currency_id
        return [
            (
                claim,
                {
                    'kind': 'compensation',
                    'currency_id': paid_in.id,
                    'date_from': day,
                    'date_to': day,
                    'amount': amount,
                    **common,
                },
            )
        ]

    @api.model
    def _segment_values(self, part, currency):
        return {
            'date_from': fields.Date.to_string(part.date_from),
            'date_to': fields.Date.to_string(part.date_to),
            'days': part.days,
            'principal': float(part.principal),
            'percent': None if part.percent is None else float(part.percent),
            'basis': part.basis,
            # For the reader; the total is rounded once and need not be their sum.
            'interest': currency.round(float(part.interest)),
        }

    @api.model
    def _changes(self, facts, root, date):
        """Return {item id: [Change]} in the items' currencies: payments, credit notes, disputes, unmatched credits.

        A payment counts on the day of its entry, whenever it was matched.
        """
        result = defaultdict(list)
        if not facts:
            return result
        self.env['account.partial.reconcile'].flush_model()
        self.env['account.move.line'].flush_model(['date'])
        for line_id, day, amount in self.env.execute_query(
            SQL(
                """
                SELECT partial.debit_move_id, credit.date, SUM(partial.debit_amount_currency)
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                 WHERE partial.debit_move_id = ANY(%s)
              GROUP BY partial.debit_move_id, credit.date
                """,
                list(facts),
            )
        ):
            result[line_id].append(Change(day, Decimal(str(amount))))
        for line_id, covered in self._covered(facts, root, date).items():
            result[line_id] += covered
        if not root.sudo().dunning_interest_on_disputed:
            disputed = self.env['dunning.dispute'].sudo()._shares(facts)
            for line_id, shares in disputed.items():
                for share in shares:
                    result[line_id].append(Change(share.date_from - timedelta(days=1), share.amount))
                    if share.date_to:
                        result[line_id].append(Change(share.date_to, -share.amount))
        return result

    @api.model
    def _covered(self, facts, root, date):
        """Return {item id: [Change]}: credits that nobody has matched yet pay the customer's oldest items.

        In company currency, as all virtual matching; the share of an item is carried over to its currency.
        """
        Exposure = self.env['credit.exposure'].sudo()
        partner_ids = list({fact['partner_id'] for fact in facts.values() if fact['residual']})
        if not partner_ids:
            return {}
        Exposure._flush_sources(partner_ids)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner_id, id / 8, COALESCE(date, %(date)s::date), SUM(amount)
                  FROM (%(rows)s) AS exposure
                 WHERE category = 'open_item'
              GROUP BY partner_id, id / 8, COALESCE(date, %(date)s::date)
                HAVING SUM(amount) <> 0
              ORDER BY partner_id, MIN(date_due), id / 8
                """,
                rows=Exposure._rows_sql(root, date, partner_ids),
                date=date,
            )
        )
        debits, credits = defaultdict(list), defaultdict(list)
        for partner_id, line_id, day, amount in rows:
            amount = Decimal(str(amount))
            if amount > 0:
                debits[partner_id].append((line_id, amount))
            else:
                credits[partner_id].append((day, -amount))
        result = {}
        for partner_id, open_credits in credits.items():
            for line_id, changes in cover(debits[partner_id], sorted(open_credits)).items():
                if line_id in facts and facts[line_id]['residual_company']:
                    fact = facts[line_id]
                    rate = Decimal(str(fact['residual'])) / Decimal(str(fact['residual_company']))
                    result[line_id] = [Change(change.date, change.amount * rate) for change in changes]
        return result

    @api.model
    def _unrated_texts(self, computed):
        """Return in words for which days `_computed` has found no rate, one text per table."""
        days = defaultdict(list)
        for _claim, vals in computed:
            days[vals.get('rate_table_id')] += _without_rate(vals.get('segments'))
        tables = self.env['dunning.rate.table'].sudo().browse(table_id for table_id, dates in days.items() if dates)
        return [
            self.env._(
                "“%(rates)s” has no rate for %(start)s – %(end)s: these days cost nothing.",
                rates=table.name,
                start=format_date(self.env, min(days[table.id])),
                end=format_date(self.env, max(days[table.id])),
            )
            for table in tables
        ]

    # -------------------------------------------------------------------------
    # On reminders
    # -------------------------------------------------------------------------

    @api.model
    def _for_notice(self, items, company, date):
        """Return {commercial partner id: [{kind, move_line_id, amount, currency_id, text, claimed}]} for reminders.

        Interest and compensation of these items at the date, computed and not
        written (`claimed` if that was done before), and all else that the
        customers of these items owe still, as interest on what they have paid late.
        """
        result = defaultdict(list)
        shown = self.sudo().browse()
        computed = self._computed(items, date)
        # Who gets the reminder need not be allowed to read the invoices' other figures; their numbers are stated.
        moves = self.env['account.move'].sudo().browse({vals.get('move_id') for _claim, vals in computed} - {None})
        names = {move.id: move.name for move in moves}
        for claim, vals in computed:
            shown |= claim
            if vals.get('amount') and 'kind' in vals:
                stated = self._notice_values(vals, names[vals['move_id']])
                result[vals['partner_id']].append({**stated, 'claimed': bool(claim)})
        customers = items.partner_id.commercial_partner_id
        others = self.sudo().search(
            [
                ('partner_id', 'in', customers.ids),
                ('company_id', 'in', company.root_id._credit_branch_ids()),
                ('state', '=', 'open'),
                ('amount', '>', 0),
                ('id', 'not in', shown.ids),
            ]
        )
        for claim in others:
            result[claim.partner_id.id].append({**claim._notice_values_of(), 'claimed': True})
        return dict(result)

    def _notice_values_of(self):
        """Return what a reminder states of one claim."""
        self.ensure_one()
        vals = {name: self[name] for name in ('kind', 'date_from', 'date_to', 'amount')}
        ids = {name: self[name].id for name in ('move_line_id', 'currency_id')}
        return self._notice_values(vals | ids, self.sudo().move_id.name)

    @api.model
    def _notice_values(self, vals, document):
        words = {
            'document': document or '',
            'start': format_date(self.env, vals['date_from']),
            'end': format_date(self.env, vals['date_to']),
        }
        if vals['kind'] == 'interest':
            text = self.env._("Interest on %(document)s from %(start)s to %(end)s", **words)
        elif vals['kind'] == 'compensation':
            text = self.env._("Flat compensation for %(document)s", **words)
        else:
            text = self.env._("Reminder fee of %(start)s", **words)
        return {
            'kind': vals['kind'],
            'move_line_id': vals['move_line_id'],
            'amount': vals['amount'],
            'currency_id': vals['currency_id'],
            'text': text,
        }

    @api.model
    def _book_fees(self, fees):
        """Charge fees, each once.

        :param fees: [{company_id, partner_id, currency_id, amount, date, res_model, res_id, move_line_id}]
        :returns: the new claims
        """
        there = {
            (claim.res_model, claim.res_id)
            for claim in self.sudo().search([('kind', '=', 'fee'), ('res_id', 'in', [fee['res_id'] for fee in fees])])
        }
        lines = self.env['account.move.line'].sudo()
        vals_list = []
        for fee in fees:
            if fee['amount'] <= 0 or (fee['res_model'], fee['res_id']) in there:
                continue
            there.add((fee['res_model'], fee['res_id']))
            names = ('company_id', 'partner_id', 'currency_id', 'amount', 'res_model', 'res_id', 'move_line_id')
            vals = {name: fee.get(name) for name in names}
            item = lines.browse(fee.get('move_line_id') or [])
            day = fee['date']
            vals_list.append({**vals, 'kind': 'fee', 'move_id': item.move_id.id, 'date_from': day, 'date_to': day})
        # As the system: the fee belongs to the step, whoever sends it.
        return self.sudo().create(vals_list)

    # -------------------------------------------------------------------------
    # Decisions
    # -------------------------------------------------------------------------

    def _check_group(self, group, text):
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(text)

    def action_waive(self):
        """Open the dialog that waives these claims.

        :raise AccessError: if the user is no manager of collections
        :raise UserError: if there is nothing to waive
        """
        self._check_may_waive()
        claims = self.filtered(lambda claim: claim.state == 'open')
        if not claims:
            raise UserError(self.env._("Only open claims can be waived. For an invoiced one, make a credit note."))
        context = {'default_claim_ids': [fields.Command.set(claims.ids)]}
        return self.env['dunning.claim.waiver']._dialog_action(self.env._("Waive"), context)

    def action_reinstate(self):
        """Open the dialog that lets waived claims be owed again.

        :raise AccessError: if the user is no manager of collections
        :raise UserError: if none of them is waived
        """
        self._check_may_waive()
        claims = self.filtered('waived')
        if not claims:
            raise UserError(self.env._("None of these claims is waived."))
        context = {'default_claim_ids': [fields.Command.set(claims.ids)], 'default_reinstate': True}
        return self.env['dunning.claim.waiver']._dialog_action(self.env._("Reinstate"), context)

    def _reinstate(self, reason):
        """Let waived claims be owed again."""
        self._check_may_waive()
        claims = self.filtered('waived')
        claims._keep_old_waivers()
        claims.sudo().write(
            {'waived': False, 'for_good': False, 'reason': False, 'waived_by_id': False, 'waived_on': False}
        )
        claims._record_events('claim_reinstated', claims._keep_decisions('reinstated', reason))

    def _waive(self, reason, for_good=True):
        """Waive open claims.

        :param for_good: no more interest on these items in future either
        """
        self._check_may_waive()
        claims = self.filtered(lambda claim: claim.state == 'open')
        for company, mine in claims.grouped('company_id').items():
            mine.sudo().write(
                {
                    'waived': True,
                    'for_good': for_good,
                    'reason': reason,
                    'waived_by_id': self.env.uid,
                    'waived_on': company._credit_today(),
                }
            )
        claims._record_events('claim_waived', claims._keep_decisions('waived', reason))

    def _keep_decisions(self, kind, reason):
        """Note why these claims were waived or reinstated; return {claim: dunning.claim.decision}."""
        vals_list = [claim._prepare_decision(kind, reason, self.env.user) for claim in self]
        # Made by the flow only.
        decisions = self.env['dunning.claim.decision'].sudo().create(vals_list)
        return {decision.claim_id: decision for decision in decisions}

    def _keep_old_waivers(self):
        """Note the waivers that were made before decisions were kept: what is on the claim is about to go."""
        claims = self.sudo().filtered(lambda claim: not claim.decision_ids)
        self.env['dunning.claim.decision'].sudo().create(
            [claim._prepare_decision('waived', claim.reason, claim.waived_by_id, claim.waived_on) for claim in claims]
        )

    def _prepare_decision(self, kind, reason, user, day=None):
        self.ensure_one()
        return {
            'claim_id': self.id,
            'kind': kind,
            'reason': reason,
            'user_id': user.id,
            'date': day or self.company_id._credit_today(),
        }

    def _check_may_waive(self):
        self.check_access('read')
        self._check_group(MANAGER, self.env._("Only managers of collections waive and reinstate claims."))

    def _record_events(self, kind, decisions=None):
        """Note in the credit files what happened to these claims.

        :param decisions: {claim: dunning.claim.decision}
        """
        entries = []
        for company, claims in self.sudo().grouped('company_id').items():
            accounts = self.env['credit.account']._for_partners(claims.partner_id, company).grouped('partner_id')
            for claim in claims:
                payload = {
                    'claim_id': claim.id,
                    'kind': claim.kind,
                    'amount': claim.amount,
                    'currency_id': claim.currency_id.id,
                    'invoice_id': claim.invoice_id.id,
                }
                if claim.move_id:
                    payload |= {'res_model': 'account.move', 'res_id': claim.move_id.id}
                if decisions:
                    payload['claim_decision_id'] = decisions[claim].id
                entries.append((accounts[claim.partner_id], kind, payload))
        self.env['credit.event']._record(entries)

    def action_invoice(self):
        """Open the dialog that makes invoices of these claims.

        :raise AccessError: if the user may not make invoices
        :raise UserError: if none of them is open
        """
        self.check_access('read')
        self.env['account.move'].check_access('create')
        claims = self.filtered(lambda claim: claim.state == 'open' and claim.amount > 0)
        if not claims:
            raise UserError(self.env._("None of these claims is open. Waived ones have to be reinstated first."))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Invoice Claims"),
            'res_model': 'dunning.claim.invoicing',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_claim_ids': [fields.Command.set(claims.ids)]},
        }

    def action_print_annex(self):
        """Print how the claims were computed.

        :raise AccessError: if the user may not read them
        """
        self.check_access('read')
        return self.env.ref('dunning_followup.dunning_claim_annex_report').report_action(self)

    def action_view_invoice(self):
        """Open the invoice that these claims were charged with."""
        self.ensure_one()
        self.invoice_id.check_access('read')
        return self.invoice_id.get_formview_action()

    # -------------------------------------------------------------------------
    # Annex
    # -------------------------------------------------------------------------

    def _annex(self):
        """Return what the annex shows: [(customer, company, [(currency, total)], claims)], one per page."""
        result = []
        groups = self.sorted('date_from').grouped(lambda claim: (claim.partner_id, claim.company_id))
        for (partner, company), claims in groups.items():
            totals = [
                (currency, sum(of_currency.mapped('amount')))
                for currency, of_currency in claims.grouped('currency_id').items()
            ]
            result.append((partner, company, totals, claims))
        return result

    def _annex_due(self):
        """Return the day on which the late item was due, in the reader's language."""
        self.ensure_one()
        # The annex is for the customer; whoever prints it need not read the ledger.
        item = self.sudo().move_line_id
        return format_date(self.env, item.date_maturity or self.date_from - timedelta(days=1))

    def _annex_rows(self):
        """Return the parts of the calculation in words of the reader's language."""
        self.ensure_one()
        year = {
            '365': self.env._("a year of 365 days"),
            '360': self.env._("a year of 360 days"),
            'day': self.env._("a day"),
        }
        currency = self.item_currency_id or self.currency_id
        return [
            {
                'start': format_date(self.env, part['date_from']),
                'end': format_date(self.env, part['date_to']),
                'days': part['days'],
                'principal': formatLang(self.env, part['principal'], currency_obj=currency),
                'rate': self.env._("no rate known")
                if part['percent'] is None
                else self.env._(
                    "%(percent)s %% for %(period)s",
                    percent=f"{part['percent']:.4f}".rstrip('0').rstrip('.'),
                    period=year[part['basis']],
                ),
                'interest': formatLang(self.env, part['interest'], currency_obj=currency),
            }
            for part in self.segments or []
        ]


def _without_rate(rows):
    """Return the first and last days of those parts of a calculation for which no rate is known."""
    return [day for part in rows or [] if part['percent'] is None for day in (part['date_from'], part['date_to'])]
