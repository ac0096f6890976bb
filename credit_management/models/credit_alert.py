from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

KIND_LABELS = [('near', "Near Limit"), ('over', "Over Limit"), ('expiring', "Limit Ends Soon")]
# For customers without a policy; those of a policy are its own.
NEAR_PERCENT = 80.0
DAYS_BEFORE = 30
ACTIVITY = 'credit_management.mail_activity_type_alert'


class CreditAlert(models.Model):
    """A threshold that a customer has crossed, raised once per crossing.

    The row is also what is remembered of the crossing: as long as `crossing` is
    set, no other alert of its kind is raised, whatever people do with this one.
    Written by the job and its buttons only; nobody has the right to write it.
    """

    _name = 'credit.alert'
    _description = "Credit Alert"
    _order = 'id desc'

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='cascade')
    partner_id = fields.Many2one(related='account_id.partner_id', store=True, index=True)
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    kind = fields.Selection(KIND_LABELS, string="Alert", required=True, readonly=True)
    limit_id = fields.Many2one(
        'credit.limit', readonly=True, index='btree_not_null', ondelete='cascade', help="The limit that ends soon."
    )
    state = fields.Selection(
        [('open', "Open"), ('snoozed', "Snoozed"), ('closed', "Closed"), ('ended', "Passed")],
        required=True,
        readonly=True,
        default='open',
        help="Passed: what it warned of has passed by itself, or a graver alert has taken its place.",
    )
    crossing = fields.Boolean(
        string="Still True", readonly=True, default=True, help="Until it has passed, it is not raised again."
    )
    date = fields.Date(string="Since", required=True, readonly=True)
    user_id = fields.Many2one(
        'res.users',
        string="Owner",
        readonly=True,
        help="The controller when it was raised; after a hand-over, the successor.",
    )
    salesperson_id = fields.Many2one(related='partner_id.user_id', string="Salesperson")
    exposure = fields.Monetary(string="Exposure Then", readonly=True, help="Company currency.")
    effective_limit = fields.Monetary(string="Limit Then", readonly=True, help="Company currency.")
    utilisation = fields.Float(
        string="Utilisation Then (%)", digits=(16, 1), readonly=True, aggregator=None, help="Of the effective limit."
    )
    limit_until = fields.Date(string="Limit Ends On", readonly=True)
    snooze_until = fields.Date(string="Snoozed Until", readonly=True, help="On this day it is open again.")
    note = fields.Text(string="Reason", readonly=True, help="Why it was closed or snoozed.")
    closed_by_id = fields.Many2one('res.users', string="Closed or Snoozed By", readonly=True)
    date_end = fields.Date(string="Passed On", readonly=True)

    _crossing_unique = models.UniqueIndex(
        '(account_id, kind, COALESCE(limit_id, 0)) WHERE crossing', "A crossing has one alert."
    )
    _company_index = models.Index("(company_id) WHERE crossing")

    @api.depends('kind', 'partner_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for alert in self:
            alert.display_name = self.env._(
                "%(customer)s: %(alert)s", customer=alert.partner_id.display_name, alert=labels[alert.kind]
            )

    # -------------------------------------------------------------------------
    # Job
    # -------------------------------------------------------------------------

    @api.model
    def _cron_update(self):
        """Bring the alerts of all companies up to date."""
        self.env['credit.counter']._each_root_company(
            self._update_company, 'credit_management.mail_activity_type_alert_failed'
        )

    @api.model
    def _update_company(self, company):
        """Raise what was crossed since the last time, end what has passed, wake what was snoozed, in one root company.

        A constant number of statements reads all accounts; what is written is
        what has changed.
        """
        # Of two who do this at once, the second runs again and sees what the first has raised.
        self.env['credit.counter']._advance('company_id', {company.id: 0})
        today = company._credit_today()
        known = {
            (alert.account_id.id, alert.kind, alert.limit_id.id): alert
            for alert in self.search([('company_id', '=', company.id), ('crossing', '=', True)])
        }
        found = self._crossings(company, today)
        accounts = self.env['credit.account'].browse({account_id for account_id, _kind, _limit_id in found})
        owners = accounts._controllers()
        over = {account_id for account_id, kind, _limit_id in found if kind == 'over'}
        raised = self.create(
            [
                {
                    'account_id': account_id,
                    'kind': kind,
                    'limit_id': limit_id,
                    'date': today,
                    'user_id': owners[accounts.browse(account_id)].id,
                    # Crossed as well, but there is a graver one to look at.
                    'state': 'ended' if kind == 'near' and account_id in over else 'open',
                    **values,
                }
                for (account_id, kind, limit_id), values in found.items()
                if (account_id, kind, limit_id) not in known
            ]
        )
        passed = self.union(*(alert for key, alert in known.items() if key not in found))
        covered = self.union(
            *(alert for (account_id, kind, _limit_id), alert in known.items() if kind == 'near' and account_id in over)
        )
        passed.write({'crossing': False, 'date_end': today})
        ended = (passed | covered).filtered(lambda alert: alert.state in ('open', 'snoozed'))
        ended.write({'state': 'ended', 'snooze_until': False})
        woken = (self.union(*known.values()) - ended).filtered(
            lambda alert: alert.state == 'snoozed' and alert.snooze_until <= today
        )
        woken.write({'state': 'open', 'snooze_until': False})
        (raised + woken).filtered(lambda alert: alert.state == 'open')._tell()
        ended._close_activities(self.env._("What the alert warned of has passed."))

    @api.model
    def _crossings(self, company, today):
        """Return {(account id, kind, limit id or False): figures} of all that is crossed in a root company."""
        Account = self.env['credit.account']
        self.env['credit.exposure']._flush_sources(None)
        Account._flush_accounts()
        self.env['credit.policy'].flush_model(['limit_alert_days', 'near_limit_percent'])
        self.env['credit.limit'].flush_model(['superseded_by_id'])
        company = company.sudo()
        rows = self.env.execute_query_dict(
            SQL(
                """
                WITH figures AS MATERIALIZED (%(figures)s),
                ending AS (
                    SELECT account.id AS account_id, decision.id AS limit_id, decision.date_to
                      FROM credit_limit decision
                      JOIN credit_account account ON account.id = decision.account_id AND account.active
                 LEFT JOIN credit_policy policy ON policy.id = %(policy)s
                     WHERE decision.company_id = %(company)s AND decision.state = 'approved'
                       AND decision.superseded_by_id IS NULL
                       AND decision.date_from <= %(today)s
                       AND decision.date_to >= %(today)s
                       AND decision.date_to <= %(today)s::date + COALESCE(policy.limit_alert_days, %(days)s)
                )
                SELECT figures.account_id, figures.exposure, figures.effective_limit, figures.utilisation,
                       figures.limit_until, figures.excess, ending.limit_id, ending.date_to,
                       NOT figures.unlimited AND figures.exposure > 0
                       -- What a policy on trial gives to those without a decision is nobody's limit yet.
                       AND (figures.limit_kind <> 'none' OR policy.mode IS DISTINCT FROM 'shadow')
                       AND figures.utilisation >= COALESCE(policy.near_limit_percent, %(near)s) AS near
                  FROM figures
             LEFT JOIN credit_policy policy ON policy.id = figures.policy_id
             LEFT JOIN ending ON ending.account_id = figures.account_id
                 WHERE figures.account_id IS NOT NULL
                   AND (ending.limit_id IS NOT NULL
                        OR figures.utilisation >= COALESCE(policy.near_limit_percent, %(near)s))
                """,
                figures=Account._figures_sql(company, today),
                policy=self.env['credit.policy']._policy_sql(company, SQL("account.partner_id")),
                company=company.id,
                today=today,
                days=DAYS_BEFORE,
                near=NEAR_PERCENT,
            )
        )
        found = {}
        for row in rows:
            figures = {name: row[name] for name in ('exposure', 'effective_limit', 'utilisation')}
            if row['near']:
                until = {'limit_until': row['limit_until']}
                found[row['account_id'], 'near', False] = figures | until
                if company.currency_id.compare_amounts(row['excess'], 0.0) > 0:
                    found[row['account_id'], 'over', False] = figures | until
            if row['limit_id']:
                found[row['account_id'], 'expiring', row['limit_id']] = figures | {'limit_until': row['date_to']}
        return found

    # -------------------------------------------------------------------------
    # Who is told
    # -------------------------------------------------------------------------

    def _recipients(self):
        """Return {account: users}: who is told, the owner and the salesperson, if they may see the account."""
        sales = self.env.ref('credit_management.group_credit_sales').sudo().all_user_ids
        return {
            account: (alerts.user_id | account.partner_id.user_id).filtered(
                lambda user, account=account: (
                    user.active and user in sales and account.company_id in user.company_ids.root_id
                )
            )
            for account, alerts in self.grouped('account_id').items()
        }

    def _tell(self):
        """Give the owner and the salesperson an activity: one per account, until its alerts are dealt with."""
        recipients = self._recipients()
        Activity = self.env['mail.activity']
        activity_type = self.env.ref(ACTIVITY)
        told = {
            (activity.res_id, activity.user_id)
            for activity in Activity.search(
                [
                    ('activity_type_id', '=', activity_type.id),
                    ('res_model', '=', 'credit.account'),
                    ('res_id', 'in', self.account_id.ids),
                ]
            )
        }
        model_id = self.env['ir.model']._get_id('credit.account')
        vals_list = []
        for account, alerts in self.grouped('account_id').items():
            for user in recipients[account]:
                if (account.id, user) in told:
                    continue
                lines = alerts.with_context(lang=user.lang or self.env.lang)
                vals_list.append(
                    {
                        'activity_type_id': activity_type.id,
                        'automated': True,
                        'res_model_id': model_id,
                        'res_id': account.id,
                        'user_id': user.id,
                        'date_deadline': account.company_id._credit_today(),
                        'summary': ", ".join(alert._headline() for alert in lines),
                    }
                )
        # One look at the list of activities instead of a mail for each customer.
        Activity.with_context(mail_activity_quick_update=True).create(vals_list)

    def _headline(self):
        """Return what has happened, in a few words of the reader's language."""
        self.ensure_one()
        if self.kind == 'expiring':
            return self.env._("Limit ends on %(date)s", date=format_date(self.env, self.limit_until))
        return dict(self._fields['kind']._description_selection(self.env))[self.kind]

    def _close_activities(self, feedback):
        """Close what was asked of people for accounts with no alert left to look at."""
        # Those who closed an alert need not be allowed to close others' activities.
        alerts = self.sudo()
        still = alerts.search([('account_id', 'in', alerts.account_id.ids), ('state', '=', 'open')]).account_id
        (alerts.account_id - still).activity_feedback([ACTIVITY], feedback=feedback)

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def _check_may_handle(self):
        if not self.env.su and not self.env.user.has_group('credit_management.group_credit_analyst'):
            raise AccessError(self.env._("Only credit analysts and managers close alerts. Ask the owner of the alert."))
        self.check_access('read')

    def action_close(self):
        """Ask for the reason and close these alerts; for credit analysts and managers."""
        return self._closing_action('close', self.env._("Close Alerts"))

    def action_snooze(self):
        """Ask until when these alerts are put aside; for credit analysts and managers."""
        return self._closing_action('snooze', self.env._("Snooze Alerts"))

    def _closing_action(self, step, title):
        self._check_may_handle()
        return self.env['credit.alert.closing']._dialog_action(
            title, {'default_step': step, 'default_alert_ids': self.ids}
        )

    def _handle(self, note, until=None):
        """Close alerts, or snooze them until a day.

        :raise UserError: if there is no reason, the day is not to come, or an alert is over already
        """
        self._check_may_handle()
        note = (note or '').strip()
        if not note:
            raise UserError(self.env._("State a reason: it is kept with the alert."))
        if done := self.filtered(lambda alert: alert.state not in ('open', 'snoozed')):
            raise UserError(
                self.env._(
                    "The alert “%(alert)s” needs nothing any more. Choose open ones.", alert=done[0].display_name
                )
            )
        if until and any(until <= alert.company_id._credit_today() for alert in self):
            raise UserError(self.env._("Choose a day to come: until then the alert is put aside."))
        # Nobody writes alerts; that this user may have it was checked above.
        self.sudo().write(
            {
                'state': 'snoozed' if until else 'closed',
                'snooze_until': until or False,
                'note': note,
                'closed_by_id': self.env.uid,
            }
        )
        self._close_activities(note)

    def action_update(self):
        """Bring the alerts of the current companies up to date now; for credit analysts and managers."""
        self._check_may_handle()
        for company in self.env.companies.root_id:
            # All accounts of the company, whoever asks; what is raised is read by the rules.
            self.sudo()._update_company(company.sudo())
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    def action_open_account(self):
        """Open the customer's credit account."""
        self.ensure_one()
        self.check_access('read')
        return self.account_id.get_formview_action()
