from odoo import api, fields, models
from odoo.exceptions import AccessError


class CreditLimit(models.Model):
    """The application that a limit answers, and what it hears of the limit.

    Apart from `credit_limit.py`, which decides.
    """

    _inherit = 'credit.limit'  # pylint: disable=consider-merging-classes-inherited

    origin = fields.Selection(
        selection_add=[('grade', "Grade"), ('application', "Application")],
        ondelete={'grade': 'set default', 'application': 'set default'},
    )
    application_id = fields.Many2one('credit.application', readonly=True, copy=False, index='btree_not_null')

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS credit_management: which application a limit answers is not a client's to say
        for vals in vals_list:
            vals['application_id'] = False
        return super().create(vals_list)

    def write(self, vals):
        # EXTENDS credit_management
        if 'application_id' in vals:
            raise AccessError(self.env._("A limit answers the application that made it."))
        return super().write(vals)

    @api.model
    def _write_flows(self, changes):
        # EXTENDS credit_management: the application follows its limit
        moved = self.browse()

        def noted():
            # One by one: what comes next may depend on what was written before.
            nonlocal moved
            for limits, vals in changes:
                if 'state' in vals:
                    moved |= limits
                yield limits, vals

        result = super()._write_flows(noted())
        # The decision is told to the applicant, whatever the decider may do with applications.
        moved.sudo().application_id._follow_limit()
        return result

    def _approval_barred(self):
        # EXTENDS credit.approval.mixin: nor who applied for it or changed what is asked for, whoever handed it in
        application = self.sudo().application_id
        authors = application.requested_by_id | application.create_uid | application.author_ids
        return super()._approval_barred() | authors
