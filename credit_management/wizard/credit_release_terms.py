from odoo import fields, models

from ..models.credit_release_condition import CONDITIONS, TERMS

# A week to pay, if nothing else is said.
DAYS = 7


class CreditReleaseTerms(models.AbstractModel):
    """On which conditions a dialog releases; how much has to come differs from dialog to dialog."""

    _name = 'credit.release.terms'
    _description = "Conditions of a Release"

    condition = fields.Selection(
        CONDITIONS,
        string="Against",
        help="Promise and proof of payment: the order goes on at once, and is held again if the money has not come in "
        "time. Deposit: the order waits until the money has come.",
    )
    condition_due = fields.Date(
        string="Expected By",
        compute='_compute_condition_due',
        store=True,
        readonly=False,
        help="Last day for the money to come.",
    )
    proof = fields.Binary(string="Proof of Payment", attachment=False)
    proof_name = fields.Char()
    margin = fields.Float(
        string="Margin (%)", digits=(16, 2), help="By how much the order may grow before it is held again."
    )
    valid_until = fields.Date(help="Last day on which this release lets the order go on.")
    recheck_delivery = fields.Boolean(
        string="Check Again at Delivery", help="The order is checked once more before its goods leave; with Inventory."
    )

    def _prepare_terms(self, order, amount):
        """Return the values of the release of an order.

        :param amount: what has to come, in its currency
        :raise UserError: if they make no sense
        """
        self.ensure_one()
        terms = {name: self[name] for name in TERMS if name in self} | {'condition_amount': amount}
        return self.env['credit.release']._prepare_condition_vals(terms, order.sudo())
