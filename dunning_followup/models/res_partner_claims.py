from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models

from .dunning_rate_table import CUSTOMER_KINDS

# The channels that a person may refuse, and the field that says so.
OPT_OUTS = {
    'email': 'dunning_no_email',
    'letter': 'dunning_no_letter',
    'sms': 'dunning_no_sms',
    'sms_gateway': 'dunning_no_sms',
    'call': 'dunning_no_call',
    'visit': 'dunning_no_visit',
}
COLLECTION_GROUPS = (
    'dunning_followup.group_collections_collector,account.group_account_invoice,credit_management.group_credit_auditor'
)


class ResPartner(models.Model):
    """How a customer may be reminded, and why what it owes is not."""

    _inherit = 'res.partner'  # pylint: disable=consider-merging-classes-inherited

    dunning_customer_kind = fields.Selection(
        CUSTOMER_KINDS,
        string="Reminded As",
        groups=COLLECTION_GROUPS,
        help="Which rates and contact rules hold. Empty: companies and those with a tax ID are businesses.",
    )
    dunning_no_email = fields.Boolean(string="No E-mail", groups=COLLECTION_GROUPS)
    dunning_no_letter = fields.Boolean(string="No Letters", groups=COLLECTION_GROUPS)
    dunning_no_sms = fields.Boolean(string="No Text Messages", groups=COLLECTION_GROUPS)
    dunning_no_call = fields.Boolean(string="No Calls", groups=COLLECTION_GROUPS)
    dunning_no_visit = fields.Boolean(string="No Visits", groups=COLLECTION_GROUPS)
    dunning_not_chased = fields.Html(
        string="Why Not Chased",
        compute='_compute_dunning_not_chased',
        compute_sudo=True,
        sanitize=False,
        groups=COLLECTION_GROUPS,
        help="What this customer owes and is not reminded of now, each item with its reason.",
    )

    def write(self, vals):
        # EXTENDS base: who refuses a channel, and who took it back, is in the credit file
        fields_ = sorted(set(OPT_OUTS.values()) & vals.keys())
        before = {partner: {name: partner[name] for name in fields_} for partner in self} if fields_ else {}
        result = super().write(vals)
        entries = []
        for partner, old in before.items():
            changed = [name for name in fields_ if old[name] != partner[name]]
            if changed:
                account = self.env['credit.account']._for_partners(partner, self.env.company)
                payload = {
                    'partner_id': partner.id,
                    'refused': [name for name in changed if partner[name]],
                    'allowed': [name for name in changed if not partner[name]],
                }
                entries.append((account, 'opt_out', payload))
        if entries:
            self.env['credit.event']._record(entries)
        return result

    @api.model
    def _dunning_opt_out_labels(self):
        """Return {field: the channel in words}."""
        return {
            'dunning_no_email': self.env._("E-mail"),
            'dunning_no_letter': self.env._("Letter"),
            'dunning_no_sms': self.env._("Text message"),
            'dunning_no_call': self.env._("Call"),
            'dunning_no_visit': self.env._("Visit"),
        }

    def _dunning_kinds(self):
        """Return {commercial partner id: business or consumer} of these partners."""
        # Rates and contact rules need the kind, whoever sends the reminder.
        return {
            partner.id: partner.dunning_customer_kind
            # A slash is how Odoo notes that there is no tax ID.
            or ('business' if partner.is_company or partner.vat not in (False, '', '/') else 'consumer')
            for partner in self.sudo().commercial_partner_id
        }

    @api.depends_context('company', 'lang')
    def _compute_dunning_not_chased(self):
        told = self.commercial_partner_id._origin._dunning_reasons(self.env.company)
        for partner in self:
            partner.dunning_not_chased = told.get(partner.commercial_partner_id._origin.id, False)

    def _dunning_reasons(self, company):
        """Return {id: HTML of what of these customers is not chased now, and why} of those where there is something."""
        if not self.ids:
            return {}
        today, Exclusion = company.root_id._credit_today(), self.env['dunning.exclusion']
        entries = defaultdict(list)
        for customer_id, document, text in Exclusion._told(self, company, today).values():
            entries[customer_id].append((document, text))
        silent = self.filtered(lambda customer: customer.id not in entries)
        for customer_id, text in Exclusion._told_of_all(silent, company, today).items():
            entries[customer_id].append((self.env._("Everything"), text))
        return {customer_id: reasons_list(mine) for customer_id, mine in entries.items()}

    def action_dunning_pause(self):
        """Open the dialog that pauses reminders to this customer, or stops them.

        :raise AccessError: if the user is no collector
        """
        self.ensure_one()
        return self.env['dunning.pause']._dialog(partner=self.commercial_partner_id)

    def action_view_dunning_contacts(self):
        """Open the log of all contacts with this customer about what it owes."""
        self.ensure_one()
        self.env['dunning.contact'].check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_contact_action')
        customer = self.commercial_partner_id
        return {
            **action,
            'domain': [('commercial_partner_id', '=', customer.id)],
            'context': {'default_partner_id': self.id},
        }

    def action_view_dunning_claims(self):
        """Open the interest, compensation and fees that this customer owes."""
        self.ensure_one()
        self.env['dunning.claim'].check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_claim_action')
        return {**action, 'domain': [('partner_id', '=', self.commercial_partner_id.id)], 'context': {}}


def reasons_list(entries):
    """Return entries (name, text) as a list in HTML; False if there is none."""
    if not entries:
        return False
    lines = (Markup("<li><b>%s</b>: %s</li>") % entry for entry in entries)
    return Markup('<ul class="mb-0 ps-3">%s</ul>') % Markup().join(lines)
