import json

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestRename(CreditCommon):
    """Former names and registration codes are kept, found, and can be erased."""

    def _names(self, partner=None):
        return {(name.kind, name.value) for name in (partner or self.customer).credit_former_name_ids}

    def test_former_name_and_codes_are_kept_with_who_and_when(self):
        self._account()
        self.customer.write({'vat': "CN-1", 'company_registry': "REG-1"})
        self.assertFalse(self._names())

        self.customer.write({'name': "Hengda Group", 'vat': "CN-2", 'company_registry': "REG-1"})
        self.assertEqual(self._names(), {('name', "Hengda Trading"), ('vat', "CN-1")})
        first = self.customer.credit_former_name_ids.filtered(lambda name: name.kind == 'name')
        self.assertEqual((first.user_id, first.date_from), (self.env.user, self.customer.create_date))

        self.customer.name = "Hengda Holding"
        second = self.customer.credit_former_name_ids.filtered(lambda name: name.value == "Hengda Group")
        self.assertEqual(second.date_from, first.date_to)

    def test_event_carries_ids_only(self):
        account = self._account()
        self.customer.name = "Hengda Group"
        event = self.env['credit.event'].sudo().search([('account_id', '=', account.id), ('kind', '=', 'renamed')])
        self.assertEqual(json.loads(event.payload), {'partner_id': self.customer.id, 'fields': ['name']})

    def test_same_value_and_customers_without_account_leave_nothing(self):
        self.customer.name = "Hengda Group"
        self._account()
        self.customer.name = "Hengda Group"
        self.assertFalse(self._names())

    def test_contact_renamed_leaves_nothing(self):
        self._account()
        self.contact.name = "Ms Lin-Wang"
        self.assertFalse(self._names() | self._names(self.contact))

    def test_account_is_found_by_former_name_and_code(self):
        account = self._account()
        self.customer.vat = "CN-1"
        self.customer.write({'name': "Completely Different", 'vat': "CN-2"})
        for user in (self.sales_user, self.analyst, self.env.user):
            Account = self.Account.with_user(user)
            for text in ("Hengda Trad", "CN-1"):
                self.assertEqual([found[0] for found in Account.name_search(text)], account.ids)
        view = self.env.ref('credit_management.credit_account_view_search')
        self.assertIn('credit_former_name_ids.value', view.arch)

    def test_manager_erases_what_others_only_read(self):
        self._account()
        self.customer.name = "Hengda Group"
        names = self.customer.credit_former_name_ids
        with self.assertRaises(AccessError):
            names.with_user(self.analyst).unlink()
        with self.assertRaises(AccessError):
            names.with_user(self.manager).value = "Other"
        names.with_user(self.manager).unlink()
        self.assertFalse(self._names())

    def test_sales_read_the_former_names_of_their_own_customers(self):
        other = self.env['res.partner'].create({'name': "Other", 'user_id': self.manager.id})
        self._account()
        self._account(other)
        (self.customer | other).name = "New"
        Name = self.env['credit.partner.name'].with_user(self.sales_user)
        self.assertEqual(Name.search([]).partner_id, self.customer)

    def test_merge_keeps_the_name_of_the_merged_customer(self):
        other = self.env['res.partner'].create({'name': "Hengda Old", 'vat': "CN-9", 'is_company': True})
        self.customer.vat = "CN-1"
        account = self._account()
        self.env['base.partner.merge.automatic.wizard']._merge((other | self.customer).ids, self.customer)
        self.assertEqual(self._names(), {('name', "Hengda Old"), ('vat', "CN-9")})
        self.assertEqual([found[0] for found in self.Account.name_search("Hengda Old")], account.ids)


@tagged('post_install', '-at_install')
class TestRegistrationCode(CreditCommon):
    """The same registration code on two customers warns."""

    def _customer(self, name, **values):
        return self.env['res.partner'].create({'name': name, 'is_company': True, **values})

    def test_same_code_in_other_writing_warns_on_both(self):
        self.customer.vat = "91 3100-00MA1"
        other = self._customer("Twin", company_registry="91310000ma1")
        account, twin = self._account(), self._account(other)

        self.assertEqual((account.duplicate_partner_ids, twin.duplicate_partner_ids), (other, self.customer))
        self.assertEqual((self.customer.credit_duplicate_ids, other.credit_duplicate_ids), (other, self.customer))
        self.assertEqual(self.Account.search([('duplicate_code', '=', True)]), account | twin)

    def test_warns_when_an_account_is_opened(self):
        self.customer.vat = "91310000MA1"
        other = self._customer("Twin", vat="91310000MA1")
        account = self.Account.new({'partner_id': other.id})
        self.assertEqual(account.duplicate_partner_ids._origin, self.customer)

    def test_contacts_subsidiaries_other_countries_and_short_codes_do_not_warn(self):
        france, china = self.env.ref('base.fr'), self.env.ref('base.cn')
        self.customer.write({'company_registry': "12345678", 'country_id': china.id})
        self._customer("Elsewhere", company_registry="12345678", country_id=france.id)
        self._customer("Subsidiary", company_registry="12345678", parent_id=self.customer.id)
        self._customer("Blank", company_registry="-")
        self.contact.company_registry = "12345678"
        self.assertFalse(self._account().duplicate_partner_ids)
        self.assertFalse(self._customer("No code", company_registry="/ .").credit_duplicate_ids)

    def test_archived_customer_still_warns(self):
        self.customer.vat = "91310000MA1"
        other = self._customer("Twin", vat="91310000MA1", active=False)
        self.assertEqual(self._account().duplicate_partner_ids, other)

    def test_customer_of_a_company_that_the_user_may_not_see_is_not_named(self):
        hidden = self._create_company(name="Hidden")
        self.customer.vat = "91310000MA1"
        other = self._customer("Twin", vat="91310000MA1", company_id=hidden.id)
        account = self._account()
        self.assertFalse(account.with_user(self.analyst).duplicate_partner_ids)
        self.assertFalse(self.Account.with_user(self.analyst).search([('duplicate_code', '=', True)]))

        self.env.user.company_ids += hidden
        both = account.with_context(allowed_company_ids=(self.company | hidden).ids)
        self.assertEqual(both.duplicate_partner_ids, other)

    def test_merge_action_opens_cores_dialog_with_both(self):
        self.customer.vat = "91310000MA1"
        other = self._customer("Twin", vat="91310000MA1")
        account = self._account()
        action = account.action_merge_duplicates()
        wizard = self.env[action['res_model']].with_context(**action['context']).create({})
        self.assertEqual(wizard.partner_ids, self.customer | other)
        with self.assertRaises(AccessError):
            account.with_user(self.analyst).action_merge_duplicates()

    def test_many_customers_take_as_many_statements_as_one(self):
        partners = self.env['res.partner'].create(
            [{'name': f"Customer {index}", 'is_company': True, 'vat': f"9131{index % 10:04}"} for index in range(40)]
        )
        counts = []
        partners._credit_duplicates()  # access rules in the cache
        for some in (partners[:1], partners):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some._credit_duplicates()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertEqual(len(partners._credit_duplicates()), 40)
