import json
import re
from datetime import timedelta
from urllib.parse import urlencode

from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import format_date

from ..engine.metric import METRICS
from ..engine.wording import SENTENCES
from .common_entered import FIGURES
from .test_score import ScoreCommon

REPORT = 'customer_scoring.report_scoring_explanation'


class ExplanationCommon(ScoreCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls.env['res.partner'].create({'name': "Ms Zhao"})

    def letter(self, account=None, user=None):
        """Return the text of the explanation of an account's score."""
        report = self.env['ir.actions.report'].with_user(user or self.analyst)
        content = report._render_qweb_html(REPORT, (account or self.account).score_id.ids)[0]
        return re.sub(r'\s+', ' ', html.fromstring(content).text_content())

    def scored(self, *late, partner=None, **values):
        """Return the account of a customer that was scored after some trade."""
        account = self._account(partner) if partner else self.account
        self._trade(*late, partner=partner)
        account.action_compute_score()
        return account


@tagged('post_install', '-at_install')
class TestExplanation(ExplanationCommon):
    def test_each_characteristic_is_said_in_words_with_points_and_what_makes_it_better(self):
        self._card()
        self.scored(0, 0, 0, 20)
        text = self.letter()
        for part in (
            "Hengda Trading",
            "75.0 of 100",
            "T2 · Middle",
            "Test card, version 1",
            "T1 · Good from 80.0 · T2 · Middle from 50.0 · T3 · Bad from 0.0",
            "You paid 75 % of your invoices by their due date.",
            "In the range: 50 to 90 %",
            "25.0 of 50.0",
            "Pay on time 6 more invoices: +25.0, grade T1",
            "50.0 of 50.0",
            self.company.name,
        ):
            self.assertIn(part, text)

    def test_points_add_up_to_the_score(self):
        self._card(pull=5, prior=40.0)
        account = self.scored(0)
        told = account.score_id._explanation()
        shares = [float(row['points'].split()[0]) for row in told['rows']]
        self.assertEqual((shares, told['drawn'], told['score']), ([50.0, 50.0], '-50.0', '50.0'))
        self.assertIn("Own history 17 %, average of the segment 83 %", self.letter())

    def test_every_metric_has_a_sentence(self):
        self.assertEqual(set(SENTENCES), set(METRICS))
        for metric, sentence in SENTENCES.items():
            text = self.env._(sentence("12 days", "12"))
            self.assertEqual('12' in text, metric != 'concentration', text)

    def test_customer_does_not_learn_what_others_owe(self):
        self._card('on_time_ratio', 'utilisation')
        self._limit(self.account, 4000.0)
        self._trade(0)
        self._invoice(1000.0, due=self.today + timedelta(days=5), invoice_date=self.today - timedelta(days=1))
        self.account.action_compute_score()
        text = self.letter()
        self.assertIn("You use 25 % of your credit limit.", text)
        self.assertIn("This is no part of your score.", text)
        told = self.account.score_id
        self.env.cr.execute(
            "UPDATE scoring_score_line SET metric = 'concentration' WHERE metric = 'utilisation' AND score_id = %s",
            [told.id],
        )
        told.line_ids.invalidate_recordset()
        [row] = told._explanation()['stake_rows']
        self.assertEqual(
            (row['sentence'], row['range']), ("The share of your open items in those of all our customers.", '')
        )

    def test_letter_is_in_the_language_of_the_customer(self):
        self.env['res.lang']._activate_lang('zh_CN')
        self._card()
        self.scored(0, 20)
        self.assertIn("Paid on time", self.letter())
        self.customer.lang = 'zh_CN'
        text = self.letter()
        self.assertIn("按时付款率", text)
        self.assertIn("正当利益", text)
        self.assertIn(format_date(self.env, self.today, lang_code='zh_CN'), text)
        self.assertNotIn("Paid on time", text)
        self.assertNotIn("Legitimate interest", text)
        # And the other way round, for who works in Chinese.
        self.customer.lang = 'en_US'
        self.analyst.lang = 'zh_CN'
        user = self.analyst.with_context(lang='zh_CN')
        self.assertIn("Paid on time", self.letter(user=user))
        self.customer.lang = False
        self.company.partner_id.lang = 'zh_CN'
        self.assertIn("按时付款率", self.letter())

    def test_sources_are_those_that_were_known_with_purpose_and_legal_basis(self):
        self._card('on_time_ratio', 'altman_z', pull=0)
        entered = {'partner_id': self.customer.id, 'currency_id': self.currency.id, **FIGURES}
        Statement = self.env['scoring.statement'].with_user(self.analyst)
        used = Statement.create(
            {
                **entered,
                'period_end': self.today - timedelta(days=60),
                'source': 'register',
                'purpose': "Limit of this year",
                'legal_basis': 'public',
            }
        )
        Statement.create({**entered, 'period_end': self.today - timedelta(days=500), 'purpose': "Long ago"})
        self.scored(0)
        used.action_withdraw()
        # Withdrawn on the day of the score itself, it was not known at its end.
        self.assertNotIn("Limit of this year", self.letter())
        self.env.cr.execute(
            "UPDATE scoring_statement SET known_until = %s WHERE id = %s", [self.today + timedelta(days=1), used.id]
        )
        used.invalidate_recordset()
        text = self.letter()
        for part in (
            "Your invoices and payments of the last 24 months",
            "Our own books",
            "Decision about credit",
            "Legitimate interest",
            "Public register",
            "Limit of this year",
            "Published by the customer or a public register",
        ):
            self.assertIn(part, text)
        self.assertNotIn("Long ago", text)
        self.company.scoring_legal_basis = 'contract'
        self.assertIn("Contract, or steps towards one", self.letter())

    def test_rating_and_factor_are_named_with_their_origin(self):
        agency = self.env['scoring.rating.provider'].create({'name': "Agency", 'worst': 0, 'best': 100})
        silent = self.env['scoring.rating.provider'].create({'name': "Shown only", 'weight': 0})
        kind = self.env['scoring.factor.type'].create(
            {'name': "On a court list", 'code': 'court_list', 'kind': 'bool', 'natural_forbidden': False}
        )
        of_customer = {'partner_id': self.customer.id, 'date': self.today}
        for provider, value in ((agency, 70), (silent, 10)):
            self.env['scoring.rating'].create({**of_customer, 'provider_id': provider.id, 'value': value})
        self.env['scoring.factor'].create({**of_customer, 'type_id': kind.id, 'yes': False, 'source': "Court of Lyon"})
        card = self._card(active=False)
        for metric in ('external_rating', 'factor:court_list'):
            card.characteristic_ids.create(
                {
                    'card_id': card.id,
                    'metric': metric,
                    'bin_ids': [(0, 0, {'low': 0, 'points': 50}), (0, 0, {'low': 50, 'points': 100})],
                }
            )
        card.action_activate()
        self.scored(0)
        text = self.letter()
        for part in ("scale from 0 to 100 (best): 70.", "Agency", "On a court list No", "Court of Lyon"):
            self.assertIn(part, text)
        self.assertNotIn("Shown only", text)

    def test_natural_person_reads_that_somebody_decides_and_its_rights(self):
        self._card()
        account = self.scored(0, 0, partner=self.person)
        text = self.letter(account)
        for part in (
            "The score is advice.",
            "Nobody has decided about your grade yet.",
            "You have the right to:",
            "have a person review the score and the decision",
            "contest the decision",
            "gender, age or belief are not looked at",
        ):
            self.assertIn(part, text)
        # A questionnaire may ask anything.
        self.env.cr.execute(
            "UPDATE scoring_score_line SET metric = 'questionnaire' WHERE id = %s", [account.score_id.line_ids[0].id]
        )
        account.score_id.line_ids.invalidate_recordset()
        self.assertFalse(account.score_id._explanation()['attributes'])
        account.with_user(self.manager).grade_id = self.middle
        self.assertIn("Your grade with us is T2 · Middle. Credit Manager decided so on", self.letter(account))

    def test_company_reads_whether_somebody_decided(self):
        self._card()
        account = self.scored(0, 0)
        text = self.letter()
        self.assertIn("It was taken over from the score", text)
        self.assertNotIn("You have the right to:", text)
        self.env['scoring.override'].with_user(self.analyst).create(
            {
                'account_id': account.id,
                'grade_id': self.bad.id,
                'reason': "In court",
                'date_until': self.today + timedelta(days=30),
            }
        )
        self.assertRegex(
            self.letter(), r"Credit Analyst decided on \S+ that your grade is T3 · Bad until .+ The reason: In court"
        )

    def test_missing_value_is_said(self):
        self._card('on_time_ratio', 'altman_z')
        self.scored(0)
        text = self.letter()
        self.assertIn("Not known.", text)
        self.assertIn("not counted", text)

    def test_nothing_to_explain_without_a_score(self):
        with self.assertRaisesRegex(UserError, "has no score that could be explained"):
            self.account.with_user(self.analyst).action_print_explanation()


@tagged('post_install', '-at_install')
class TestExplanationRights(ExplanationCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._card()
        cls._trade(0, 0, 20)
        cls.account.action_compute_score()

    def test_analysts_managers_and_auditors_print_it(self):
        for user in (self.analyst, self.manager, self.auditor):
            action = self.account.with_user(user).action_print_explanation()
            self.assertEqual(
                (action['report_name'], action['context']['active_ids']), (REPORT, self.account.score_id.ids)
            )
            self.assertIn("Hengda Trading", self.letter(user=user))

    def test_sales_neither_print_nor_read_it(self):
        score = self.account.score_id
        for call in (
            self.account.with_user(self.sales_user).action_print_explanation,
            score.with_user(self.sales_user).action_print_explanation,
            lambda: self.letter(user=self.sales_user),
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertFalse(self.events('explained'))

    def test_other_company_does_not_read_it(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        stranger = self._new_user('stranger', 'credit_management.group_credit_manager')
        stranger.write({'company_ids': [(6, 0, other.ids)], 'company_id': other.id})
        with self.assertRaises(AccessError):
            self.letter(user=stranger)
        with self.assertRaises(AccessError):
            self.account.score_id.with_user(stranger).action_print_explanation()

    def test_branch_prints_letters_of_its_main_company(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        user = self._new_user('branch', 'credit_management.group_credit_analyst')
        user.write({'company_ids': [(6, 0, branch.ids)], 'company_id': branch.id})
        self.assertIn(self.company.name, self.letter(user=user))

    def test_printing_is_on_file_without_the_figure(self):
        self.letter()
        [event] = self.events('explained')
        self.assertEqual(event.user_id, self.analyst)
        self.assertRegex(event.description, r"^Score as of .+ \(Test card v1\)$")
        self.assertNotIn(f'{self.account.score:.1f}', event.payload)

    def test_download_is_on_file_once(self):
        self.analyst.password = 'credit_analyst'
        self.authenticate('credit_analyst', 'credit_analyst')
        wanted = json.dumps([f'/report/pdf/{REPORT}/{self.account.score_id.id}', 'qweb-pdf'])
        response = self.url_open('/report/download?' + urlencode({'data': wanted}))
        self.assertIn(f'explanation-{self.account.id}', response.headers['Content-Disposition'])
        self.assertEqual(len(self.events('explained')), 1)
