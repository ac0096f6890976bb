from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, formatLang

from .credit_limit import DECIDED

ONE_DAY = timedelta(days=1)


class CreditAccount(models.Model):
    """What is known today of later days: it says when an order on hold would pass by itself."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _coming_changes(self, partners, company):
        """Return {commercial partner id: [(date, what happens, in words)]} of what is decided for later days.

        Only what changes the facts by itself; what it changes is asked of the
        database, see `_figures_on`. Add-ons extend it. Called with sudo.

        :param company: root company
        """
        today = company._credit_today()
        changes = defaultdict(list)
        accounts = Domain('account_id.partner_id', 'in', partners.ids) & Domain(
            'account_id.company_id', '=', company.id
        )
        limits = self.env['credit.limit'].search(
            accounts
            & Domain('account_id.active', '=', True)
            & Domain('state', 'in', DECIDED)
            & (Domain('date_from', '>', today) | Domain('date_until', '>=', today))
        )
        for limit in limits:
            if limit.date_until and limit.date_until < limit.date_from:
                continue  # replaced before it begins
            coming = changes[limit.account_id.partner_id.id]
            words = self._coming_words(limit)
            if limit.date_from > today:
                coming.append((limit.date_from, words['begins']))
            if limit.date_until:
                coming.append((limit.date_until + ONE_DAY, words['ends']))
        blacklisted = self.search(
            [
                ('partner_id', 'in', partners.ids),
                ('company_id', '=', company.id),
                ('status', '=', 'blacklisted'),
                ('blacklist_until', '!=', False),
            ]
        )
        for account in blacklisted:
            # If its last day has passed, the next run of the job lifts it.
            end = max(account.blacklist_until, today) + ONE_DAY
            changes[account.partner_id.id].append((end, self.env._("the blacklisting ends")))
        return changes

    @api.model
    def _promised_payments(self, partners, company):
        """Return {commercial partner id: [(day, amount in company currency)]} that customers have promised to pay.

        Add-ons that keep promises extend it. Called with sudo.

        :param company: root company
        """
        today = company._credit_today()
        releases = self.env['credit.release'].search(
            [
                ('debtor_id', 'in', partners.ids),
                ('company_id', 'child_of', company.id),
                ('res_model', '=', 'sale.order'),
                # A deposit lets another order go on, which then is owed.
                ('condition', 'in', ('promise', 'proof')),
                ('condition_state', '=', 'open'),
                ('condition_due', '>=', today),
            ]
        )
        confirmed = self.env['sale.order'].browse(releases.mapped('res_id')).exists()
        confirmed = set(confirmed.filtered(lambda order: order.state == 'sale').ids)
        promised = defaultdict(list)
        for release in releases.filtered(lambda release: release.res_id in confirmed):
            amount = release.currency_id._convert(
                release.condition_amount - release.condition_received, company.currency_id, company, today
            )
            promised[release.debtor_id.id].append((release.condition_due, amount))
        return promised

    def _status_on(self, date):
        """Return the status that this account has on a day, as far as is decided today."""
        self.ensure_one()
        if self.status == 'blacklisted' and self.blacklist_until and self.blacklist_until < date:
            return self.blacklist_status_before or 'normal'
        return self.status

    @api.model
    def _figures_on(self, company, wanted, graces):
        """Return {(date, commercial partner id): row} of the figures that rules look at, in one statement.

        For later days: the limits in force then, and the ages that the present
        open items have by then.

        :param wanted: {date: ids of commercial partners}
        """
        self.env['credit.exposure']._flush_sources(None)
        self._flush_accounts()
        company = company.sudo()
        rows = self.env.execute_query_dict(
            SQL(" UNION ALL ").join(
                SQL(
                    "SELECT %s::date AS as_of, figures.* FROM (%s) AS figures",
                    date,
                    self._figures_sql(company, date, sorted(partner_ids), (), graces, held=True),
                )
                for date, partner_ids in sorted(wanted.items())
            )
        )
        return {(row['as_of'], row['partner_id']): row for row in rows}

    @api.model
    def _coming_words(self, limit):
        """Return in words that a limit begins, and that it ends."""
        amount = (
            self.env._("unlimited")
            if limit.limit_kind == 'unlimited'
            else formatLang(self.env, limit.amount, currency_obj=limit.currency_id)
        )
        if limit.kind == 'temporary':
            return {
                'begins': self.env._("the temporary limit (%(limit)s) begins", limit=amount),
                'ends': self.env._("the temporary limit (%(limit)s) ends", limit=amount),
            }
        return {
            'begins': self.env._("the approved limit (%(limit)s) begins", limit=amount),
            'ends': self.env._("the limit (%(limit)s) ends", limit=amount),
        }
