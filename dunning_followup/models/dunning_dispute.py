from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

OUTCOMES = [('customer', "The customer"), ('company', "We"), ('both', "Both in part")]
# Written when a dispute is opened and solved, by nobody else.
FLOW_FIELDS = {'state', 'date_solved', 'outcome', 'solution', 'user_id'}


@dataclass(frozen=True)
class Share:
    """The part of an item that is disputed from a day on; date_to None: still."""

    date_from: date
    date_to: date | None
    amount: Decimal


class DunningDispute(models.Model):
    """What a customer says it does not owe: this part of an invoice is not chased while it is open."""

    _name = 'dunning.dispute'
    _description = "Dispute"
    _order = 'state, date_open desc, id desc'
    _rec_name = 'move_id'
    _check_company_auto = True

    move_id = fields.Many2one(
        'account.move',
        string="Invoice",
        required=True,
        index=True,
        ondelete='restrict',
        domain="[('move_type', 'in', ('out_invoice', 'out_receipt')), ('state', '=', 'posted')]",
    )
    company_id = fields.Many2one(related='move_id.company_id', store=True, index=True)
    partner_id = fields.Many2one(related='move_id.commercial_partner_id', string="Customer", store=True, index=True)
    currency_id = fields.Many2one(related='move_id.currency_id')
    amount = fields.Monetary(
        string="Disputed Amount",
        compute='_compute_amount',
        store=True,
        readonly=False,
        help="With taxes, in the currency of the invoice. The rest of the invoice is chased.",
    )
    reason = fields.Char(required=True, help="What the customer objects to.")
    date_open = fields.Date(string="Disputed On", required=True, default=lambda self: self.env.company._credit_today())
    date_solved = fields.Date(string="Solved On", readonly=True, copy=False)
    outcome = fields.Selection(
        OUTCOMES,
        string="Who Was Right",
        readonly=True,
        copy=False,
        help="Where the customer was, the dispute does not count against it in scores.",
    )
    solution = fields.Char(readonly=True, copy=False, help="How it was solved.")
    user_id = fields.Many2one('res.users', string="By", default=lambda self: self.env.user, readonly=True)
    state = fields.Selection([('open', "Open"), ('solved', "Solved")], default='open', readonly=True, copy=False)

    @api.depends('move_id')
    def _compute_amount(self):
        for dispute in self:
            dispute.amount = dispute.amount or dispute.move_id.amount_residual

    @api.constrains('amount', 'move_id')
    def _check_amount(self):
        for dispute in self:
            if dispute.currency_id.compare_amounts(dispute.amount, 0.0) <= 0:
                raise ValidationError(self.env._("State how much of the invoice is disputed."))
            if dispute.currency_id.compare_amounts(dispute.amount, dispute.move_id.amount_total) > 0:
                raise ValidationError(self.env._("No more can be disputed than the invoice is about."))

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            # Who notes a dispute, and how it ends, is not for the client to say.
            flow = {**dict.fromkeys(FLOW_FIELDS, False), 'user_id': self.env.uid, 'state': 'open'}
            vals_list = [{**vals, **flow} for vals in vals_list]
        disputes = super().create(vals_list)
        disputes._record_events('dispute_opened')
        return disputes

    def write(self, vals):
        if not self.env.su and vals.keys() & {*FLOW_FIELDS, 'move_id'}:
            raise AccessError(self.env._("A dispute is solved with its button, and stays with its invoice."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Disputes are kept. Solve this one instead."))

    def action_solve(self):
        """Ask how these disputes have ended.

        :raise AccessError: if the user may not close them
        :raise UserError: if none of them is open
        """
        dialog = self.env['dunning.dispute.solving'].create({'dispute_ids': self._solvable().ids})
        return dialog._dialog_action(self.env._("Dispute Solved"))

    def _solvable(self):
        """Return those that are open.

        :raise AccessError: if the user may not close them
        :raise UserError: if there is none
        """
        self.check_access('write')
        disputes = self.filtered(lambda dispute: dispute.state == 'open')
        if not disputes:
            raise UserError(self.env._("None of these disputes is open any more."))
        return disputes

    def _solve(self, outcome, solution=''):
        """Close disputes: what is still open of the invoices is chased again.

        :param outcome: who was right: 'customer', 'company' or 'both'
        :param solution: how it was solved
        :raise AccessError: if the user may not
        :raise UserError: if none of them is open
        """
        disputes = self._solvable()
        for company, mine in disputes.grouped('company_id').items():
            # Written by the flow only.
            mine.sudo().write(
                {
                    'state': 'solved',
                    'date_solved': company._credit_today(),
                    'outcome': outcome,
                    'solution': solution,
                }
            )
        disputes._record_events('dispute_solved')

    def _record_events(self, kind):
        entries = []
        for company, disputes in self.sudo().grouped('company_id').items():
            accounts = self.env['credit.account']._for_partners(disputes.partner_id, company).grouped('partner_id')
            entries += [
                (
                    accounts[dispute.partner_id],
                    kind,
                    {
                        'res_model': 'account.move',
                        'res_id': dispute.move_id.id,
                        'dispute_id': dispute.id,
                        'amount': dispute.amount,
                        'currency_id': dispute.currency_id.id,
                        **({'outcome': dispute.outcome} if dispute.outcome else {}),
                    },
                )
                for dispute in disputes
            ]
        self.env['credit.event']._record(entries)

    @api.model
    def _shares(self, facts):
        """Return {item id: [Share]}: disputed amounts spread over the items of their invoices, the oldest first.

        Also over those of the invoice that has taken the place of the disputed one.

        :param facts: {item id: `_dunning_facts`}, by due date
        """
        items = defaultdict(list)
        for line_id, fact in facts.items():
            items[fact['move_id']].append((line_id, Decimal(str(fact['amount']))))
        holders = {move_id: [move_id] for move_id in items}
        for move_id, chain in self.env['dunning.exclusion']._chains(facts).items():
            for origin_id in chain:
                holders.setdefault(origin_id, []).append(move_id)
        result = defaultdict(list)
        for dispute in self.search([('move_id', 'in', list(holders))]):
            for move_id in holders[dispute.move_id.id]:
                left = Decimal(str(dispute.amount))
                for line_id, amount in items[move_id]:
                    share = min(left, amount)
                    if share > 0:
                        result[line_id].append(Share(dispute.date_open, dispute.date_solved or None, share))
                    left -= share
        return result
