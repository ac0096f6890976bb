from odoo import fields, models


class DunningClaimDecision(models.Model):
    """That a claim was waived or reinstated: why, and by whom. Never edited; the credit file refers to it."""

    _name = 'dunning.claim.decision'
    _description = "Decision on a Claim"
    _order = 'id desc'
    _rec_name = 'reason'

    claim_id = fields.Many2one('dunning.claim', required=True, readonly=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='claim_id.company_id', store=True, index=True)
    kind = fields.Selection(
        [('waived', "Waived"), ('reinstated', "Reinstated")], string="Decision", required=True, readonly=True
    )
    date = fields.Date(required=True, readonly=True)
    user_id = fields.Many2one('res.users', string="By", readonly=True)
    reason = fields.Char(readonly=True)
