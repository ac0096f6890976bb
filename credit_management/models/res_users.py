from odoo import models


class ResUsers(models.Model):
    _inherit = 'res.users'

    def write(self, vals):
        # EXTENDS base: whoever leaves may have credit duties that somebody has to take over
        leaving = self.filtered('active') if 'active' in vals and not vals['active'] else self.browse()
        result = super().write(vals)
        if leaving:
            # Whoever archives users need not know what credit there is.
            self.env['credit.handover'].sudo()._warn_of_duties(leaving)
        return result

    def action_archive(self):
        # EXTENDS base: the archiving is never stopped, since a person who has left must not be able to log in; the
        # form opens what the method returns, programs ignore it
        Handover = self.env['credit.handover'].sudo()
        # Numbers only, for whoever may archive users; before core deletes what they have to do.
        duties = Handover._duties(self.sudo())
        Handover._keep_tasks(self.sudo())
        result = super().action_archive()
        return self.env['credit.duty.notice']._open(duties) or result
