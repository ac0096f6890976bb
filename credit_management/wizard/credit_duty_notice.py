from odoo import api, fields, models


class CreditDutyNotice(models.TransientModel):
    """Says what credit duties users have who were just archived, and leads to the hand-over."""

    _name = 'credit.duty.notice'
    _inherit = ['credit.dialog']
    _description = "Credit Duties of Archived Users"

    user_ids = fields.Many2many('res.users', readonly=True, context={'active_test': False})
    text = fields.Text(string="Duties", readonly=True)

    @api.model
    def _open(self, duties):
        """Return the action that shows duties of users, or nothing where there are none.

        :param duties: see `credit.handover._duties`
        """
        if not duties:
            return None
        Handover = self.env['credit.handover']
        several = len({company for _user, company in duties}) > 1
        # Made for whoever could archive the user; only the group of the dialog opens it.
        notice = self.sudo().create(
            {
                'user_ids': [fields.Command.set({user.id for user, _company in duties})],
                'text': "\n".join(
                    f"{user.name}{f', {company.name}' if several else ''}: {Handover._duty_texts(found)}"
                    for (user, company), found in duties.items()
                ),
            }
        )
        return notice._dialog_action(self.env._("Credit Duties"))

    def action_hand_over(self):
        """Open a new hand-over of the archived user; of several, the list of hand-overs."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_handover_action')
        if len(self.user_ids) != 1:
            return action
        return action | {
            'views': [(False, 'form')],
            'context': {'default_user_id': self.user_ids.id},
        }
