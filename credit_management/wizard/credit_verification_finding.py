from odoo import api, fields, models


class CreditVerificationFinding(models.TransientModel):
    """The first broken link of one chain."""

    _name = 'credit.verification.finding'
    _description = "Credit File Finding"

    verification_id = fields.Many2one('credit.verification', required=True, readonly=True, ondelete='cascade')
    kind = fields.Char(readonly=True)
    # Not references: what they name may be gone.
    account = fields.Integer(string="Account ID", readonly=True, aggregator=None)
    number = fields.Integer(readonly=True, aggregator=None)
    message = fields.Text(string="Finding", readonly=True)

    @api.model
    def _prepare_vals(self, finding):
        """Return the values of an engine's Finding."""
        return {
            'kind': finding.kind,
            'account': finding.account_id,
            'number': finding.number,
            'message': self._message(finding),
        }

    @api.model
    def _message(self, finding):
        """Say in the user's language what was found."""
        values = {
            'account': self._account_name(finding.account_id),
            'number': finding.number,
            'until': finding.until,
            'seal': finding.seal,
            'table': finding.table,
        }
        missing = finding.number != finding.until
        match finding.kind:
            case 'content':
                return self.env._("%(account)s: event %(number)s was changed.", **values)
            case 'order':
                return self.env._(
                    "%(account)s: event %(number)s stands in the wrong place; it was written as number %(until)s.",
                    **values,
                )
            case 'gap' if missing:
                return self.env._("%(account)s: events %(number)s to %(until)s are missing.", **values)
            case 'gap':
                return self.env._("%(account)s: event %(number)s is missing.", **values)
            case 'link':
                return self.env._(
                    "%(account)s: event %(number)s does not follow from the one before, which was exchanged.", **values
                )
            case 'rewritten':
                return self.env._("%(account)s: event %(number)s was rewritten after seal %(seal)s.", **values)
            case 'date' if finding.seal:
                return self.env._(
                    "%(account)s: event %(number)s is dated before seal %(seal)s, which was made without it. It was "
                    "added later under an earlier date, or the server's clock was wrong.",
                    **values,
                )
            case 'date':
                return self.env._(
                    "%(account)s: event %(number)s is dated more than a day before one that precedes it. One of them "
                    "was added under a false date, or the server's clock was wrong.",
                    **values,
                )
            case 'tail' if finding.seal:
                return self.env._(
                    "%(account)s: the end is cut off, events %(number)s to %(until)s; seal %(seal)s has them.", **values
                )
            case 'tail':
                return self.env._(
                    "%(account)s: the end is cut off, events %(number)s to %(until)s; the counter has them.", **values
                )
            case 'removed' if finding.seal:
                return self.env._(
                    "%(account)s: the whole file is gone, events 1 to %(until)s; seal %(seal)s has them.", **values
                )
            case 'removed':
                return self.env._(
                    "%(account)s: the whole file is gone, events 1 to %(until)s; the counter has them.", **values
                )
            case 'counter':
                return self.env._(
                    "%(account)s: the counter was changed; it does not agree with the last event, %(number)s.", **values
                )
            case _:
                return self._seal_message(finding.kind, missing, values)

    @api.model
    def _seal_message(self, kind, missing, values):
        match kind:
            case 'seal_content':
                return self.env._("Seal %(number)s was changed.", **values)
            case 'seal_gap' | 'seal_tail' if missing:
                return self.env._("Seals %(number)s to %(until)s are missing.", **values)
            case 'seal_gap' | 'seal_tail':
                return self.env._("Seal %(number)s is missing.", **values)
            case 'seal_link':
                return self.env._("Seal %(number)s does not follow from the one before, which was exchanged.", **values)
            case 'seal_counter':
                return self.env._(
                    "The company's counter was changed; it does not agree with the last seal, %(number)s.", **values
                )
            case _:
                return self.env._(
                    "The database does not protect %(table)s: somebody switched its trigger off. Update the add-on to "
                    "switch it on, and find out who did it.",
                    **values,
                )

    @api.model
    def _account_name(self, account_id):
        account = self.env['credit.account'].sudo().browse(account_id or 0).exists()
        return f"{account.display_name} (#{account.id})" if account else self.env._("Account #%(id)s", id=account_id)

    def action_open(self):
        """Open the event, else the account's file, else the seal that the finding is about.

        :raise AccessError: if the user may not read it
        """
        self.ensure_one()
        self.check_access('read')
        if not self.account:
            return self._action_open_seal()
        event = self.env['credit.event'].search([('account_id', '=', self.account), ('number', '=', self.number)])
        if event:
            return event.get_formview_action()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_event_action')
        return action | {'domain': [('account_id', '=', self.account)], 'context': {}}

    def _action_open_seal(self):
        seals = self.env['credit.seal'].search(
            [('company_id', '=', self.verification_id.company_id.root_id.id), ('number', '=', self.number)]
        )
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_seal_action')
        return seals.get_formview_action() if seals else action
