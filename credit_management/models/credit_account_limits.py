from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from .credit_policy import EXPIRY_GRACE_DAYS

# So many days before its end a base limit is on the list of those to be renewed.
RENEWAL_DAYS = 60
REVIEW_ACTIVITY = 'credit_management.mail_activity_type_review'
# Activities that one run of the job makes per company, in one transaction.
BATCH = 500


class CreditAccount(models.Model):
    """What comes round again on an account: limits that end, reviews; and the limits as a time line."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    limit_to_renew = fields.Boolean(
        compute='_compute_limit_to_renew',
        search='_search_limit_to_renew',
        help="The base limit ends within 60 days or is in its days of grace, and no other is approved or proposed.",
    )
    limit_timeline = fields.Json(
        compute='_compute_limit_timeline',
        groups='credit_management.group_credit_auditor,credit_management.group_credit_analyst,'
        'account.group_account_invoice',
        help="What was in force from when to when.",
    )

    # -------------------------------------------------------------------------
    # Limits that end
    # -------------------------------------------------------------------------

    def _expiry_grace_days(self):
        """Return {account: days that a base limit stays in force after its end}, as the policies say."""
        # Whoever decides on a limit need not be allowed to read policies.
        return {
            account: policy.expiry_grace_days if (policy := account.sudo().applied_policy_id) else EXPIRY_GRACE_DAYS
            for account in self
        }

    @api.depends('limit_ids.state', 'limit_ids.date_to', 'limit_ids.date_until')
    def _compute_limit_to_renew(self):
        renewable = self._renewable_limits().account_id
        for account in self:
            account.limit_to_renew = account._origin in renewable

    def _search_limit_to_renew(self, operator, value):
        if operator != 'in':
            return NotImplemented
        accounts = self._search(
            [('company_id', 'in', self.env.companies.root_id.ids), ('active', '=', True)], bypass_access=True
        )
        limits = self.env['credit.limit'].sudo()._search(self._renewable_domain(accounts, self.env.companies.root_id))
        return [('id', 'in', limits.subselect('account_id'))]

    def _renewable_limits(self):
        """Return the base limits of these accounts that end soon or have just expired; one per account."""
        # Whoever may read the account may know that its limit ends.
        return self.env['credit.limit'].sudo().search(self._renewable_domain(self._origin.ids, self.company_id))

    @api.model
    def _renewable_domain(self, accounts, companies):
        """Return the domain of the limits that are to be renewed.

        :param accounts: ids, or a query
        """
        ending = Domain.OR(
            Domain('company_id', '=', company.id)
            & Domain('date_from', '<=', today)
            & Domain('date_to', '<=', today + relativedelta(days=RENEWAL_DAYS))
            & Domain('date_until', '>=', today)
            for company in companies
            for today in [company._credit_today()]
        )
        proposed = (
            self.env['credit.limit']
            .sudo()
            ._search([('kind', '=', 'base'), ('state', 'in', ('draft', 'submitted')), ('account_id', 'in', accounts)])
        )
        return (
            Domain('account_id', 'in', accounts)
            & Domain('kind', '=', 'base')
            & Domain('state', 'in', ('approved', 'expired'))
            & Domain('superseded_by_id', '=', False)
            & ending
            & Domain('account_id', 'not in', proposed.subselect('account_id'))
        )

    def action_renew_limits(self):
        """Ask how the limits of these customers go on; for credit analysts."""
        return self.env['credit.limit.change']._open('renew', self)

    def action_change_limits(self):
        """Ask how the limits of these customers change; for credit analysts."""
        return self.env['credit.limit.change']._open('change', self)

    # -------------------------------------------------------------------------
    # Reviews
    # -------------------------------------------------------------------------

    def action_review_done(self):
        """Note that these customers were reviewed; the next review is due after the policy's interval.

        :raise UserError: if the policy asks for no reviews
        """
        self.check_access('write')
        for account in self:
            if not account.sudo().applied_policy_id.review_interval:
                raise UserError(
                    self.env._(
                        "The policy of %(customer)s asks for no reviews. Enter the next review yourself if there is "
                        "to be one.",
                        customer=account.display_name,
                    )
                )
        self._reviewed()
        for account in self:
            account._message_log(
                body=self.env._(
                    "Reviewed by %(user)s. The next review is due on %(date)s.",
                    user=self.env.user.name,
                    date=format_date(self.env, account.next_review_date),
                )
            )
        return True

    def _reviewed(self):
        """Set the next review from today, where the policy asks for reviews, and close what asked for this one."""
        # Whoever decides on a limit reviews the customer with it, and need not be allowed to write accounts.
        accounts = self.sudo()
        for (company, interval), group in accounts.grouped(
            lambda account: (account.company_id, account.applied_policy_id.review_interval)
        ).items():
            if not interval:
                continue
            due = company._credit_today() + relativedelta(months=interval)
            group.next_review_date = due
            self.env['credit.event']._record([(account, 'reviewed', {'date_to': due}) for account in group])
        accounts.activity_feedback([REVIEW_ACTIVITY], feedback=self.env._("Reviewed."))

    @api.model
    def _cron_review(self):
        """Ask the controllers for the reviews that are due soon."""
        self.env['credit.counter']._each_root_company(
            self._schedule_reviews, 'credit_management.mail_activity_type_review_failed'
        )

    @api.model
    def _schedule_reviews(self, company):
        """Give the controllers an activity for each review of one company that is due; one open per account."""
        today = company._credit_today()
        policies = self.env['credit.policy'].with_context(active_test=False).search([('company_id', '=', company.id)])
        furthest = max(policies.mapped('review_notice_days'), default=0)
        due = self.search(
            Domain('company_id', '=', company.id)
            & Domain('next_review_date', '<=', today + relativedelta(days=furthest))
            & Domain('activity_ids', 'not any', [('activity_type_id', '=', self.env.ref(REVIEW_ACTIVITY).id)]),
            order='next_review_date, id',
        )
        due = due.filtered(
            lambda account: (
                account.next_review_date <= today + relativedelta(days=account.applied_policy_id.review_notice_days)
            )
        )
        if len(due) > BATCH:
            self.env.ref('credit_management.ir_cron_review')._trigger()
        for account, controller in due[:BATCH]._controllers().items():
            reader = account.with_context(lang=controller.lang or self.env.lang)
            account.activity_schedule(
                REVIEW_ACTIVITY,
                date_deadline=account.next_review_date,
                summary=reader.env._("Review the credit of %(customer)s", customer=account.display_name),
                user_id=controller.id or self.env.uid,
            )

    # -------------------------------------------------------------------------
    # Time line
    # -------------------------------------------------------------------------

    @api.depends('limit_ids.state', 'limit_ids.date_until', 'limit_ids.amount')
    @api.depends_context('lang')
    def _compute_limit_timeline(self):
        for account in self:
            account.limit_timeline = account._prepare_limit_timeline()

    def _prepare_limit_timeline(self):
        """Return what the widget draws: the periods in which each limit was, is or will be in force."""
        self.ensure_one()
        if not self.company_id:
            return False
        today = self.company_id._credit_today()
        # Replaced before it began, it was in force on no day.
        limits = self.limit_ids.filtered(
            lambda limit: (
                limit.state in ('approved', 'superseded', 'expired')
                and (not limit.date_until or limit.date_until >= limit.date_from)
            )
        ).sorted(lambda limit: (limit.date_from, limit.id))
        return {
            'today': fields.Date.to_string(today),
            'periods': [
                {
                    'id': limit.id,
                    'kind': limit.kind,
                    'limit': limit._amount_text(),
                    'start': fields.Date.to_string(limit.date_from),
                    'end': fields.Date.to_string(min(limit.date_to, limit.date_until)) if limit.date_to else False,
                    'until': fields.Date.to_string(limit.date_until) if limit.date_until else False,
                    'in_force': limit.in_force,
                    'text': limit._period_text(),
                    'people': limit._people_text(),
                }
                for limit in limits
            ],
        }
