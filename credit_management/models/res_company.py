from datetime import datetime

import pytz

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from .caches import drop_caches

# What the cached branches, rates and time zone follow.
CACHED_FIELDS = {'active', 'currency_id', 'parent_id', 'partner_id'}


class ResCompany(models.Model):
    _inherit = 'res.company'

    credit_policy_id = fields.Many2one(
        'credit.policy',
        string="Default Credit Policy",
        ondelete='restrict',
        help="Holds for all customers whose credit account names no policy of its own.",
    )
    credit_snapshot_days = fields.Integer(
        string="Daily Credit Snapshots Kept (Days)",
        default=90,
        required=True,
        help="For how many days the daily snapshots of exposure are kept; of older months only the last day.",
    )
    credit_remainder_days = fields.Integer(
        string="Old Remainders",
        required=True,
        default=30,
        help="From how many days on a confirmed order that is not delivered in full is listed as old.",
    )

    @api.model
    def _get_company_root_delegated_field_names(self):
        # EXTENDS base: a branch has the policy of its main company
        names = ('credit_policy_id', 'credit_snapshot_days', 'credit_remainder_days')
        return [*super()._get_company_root_delegated_field_names(), *names]

    @api.constrains('credit_policy_id')
    def _check_credit_policy(self):
        for company in self:
            policy = company.credit_policy_id
            if policy and policy.company_id != company.root_id:
                raise ValidationError(
                    self.env._(
                        "The policy %(policy)s belongs to %(owner)s. Choose or make one of %(company)s.",
                        policy=policy.name,
                        owner=policy.company_id.name,
                        company=company.root_id.name,
                    )
                )
            if policy and not policy.active:
                raise ValidationError(self.env._("The policy %(policy)s is archived.", policy=policy.name))
            if policy and not policy.rule_ids:
                raise ValidationError(
                    self.env._(
                        "The policy %(policy)s has no rules, so it would let everything pass. Add at least one.",
                        policy=policy.name,
                    )
                )

    @api.constrains('credit_snapshot_days')
    def _check_credit_snapshot_days(self):
        if any(company.credit_snapshot_days < 1 for company in self):
            raise ValidationError(self.env._("Keep the daily credit snapshots for at least 1 day."))

    @api.constrains('credit_remainder_days')
    def _check_credit_remainder_days(self):
        if any(company.credit_remainder_days < 0 for company in self):
            raise ValidationError(self.env._("An order can't be old before its day: state 0 days or more."))

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base: which branches there are is cached
        companies = super().create(vals_list)
        drop_caches(self.env)
        return companies

    def write(self, vals):
        # EXTENDS base: confirmations under way must see another default policy
        result = super().write(vals)
        if CACHED_FIELDS & vals.keys():
            drop_caches(self.env)
        if 'credit_policy_id' in vals:
            accounts = (
                self.env['credit.account']
                .sudo()
                .search([('company_id', 'in', self.root_id.ids), ('policy_id', '=', False)])
            )
            self.env['credit.counter']._bump(accounts)
            for company in self.root_id:
                self.env['credit.core.limit']._mirror_default(company)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_credit_file(self):
        # Whoever deletes a company need not know its customers' credit.
        accounts = self.env['credit.account'].sudo().with_context(active_test=False)
        if account := accounts.search([('company_id', 'in', self.ids)], limit=1):
            raise UserError(
                self.env._(
                    "%(company)s has credit files of its customers, which are kept. Archive the company instead.",
                    company=account.company_id.name,
                )
            )

    @tools.ormcache('self.id')
    def _credit_branch_ids(self):
        """Return the ids of this root company and its branches; core clears the cache when there is another."""
        self.ensure_one()
        rows = self.env.execute_query(
            SQL("SELECT id FROM res_company WHERE parent_path LIKE %s ORDER BY id", f'{self.id}/%')
        )
        return tuple(company_id for [company_id] in rows)

    def _credit_managers(self):
        """Return the credit managers who work in this company, the last made first.

        The first made is as a rule the administrator, who is the last to be asked.
        """
        self.ensure_one()
        managers = self.env.ref('credit_management.group_credit_manager').sudo().all_user_ids
        return managers.filtered(lambda user: user.active and not user.share and self in user.company_ids).sorted(
            'id', reverse=True
        )

    def _credit_today(self):
        """Return today's date where the company is, see `_credit_timezone`."""
        self.ensure_one()
        return datetime.now(pytz.timezone(self._credit_timezone())).date()

    @tools.ormcache('self.id')
    def _credit_timezone(self):
        """Return the time zone of the company's calendar.

        That of its address, else the one that most of its users are in: the
        date must not depend on who asks. Cached, see the writers of `tz`.
        """
        self.ensure_one()
        self.env['res.partner'].flush_model(['tz'])
        self.env['res.users'].flush_model(['active', 'company_id', 'share'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner.tz
                  FROM res_partner partner
             LEFT JOIN res_users usr ON usr.partner_id = partner.id AND usr.active AND NOT usr.share
                       AND usr.company_id IN (SELECT id FROM res_company WHERE parent_path LIKE %(tree)s)
                 WHERE partner.tz IS NOT NULL
                   AND (usr.id IS NOT NULL OR partner.id = %(address)s)
              GROUP BY partner.tz
              ORDER BY bool_or(partner.id = %(address)s) DESC, COUNT(*) DESC, partner.tz
                 LIMIT 1
                """,
                tree=f'{self.root_id.id}/%',
                address=self.root_id.sudo().partner_id.id,
            )
        )
        return rows[0][0] if rows and rows[0][0] in pytz.all_timezones_set else 'UTC'
