from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.tools import SQL, formatLang, plaintext2html

# What a person who asks is told of reminders and contacts.
PERSONAL_NOTICE = (
    'date', 'kind', 'step_id', 'channel', 'state', 'contact_id', 'amount_total', 'currency_id', 'date_sent', 'delivery',
    'subject', 'content', 'attachment_id', 'reason',
)  # fmt: skip
PERSONAL_CONTACT = ('moment', 'partner_id', 'channel', 'direction', 'reached', 'note', 'user_id')


class CreditAccount(models.Model):
    _inherit = 'credit.account'

    dunning_plan_id = fields.Many2one(
        'dunning.plan',
        string="Own Reminder Plan",
        check_company=True,
        tracking=True,
        help="Empty: the plan for the customer's segment applies, else the company's default.",
    )
    dunning_applied_plan_id = fields.Many2one(
        'dunning.plan', string="Reminder Plan", compute='_compute_dunning_applied_plan_id', compute_sudo=True
    )
    dunning_contact_id = fields.Many2one(
        'res.partner',
        string="Follow-Up Contact",
        tracking=True,
        domain="['|', ('id', '=', partner_id), ('commercial_partner_id', '=', partner_id)]",
        help="Gets the reminders. Empty: the contact of the invoices.",
    )
    collector_id = fields.Many2one(
        'res.users',
        tracking=True,
        domain="[('share', '=', False)]",
        help="Makes the calls and visits. Empty: the company's collector, else who released the run.",
    )
    dunning_notice_ids = fields.One2many('dunning.notice', string="Reminders", compute='_compute_dunning_notice_ids')
    dunning_notice_count = fields.Integer(string="Reminders Sent", compute='_compute_dunning', compute_sudo=True)
    dunning_step_id = fields.Many2one(
        'dunning.step', string="Current Step", compute='_compute_dunning', compute_sudo=True,
        help="The furthest step that an open item of this customer has got.",
    )  # fmt: skip
    dunning_last_date = fields.Date(string="Last Reminder", compute='_compute_dunning', compute_sudo=True)
    dunning_next_date = fields.Date(
        string="Next Reminder", compute='_compute_dunning', compute_sudo=True, help="If nothing is paid until then."
    )
    dunning_next_step_id = fields.Many2one(
        'dunning.step', string="Next Step", compute='_compute_dunning', compute_sudo=True
    )
    dunning_may_call = fields.Char(
        string="May Be Called", compute='_compute_dunning_may_call', compute_sudo=True, help="By the contact rules."
    )

    def _personal_records(self):
        # EXTENDS credit_management: what was sent, and each contact
        companies = self.company_id.root_id.sudo()._credit_branch_ids()
        notices = (
            self.env['dunning.notice']
            .sudo()
            .search([('partner_id', 'in', self.partner_id.ids), ('company_id', 'in', companies)], order='id')
        )
        contacts = (
            self.env['dunning.contact']
            .sudo()
            .search([('commercial_partner_id', 'in', self.partner_id.ids), ('company_id', 'in', companies)], order='id')
        )
        return [*super()._personal_records(), (notices, list(PERSONAL_NOTICE)), (contacts, list(PERSONAL_CONTACT))]

    def _compute_dunning_applied_plan_id(self):
        plans = {}
        for company, accounts in self.grouped('company_id').items():
            if not company:
                continue
            self.env['credit.policy']._flush_choice()
            self.flush_model(['dunning_plan_id'])
            plans |= dict(
                self.env.execute_query(
                    SQL(
                        "SELECT account.id, %s FROM credit_account account WHERE account.id = ANY(%s)",
                        self.env['dunning.plan']._plan_sql(company, SQL("account.partner_id")),
                        accounts.ids,
                    )
                )
            )
        for account in self:
            account.dunning_applied_plan_id = plans.get(account.id)

    def _compute_dunning_notice_ids(self):
        # As far as the user may read them; the figures below are for all who see the account.
        notices = self.env['dunning.notice']
        if notices.has_access('read'):
            notices = notices.search(
                [
                    ('partner_id', 'in', self.partner_id.ids),
                    ('company_id', 'in', self.company_id.ids),
                    ('state', '=', 'sent'),
                ],
                order='date_sent DESC, id DESC',
            )
        sent = notices.grouped(lambda notice: (notice.partner_id, notice.company_id))
        for account in self:
            account.dunning_notice_ids = sent.get((account.partner_id, account.company_id), notices.browse())

    def _compute_dunning(self):
        sent = {
            (partner.id, company.id): count
            for partner, company, count in self.env['dunning.notice']._read_group(
                [
                    ('partner_id', 'in', self.partner_id.ids),
                    ('company_id', 'in', self.company_id.ids),
                    ('state', '=', 'sent'),
                ],
                ['partner_id', 'company_id'],
                ['__count'],
            )
        }
        outlook = {}
        for company, accounts in self.grouped('company_id').items():
            if company:
                found = self.env['dunning.item']._outlook(company, accounts.partner_id.ids)
                outlook |= {(partner_id, company.id): row for partner_id, row in found.items()}
        for account in self:
            key = account.partner_id.id, account.company_id.id
            row = outlook.get(key, {})
            account.dunning_notice_count = sent.get(key, 0)
            account.dunning_step_id = row.get('step_id')
            account.dunning_last_date = row.get('date_step')
            account.dunning_next_date = row.get('next_date')
            account.dunning_next_step_id = row.get('next_step_id')

    @api.depends_context('lang', 'tz')
    def _compute_dunning_may_call(self):
        self.dunning_may_call = False
        Rule = self.env['dunning.contact.rule']
        for company, accounts in self.grouped('company_id').items():
            texts = Rule._may_call(accounts.partner_id, company) if company else {}
            for account in accounts:
                account.dunning_may_call = texts.get(account.partner_id.id)

    @api.model
    def _figures(self, company, partner_ids, *args, held=False, **kwargs):
        # EXTENDS credit_management: what a rule may ask for, looked up only where one does
        figures = super()._figures(company, partner_ids, *args, held=held, **kwargs)
        if held and self._dunning_stops(company.id):
            stopped = self.env['dunning.item'].sudo()._stopped(company, partner_ids)
            for partner_id, row in figures.items():
                row['dunning_stopped'] = stopped.get(partner_id, 0)
        return figures

    @api.model
    @tools.ormcache('company_id')
    def _dunning_stops(self, company_id):
        """Tell whether a rule of this company asks for reminders; changing a policy clears the cache."""
        domain = [('company_id', '=', company_id), ('kind', '=', 'dunning_no_more_credit')]
        return bool(self.env['credit.rule'].sudo().search_count(domain, limit=1))

    def _collector(self, other=None):
        """Return who makes calls and visits to this customer.

        :param other: the user, if neither customer nor company names one
        """
        self.ensure_one()
        company = self.company_id.sudo()
        for user in (self.collector_id, company.dunning_user_id, other, company._collections_managers()[:1]):
            if user and user.active:
                return user
        return self.env.user

    def _prepare_dunning_activity(self, activity_type, user, summary, note=''):
        """Return the values of an activity on this account."""
        self.ensure_one()
        kind = self.env.ref(activity_type)
        return {
            'activity_type_id': kind.id,
            'res_model_id': self.env['ir.model']._get_id('credit.account'),
            'res_id': self.id,
            'user_id': user.id,
            'summary': summary,
            'note': note and plaintext2html(note),
            'date_deadline': self.company_id._credit_today(),
        }

    def _prepare_escalation(self, step, amount, refused=False):
        """Return the values of the activity that a manager gets on a step that escalates.

        :param refused: whether the step was not sent, for the customer refuses its channel
        """
        self.ensure_one()
        user = step.plan_id.manager_id or self.company_id._collections_managers()[:1]
        reader = step.with_context(lang=user.lang or self.env.lang)
        money = formatLang(reader.env, amount, currency_obj=self.company_id.currency_id)
        summary = reader.env._("%(step)s: %(amount)s open", step=reader.name, amount=money)
        note = reader.env._("It was not sent: the customer refuses its channel.") if refused else ''
        return self._prepare_dunning_activity('dunning_followup.mail_activity_type_escalated', user, summary, note)

    @api.model
    def _ask_once(self, activity_type, requests):
        """Make an activity for each account that has none of this kind open.

        :param requests: [(account, user, summary, note)]
        :returns: the activities made
        """
        Activity = self.env['mail.activity'].with_context(mail_activity_quick_update=True)
        domain = [
            ('res_model', '=', 'credit.account'),
            ('res_id', 'in', [account.id for account, *_rest in requests]),
            ('activity_type_id', '=', self.env.ref(activity_type).id),
        ]
        asked = set(Activity.search(domain).mapped('res_id'))
        vals_list = []
        for account, *request in requests:
            if account.id not in asked:
                asked.add(account.id)
                vals_list.append(account._prepare_dunning_activity(activity_type, *request))
        return Activity.create(vals_list)

    def action_view_dunning(self):
        """Open the time line of everything sent to this customer."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('dunning_followup.dunning_notice_action')
        return action | {
            'domain': [('partner_id', '=', self.partner_id.id), ('company_id', '=', self.company_id.id)],
            'context': {'create': False},
        }

    def action_dunning_run(self):
        """Make a run for this customer alone, simulate it and open it; collectors only."""
        self.ensure_one()
        run = self.env['dunning.run'].create(
            {
                'company_id': self.company_id.id,
                'partner_ids': [fields.Command.set(self.partner_id.ids)],
                'name': self.env._("Reminder of %(customer)s", customer=self.partner_id.display_name),
            }
        )
        run.action_simulate()
        return run.get_formview_action()

    @api.constrains('collector_id')
    def _check_collector_active(self):
        for account in self:
            if account.collector_id and not account.collector_id.active:
                raise ValidationError(
                    self.env._("%(user)s is archived and can't be a collector.", user=account.collector_id.name)
                )

    def action_dunning_settings(self):
        """Ask how this customer is reminded; collectors only."""
        self.ensure_one()
        return self.env['dunning.customer']._open(self.partner_id, self.company_id)
