from collections import defaultdict
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from ..engine.condition import Expected, Payment, allocate

CONDITIONS = [
    ('promise', "Payment promise"),
    ('deposit', "Deposit"),
    ('proof', "Proof of payment"),
]
# What a decision may say about its conditions; everything else is the flow's.
TERMS = {
    'valid_until',
    'margin',
    'condition',
    'condition_amount',
    'condition_due',
    'recheck_delivery',
    'proof',
    'proof_name',
}
# What one condition consists of.
CONDITION_FIELDS = (
    'condition',
    'condition_amount',
    'condition_due',
    'condition_since',
    'condition_received',
    'condition_state',
    'condition_date',
    'proof',
    'proof_name',
)
# So long a kept condition is looked at: eight weeks is what a bank may take a direct debit back within.
RETURN_DAYS = 60
# What is paid back and matched with nothing may be a refund that is not matched yet: it is waited for so long.
MATCHED_WITHIN = timedelta(days=1)
# Of a kept condition so much in percent has to be gone: less may come of rates that were entered afterwards.
RETURNED_PERCENT = 1.0


class CreditRelease(models.Model):
    """On which conditions a release lets a document go on, and whether they are kept."""

    _inherit = 'credit.release'

    purpose = fields.Selection(
        [('confirm', "Confirm an order"), ('raise', "Raise a confirmed order")],
        required=True,
        readonly=True,
        default='confirm',
    )
    valid_until = fields.Date(
        readonly=True, help="Last day on which the release lets the document go on; without one, it has no end."
    )
    margin = fields.Float(
        string="Margin (%)",
        readonly=True,
        digits=(16, 2),
        help="By how much the document may grow beyond the amount before it is held again.",
    )
    condition = fields.Selection(
        CONDITIONS,
        readonly=True,
        help="Promise and proof of payment: the order goes on at once, and is held again if the money has not come in "
        "time. Deposit: the order waits until the money has come.",
    )
    condition_amount = fields.Monetary(string="Expected Amount", readonly=True, help="In the currency of the document.")
    condition_due = fields.Date(string="Expected By", readonly=True, help="Last day for the money to come.")
    condition_since = fields.Datetime(
        string="Counted From", readonly=True, help="Money that was booked before this moment keeps no condition."
    )
    condition_received = fields.Monetary(
        string="Received", readonly=True, help="What of it has come, in the currency of the document."
    )
    condition_state = fields.Selection(
        [('open', "Open"), ('kept', "Kept"), ('broken', "Broken"), ('void', "Void")],
        string="State of the Condition",
        readonly=True,
        index='btree_not_null',
        help="Void: the document was cancelled, or another decision has taken the release's place.",
    )
    condition_date = fields.Datetime(string="Condition Settled On", readonly=True)
    proof = fields.Binary(string="Proof of Payment", attachment=True, readonly=True)
    proof_name = fields.Char(readonly=True)
    recheck_delivery = fields.Boolean(
        string="Check Again at Delivery",
        readonly=True,
        help="The order is checked once more before its goods leave; with Inventory.",
    )

    _margin_positive = models.Constraint('CHECK (margin >= 0)', "A margin can't be negative.")
    # Asked with each payment of a customer.
    _condition_index = models.Index("(debtor_id) WHERE condition_state IS NOT NULL")

    @api.model
    def _prepare_condition_vals(self, terms, order):
        """Return the values of a decision's conditions.

        :param terms: {name: value} of `TERMS`
        :raise UserError: if they make no sense
        """
        today = order.company_id._credit_today()
        vals = {name: terms.get(name) or False for name in TERMS}
        if vals['margin'] and vals['margin'] < 0:
            raise UserError(self.env._("A margin can't be negative."))
        if vals['valid_until'] and vals['valid_until'] < today:
            raise UserError(self.env._("The release would have ended already: choose a last day from today on."))
        if not vals['condition']:
            return {**vals, 'condition_amount': 0.0, 'condition_due': False, 'proof': False, 'proof_name': False}
        if order.currency_id.compare_amounts(vals['condition_amount'] or 0.0, 0.0) <= 0:
            raise UserError(self.env._("State the amount that is to come."))
        if not vals['condition_due'] or vals['condition_due'] < today:
            raise UserError(self.env._("State until when the money has to come, from today on."))
        if vals['condition'] == 'proof' and not vals['proof']:
            raise UserError(self.env._("Attach the proof of payment, e.g. the bank's transfer slip."))
        if vals['condition'] != 'proof':
            vals.update(proof=False, proof_name=False)
        # The database's time, as documents have it: the start of the transaction that makes them.
        since = self.env.cr.now().replace(microsecond=0)
        return {**vals, 'condition_state': 'open', 'condition_since': since}

    def _lay_down(self, conditions, order):
        """Keep the conditions of a decision, before it is made: what they allow decides whose decision it is.

        The next level sees them and may change them.

        :param conditions: see `_prepare_condition_vals`; None: those that the level before has laid down
        :returns: the conditions that hold
        :raise UserError: if the margin is one that another level decides on
        """
        self.ensure_one()
        # Written by the flow only.
        release = self.sudo().with_context(bin_size=False)
        if conditions is None:
            conditions = self._prepare_condition_vals({name: release[name] for name in TERMS}, order.sudo())
        release.write({name: value for name, value in conditions.items() if name in TERMS})
        if release.margin and release.approval_id and (further := release._further_levels()):
            raise UserError(
                self.env._(
                    "With this margin %(document)s may grow up to %(amount)s, which “%(level)s” has to decide on. "
                    "Choose a smaller margin.",
                    document=release.document_name,
                    amount=release._money(release._allowed_amount()),
                    level=further[0].name,
                )
            )
        return conditions

    def _kept_by_a_raise(self, conditions):
        """Return what of this release's conditions goes on where a raise takes its place.

        :param conditions: those of the raise
        """
        kept = {'recheck_delivery': True} if self.recheck_delivery else {}
        if self.condition_state in ('open', 'kept') and not conditions.get('condition'):
            kept |= {name: self.with_context(bin_size=False)[name] for name in CONDITION_FIELDS}
        return kept

    def _approval_button(self, decision, step):
        # EXTENDS credit_management: a raise has buttons of its own
        if self.purpose == 'raise' and step.kind != 'confirmation':
            order = self._document()
            return order.action_credit_approve_raise() if decision == 'approve' else order.action_credit_refuse_raise()
        return super()._approval_button(decision, step)

    def _allowed_amount(self):
        """Return up to which total the document may go on, in its currency."""
        self.ensure_one()
        return self.currency_id.round(self.amount * (1 + self.margin / 100))

    def _lets_go(self):
        """Tell whether the conditions let the document go on now."""
        self.ensure_one()
        return (
            self.condition_state not in ('broken', 'void')
            and not self._waits()
            and (not self.valid_until or self.company_id._credit_today() <= self.valid_until)
        )

    def _waits(self):
        """Tell whether the document has to wait for money."""
        self.ensure_one()
        return self.condition == 'deposit' and self.condition_state == 'open'

    def _sale_order(self):
        """Return the order that this release is about."""
        self.ensure_one()
        return self.env['sale.order'].browse(self.res_id if self.res_model == 'sale.order' else False).exists()

    # -------------------------------------------------------------------------
    # Money
    # -------------------------------------------------------------------------

    @api.model
    def _unsettled(self, account):
        """Return the releases that wait for money of an account's customer, the oldest decision first."""
        return self._with_conditions(account, Domain('condition_state', 'in', ('open', 'broken')))

    @api.model
    def _kept_lately(self, account):
        """Return the releases of an account's customer whose money may still go back; the oldest decision first."""
        kept = Domain('condition_state', '=', 'kept') & Domain('condition_date', '>=', self._returns_since())
        releases = self._with_conditions(account, kept)
        orders = {order.id: order for order in self.env['sale.order'].browse(releases.mapped('res_id')).exists()}
        return releases.filtered(
            lambda release: release.res_id in orders and orders[release.res_id].credit_release_id == release
        )

    @api.model
    def _with_conditions(self, account, domain):
        return self.search(
            Domain('debtor_id', '=', account.partner_id.id)
            & Domain('company_id', 'child_of', account.company_id.id)
            & Domain('res_model', '=', 'sale.order')
            & domain,
            order='condition_since, id',
        )

    @api.model
    def _returns_since(self):
        """Return since when a condition was kept whose money is still looked after."""
        return fields.Datetime.now() - timedelta(days=RETURN_DAYS)

    def _received(self, lasting=False):
        """Return {release id: what has come of its money since the decision, in its currency}, of one debtor.

        Each payment counts for one condition only, also for those that were
        kept before. What is paid online and not in the ledger yet counts too.

        :param lasting: for conditions that were kept, see `_payments`
        """
        if not self:
            return {}
        company = self[0].company_id.root_id
        first = min(self.mapped('condition_since'))
        kept = Domain('condition_state', '=', 'kept') & Domain('condition_date', '>=', first)
        every = self | self.search(
            Domain('debtor_id', '=', self.debtor_id.id) & Domain('company_id', 'child_of', company.id) & kept
        )
        expected = [
            Expected(
                release.id,
                release.condition_since,
                release.currency_id.id,
                release.condition_amount,
                release.currency_id._convert(
                    release.condition_amount, company.currency_id, company, release.condition_since.date()
                ),
                # Later than the payment by the part of a second that it lacks.
                release.condition_date + timedelta(seconds=1) if release.condition_state == 'kept' else None,
            )
            for release in every
        ]
        shares = allocate(expected, every._payments(company, lasting))
        received = {}
        for release in self:
            # What was paid online before the decision has counted in the check.
            online = (
                release._sale_order().sudo()._credit_paid_amount(since=release.condition_since)
                if release.condition_state != 'broken'
                else 0.0
            )
            amount = release.condition_amount * shares[release.id] + online
            received[release.id] = min(release.condition_amount, release.currency_id.round(amount))
        return received

    def _payments(self, company, lasting=False):
        """Return the payments of a debtor that were booked since the first of these conditions, in one statement.

        Without what went back by an entry that is matched with them: a reversal, a returned direct debit, a refund.
        What went back and is matched with nothing comes as a negative payment. Money has come when it is in the
        bank: a bill or cheque counts once it is cleared, whether it paid an invoice or in advance.

        :param lasting: only what has gone back for good is gone: a payment that is put back to draft is being
            corrected, and what was paid back a moment ago may be a refund that is not matched yet
        """
        self.env['account.move.line'].flush_model()
        self.env['account.partial.reconcile'].flush_model()
        self.env['account.move'].flush_model(
            ['state', 'journal_id', 'move_type', 'origin_payment_id', 'posted_before', 'reversed_entry_id']
        )
        self.env['account.payment'].flush_model(['state'])
        self.env['res.partner'].flush_model(['commercial_partner_id'])
        counting = self.env['credit.ledger.account'].sudo()._roles(company.id)
        accounts = {
            role: [account_id for by_item in (True, False) for account_id in counting.get((role, by_item), ())]
            for role in ('receivable', 'advance', 'clearing')
        }
        rows = self.env.execute_query(
            SQL(
                """
                WITH booked AS (
                    SELECT line.move_id, line.create_date, line.currency_id,
                           SUM(-line.amount_currency - COALESCE(back.amount_currency, 0)) AS amount_currency,
                           SUM(-line.balance - COALESCE(back.balance, 0)) AS balance,
                           SUM(-line.balance) AS gross,
                           SUM(CASE WHEN account.reconcile THEN line.amount_residual_currency
                                    ELSE line.amount_currency END) AS open_currency,
                           SUM(CASE WHEN account.reconcile THEN line.amount_residual ELSE line.balance END) AS open
                      FROM account_move_line line
                      JOIN account_move entry ON entry.id = line.move_id
                 LEFT JOIN account_payment payment ON payment.id = entry.origin_payment_id
                      JOIN res_partner partner ON partner.id = line.partner_id
                      JOIN account_account account ON account.id = line.account_id
                      JOIN account_journal journal ON journal.id = line.journal_id
                 LEFT JOIN LATERAL (
                        SELECT SUM(part.credit_amount_currency) AS amount_currency, SUM(part.amount) AS balance
                          FROM account_partial_reconcile part
                          JOIN account_move_line debit ON debit.id = part.debit_move_id
                          JOIN account_move move ON move.id = debit.move_id
                          JOIN account_journal theirs ON theirs.id = move.journal_id
                         WHERE part.credit_move_id = line.id
                           AND move.id <> line.move_id
                           AND (theirs.type IN ('bank', 'cash', 'credit')
                                OR move.reversed_entry_id = line.move_id
                                OR move.move_type = 'entry' AND EXISTS (
                                    SELECT FROM account_move_line mine
                                      JOIN account_move_line other ON other.account_id = mine.account_id
                                     WHERE mine.move_id = line.move_id
                                       AND mine.account_id <> line.account_id
                                       AND other.move_id = move.id))
                           ) back ON line.balance < 0 AND line.account_id <> ALL(%(clearing)s::int[])
                     WHERE partner.commercial_partner_id = %(debtor)s
                       AND line.company_id = ANY(%(companies)s)
                       AND (line.parent_state = 'posted' OR %(drafts)s)
                       AND line.account_id = ANY(%(accounts)s)
                       AND journal.type IN ('bank', 'cash', 'credit')
                       AND line.create_date >= %(since)s
                       -- A payment that the bank rejects keeps its entry until somebody reverses it.
                       AND payment.state IS DISTINCT FROM 'rejected' AND payment.state IS DISTINCT FROM 'canceled'
                  GROUP BY line.move_id, line.create_date, line.currency_id
                )
                SELECT move_id, create_date, currency_id,
                       CASE WHEN gross < 0 THEN -open_currency ELSE amount_currency END,
                       CASE WHEN gross < 0 THEN -open ELSE balance END
                  FROM booked
                 WHERE gross > 0 OR open > 0 AND %(returned)s
                """,
                debtor=self.debtor_id.id,
                companies=list(company._credit_branch_ids()),
                accounts=[account_id for ids in accounts.values() for account_id in ids],
                clearing=accounts['clearing'],
                since=min(self.mapped('condition_since')),
                drafts=SQL("line.parent_state = 'draft' AND entry.posted_before") if lasting else SQL("FALSE"),
                returned=SQL("create_date < %s", fields.Datetime.now() - MATCHED_WITHIN) if lasting else SQL("TRUE"),
            )
        )
        online = self._paid_online()
        return [
            Payment(date, currency, float(amount), float(balance), frozenset(online.get(move_id, ())))
            for move_id, date, currency, amount, balance in rows
        ]

    def _paid_online(self):
        """Return {id of the entry: ids of the releases for whose orders it was paid online}."""
        found = defaultdict(set)
        # Whoever looks after conditions need not read transactions.
        for release in self.sudo():
            for entry in release._sale_order().transaction_ids.payment_id.move_id:
                found[entry.id].add(release.id)
        return found

    # -------------------------------------------------------------------------
    # Kept and broken
    # -------------------------------------------------------------------------

    def _settle(self, received):
        """Look whether the condition is kept or broken by now.

        :param received: what of the money has come, see `_received`
        """
        self.ensure_one()
        today = self.company_id._credit_today()
        if self.currency_id.compare_amounts(self.condition_received, received):
            self.condition_received = received
        if self.currency_id.compare_amounts(received, self.condition_amount) >= 0:
            self._keep()
        elif self.condition_state == 'open' and (
            self.condition_due < today or (self._waits() and self.valid_until and self.valid_until < today)
        ):
            self._break()

    def _keep(self):
        """The money has come: the order goes on."""
        self.write({'condition_state': 'kept', 'condition_date': fields.Datetime.now()})
        self._record_event('condition_kept')
        order = self._system_order()
        if not order or order.credit_release_id != self:
            return
        told = self.with_context(lang=order.env.lang)
        if order.credit_state == 'awaiting_payment' or (order.state == 'sale' and order.credit_state == 'on_hold'):
            order._credit_condition_kept(told)
        else:
            order._credit_post(told._title(), told._story(), notify=True)

    def _look_for_return(self, received):
        """Open a kept condition again if the money that kept it has gone back.

        If its time is over it is broken, and so is a deposit: the order went on only because it had come.

        :param received: what of the money has lastingly come, see `_received`
        """
        self.ensure_one()
        enough = self.condition_amount * (1 - RETURNED_PERCENT / 100)
        if self.currency_id.compare_amounts(received, enough) >= 0:
            return
        self.write({'condition_state': 'open', 'condition_date': False, 'condition_received': received})
        self._record_event('condition_reopened')
        order = self._system_order()
        told = self.with_context(lang=order.env.lang)
        order._credit_post(order.env._("Money that had come has gone back"), told._story(), notify=True)
        if self.condition == 'deposit' or self.condition_due < self.company_id._credit_today():
            self._break(strike=False)

    def _break(self, strike=True):
        """The money has not come in time: the order is held again, who decided and who sells are told.

        :param strike: count a promise as broken; False where its money came, and its return counts already
        """
        self.write({'condition_state': 'broken', 'condition_date': fields.Datetime.now()})
        if strike and self.condition == 'promise':
            self._record_event('promise_broken')
        self._record_event('condition_broken')
        order = self._system_order()
        if order and order.credit_release_id == self:
            order._credit_hold_again(self)

    def _system_order(self):
        """Return the order as the system handles it, in its salesperson's language."""
        order = self._sale_order().with_user(SUPERUSER_ID)
        return order.with_context(lang=order.user_id.lang or self.env.lang) if order else order

    def _settled_by_another(self, states=('open', 'broken')):
        """Another decision has taken the place of these, or their document is gone."""
        self.filtered(lambda release: release.condition_state in states).write(
            {'condition_state': 'void', 'condition_date': fields.Datetime.now()}
        )

    # -------------------------------------------------------------------------
    # In words
    # -------------------------------------------------------------------------

    def _money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _title(self):
        """Return what has become of the condition, in the language of the environment."""
        labels = dict(self._fields['condition']._description_selection(self.env))
        values = {'condition': labels.get(self.condition, ''), 'amount': self._money(self.condition_amount)}
        if self.condition_state == 'kept':
            return self.env._("%(condition)s kept: %(amount)s has come", **values)
        if self.condition_state == 'broken':
            return self.env._("%(condition)s broken: %(amount)s has not come", **values)
        return self.env._("%(condition)s: %(amount)s is to come", **values)

    def _story(self):
        """Return the sentences on who let the document go on, on what condition, and what has come of it."""
        self.ensure_one()
        values = {
            'user': self.decided_by_id.name,
            'date': format_date(self.env, fields.Datetime.context_timestamp(self, self.decided_date).date()),
            'reason': self.decision_note or '',
        }
        story = [self.env._("Released by %(user)s on %(date)s: %(reason)s", **values)]
        if self.margin:
            story.append(self.env._("It may grow up to %(amount)s.", amount=self._money(self._allowed_amount())))
        if self.valid_until:
            story.append(self.env._("The release ends on %(date)s.", date=format_date(self.env, self.valid_until)))
        if self.recheck_delivery:
            story.append(self.env._("It is checked again before delivery."))
        if self.condition:
            story.append(
                self.env._(
                    "Expected: %(amount)s by %(date)s; received: %(received)s.",
                    amount=self._money(self.condition_amount),
                    date=format_date(self.env, self.condition_due),
                    received=self._money(self.condition_received),
                )
            )
        return story
