import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class MergeCommon(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._limit_policy()
        cls.other_company = cls._create_company(name="Other company")
        cls.env.user.company_ids += cls.other_company
        cls.north = cls._company_partner("North")
        cls.south = cls._company_partner("South")

    @classmethod
    def _company_partner(cls, name, **values):
        return cls.env['res.partner'].create({'name': name, 'is_company': True, **values})

    @classmethod
    def _editor(cls):
        user = cls._new_user('editor', 'base.group_user')
        user.group_ids += cls.env.ref('base.group_partner_manager')
        return user

    def _merge(self, *partners, into, user=None):
        wizard = self.env['base.partner.merge.automatic.wizard'].with_user(user or self.env.user)
        wizard._merge([partner.id for partner in partners] + into.ids, into)
        self.env.invalidate_all()

    def _accounts_of(self, partner, company=None):
        return self.Account.with_context(active_test=False).search(
            [('partner_id', '=', partner.id), ('company_id', '=', (company or self.company).id)], order='id'
        )

    def _file(self, account, kind='merged'):
        events = self.env['credit.event'].sudo().search([('account_id', '=', account.id), ('kind', '=', kind)])
        return [json.loads(event.payload) for event in events]

    def _rows(self):
        """Count every row of credit."""
        models = ('credit.account', 'credit.limit', 'credit.check', 'credit.release')
        return {model: self.env[model].sudo().with_context(active_test=False).search_count([]) for model in models}


@tagged('post_install', '-at_install')
class TestMerge(MergeCommon):
    """Core's merge of partners brings their credit accounts together and loses no row."""

    def test_account_that_meets_one_is_archived_with_its_file(self):
        source, target = self._account(self.north, limit=100), self._account(self.south, limit=500)
        order = self._order_of(200.0, partner=self.north)
        order.action_confirm()
        order.with_user(self.sales_user)._credit_request_release("They pay tomorrow")
        check, release, limit = order.credit_check_id, order.credit_release_id, source.limit_ids
        proposal = self.env['credit.limit'].create({'account_id': source.id, 'amount': 300})
        rows = self._rows()

        self._merge(self.north, into=self.south)

        self.assertFalse(self.north.exists())
        self.assertEqual(self._rows(), rows)
        self.assertEqual((source.active, source.merged_into_id, source.partner_id), (False, target, self.south))
        self.assertTrue(target.active)
        # Decided stays, open moves.
        self.assertEqual((limit.state, limit.account_id), ('superseded', source))
        self.assertEqual((proposal.state, proposal.account_id, proposal.partner_id), ('draft', target, self.south))
        self.assertEqual((check.account_id, check.partner_id, check.debtor_id), (source, self.south, self.south))
        self.assertEqual((release.state, release.account_id, release.debtor_id), ('requested', target, self.south))
        self.assertEqual((order.credit_state, order.credit_account_id), ('on_hold', target))
        self.assertEqual(target.held_order_count, 1)
        self.assertIn(check, self.env['credit.check'].search(target.action_view_checks()['domain']))
        self.assertEqual(target.merged_count, 1)

        # The manager decides on it as on any other.
        order.with_user(self.manager)._credit_release("Fine")
        self.assertEqual(order.state, 'sale')

    def test_limit_of_the_target_stays_and_a_note_tells_that_of_the_source(self):
        self._account(self.north, limit=100)
        target = self._account(self.south, limit=500)
        self._merge(self.north, into=self.south)

        self.assertEqual((target.effective_limit, target.limit_kind), (500, 'amount'))
        self.assertIn("100.00", target.message_ids[0].body)

    def test_more_severe_status_wins(self):
        for mine, theirs, result in (
            ('blacklisted', 'normal', 'blacklisted'),
            ('watch', 'hold', 'hold'),
            ('normal', 'watch', 'watch'),
        ):
            source, target = self._company_partner("Source"), self._company_partner("Target")
            self._account(source, status=mine, status_reason="known")
            account = self._account(target, status=theirs)
            self._merge(source, into=target)
            self.assertEqual(account.status, result)

    def test_event_merged_on_both_accounts_without_names(self):
        source, target = self._account(self.north, limit=100), self._account(self.south)
        self._merge(self.north, into=self.south)
        for account in (source, target):
            [event] = self._file(account)
            self.assertEqual((event['from_account_id'], event['into_account_id']), (source.id, target.id))
            self.assertEqual((event['limit_kind'], event['amount']), ('amount', 100))
            self.assertNotIn("North", json.dumps(event))

    def test_account_that_meets_none_goes_on_at_the_destination(self):
        account = self._account(self.north, limit=100)
        self._merge(self.north, into=self.south)

        self.assertEqual((account.partner_id, account.active), (self.south, True))
        self.assertEqual(self.figures(self.south)['effective_limit'], 100)
        self.assertEqual(account.limit_ids.partner_id, self.south)
        self.assertEqual(len(self._file(account)), 1)

    def test_each_company_on_its_own(self):
        here, there = self._account(self.north), self._account(self.north, company=self.other_company)
        target = self._account(self.south)
        self._merge(self.north, into=self.south)

        self.assertEqual((here.merged_into_id, here.active), (target, False))
        self.assertEqual((there.merged_into_id, there.active, there.partner_id), (self.Account, True, self.south))

    def test_account_here_of_one_and_there_of_the_other_with_limits_and_contacts_of_both(self):
        here, there = self.company, self.other_company
        self._limit_policy(company=there)
        contacts = self.env['res.partner'].create(
            [{'name': "Buyer", 'parent_id': self.north.id}, {'name': "Seller", 'parent_id': self.south.id}]
        )
        north_here = self._account(self.north, limit=100)
        north_there = self._account(self.north, limit=30, company=there)
        south_there = self._account(self.south, limit=70, company=there)
        order = self._order_of(60.0, partner=contacts[0], confirm=True)
        self.assertExposure(partner=self.north, ordered=60)

        self._merge(self.north, into=self.south)

        self.assertEqual(contacts.commercial_partner_id, self.south)
        self.assertEqual(self._accounts_of(self.south), north_here)
        self.assertEqual(self._accounts_of(self.south, there), north_there + south_there)
        self.assertEqual((north_here.active, north_there.active, south_there.active), (True, False, True))
        self.assertEqual(north_there.merged_into_id, south_there)
        self.assertEqual(
            (order.credit_account_id, order.partner_invoice_id.commercial_partner_id), (north_here, self.south)
        )
        self.assertExposure(partner=self.south, ordered=60)
        # Each company goes on with what it has decided for the one who stays, else for the one who came.
        self.assertEqual(self.figures(self.south)['effective_limit'], 100)
        self.assertEqual(self.figures(self.south, company=there)['effective_limit'], 70)
        numbers = [self.south.with_company(company).credit_limit for company in (here, there)]
        self.assertEqual(numbers, [100, 70])
        self.assertEqual([partner.with_company(there).credit_limit for partner in contacts], [70, 70])
        self.assertFalse(
            self.env['credit.limit'].search([('state', 'in', ('draft', 'submitted'))])
            & (north_here + north_there + south_there).limit_ids
        )
        for company in (here, there):
            self.assertFalse(self.env['credit.event'].sudo()._verify_chain(company=company).findings)

    def test_company_that_the_user_may_not_see_is_settled_too(self):
        merger = self._editor()
        # What core's merge itself reads of contacts.
        merger.group_ids += self.env.ref('base.group_erp_manager') + self.env.ref('account.group_account_invoice')
        for partner in (self.north, self.south):
            self._account(partner, company=self.other_company)
            self._account(partner)
            partner.email = "same@example.com"
        self._merge(self.north, into=self.south, user=merger)

        for company in (self.company, self.other_company):
            self.assertEqual(self._accounts_of(self.south, company).mapped('active'), [False, True])

    def test_two_sources_none_at_the_destination(self):
        first, second = self._account(self.north, limit=100), self._account(self.customer, limit=200)
        self._merge(self.north, self.customer, into=self.south)

        self.assertEqual(second.merged_into_id | first.merged_into_id, first)
        self.assertEqual(self._accounts_of(self.south).filtered('active'), first)
        self.assertEqual(first.effective_limit, 100)

    def test_chain_shows_all_files_at_its_end(self):
        first, second, third = (self._account(partner) for partner in (self.north, self.south, self.customer))
        self._merge(self.north, into=self.south)
        self._merge(self.south, into=self.customer)

        self.assertEqual((first.merged_into_id, second.merged_into_id), (second, third))
        self.assertEqual(third._file_accounts(), first | second | third)
        self.assertEqual(third.merged_count, 2)
        self.assertEqual((first | second | third).partner_id, self.customer)

    def test_person_merged_into_a_contact_counts_for_its_company(self):
        person = self.env['res.partner'].create({'name': "Ms Wu"})
        account = self._account(person, limit=100)
        order = self._order_of(200.0, partner=person)
        order.action_confirm()
        contact = self.env['res.partner'].create({'name': "Buyer", 'parent_id': self.south.id})
        self._merge(person, into=contact)

        self.assertEqual((account.partner_id, account.active), (self.south, True))
        check = order.credit_check_id
        self.assertEqual((check.partner_id, check.debtor_id), (self.south, self.south))
        self.assertIn("Ms Wu", self.south.credit_former_name_ids.mapped('value'))

    def test_person_merged_into_a_contact_of_a_customer_with_account(self):
        person = self.env['res.partner'].create({'name': "Ms Wu"})
        source, target = self._account(person, limit=100), self._account(self.south, limit=500)
        contact = self.env['res.partner'].create({'name': "Buyer", 'parent_id': self.south.id})
        self._invoice(80.0, partner=person, post=False)
        self._merge(person, into=contact)

        self.assertEqual((source.merged_into_id, source.partner_id), (target, self.south))
        self.assertExposure(draft_invoice=80, partner=self.south)

    def test_company_merged_into_a_contact_makes_it_a_company_with_the_account(self):
        source, target = self._account(self.north, limit=100), self._account(self.south, limit=500)
        contact = self.env['res.partner'].create({'name': "Buyer", 'parent_id': self.south.id})
        self._invoice(80.0, partner=contact, post=False)
        self._merge(self.north, into=contact)

        self.assertEqual(contact.commercial_partner_id, contact)
        self.assertTrue(source.active and target.active)
        self.assertEqual(source.partner_id, contact)
        self.assertExposure(draft_invoice=80, partner=contact)
        self.assertEqual(self.figures(contact)['effective_limit'], 100)

    def test_contact_merged_into_a_company_leaves_the_accounts(self):
        account = self._account(limit=100)
        target = self._account(self.south, limit=500)
        self._merge(self.contact, into=self.south)

        self.assertTrue(account.active and target.active)
        self.assertFalse(self._file(target))

    def test_destination_that_becomes_a_contact_by_the_merge(self):
        parent = self._company_partner("Parent")
        target = self._account(parent, limit=500)
        person = self.env['res.partner'].create({'name': "Person"})
        account = self._account(person, limit=100)
        source = self.env['res.partner'].create({'name': "Person", 'parent_id': parent.id})
        self._merge(source, into=person)

        self.assertEqual(person.commercial_partner_id, parent)
        self.assertEqual((account.active, account.merged_into_id), (False, target))

    def test_branch_orders_move_with_the_main_company(self):
        branch = self._create_company(name="Branch", parent_id=self.company.id)
        self.env.user.company_ids += branch
        self._account(self.north, limit=100)
        target = self._account(self.south, limit=500)
        order = self._order_of(200.0, partner=self.north, company_id=branch.id)
        order.action_confirm()
        self._merge(self.north, into=self.south)

        self.assertEqual((order.credit_state, order.credit_account_id), ('on_hold', target))

    def test_activities_move_and_the_one_on_held_orders_stays_one(self):
        hold = self.env.ref('credit_management.mail_activity_type_hold')
        target = self._account(self.south, limit=100)
        source = self._account(self.north, limit=100)
        for partner in (self.north, self.south):
            self._order_of(200.0, partner=partner).action_confirm()
        source.activity_schedule('mail.mail_activity_data_todo', summary="Call them")
        self._merge(self.north, into=self.south)

        self.assertEqual(len(target.activity_ids.filtered(lambda item: item.activity_type_id == hold)), 1)
        self.assertIn("Call them", target.activity_ids.mapped('summary'))

    def test_merged_account_cannot_be_brought_back_or_set_by_hand(self):
        source, target = self._account(self.north), self._account(self.south)
        self._merge(self.north, into=self.south)
        with self.assertRaisesRegex(UserError, "stays in the archive"):
            source.action_unarchive()
        with self.assertRaises(AccessError):
            target.merged_into_id = source
        account = self.Account.create({'partner_id': self.customer.id, 'merged_into_id': target.id, 'dormant': True})
        self.assertFalse(account.merged_into_id or account.dormant)

    def test_two_active_accounts_are_still_refused(self):
        self._account(self.north)
        self.assertEqual(len(self.Account._for_partners(self.north, self.company)), 1)
        self._merge(self.north, into=self.south)
        self.assertEqual(self.Account._for_partners(self.south, self.company), self._accounts_of(self.south))

    def test_without_accounts_core_merges_as_ever(self):
        rows = self._rows()
        self._merge(self.north, into=self.south)
        self.assertEqual(self._rows(), rows)
        self.assertFalse(self.south.credit_former_name_ids)


@tagged('post_install', '-at_install')
class TestCommercialChange(MergeCommon):
    """A customer that becomes a contact of another one, and back."""

    def test_account_goes_into_that_of_the_parent(self):
        source, target = self._account(limit=100, partner=self.north), self._account(self.south, limit=500)
        self._invoice(80.0, partner=self.north)
        self._invoice(20.0, partner=self.north, post=False)
        self.north.write({'parent_id': self.south.id, 'is_company': False})

        self.assertEqual((source.active, source.merged_into_id), (False, target))
        self.assertEqual(target.effective_limit, 500)
        self.assertExposure(open_item=80, draft_invoice=20, partner=self.south)

    def test_parent_without_account_leaves_it_waiting_with_a_note(self):
        account = self._account(self.north, limit=100, controller_id=self.manager.id)
        self.north.write({'parent_id': self.south.id, 'is_company': False})

        self.assertEqual((account.active, account.dormant, account.merged_into_id), (False, True, self.Account))
        self.assertFalse(self._accounts_of(self.south))
        note = account.message_ids[0]
        self.assertIn("is now a contact of South", note.body)
        self.assertIn(self.manager.partner_id, note.partner_ids)
        self.assertEqual(len(self._file(account)), 1)

    def test_what_is_open_opens_the_account_of_the_parent(self):
        account = self._account(self.north, status='blacklisted', status_reason="insolvent")
        self.north.write({'parent_id': self.south.id, 'is_company': False})

        parent = self._accounts_of(self.south)
        self.assertEqual((account.merged_into_id, parent.status), (parent, 'blacklisted'))

    def test_waiting_account_is_back_with_its_limit(self):
        account = self._account(self.north, limit=100)
        self.north.write({'parent_id': self.south.id, 'is_company': False})
        self.north.is_company = True

        self.assertEqual((account.active, account.dormant, account.effective_limit), (True, False, 100))

    def test_split_off_customer_keeps_its_status_but_no_limit(self):
        source = self._account(self.north, limit=100, status='hold')
        self._account(self.south, limit=500)
        self.north.write({'parent_id': self.south.id, 'is_company': False})
        self.north.write({'parent_id': False})

        self.assertFalse(source.active)
        account = self._accounts_of(self.north).filtered('active')
        self.assertEqual((account.status, account.limit_kind), ('hold', 'none'))

    def test_archived_by_hand_stays_archived(self):
        account = self._account(self.north)
        account.active = False
        self.north.write({'parent_id': self.south.id, 'is_company': False})
        self.north.is_company = True
        self.assertFalse(account.active)

    def test_subsidiary_is_a_customer_of_its_own(self):
        account = self._account(self.north, limit=100)
        self.north.parent_id = self.south
        self.assertTrue(account.active)

    def test_who_edits_contacts_needs_no_right_to_credit(self):
        editor = self._editor()
        source, target = self._account(self.north, limit=100), self._account(self.south)
        self.north.with_user(editor).write({'parent_id': self.south.id, 'is_company': False})
        self.assertEqual(source.merged_into_id, target)

    def test_company_made_from_a_person(self):
        person = self.env['res.partner'].create({'name': "Ms Wu", 'company_name': "Wu & Sons"})
        account = self._account(person, limit=100)
        person.create_company()
        self.assertEqual((account.active, account.dormant), (False, True))


@tagged('post_install', '-at_install')
class TestRemoval(MergeCommon):
    """What has a credit file is archived, not deleted."""

    def test_customer_with_account_is_not_deleted(self):
        account = self._account(self.north)
        with self.assertRaisesRegex(UserError, "Archive the contact instead"):
            self.north.unlink()
        account.active = False
        with self.assertRaisesRegex(UserError, "Archive the contact instead"):
            self.north.unlink()
        self.south.unlink()
        self.assertFalse(self.south.exists())

    def test_company_with_credit_files_is_not_deleted(self):
        company = self._create_company(name="Third")
        self._account(self.north, company=company)
        with self.assertRaisesRegex(UserError, "Archive the company instead"):
            company.unlink()

    def test_archiving_warns_of_the_open_amount_and_it_still_counts(self):
        account = self._account(self.north)
        self._invoice(80.0, partner=self.north)
        action = self.north.action_archive()

        self.assertFalse(self.north.active)
        self.assertIn("80.00", action['params']['message'])
        self.assertIn("80.00", account.message_ids[0].body)
        self.assertTrue(account.active)
        self.assertEqual(account.exposure, 80)
        self.assertExposure(open_item=80, partner=self.north)
        self.assertIn(account, self.Account.search([('exposure', '>', 0)]))
        self.assertIn(account, self.Account.search([('partner_id.complete_name', 'ilike', "North")]))

    def test_archiving_without_exposure_is_silent(self):
        self.assertFalse(self.south.action_archive())

    def test_who_may_not_see_the_credit_is_not_told_the_amount(self):
        editor = self._editor()
        self._invoice(80.0, partner=self.north)
        self.assertFalse(self.north.with_user(editor).action_archive())
        self.assertFalse(self.north.active)
