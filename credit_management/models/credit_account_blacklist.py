from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_date

REASON_LABELS = [
    ('insolvency', "Insolvency"),
    ('fraud', "Fraud or false statements"),
    ('strikes', "Broken promises or returned payments"),
    ('legal', "Legal action"),
    ('sanctions', "Sanctions"),
    ('other', "Other"),
]
# The events that count towards the automatic blacklist, whoever records them.
STRIKES = ('promise_broken', 'payment_returned')
# What the blacklist knows of a customer: written by it only.
BLACKLIST_FIELDS = {
    'blacklist_code',
    'blacklist_from',
    'blacklist_until',
    'blacklist_by_id',
    'blacklist_status_before',
    'blacklist_reason_before',
}


class CreditAccount(models.Model):
    """Why, since when and until when a customer is on the blacklist, and who put it there.

    The status may still be written, as an import does: by a credit manager
    and with a reason only, and the rest is stamped.
    """

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    blacklist_code = fields.Selection(REASON_LABELS, string="Blacklisted For", readonly=True, copy=False, tracking=True)
    blacklist_from = fields.Date(string="Blacklisted Since", readonly=True, copy=False)
    blacklist_until = fields.Date(
        readonly=True, copy=False, tracking=True, help="Last day on the blacklist. Empty: until it is lifted."
    )
    blacklist_by_id = fields.Many2one('res.users', string="Blacklisted By", readonly=True, copy=False)
    blacklist_status_before = fields.Selection(
        selection='_selection_status', string="Status Before", readonly=True, copy=False
    )
    blacklist_reason_before = fields.Char(readonly=True, copy=False)

    @api.model
    def _selection_status(self):
        return self._fields['status']._description_selection(self.env)

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS credit_management: no default from a client's context gets in either
        for vals in vals_list:
            vals.update(dict.fromkeys(BLACKLIST_FIELDS, False))
        accounts = super().create(vals_list)
        blacklisted = accounts.filtered(lambda account: account.status == 'blacklisted')
        for account in blacklisted:
            account._check_may_blacklist(account.status_reason)
        blacklisted._stamp_blacklist(dict.fromkeys(blacklisted, ('normal', False)), 'other', False)
        return accounts

    def write(self, vals):
        # EXTENDS credit_management
        if BLACKLIST_FIELDS & vals.keys():
            raise AccessError(self.env._("What is known of the blacklist is set by “Blacklist” and “Lift” only."))
        if 'status' not in vals:
            return super().write(vals)
        return self._write_status(vals, 'other', False)

    def _write_status(self, vals, code, until):
        """Write the status, and stamp who is on the blacklist from now on, and who no more."""
        before = {account: (account.status, account.status_reason) for account in self}
        entering = vals['status'] == 'blacklisted' and self.filtered(lambda account: account.status != 'blacklisted')
        for account in entering or ():
            account._check_may_blacklist(vals.get('status_reason', account.status_reason))
        result = super().write(vals)  # pylint: disable=super-method-mismatch
        if entering:
            entering._stamp_blacklist({account: before[account] for account in entering}, code, until)
        leaving = self.filtered(lambda account: before[account][0] == 'blacklisted' and account.status != 'blacklisted')
        if leaving:
            leaving._write_blacklist(dict.fromkeys(BLACKLIST_FIELDS, False))
            leaving._note_lifted()
        return result

    def _write_blacklist(self, vals):
        """Write what `write` keeps clients from writing."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _stamp_blacklist(self, before, code, until):
        """Note since when, until when, why and by whom these accounts are on the blacklist.

        :param before: {account: (status, reason)} to which they go back when it ends
        """
        for account in self:
            status, reason = before[account]
            account._write_blacklist(
                {
                    'blacklist_code': code,
                    'blacklist_from': account.company_id._credit_today(),
                    'blacklist_until': until,
                    'blacklist_by_id': self.env.uid,
                    'blacklist_status_before': status,
                    'blacklist_reason_before': reason,
                }
            )
        self._note_blacklisted()

    def _note_blacklisted(self):
        self.env['credit.event']._record(
            [
                (
                    account,
                    'blacklisted',
                    {
                        'code': account.blacklist_code,
                        'date_from': account.blacklist_from,
                        'date_to': account.blacklist_until or None,
                    },
                )
                for account in self
            ]
        )

    def _note_lifted(self, ended=False):
        self.env['credit.event']._record(
            [(account, 'blacklist_lifted', {'status': account.status, 'ended': ended}) for account in self]
        )

    def _check_may_blacklist(self, reason):
        """Refuse the blacklist to others than credit managers, and without a reason."""
        if self.env.su:
            return
        self._check_blacklister()
        if not (reason or '').strip():
            raise UserError(
                self.env._(
                    "State why %(customer)s is put on the blacklist: it is kept with the account.",
                    customer=self.display_name,
                )
            )

    def _check_blacklister(self):
        if not self.env.su and not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers put customers on the blacklist or take them off it."))
        self.check_access('write')

    # -------------------------------------------------------------------------
    # Blacklist, lift
    # -------------------------------------------------------------------------

    def _blacklist(self, code, note, until=False):
        """Put customers on the blacklist; of those who are on it, change reason and last day.

        :param code: one of REASON_LABELS
        :param note: the reason in words
        :param until: the last day; False for no end
        :raise AccessError: if the user is no credit manager
        :raise UserError: without a reason, or if the day has passed
        """
        self._check_blacklister()
        for account in self:
            account._check_may_blacklist(note)
            if until and until < account.company_id._credit_today():
                raise UserError(self.env._("Choose a last day from today on, or none."))
        listed = self.filtered(lambda account: account.status == 'blacklisted')
        if others := self - listed:
            others._write_status({'status': 'blacklisted', 'status_reason': note}, code, until)
        if listed:
            listed._write_blacklist({'status_reason': note, 'blacklist_code': code, 'blacklist_until': until})
            listed._note_blacklisted()
        return True

    def _lift_blacklist(self, note, ended=False):
        """Take customers off the blacklist; each gets the status back that it had before.

        :raise AccessError: if the user is no credit manager
        """
        self._check_blacklister()
        if any(account.status != 'blacklisted' for account in self):
            raise UserError(self.env._("Only customers on the blacklist can be taken off it."))
        for account in self:
            account.message_post(body=note)
            status, reason = account.blacklist_status_before or 'normal', account.blacklist_reason_before
            super(CreditAccount, account).write(  # pylint: disable=super-method-mismatch
                {'status': status, 'status_reason': reason}
            )
        self._write_blacklist(dict.fromkeys(BLACKLIST_FIELDS, False))
        self._note_lifted(ended)
        return True

    def action_blacklist(self):
        """Ask why and until when these customers are put on the blacklist; for credit managers."""
        self._check_blacklister()
        return self.env['credit.blacklisting']._open(self, 'blacklist')

    def action_lift_blacklist(self):
        """Ask why these customers are taken off the blacklist; for credit managers."""
        self._check_blacklister()
        return self.env['credit.blacklisting']._open(self, 'lift')

    # -------------------------------------------------------------------------
    # By itself
    # -------------------------------------------------------------------------

    @api.model
    def _cron_end_blacklist(self):
        """Take customers off the blacklist whose last day has passed."""
        self.env['credit.counter']._each_root_company(
            self._end_blacklist, 'credit_management.mail_activity_type_blacklist_failed'
        )

    @api.model
    def _end_blacklist(self, company):
        ended = self.with_context(active_test=False).search(
            [
                ('company_id', '=', company.id),
                ('status', '=', 'blacklisted'),
                ('blacklist_until', '<', company._credit_today()),
            ]
        )
        for until, accounts in ended.grouped('blacklist_until').items():
            accounts._lift_blacklist(
                self.env._("The blacklist has ended by itself after %(end)s.", end=format_date(self.env, until)),
                ended=True,
            )

    def _blacklist_if_due(self):
        """Blacklist those who have broken too many promises or had too many payments returned, as their policy says.

        Counted are those within the policy's days and since the customer was last on the blacklist. Called with
        sudo, by whoever records one.
        """
        # The system does it, and so nobody lifts what he did himself.
        accounts = self.with_user(SUPERUSER_ID)
        open_accounts = accounts.filtered(lambda account: account.active and account.status != 'blacklisted')
        for account in open_accounts:
            policy = account.applied_policy_id
            if policy.mode != 'enforcing' or not policy.blacklist_count:
                continue
            strikes = account._strikes(policy.blacklist_days)
            if strikes < policy.blacklist_count:
                continue
            reader = account.with_context(lang=account._controller().lang or self.env.lang)
            note = reader.env._(
                "%(count)s broken promises or returned payments within %(days)s days; the policy %(policy)s allows "
                "fewer than %(limit)s.",
                count=strikes,
                days=policy.blacklist_days,
                policy=policy.with_env(reader.env).name,
                limit=policy.blacklist_count,
            )
            account._blacklist('strikes', note)
            reader._tell_blacklisted(note)

    def _strikes(self, days):
        """Return how many promises were broken and payments returned within some days, since the last lift."""
        self.ensure_one()
        Event = self.env['credit.event']
        mine = Domain('account_id', 'in', self._file_accounts().ids)
        start = fields.Datetime.now() - timedelta(days=days)
        lifted = Event.search(mine & Domain('kind', '=', 'blacklist_lifted'), order='id desc', limit=1)
        return Event.search_count(
            mine & Domain('kind', 'in', STRIKES) & Domain('date', '>=', start) & Domain('id', '>', lifted.id or 0)
        )

    def _tell_blacklisted(self, note):
        """Tell the controller, who gets an activity, and the credit managers."""
        self.ensure_one()
        controller = self._controller()
        people = controller | self.company_id._credit_managers()
        self.message_post(
            body=self.env._("Put on the blacklist by the policy: %(reason)s", reason=note),
            partner_ids=people.partner_id.ids,
        )
        if controller:
            self.activity_schedule(
                'mail.mail_activity_data_todo',
                date_deadline=self.company_id._credit_today(),
                summary=self.env._("On the blacklist by itself: look at open orders"),
                user_id=controller.id,
            )

    # -------------------------------------------------------------------------
    # Merge
    # -------------------------------------------------------------------------

    def _absorb(self, sources):
        # EXTENDS credit_management: the blacklist of the gravest goes on as it is
        listed = sources.filtered(lambda account: account.active and account.status == 'blacklisted')[:1]
        entering = listed and self.status != 'blacklisted'
        vals = {name: listed[name] for name in ('blacklist_code', 'blacklist_until', 'blacklist_from')}
        result = super()._absorb(sources)
        if entering and self.status == 'blacklisted':
            self._write_blacklist({**vals, 'blacklist_by_id': listed.blacklist_by_id.id})
        return result
