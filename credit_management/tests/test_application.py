import json
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestApplication(CreditCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._limit_policy(
            checklist_ids=[
                Command.create({'name': "Business licence"}),
                Command.create({'name': "Representative", 'kind': 'field', 'field_name': 'legal_representative'}),
                Command.create({'name': "Annual accounts", 'amount_from': 10000.0}),
                Command.create({'name': "Photo", 'required': False}),
            ]
        )
        cls.foreign = cls.env['res.partner'].create(
            {'name': "Foreign Trade", 'is_company': True, 'user_id': cls.manager.id}
        )

    def _application(self, user=None, partner=None, complete=True, **values):
        user = user or self.sales_user
        application = (
            self.env['credit.application']
            .with_user(user)
            .create({'partner_id': (partner or self.customer).id, 'amount': 5000, **values})
        )
        if complete:
            application.legal_representative = "Mr Hengda"
            self._attach(application, "Business licence")
        return application

    def _attach(self, application, name):
        attachment = application.env['ir.attachment'].create(
            {'name': "scan.txt", 'raw': b"seen", 'res_model': 'credit.application.document', 'res_id': 0}
        )
        line = application.document_ids.filtered(lambda line: line.name == name)
        line.attachment_ids = [Command.link(attachment.id)]
        return attachment

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def test_from_the_salesperson_to_the_approved_limit(self):
        application = self._application()
        self.assertEqual((application.state, application.account_id.partner_id), ('draft', self.customer))
        application.action_submit()
        self.assertEqual(application.state, 'submitted')
        self.assertFalse(application.sudo().limit_id)
        self.assertEqual(len(application.sudo().activity_ids), 1)

        seen = application.with_user(self.analyst)
        seen.amount = 4000
        seen.action_propose()
        limit = application.sudo().limit_id
        self.assertEqual((application.state, limit.state, limit.amount), ('proposed', 'submitted', 4000))
        self.assertEqual((limit.requested_by_id, limit.origin), (self.analyst, 'application'))
        self.assertFalse(application.sudo().activity_ids)

        limit.with_user(self.manager).action_approve()
        self.assertRecordValues(
            application,
            [{'state': 'approved', 'decided_amount': 4000, 'decided_by_id': self.manager.id}],
        )
        told = application.sudo().message_ids.filtered(
            lambda message: self.sales_user.partner_id in message.partner_ids
        )
        self.assertIn("approved", told.body)
        self.assertEqual(self.figures()['effective_limit'], 4000)
        events = self.env['credit.event'].sudo().search([('account_id', '=', application.account_id.id)])
        self.assertLessEqual({'application_submitted', 'application_decided'}, set(events.mapped('kind')))

    def test_limit_in_another_currency_or_unlimited_is_told_as_it_is(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        for values, amount, text in (
            ({'currency_id': euro.id}, 2500, "5,000.00"),
            ({'limit_kind': 'unlimited'}, 0, "Unlimited credit"),
        ):
            application = self._application(self.analyst)
            application.action_submit()
            application.limit_id.action_draft()
            application.limit_id.write(values)
            application.limit_id.action_submit()
            application.limit_id.with_user(self.manager).action_approve()
            self.assertEqual((application.state, application.decided_amount), ('approved', amount))
            self.assertIn(text, application.message_ids.sorted('id')[-1].body)

    def test_who_changed_what_is_asked_for_does_not_approve_it(self):
        application = self._application()
        application.action_submit()
        application.with_user(self.manager).visit_note = "a fine shop"
        application.with_user(self.other_manager).amount = 8000
        application.with_user(self.analyst).action_propose()
        limit = application.sudo().limit_id
        with self.assertRaisesRegex(AccessError, "is your own"):
            limit.with_user(self.other_manager).action_approve()
        limit.with_user(self.manager).action_approve()
        self.assertEqual(application.state, 'approved')
        with self.assertRaises(AccessError):
            self._application(complete=False).author_ids = False

    def test_submitted_by_an_analyst_is_proposed_at_once(self):
        application = self._application(self.analyst)
        application.action_submit()
        self.assertEqual((application.state, application.limit_id.state), ('proposed', 'submitted'))

    def test_rejected_limit_rejects_the_application_with_its_reason(self):
        application = self._application(self.analyst)
        application.action_submit()
        application.limit_id.with_user(self.manager)._reject("accounts too old")
        self.assertEqual((application.state, application.decision_note), ('rejected', "accounts too old"))
        self.assertEqual(application.decided_amount, 0)

    def test_limit_taken_back_is_proposed_again_as_the_same_record(self):
        application = self._application(self.analyst)
        application.action_submit()
        limit = application.limit_id
        limit.action_draft()
        self.assertEqual(application.state, 'submitted')
        application.amount = 3000
        application.action_propose()
        self.assertEqual((application.limit_id, limit.amount, limit.state), (limit, 3000, 'submitted'))

    def test_analyst_rejects_before_a_limit_is_proposed(self):
        application = self._application()
        application.action_submit()
        with self.assertRaises(AccessError):
            application._decline("no")
        seen = application.with_user(self.analyst)
        wizard = (
            self.env['credit.application.refusal']
            .with_user(self.analyst)
            .create({'application_id': application.id, 'note': "  "})
        )
        with self.assertRaisesRegex(UserError, "State a reason"):
            wizard.action_apply()
        wizard.note = "too young"
        wizard.action_apply()
        self.assertEqual((seen.state, seen.decision_note, seen.limit_id.id), ('rejected', "too young", False))

    def test_withdrawn_takes_the_undecided_limit_along(self):
        application = self._application()
        application.action_submit()
        application.with_user(self.analyst).action_propose()
        limit = application.sudo().limit_id
        application.action_withdraw()
        self.assertEqual(application.state, 'withdrawn')
        self.assertFalse(limit.exists())
        with self.assertRaisesRegex(UserError, "is decided"):
            application.action_withdraw()

    def test_withdrawn_after_the_first_level_its_decision_stays(self):
        policy = self.env['credit.account'].sudo()._applied_policies(self.customer, self.company)[self.customer.id]
        for sequence, user in enumerate((self.manager, self.other_manager)):
            self.env['credit.approval.level'].create(
                {'name': user.name, 'policy_id': policy.id, 'user_ids': user.ids, 'sequence': sequence}
            )
        application = self._application(self.analyst)
        application.action_submit()
        limit = application.limit_id
        limit.with_user(self.manager).action_approve()
        self.assertEqual((limit.state, limit.approval_user_id), ('submitted', self.other_manager))
        application.action_withdraw()
        self.assertEqual((application.state, limit.state), ('withdrawn', 'rejected'))
        self.assertFalse(limit.approval_id)

    def test_applicant_does_not_approve_though_another_proposed(self):
        manager = self._new_user('selling_manager', 'credit_management.group_credit_manager')
        application = self._application(manager)
        application._check_complete()
        application._write_flow({'state': 'submitted'})
        application.with_user(self.analyst).action_propose()
        with self.assertRaisesRegex(AccessError, "is your own"):
            application.limit_id.with_user(manager).action_approve()
        application.limit_id.with_user(self.manager).action_approve()

    def test_temporary_limit_in_another_currency(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        today = self.company._credit_today()
        with self.assertRaises(ValidationError):
            self._application(self.analyst, kind='temporary')
        application = self._application(self.analyst, kind='temporary', date_to=today, currency_id=euro.id)
        application.action_submit()
        limit = application.limit_id
        self.assertEqual((limit.kind, limit.date_to, limit.currency_id, limit.amount), ('temporary', today, euro, 5000))

    def test_nothing_or_an_unrated_currency_is_not_submitted(self):
        with self.assertRaisesRegex(UserError, "State the limit"):
            self._application(amount=0).action_submit()
        unrated = self.env['res.currency'].create({'name': "XQX", 'symbol': "q"})
        with self.assertRaisesRegex(UserError, "no exchange rate"):
            self._application(currency_id=unrated.id).action_submit()

    # -------------------------------------------------------------------------
    # Checklist
    # -------------------------------------------------------------------------

    def test_missing_items_are_named_and_block(self):
        application = self._application(complete=False)
        self.assertEqual(application.missing, "Business licence and Representative")
        with self.assertRaisesRegex(UserError, "Business licence and Representative"):
            application.action_submit()
        application.legal_representative = "Mr Hengda"
        self._attach(application, "Business licence")
        self.assertFalse(application.missing)
        application.action_submit()
        self.assertEqual(application.state, 'submitted')

    def test_item_for_large_requests_counts_in_company_currency(self):
        self.assertFalse(self._application(amount=9999).missing)
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 0.5)])
        application = self._application(amount=5000, currency_id=euro.id)
        self.assertEqual(application.missing, "Annual accounts")
        application.amount = 4999
        self.assertFalse(application.missing)

    def test_item_added_to_the_policy_reaches_drafts(self):
        application = self._application()
        self.policy.with_user(self.manager).checklist_ids = [Command.create({'name': "Tax clearance"})]
        self.assertEqual(application.missing, "Tax clearance")

    def test_client_does_not_say_what_is_needed(self):
        application = self._application(complete=False)
        line = application.document_ids[0]
        for values in ({'required': False}, {'item_id': False}):
            with self.assertRaises(AccessError):
                line.write(values)
        with self.assertRaises(AccessError):
            self.env['credit.checklist.item'].with_user(self.analyst).search([])[0].required = False

    def test_attached_file_is_read_by_who_reads_the_application(self):
        application = self._application()
        attachment = self._attach(application, "Photo")
        self.assertEqual(attachment.with_user(self.analyst).raw, b"seen")
        secret = self.env['ir.attachment'].create({'name': "secret", 'raw': b"no", 'res_model': 'credit.limit'})
        secret.res_id = self._limit(self._account(), 10).id
        line = application.document_ids.filtered(lambda line: line.name == "Photo")
        with self.assertRaises(AccessError):
            line.attachment_ids = [Command.link(secret.id)]

    # -------------------------------------------------------------------------
    # The one way in
    # -------------------------------------------------------------------------

    def test_customer_account_and_order_open_the_same_draft(self):
        account = self._account(limit=100)
        order = self._order_of(150)
        order.with_user(self.sales_user).action_confirm()
        self.assertEqual(order.credit_state, 'on_hold')
        from_customer = self.contact.with_user(self.sales_user).action_credit_apply()['res_id']
        from_account = account.with_user(self.sales_user).action_apply_for_limit()['res_id']
        self.assertTrue(order.with_user(self.sales_user).credit_can_apply)
        from_order = order.with_user(self.sales_user).action_credit_apply()['res_id']
        self.assertEqual(from_customer, from_account)
        self.assertEqual(from_order, from_account)
        application = self.env['credit.application'].browse(from_order)
        self.assertEqual((application.amount, application.order_id, application.origin), (150, order, 'order'))
        self.assertEqual(application.requested_by_id, self.sales_user)

    def test_order_suggests_the_limit_that_would_let_it_pass(self):
        self._account(limit=1000)
        self._order_of(900, confirm=True)
        order = self._order_of(1234)
        order.with_user(self.sales_user).action_confirm()
        application_id = order.with_user(self.sales_user).action_credit_apply()['res_id']
        application = self.env['credit.application'].browse(application_id)
        self.assertEqual(application.amount, 2140)
        self._limit(application.account_id, application.amount)
        self.assertEqual(order.credit_outlook, 'pass')

    def test_order_that_is_not_held_for_its_limit_offers_nothing(self):
        order = self._order_of(50)
        self.assertFalse(order.with_user(self.sales_user).credit_can_apply)
        with self.assertRaisesRegex(UserError, "not held for the credit limit"):
            order.with_user(self.sales_user).action_credit_apply()

    def test_form_takes_what_the_contact_says(self):
        self.customer.company_registry = "REG-77001"
        with Form(self.env['credit.application'].with_user(self.sales_user)) as form:
            form.partner_id = self.customer
            self.assertEqual(form.registration_code, "REG-77001")
            form.amount = 10
        self.assertTrue(form.record.name)

    def test_merged_account_hands_its_open_application_over(self):
        application = self._application(self.analyst)
        target = self._account(self.env['res.partner'].create({'name': "Target", 'is_company': True}))
        target.sudo()._absorb(application.account_id.sudo())
        self.assertEqual(application.account_id, target)

    # -------------------------------------------------------------------------
    # Who else it may be
    # -------------------------------------------------------------------------

    def test_similar_names_and_same_codes_are_shown(self):
        Partner = self.env['res.partner']
        similar = Partner.create({'name': "Hengda Tradings Co., Ltd.", 'is_company': True})
        same = Partner.create({'name': "Quite Different", 'is_company': True, 'vat': "CN 9144-0300"})
        Partner.create({'name': "Nothing Alike GmbH", 'is_company': True})
        application = self._application()
        self.assertFalse(application.duplicate_partner_ids)
        application.registration_code = "cn91440300"
        self.assertEqual(application.duplicate_partner_ids, same)
        self.assertIn(similar, application.similar_partner_ids | self._legal_twins(similar))

    def _legal_twins(self, partner):
        """Return what is found without the trigram extension: the same name with another legal form."""
        return self.env['res.partner'] if self.env.registry.has_trigram else partner

    def test_legal_forms_do_not_tell_two_names_apart(self):
        twins = self.env['res.partner'].create(
            [{'name': name, 'is_company': True} for name in ("深圳华强电子有限公司", "深圳华强电子股份有限公司")]
        )
        application = self._application(self.analyst, partner=twins[0])
        self.assertEqual(application.similar_partner_ids, twins[1])
        german = self.env['res.partner'].create(
            [{'name': name, 'is_company': True} for name in ("Zwirner GmbH & Co. KG", "ZWIRNER AG")]
        )
        application = self._application(self.analyst, partner=german[0])
        self.assertEqual(application.similar_partner_ids, german[1])

    def test_customer_of_another_company_is_not_named(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        self.env['res.partner'].create({'name': "Hengda Trading", 'company_id': other.id, 'is_company': True})
        self.assertFalse(self._application().similar_partner_ids)

    # -------------------------------------------------------------------------
    # Rights
    # -------------------------------------------------------------------------

    def test_sales_apply_for_their_own_customers_only(self):
        Application = self.env['credit.application']
        with self.assertRaises(AccessError):
            self._application(partner=self.foreign, complete=False)
        with self.assertRaisesRegex(AccessError, "is not your customer"):
            self.foreign.with_user(self.sales_user).action_credit_apply()
        theirs = self._application(self.analyst, partner=self.foreign)
        self.assertFalse(Application.with_user(self.sales_user).search([('id', '=', theirs.id)]))
        with self.assertRaises(AccessError):
            theirs.with_user(self.sales_user).read(['amount'])
        with self.assertRaises(AccessError):
            theirs.document_ids.with_user(self.sales_user).read(['name'])

    def test_sales_change_drafts_only_and_see_no_limit(self):
        application = self._application()
        application.action_submit()
        for values in ({'amount': 9}, {'reference_ids': [Command.create({'name': "x"})]}):
            with self.assertRaisesRegex(UserError, "handed in"):
                application.write(values)
        for method in ('action_propose', 'action_decline'):
            with self.assertRaises(AccessError):
                getattr(application, method)()
        with self.assertRaises(AccessError):
            application.read(['limit_id'])
        with self.assertRaises(UserError):
            application.unlink()

    def test_flow_is_not_written_by_clients(self):
        application = self._application(self.analyst)
        for values in ({'state': 'approved'}, {'decided_amount': 1}, {'requested_by_id': self.manager.id}):
            with self.assertRaises(AccessError):
                application.write(values)
        with self.assertRaises(AccessError):
            self._application(self.analyst, state='approved')
        forged = (
            self.env['credit.application']
            .with_user(self.analyst)
            .with_context(default_state='approved', default_decided_amount=9.0)
            .create({'partner_id': self.customer.id})
        )
        self.assertEqual((forged.state, forged.decided_amount), ('draft', 0))
        with self.assertRaises(UserError):
            application.partner_id = self.foreign
        with self.assertRaises(AccessError):
            self._limit(self._account(), 10).with_user(self.analyst).application_id = application

    def test_auditor_reads_and_changes_nothing(self):
        auditor = self._new_user('credit_auditor', 'credit_management.group_credit_auditor')
        application = self._application()
        self.assertEqual(application.with_user(auditor).amount, 5000)
        with self.assertRaises(AccessError):
            application.with_user(auditor).amount = 1
        with self.assertRaises(AccessError):
            application.with_user(auditor).action_submit()

    def test_other_company_sees_nothing_and_has_its_own(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        stranger = new_test_user(
            self.env,
            'stranger',
            groups='credit_management.group_credit_manager',
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        application = self._application()
        self.assertFalse(self.env['credit.application'].with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            application.with_user(stranger).read(['amount'])
        theirs = (
            self.env['credit.application'].with_user(stranger).create({'partner_id': self.customer.id, 'amount': 7})
        )
        self.assertEqual((theirs.company_id, theirs.account_id.company_id), (other, other))
        self.assertEqual(theirs.currency_id, other.currency_id)
        self.assertFalse(theirs.document_ids)
        with self.assertRaises(AccessError):
            self.env['credit.application'].with_user(stranger).create(
                {'partner_id': self.customer.id, 'company_id': self.company.id}
            )

    @mute_logger('odoo.http')
    def test_over_the_api_sales_get_their_own_and_nothing_of_others(self):
        own = self._application()
        theirs = self._application(self.analyst, partner=self.foreign)
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        key = self.env['res.users.apikeys'].with_user(self.sales_user)._generate('rpc', 'test', tomorrow)

        def call(model, method, **body):
            response = self.url_open(
                f'/json/2/{model}/{method}',
                data=json.dumps(body),
                headers={'Content-Type': 'application/json', 'Authorization': f'bearer {key}'},
            )
            return response.status_code, response.json()

        self.assertEqual(
            call('credit.application', 'search_read', domain=[], fields=['amount']),
            (200, [{'id': own.id, 'amount': 5000.0}]),
        )
        refused = [
            call('credit.application', 'read', ids=theirs.ids, fields=['amount']),
            call('credit.application', 'read', ids=own.ids, fields=['limit_id']),
            call('credit.application', 'create', vals_list=[{'partner_id': self.foreign.id, 'amount': 1}]),
            call('credit.application', 'action_submit', ids=theirs.ids),
            call('credit.application', 'action_propose', ids=own.ids),
            call('credit.application', 'write', ids=own.ids, vals={'state': 'approved'}),
            call('credit.application', '_write_flow', ids=own.ids, vals={'state': 'approved'}),
            call('credit.application', '_open_for', ids=[]),
            call('credit.checklist.item', 'read', ids=self.policy.checklist_ids.ids, fields=['policy_id']),
            call('credit.account', 'action_change_grade', ids=own.account_id.ids),
            call('credit.account', 'action_blacklist', ids=own.account_id.ids),
            call('credit.account', '_blacklist', ids=own.account_id.ids, code='other', note='x'),
            call('credit.grade', 'create', vals_list=[{'code': "Z", 'name': "Z"}]),
            call('res.partner', 'action_credit_apply', ids=self.foreign.ids),
        ]
        self.assertEqual({status for status, _value in refused}, {403})
        self.assertEqual(call('credit.application', 'action_submit', ids=own.ids)[0], 200)

    # -------------------------------------------------------------------------
    # Report
    # -------------------------------------------------------------------------

    def test_report_prints_the_request_and_what_is_missing(self):
        application = self._application(complete=False, guarantor="Mr Guarantor")
        application.reference_ids = [Command.create({'name': "First Bank", 'kind': 'bank'})]
        html, _type = (
            self.env['ir.actions.report']
            .with_user(self.sales_user)
            ._render_qweb_html('credit_management.credit_application_report', application.ids)
        )
        text = html.decode()
        for wanted in (application.name, "Hengda Trading", "5,000.00", "Mr Guarantor", "First Bank", "Missing"):
            self.assertIn(wanted, text)
