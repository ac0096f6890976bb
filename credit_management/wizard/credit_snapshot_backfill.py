from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CreditSnapshotBackfill(models.TransientModel):
    """Asks how far back the ledger side of the history shall be computed."""

    _name = 'credit.snapshot.backfill'
    _description = "Back-fill of Credit Snapshots"

    company_id = fields.Many2one(
        'res.company',
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False), ('id', 'in', allowed_company_ids)]",
    )
    months = fields.Integer(
        default=12, required=True, help="Number of month ends before the company's first daily snapshot."
    )

    @api.constrains('months')
    def _check_months(self):
        if any(not 1 <= wizard.months <= 120 for wizard in self):
            raise ValidationError(self.env._("Choose between 1 and 120 months."))

    def action_backfill(self):
        """Compute the ledger side of past month ends in the background and show the list of runs.

        :raise AccessError: if the user is not a credit manager
        """
        self.ensure_one()
        runs = self.env['credit.snapshot.run']
        runs._check_manager()
        # Of his own companies only; the runs themselves are written by the system.
        self.company_id.check_access('read')
        runs.sudo()._open_backfill(self.company_id.root_id, self.months)
        runs._trigger()
        return self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_snapshot_run_action')
