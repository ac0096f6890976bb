import logging

from odoo import api, models
from odoo.tools import SQL, format_amount
from odoo.tools.misc import clean_context

_logger = logging.getLogger(__name__)

# States of a limit that say that somebody has decided about the customer.
DECIDED = ('approved', 'superseded', 'expired')
OPEN = ('draft', 'submitted')
# So many proposals of one write get an activity each; for more, one has to do.
ACTIVITIES = 10
# Limits in core's field are rows of figures; nobody follows the making of each.
QUIET = {'tracking_disable': True, 'mail_create_nosubscribe': True, 'mail_create_nolog': True}


class CreditCoreLimit(models.AbstractModel):
    """The bridge to core's credit limit on the contact and its company default.

    Core keeps one number per company on the contact (`res_partner.credit_limit`,
    jsonb by company id) and a default per company (`ir.default`); there 0 means
    that nothing is limited. Installing takes the numbers over as limits;
    afterwards they mirror what is decided here, so that core's alert, other
    add-ons and a database without ours see the same. What is written there from
    elsewhere is a proposal.
    """

    _name = 'credit.core.limit'
    _description = "Core's Credit Limit"

    # -------------------------------------------------------------------------
    # Take-over
    # -------------------------------------------------------------------------

    @api.model
    def _take_over_all(self):
        """Take over core's limits and defaults of all companies; what is decided already is left alone."""
        for company in self._roots():
            self._take_over(company)
            self._take_over_default(company)
            self._mirror_default(company)
            self._mirror(company)

    @api.model
    def _take_over(self, company, approve=None):
        """Make limits of what core's field says of customers about whom nothing is decided or proposed.

        The main company's number counts: above 0 an amount, 0 unlimited. What is
        there for branches only becomes a draft; where a branch differs, the
        limit's reason says so. A fixed number of statements.

        :param company: a root company
        :param approve: put the limits in force; default: if core's alert is on in the company
        :returns: the new limits
        """
        approve = company.account_use_credit_limit if approve is None else approve
        self._flush()
        found = self._found_sql(company)
        log = SQL("%(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'", uid=self.env.uid)
        self.env.execute_query(
            SQL(
                """
                INSERT INTO credit_account
                       (partner_id, company_id, active, status, create_uid, create_date, write_uid, write_date)
                SELECT found.partner_id, %(company)s, TRUE, 'normal', %(log)s
                  FROM (%(found)s) AS found
                 WHERE NOT EXISTS (SELECT 1 FROM credit_account account
                                    WHERE account.partner_id = found.partner_id
                                      AND account.company_id = %(company)s AND account.active)
              ORDER BY found.partner_id
                ON CONFLICT DO NOTHING
                  RETURNING id
                """,
                company=company.id,
                found=found,
                log=log,
            )
        )
        reader = self.with_context(lang=company.partner_id.lang or self.env.lang)
        rows = self.env.execute_query_dict(
            SQL(
                """
                WITH found AS (%(found)s),
                     made AS (
                    INSERT INTO credit_limit
                           (account_id, partner_id, company_id, kind, limit_kind, amount, currency_id, date_from,
                            state, reason, origin, requested_by_id, decided_by_id, decided_date,
                            create_uid, create_date, write_uid, write_date)
                    SELECT account.id, found.partner_id, %(company)s, 'base',
                           CASE found.number WHEN 0 THEN 'unlimited' ELSE 'amount' END,
                           -- Core has no "no credit": its mirror is the currency's smallest unit.
                           CASE WHEN found.number <= %(unit)s THEN 0
                                ELSE ROUND(found.number / %(unit)s) * %(unit)s END,
                           %(currency)s, %(today)s, decision.state, %(reason)s, 'core', %(uid)s,
                           CASE decision.state WHEN 'approved' THEN %(uid)s END,
                           CASE decision.state WHEN 'approved' THEN now() AT TIME ZONE 'UTC' END,
                           %(log)s
                      FROM found
                      JOIN credit_account account
                        ON account.partner_id = found.partner_id AND account.company_id = %(company)s AND account.active
        CROSS JOIN LATERAL (SELECT CASE WHEN %(approve)s AND found.own IS NOT NULL
                                        THEN 'approved' ELSE 'draft' END AS state) AS decision
                  ORDER BY found.partner_id
                 RETURNING id, account_id, partner_id, limit_kind, amount, state
                   )
                SELECT made.*, found.own, found.branches FROM made JOIN found USING (partner_id) ORDER BY made.id
                """,
                found=found,
                company=company.id,
                unit=self._unit(company),
                currency=company.currency_id.id,
                today=company._credit_today(),
                reason=reader.env._("Taken over from the credit limit of the contact."),
                uid=self.env.uid,
                approve=bool(approve),
                log=log,
            )
        )
        self.env['credit.account'].invalidate_model()
        self.env['credit.limit'].invalidate_model()
        if rows:
            self._record_take_over(company, rows)
        return self.env['credit.limit'].browse(row['id'] for row in rows)

    @api.model
    def _prepare_branches(self, row):
        """Return the numbers of the branches that differ, as the credit file keeps them."""
        return [
            {'company_id': int(branch), 'amount': float(number)}
            for branch, number in sorted(row['branches'].items(), key=lambda item: int(item[0]))
        ]

    def _record_take_over(self, company, rows):
        """Enter the take-over in the credit files, the reasons and the log."""
        Account, Limit = self.env['credit.account'], self.env['credit.limit'].with_context(**QUIET)
        accounts = Account.browse(row['account_id'] for row in rows)  # one prefetch
        approved = [row['state'] == 'approved' for row in rows]
        self.env['credit.event']._record(
            [
                (
                    account,
                    'limit_approved' if row['state'] == 'approved' else 'core_limit',
                    {
                        'limit_id': row['id'],
                        'origin': 'core',
                        'limit_kind': row['limit_kind'],
                        'amount': float(row['amount']),
                        'currency_id': company.currency_id.id,
                        **({'branches': self._prepare_branches(row)} if row['branches'] else {}),
                    },
                )
                for account, row in zip(accounts, rows, strict=True)
            ]
        )
        self.env['credit.counter'].sudo()._bump(
            Account.concat(*(account for account, done in zip(accounts, approved, strict=True) if done))
        )
        reader = self.with_context(lang=company.partner_id.lang or self.env.lang)
        names = {branch.id: branch.name for branch in self._tree(company)}
        differing = [row for row in rows if row['branches']]
        for row in differing:
            numbers = ", ".join(
                f"{names[int(branch)]} {format_amount(reader.env, number, company.currency_id)}"
                for branch, number in sorted(row['branches'].items())
            )
            text = (
                reader.env._(
                    "Taken over from the credit limit of the contact. Branches had other limits: %(numbers)s.",
                    numbers=numbers,
                )
                if row['own'] is not None
                else reader.env._(
                    "%(company)s had no limit on the contact, branches had: %(numbers)s. Decide for all of them.",
                    company=company.name,
                    numbers=numbers,
                )
            )
            Limit.browse(row['id'])._write_flow({'reason': text})
        _logger.info(
            "Credit limits taken over from contacts in company %s: %s in force, %s drafts",
            company.id,
            sum(approved),
            len(rows) - sum(approved),
        )
        if differing:
            _logger.info(
                "Branches of company %s had other limits, see the credit limits %s",
                company.id,
                ", ".join(str(row['id']) for row in differing),
            )

    def _found_sql(self, company):
        """Return the SELECT of (partner_id, own, number, branches) that core's field has for undecided customers."""
        branches = [str(branch.id) for branch in self._tree(company) - company]
        return SQL(
            """
            SELECT partner.id AS partner_id, core.own, COALESCE(core.own, branch.lowest, 0) AS number,
                   branch.numbers AS branches
              FROM res_partner partner
        CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(partner.credit_limit->%(key)s) = 'number'
                                        THEN (partner.credit_limit->%(key)s)::numeric END AS own) AS core
        CROSS JOIN LATERAL (
                SELECT jsonb_object_agg(item.key, item.value) AS numbers,
                       MIN(item.value::numeric) FILTER (WHERE item.value::numeric > 0) AS lowest
                  FROM jsonb_each(partner.credit_limit) AS item
                 WHERE item.key = ANY(%(branches)s) AND jsonb_typeof(item.value) = 'number'
                   AND item.value::numeric IS DISTINCT FROM core.own
                   ) AS branch
             WHERE partner.credit_limit IS NOT NULL
               AND partner.commercial_partner_id = partner.id
               AND (core.own IS NOT NULL OR branch.numbers IS NOT NULL)
               AND NOT EXISTS (
                    SELECT 1
                      FROM credit_limit decision
                      JOIN credit_account account ON account.id = decision.account_id
                     WHERE account.partner_id = partner.id AND account.company_id = %(company)s
                       AND decision.kind = 'base'
                       AND (decision.state = ANY(%(decided)s)
                            OR decision.origin = 'core' AND decision.state = ANY(%(open)s)))
            """,
            key=str(company.id),
            branches=branches,
            company=company.id,
            decided=list(DECIDED),
            open=list(OPEN),
        )

    @api.model
    def _take_over_default(self, company):
        """Give a company without a policy the standard one, in shadow mode, if core has a default limit for it.

        A company with limits but without a default gets none: until somebody
        starts one, nothing is checked there and core's alert stays.
        """
        if self._default_vals(company) and company.id not in self.env['credit.policy']._companies_with_policy():
            policy = self.env['credit.policy']._create_standard(company)
            policy._message_log(body=self.env._("The default limit was taken over from the accounting settings."))

    @api.model
    def _default_vals(self, company):
        """Return the default limit of a new policy: core's for the company, where core's alert is on."""
        number = self._core_default(company) if company.account_use_credit_limit else 0.0
        if not number:
            return {}
        amount = 0.0 if number <= self._unit(company) else company.currency_id.round(number)
        return {'default_limit_kind': 'amount', 'default_limit_amount': amount}

    # -------------------------------------------------------------------------
    # Mirror out
    # -------------------------------------------------------------------------

    @api.model
    def _mirror(self, company, partners=None):
        """Write the base limits in force into core's field, for a root company and its branches.

        In company currency: none → no entry, unlimited → 0, an amount of 0 → the
        smallest unit. Contacts have their customer's. SQL, because the ORM drops
        a value that equals the default, and would see it as a write from
        elsewhere. One statement, which touches only what differs.

        Where nothing was ever decided, what core had stays while the draft that
        was made of it is open.

        :param partners: commercial partners; default: all
        """
        self._flush()
        company = company.sudo()
        keys = [str(member.id) for member in self._tree(company)]
        ids = None if partners is None else partners.ids
        scope = SQL("TRUE") if ids is None else SQL("contact.commercial_partner_id = ANY(%s)", ids)
        customers = SQL("TRUE") if ids is None else SQL("account.partner_id = ANY(%s)", ids)
        values = SQL(", ").join(SQL("%s, number.value", key) for key in keys)
        changed = self.env.execute_query(
            SQL(
                """
                UPDATE res_partner partner
                   SET credit_limit = target.value
                  FROM (
                    SELECT contact.id,
                           NULLIF((COALESCE(contact.credit_limit, '{}') - %(keys)s::text[])
                                  || COALESCE(mirror.value, '{}'), '{}') AS value
                      FROM res_partner contact
                 LEFT JOIN (
                        SELECT account.partner_id, jsonb_build_object(%(values)s) AS value
                          FROM credit_account account
            CROSS JOIN LATERAL (%(in_force)s) AS decided
            CROSS JOIN LATERAL (SELECT CASE decided.limit_kind WHEN 'unlimited' THEN 0
                                            ELSE GREATEST(decided.amount, %(unit)s) END::float8 AS value) AS number
                         WHERE account.company_id = %(company)s AND account.active AND %(customers)s
                           ) AS mirror ON mirror.partner_id = contact.commercial_partner_id
                     WHERE %(scope)s
                       AND (mirror.partner_id IS NOT NULL
                            OR contact.credit_limit ?| %(keys)s::text[]
                           AND NOT EXISTS (
                                SELECT 1
                                  FROM credit_account account
                                  JOIN credit_limit decision ON decision.account_id = account.id
                                 WHERE account.partner_id = contact.commercial_partner_id
                                   AND account.company_id = %(company)s AND account.active
                                   AND decision.kind = 'base'
                                HAVING bool_or(decision.origin = 'core' AND decision.state = ANY(%(open)s))
                                   AND NOT bool_or(decision.state = ANY(%(decided)s))))
                       ) AS target
                 WHERE partner.id = target.id AND partner.credit_limit IS DISTINCT FROM target.value
             RETURNING partner.id
                """,
                keys=keys,
                values=values,
                unit=self._unit(company),
                in_force=self.env['credit.limit']._in_force_sql(company, company._credit_today(), ['base']),
                customers=customers,
                scope=scope,
                company=company.id,
                open=list(OPEN),
                decided=list(DECIDED),
            )
        )
        if changed:
            self.env['res.partner'].invalidate_model(['credit_limit', 'use_partner_credit_limit'])

    @api.model
    def _mirror_accounts(self, accounts):
        """Mirror the limits of some accounts."""
        for company, group in accounts.sudo().grouped('company_id').items():
            self._mirror(company, group.partner_id)

    @api.model
    def _mirror_partners(self, partners):
        """Put core's field right where customers became contacts of another, or the reverse, or were merged."""
        for company in self._roots():
            self._mirror(company, partners.sudo().commercial_partner_id)

    @api.model
    def _mirror_default(self, company):
        """Write the default limit of a root company's policy into core's, for it and its branches.

        :returns: {company: core's number before} of those that differed
        """
        wanted = self._wanted_default(company.sudo())
        if wanted is None:
            return {}
        numbers = {member: self._core_default(member) for member in self._tree(company)}
        differing = {
            member: number for member, number in numbers.items() if company.currency_id.compare_amounts(number, wanted)
        }
        if differing:
            self.env['ir.default']._credit_set([member.id for member in differing], wanted)
            # The ORM may have dropped entries that were equal to the default before.
            self._mirror(company)
        return differing

    @api.model
    def _restore_default(self, company):
        """Undo what was written into core's default from elsewhere, and tell the policy's readers."""
        for member, number in self._mirror_default(company).items():
            company.sudo().credit_policy_id._message_log(
                body=self.env._(
                    "%(user)s wrote %(amount)s as default credit limit of %(company)s. It stays what this policy "
                    "says; change it here if it is to be another.",
                    user=self.env.user.name,
                    amount=format_amount(self.env, number, company.currency_id),
                    company=member.name,
                )
            )
            self._tell(self.env._("The default credit limit is decided in the credit policy and stays as it is there."))

    def _wanted_default(self, company):
        """Return the number that mirrors the default of the company's policy; None leaves core's alone.

        A policy in shadow mode holds nothing yet, so it doesn't take core's
        default away either.
        """
        policy = company.credit_policy_id
        if not policy.active:
            return None
        if policy.default_limit_kind == 'amount':
            return max(policy.default_limit_amount, self._unit(company))
        return 0.0 if policy.mode == 'enforcing' else None

    @api.model
    def _cron_mirror(self):
        """Bring core's limits up to date: limits that begin or end, rates, what came in below the ORM.

        Runs more often than daily, because the companies' days begin at different hours.
        """
        self.env['credit.counter']._each_company(
            self._roots(), self._refresh, 'credit_management.mail_activity_type_mirror_failed'
        )

    @api.model
    def _refresh(self, company):
        """Bring one root company's numbers up to date; those that nobody knows of are kept as drafts."""
        self._take_over(company, approve=False)
        self._mirror_default(company)
        self._mirror(company)

    @api.model
    def _leave(self):
        """Write what core goes on with after our add-on is gone: nobody may have more credit than before."""
        for company in self._roots():
            self._mirror_default(company)
            self._mirror(company)
            self._leave_own_defaults(company)

    def _leave_own_defaults(self, company):
        """Keep as their limit the default of customers under a policy that core doesn't know, as a segment's."""
        self._flush()
        company = company.sudo()
        values = SQL(", ").join(SQL("%s, own.value", str(member.id)) for member in self._tree(company))
        self.env.execute_query(
            SQL(
                """
                UPDATE res_partner partner
                   SET credit_limit = COALESCE(partner.credit_limit, '{}') || jsonb_build_object(%(values)s)
                  FROM (
                    SELECT customer.partner_id, GREATEST(policy.default_limit_amount, %(unit)s)::float8 AS value
                      FROM (%(customers)s) AS customer
                      JOIN credit_policy policy ON policy.id = customer.policy_id
                 LEFT JOIN credit_account account ON account.id = customer.account_id
                     WHERE policy.default_limit_kind = 'amount'
                       AND policy.id IS DISTINCT FROM %(default)s
                       AND NOT EXISTS (%(in_force)s)
                  ) AS own
                 WHERE partner.commercial_partner_id = own.partner_id
                   AND NOT COALESCE(partner.credit_limit, '{}') ? %(key)s
             RETURNING partner.id
                """,
                values=values,
                unit=self._unit(company),
                customers=self.env['credit.policy']._customers_sql(company),
                default=company.credit_policy_id.id or None,
                in_force=self.env['credit.limit']._in_force_sql(company, company._credit_today(), ['base']),
                key=str(company.id),
            )
        )
        self.env['res.partner'].invalidate_model(['credit_limit', 'use_partner_credit_limit'])

    # -------------------------------------------------------------------------
    # Mirror in
    # -------------------------------------------------------------------------

    @api.model
    def _governed(self, partners):
        """Return the ids of those commercial partners whose number in core is ours to say, in the current company.

        All where a policy is active. Elsewhere core's alert is at work with
        core's numbers, until a limit of the customer has been decided.
        """
        root = self.env.company.root_id
        if root.id in self.env['credit.policy']._companies_with_policy():
            return set(partners.ids)
        limits = (
            self.env['credit.limit']
            .sudo()
            .search(
                [
                    ('partner_id', 'in', partners.ids),
                    ('company_id', '=', root.id),
                    ('kind', '=', 'base'),
                    ('state', 'in', DECIDED),
                ]
            )
        )
        return set(limits.partner_id.ids)

    @api.model
    def _propose(self, numbers, governed):
        """Hand in what was written into core's field, in the current company, as proposals; tell the writer.

        One open proposal per customer: a later write replaces it. On behalf of
        the writer, who need not have any right on credit.

        :param numbers: {commercial partner: number as core means it}
        :param governed: ids of those whose number doesn't change by that; of the
            others a draft keeps it for the day when a policy begins
        """
        company = self.env.company.sudo()
        root = company.root_id
        partners = self.env['res.partner'].union(*numbers).sudo()
        accounts = self.env['credit.account']._for_partners(partners, root)
        # No default of the writer's context gets into a limit.
        context = {**clean_context(self.env.context), **QUIET}
        Limit = self.env['credit.limit'].sudo().with_context(context)  # pylint: disable=context-overridden
        reason = self.env._(
            "Written into the credit limit of the contact by %(user)s, for %(company)s.",
            user=self.env.user.name,
            company=company.name,
        )
        wanted = {
            account: {
                'limit_kind': 'amount' if numbers[account.partner_id] else 'unlimited',
                'amount': self._amount(root, numbers[account.partner_id]),
                'currency_id': root.currency_id.id,
                'date_from': root._credit_today(),
                'date_to': False,
                'reason': reason,
            }
            for account in accounts
        }
        proposals = Limit.search(
            [('account_id', 'in', accounts.ids), ('kind', '=', 'base'), ('origin', '=', 'core'), ('state', 'in', OPEN)]
        )
        Limit._write_flows((proposal, wanted[proposal.account_id.with_env(accounts.env)]) for proposal in proposals)
        rest = accounts - proposals.account_id
        proposals += Limit.create([{'account_id': account.id, **wanted[account]} for account in rest])
        submitted = proposals.filtered(lambda proposal: proposal.partner_id.id in governed)
        for state, group in (('submitted', submitted), ('draft', proposals - submitted)):
            group._write_flow({'state': state, 'origin': 'core', 'requested_by_id': self.env.uid})
        self.env['credit.event']._record(
            [
                (
                    proposal.account_id,
                    'core_limit',
                    {
                        'limit_id': proposal.id,
                        'origin': 'core',
                        'limit_kind': proposal.limit_kind,
                        'amount': proposal.amount,
                        'currency_id': root.currency_id.id,
                        'company_id': company.id,
                    },
                )
                for proposal in proposals
            ]
        )
        if submitted:
            self._tell_of(submitted)
        return proposals

    def _tell_of(self, proposals):
        """Tell the approvers and the writer that limits on contacts were proposed, not given."""
        activity_type = 'credit_management.mail_activity_type_limit'
        new = proposals - proposals.browse(proposals.activity_search([activity_type]).mapped('res_id'))
        for proposal in new if len(new) <= ACTIVITIES else new[:1]:
            if approver := proposal._approver():
                reader = proposal.with_context(lang=approver.lang or self.env.lang)
                proposal.activity_schedule(
                    activity_type,
                    date_deadline=proposal.company_id._credit_today(),
                    summary=reader.display_name
                    if len(new) <= ACTIVITIES
                    else reader.env._("%(count)s limits were written on contacts", count=len(new)),
                    user_id=approver.id,
                )
        proposals.partner_id._message_log_batch(
            bodies={
                proposal.partner_id.id: self.env._(
                    "The credit limit that %(user)s wrote here (%(limit)s) is a proposal now. Until a credit manager "
                    "approves it, what was decided before stays in force.",
                    user=self.env.user.name,
                    limit=self.env._("unlimited")
                    if proposal.limit_kind == 'unlimited'
                    else format_amount(self.env, proposal.amount, proposal.currency_id),
                )
                for proposal in proposals
            }
        )
        self._tell(
            self.env._(
                "%(count)s credit limits were handed in as proposals: a credit manager decides on them.",
                count=len(proposals),
            )
            if len(proposals) > 1
            else self.env._(
                "The credit limit of %(customer)s was handed in as a proposal: a credit manager decides on it.",
                customer=proposals.partner_id.display_name,
            )
        )

    def _tell(self, message):
        """Show the user a message, whichever way the write came."""
        self.env.user._bus_send('simple_notification', {'type': 'warning', 'message': message})

    # -------------------------------------------------------------------------
    # Helpers
    # -------------------------------------------------------------------------

    def _roots(self):
        return self.env['res.company'].sudo().with_context(active_test=False).search([('parent_id', '=', False)])

    def _tree(self, company):
        """Return a root company and its branches, archived ones too."""
        Company = self.env['res.company'].sudo().with_context(active_test=False)
        return Company.search([('id', 'child_of', company.id)], order='id')

    def _unit(self, company):
        return company.currency_id.rounding

    def _amount(self, company, number):
        """Return the amount of a limit that core's number stands for."""
        return 0.0 if number <= self._unit(company) else company.currency_id.round(number)

    def _core_default(self, company):
        """Return core's default for a company, 0 if there is none."""
        Partner = self.env['res.partner'].sudo().with_company(company)
        return Partner._fields['credit_limit'].get_company_dependent_fallback(Partner)

    def _flush(self):
        self.env['res.partner'].flush_model(['commercial_partner_id', 'credit_limit'])
        self.env['credit.account']._flush_accounts()
        self.env['credit.limit'].flush_model(['origin'])
