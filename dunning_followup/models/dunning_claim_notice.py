from odoo import api, models


class DunningClaim(models.Model):
    """What a reminder that has been sent adds to what the customer owes."""

    _inherit = 'dunning.claim'  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _book_step(self, notices):
        """Keep the interest that was stated in reminders, charge the fees of their steps, note the contacts; each once.

        :param notices: dunning.notice: reads `partner_id`, `company_id`, `date_sent`, `date_stated`, `step_id`
            (`fee_amount`, `with_interest`) and `line_ids` (`move_line_id`)
        :returns: the new fees
        """
        self.env['dunning.contact']._log_notices(notices)
        fees = []
        for company, mine in notices.sudo().grouped('company_id').items():
            today = company._credit_today()
            charging = mine.filtered(lambda notice: _of_step(notice, 'with_interest', 'interest'))
            # What is booked is what the message says, however long the letter waited to be posted.
            for stated, stating in charging.grouped('date_stated').items():
                day, items = stated or today, stating.line_ids.move_line_id
                self._update(items - self._computed_after(items, day), day)
            for notice in mine:
                amount = _of_step(notice, 'fee_amount', 'fee') or 0.0
                fees.append(
                    {
                        'company_id': company.id,
                        'partner_id': notice.partner_id.commercial_partner_id.id,
                        'currency_id': company.currency_id.id,
                        'amount': company.currency_id.round(amount),
                        'date': notice._sent_day() if notice.date_sent else today,
                        'res_model': notice._name,
                        'res_id': notice.id,
                        'move_line_id': notice.line_ids.move_line_id.sorted('date_maturity')[:1].id,
                    }
                )
        return self._book_fees(fees)

    @api.model
    def _computed_after(self, items, day):
        """Return those items whose open interest is computed further than to a day already."""
        domain = [('move_line_id', 'in', items.ids), ('kind', '=', 'interest'), ('state', '=', 'open')]
        return self.sudo().search([*domain, ('date_to', '>', day)]).move_line_id


def _of_step(notice, *names):
    """Return the first of these fields that steps have."""
    step = notice.step_id
    return next((step[name] for name in names if name in step._fields), False)
