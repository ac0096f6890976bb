from odoo import fields, models


class CreditRuleDemotion(models.TransientModel):
    """Asks why a rule is only to warn for now; the rule checks the rights."""

    _name = 'credit.rule.demotion'
    _inherit = ['credit.dialog']
    _description = "Only Warn for Now"

    rule_id = fields.Many2one('credit.rule', required=True, readonly=True)
    reason = fields.Char(required=True, help="Is kept with the policy.")

    def action_apply(self):
        """Put the rule back to warn and say how many held orders that would let pass."""
        self.ensure_one()
        self.rule_id.write({'demoted': True, 'demoted_reason': self.reason})
        held = self.env['sale.order'].search(
            [('credit_state', '=', 'on_hold'), ('company_id', 'child_of', self.rule_id.company_id.ids)]
        )
        held.invalidate_recordset(['credit_outlook'])
        passing = held.filtered(lambda order: order.credit_outlook == 'pass')
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'title': self.rule_id.display_name,
                'message': self.env._(
                    "Only warns from now on. Orders on hold: %(held)s, of which %(passing)s would pass now. They "
                    "stay in the list of held orders, marked.",
                    held=len(held),
                    passing=len(passing),
                ),
                'type': 'info',
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }
