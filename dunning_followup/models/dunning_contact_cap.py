from odoo import fields, models

from .dunning_contact import CHANNELS


class DunningContactCap(models.Model):
    """At most so many contacts in so many days."""

    _name = 'dunning.contact.cap'
    _description = "Cap of Contacts"
    _order = 'days, id'
    _rec_name = 'channel'

    rule_id = fields.Many2one('dunning.contact.rule', required=True, index=True, ondelete='cascade')
    channel = fields.Selection(CHANNELS, help="Empty: all channels together.")
    number = fields.Integer(string="At Most", required=True, default=1)
    days = fields.Integer(string="In Days", required=True, default=1, help="In any so many days in a row.")

    _positive = models.Constraint(
        'CHECK (number >= 0 AND days >= 1)', "State a number of contacts, and at least 1 day. 0 allows none at all."
    )
