from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import format_datetime

# So many findings are listed; more of them say no more.
LISTED = 500


class CreditVerification(models.TransientModel):
    """Asks which credit file to verify and says what was found, in the words of who reads it."""

    _name = 'credit.verification'
    _inherit = ['credit.dialog']
    _description = "Credit File Verification"

    company_id = fields.Many2one(
        'res.company',
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False), ('id', 'parent_of', allowed_company_ids)]",
        help="The main company; its branches are included.",
    )
    account_ids = fields.Many2many('credit.account', string="Accounts", help="Empty: all accounts of the company.")
    state = fields.Selection([('asked', "Asked"), ('sound', "Sound"), ('broken', "Broken")], default='asked')
    summary = fields.Text(readonly=True)
    seal_text = fields.Text(string="Last Seal", readonly=True)
    finding_ids = fields.One2many('credit.verification.finding', 'verification_id', string="Findings", readonly=True)

    @api.model
    def _check_company_allowed(self, company):
        """Refuse the file of a company in which the user does not work."""
        if not self.env.su and company.root_id not in self.env.user.company_ids.sudo().root_id:
            raise AccessError(self.env._("You can only work on the credit files of your companies."))

    def action_verify(self):
        """Verify the chains and the seals and show what was found.

        :raise AccessError: if the user is neither auditor nor credit manager, or does not work in the company
        """
        self.ensure_one()
        self.env['credit.event']._check_auditor()
        self.check_access('read')
        self._check_company_allowed(self.company_id)
        # A look at all that the database has, whatever rules hide; the findings name ids.
        result = self.env['credit.event'].sudo()._verify_chain(self.account_ids or None, self.company_id)
        seal = result.last_seals[self.company_id.root_id]
        values = {'events': result.events, 'accounts': result.accounts, 'findings': len(result.findings)}
        self.sudo().write(
            {
                'state': 'broken' if result.findings else 'sound',
                'summary': self._summary(values),
                'seal_text': self._seal_text(seal),
                'finding_ids': [
                    fields.Command.clear(),
                    *(
                        fields.Command.create(self.env['credit.verification.finding']._prepare_vals(finding))
                        for finding in result.findings[:LISTED]
                    ),
                ],
            }
        )
        return self._dialog_action(self.env._("Verify the Credit File"))

    def _summary(self, values):
        if not values['findings']:
            if not values['events']:
                return self.env._("There is no event yet, and no trace of any.")
            return self.env._(
                "All is sound. Events: %(events)s, accounts: %(accounts)s. Nothing was changed, moved or removed.",
                **values,
            )
        text = self.env._(
            "Broken chains: %(findings)s. Events read: %(events)s, accounts: %(accounts)s. Of each chain the first "
            "broken link is named; what comes after it can't be relied on.",
            **values,
        )
        if values['findings'] > LISTED:
            text = f"{text} {self.env._('The first %(count)s are listed.', count=LISTED)}"
        return text

    def _seal_text(self, seal):
        if not seal:
            return self.env._("No seal yet: the file is sealed each night. Until then a removed end may go unnoticed.")
        return self.env._(
            "Seal %(number)s of %(date)s: %(hash)s",
            number=seal.number,
            date=format_datetime(self.env, seal.date),
            hash=seal.hash,
        )
