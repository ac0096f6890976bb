import json
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .test_card import CardCommon


class ScoreCommon(CardCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls._account()

    def scores(self, account=None):
        return self.env['scoring.score'].sudo().search([('account_id', '=', (account or self.account).id)])

    def run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref('customer_scoring.ir_cron_score').method_direct_trigger()

    def events(self, kind):
        return self.env['credit.event'].sudo().search([('account_id', '=', self.account.id), ('kind', '=', kind)])


@tagged('post_install', '-at_install')
class TestScore(ScoreCommon):
    def test_golden_customer_is_scored_and_graded(self):
        self._card()
        self._trade(0, 0, 0, 20)
        self.account.with_user(self.analyst).action_compute_score()
        score = self.account.score_id
        self.assertEqual((score.score, score.grade_id, score.invoice_count), (75, self.middle, 4))
        self.assertEqual((self.account.score, self.account.score_date), (75, self.today))
        self.assertEqual(self.account.grade_id, self.middle)
        ratio, average = score.line_ids.sorted('share')
        self.assertEqual((ratio.value, ratio.points, ratio.share, ratio.most), (75, 50, 25, 50))
        self.assertEqual((average.value, average.points, average.percent), (5, 100, 100))
        self.assertEqual(ratio.step_text, "Pay on time 6 more invoices: +25.0, grade T1")
        self.assertFalse(average.step_text)
        self.assertEqual(score.reason, "Paid on time: 75 % (−25.0)")
        self.assertEqual(self.events('scored').description, "Score 75.0: – → T2 · Middle (Test card v1)")

    def test_day_without_a_change_writes_no_row(self):
        self._card()
        self._trade(0, 20)
        self.account.action_compute_score()
        self.account.action_compute_score()
        self.assertEqual(len(self.scores()), 1)
        self._trade(90)
        self.account.action_compute_score()
        newest, before = self.scores()
        self.assertEqual(newest.change, newest.score - before.score)
        self.assertEqual((self.account.score_id, newest.grade_before_id), (newest, before.grade_id))

    def test_scoring_as_of_a_past_date_gives_what_was_stored_on_that_date(self):
        self._card('on_time_ratio', 'days_late_average', 'overdue_days')
        day = self.today - timedelta(days=40)
        self._trade(0, 30)
        open_ = self._invoice(1000.0, due=day - timedelta(days=20), invoice_date=day - timedelta(days=50))
        self.env['scoring.score']._compute_for(self.account, day)
        stored = self.scores()
        # What came later: the open invoice is paid, another one is not.
        self._paid(open_, late=30)
        self._invoice(1000.0, due=self.today - timedelta(days=10), invoice_date=self.today - timedelta(days=39))
        self.env['scoring.score']._compute_for(self.account, self.today)
        self.assertEqual(len(self.scores()), 2)
        self.assertEqual(self.env['scoring.score']._as_of(self.account, day), {self.account: stored})
        [(_card, again)] = self.env['scoring.score']._evaluate(self.customer, self.company, day).values()
        self.assertEqual((again.score, again.grade_id, again.count), (stored.score, stored.grade_id.id, 3))
        self.assertEqual(
            {line.characteristic.id: (round(line.value, 4), line.points) for line in again.lines},
            {line.characteristic_id.id: (line.value, line.points) for line in stored.line_ids},
        )
        self.assertFalse(self.env['scoring.score']._as_of(self.account, day - timedelta(days=1)))

    def test_thin_file_is_drawn_towards_the_average_and_says_so(self):
        self._card(pull=5, prior=40.0)
        self._trade(0)
        self.account.action_compute_score()
        score = self.account.score_id
        # 1 of 6 at 100, 5 of 6 at 40.
        self.assertEqual((score.score, score.little, score.behaviour, score.drawn), (50, True, 100, -50))
        self.assertEqual(score.rest_text, "Invoices: 1. Own history 17 %, average of the segment 83 %")

    def test_average_of_the_segment_is_kept_by_day(self):
        card = self._card(pull=5, prior=40.0)
        priors = self.env['scoring.prior'].sudo()
        priors._note(card, self.today, [80.0] * 9)
        self.assertEqual(priors._of(card, self.today), 40)
        priors._note(card, self.today, [80.0] * 10)
        self.assertEqual(priors._of(card, self.today), 80)
        self.assertEqual(priors._of(card, self.today - timedelta(days=1)), 40)

    def test_nothing_known_gives_no_score(self):
        self._card()
        with self.assertRaisesRegex(UserError, "nothing is known"):
            self.account.action_compute_score()
        self.assertFalse(self.account.score_id)

    def test_scores_are_kept_as_they_were(self):
        self._card()
        self._trade(0)
        self.account.action_compute_score()
        score = self.account.score_id
        for record in (score, score.line_ids[0]):
            with self.assertRaises(UserError):
                record.sudo().write({'share': 1.0} if 'share' in record else {'score': 100.0})
            with self.assertRaises(UserError):
                record.sudo().unlink()
            with self.assertRaises(UserError):
                record.sudo().create({})
        with self.assertRaises(AccessError):
            self.account.write({'score': 100.0})

    def test_documents_of_a_value_open(self):
        self._card('on_time_ratio', 'overdue_days', 'altman_z')
        self._trade(0, 20)
        late = self._invoice(1000.0, due=self.today - timedelta(days=9))
        self.account.action_compute_score()
        lines = {line.metric: line.with_user(self.analyst) for line in self.account.score_id.line_ids}
        action = lines['on_time_ratio'].action_view_documents()
        self.assertEqual(self.env[action['res_model']].search_count(action['domain']), 3)
        action = lines['overdue_days'].action_view_documents()
        items = self.env[action['res_model']].with_user(self.analyst).search(action['domain'])
        self.assertEqual(items.move_id, late)

    def test_what_was_entered_opens_and_where_there_is_nothing_no_button_shows(self):
        industry, other = self.env['res.partner.industry'].create([{'name': "Steel"}, {'name': "Wood"}])
        self.customer.write({'industry_id': industry.id, 'country_id': self.env.ref('base.de').id})
        risks = self.env['scoring.industry.risk'].create(
            [{'industry_id': each.id, 'risk': '2', 'date': self.today} for each in (industry, other)]
        )
        country = self.env['scoring.country.risk'].create({'country_id': self.env.ref('base.de').id, 'risk': '5'})
        factor = self.env['scoring.factor'].create(
            {
                'partner_id': self.customer.id,
                'type_id': self.env.ref('customer_scoring.factor_type_founded').id,
                'day': self.today - timedelta(days=4000),
            }
        )
        metrics = ('on_time_ratio', 'industry_risk', 'country_risk', 'years_in_business', 'altman_z')
        self._card(*metrics, partner_kind='company')
        self._trade(0)
        self.account.action_compute_score()
        lines = {line.metric: line.with_user(self.analyst) for line in self.account.score_id.line_ids}
        for metric, records in (('industry_risk', risks[0]), ('country_risk', country), ('years_in_business', factor)):
            self.assertTrue(lines[metric].has_documents)
            action = lines[metric].action_view_documents()
            self.assertEqual(self.env[action['res_model']].with_user(self.analyst).search(action['domain']), records)
        self.assertTrue(lines['on_time_ratio'].has_documents)
        self.assertFalse(lines['altman_z'].has_documents)  # no statement was entered

    def test_range_its_points_and_the_next_better_range_are_told(self):
        self._card()
        self._trade(0, 0, 0, 20)
        self.account.action_compute_score()
        line = self.account.score_id.line_ids.filtered(lambda line: line.metric == 'on_time_ratio')
        self.assertEqual((line.points_text, line.step_range_text), ("50 to 90 → 50", "from 90 → 100"))
        best = self.account.score_id.line_ids - line
        self.assertEqual((best.points_text, best.step_range_text), ("below 10 → 100", False))

    def test_scores_over_time_are_shown_up_to_the_day_of_the_last_computation(self):
        self._card()
        self._trade(0)
        self.account.action_compute_score()
        action = self.account.with_user(self.analyst).action_view_scores()
        self.assertEqual(action['context']['scoring_until'], str(self.today))

    def test_another_currency_and_another_company(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        self._card()
        self._trade(0)
        account = self._account(company=other)
        with self.assertRaises(UserError):
            account.with_company(other).action_compute_score()
        self.account.action_compute_score()
        self.assertFalse(account.score_id)
        stranger = self._new_user('stranger', 'credit_management.group_credit_analyst')
        stranger.write({'company_ids': [(6, 0, other.ids)], 'company_id': other.id})
        scores = self.env['scoring.score'].with_user(stranger)
        self.assertFalse(scores.search([]) & self.scores())
        with self.assertRaises(AccessError):
            self.scores().with_user(stranger).read(['score'])


@tagged('post_install', '-at_install')
class TestScoreRights(ScoreCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._card()
        cls._trade(0, 0, 20)
        cls.account.action_compute_score()

    def test_sales_see_the_grade_but_not_the_score(self):
        account = self.account.with_user(self.sales_user)
        self.assertEqual(account.read(['grade_id'])[0]['grade_id'][0], self.account.grade_id.id)
        for name in ('score', 'score_id', 'score_grade_id', 'score_line_ids', 'score_stake', 'override_ids'):
            with self.assertRaises(AccessError):
                account.read([name])
        with self.assertRaises(AccessError):
            account.search([('score', '>', 10)])
        with self.assertRaises(AccessError):
            account.search([], order='score desc')
        with self.assertRaises(AccessError):
            account._read_group([], ['grade_id'], ['score:avg'])
        for model in ('scoring.score', 'scoring.score.line', 'scoring.card', 'scoring.override', 'scoring.run'):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.sales_user).search_read([])
        partner = self.customer.with_user(self.sales_user)
        self.assertEqual(partner.credit_grade_id, self.account.grade_id)
        with self.assertRaises(AccessError):
            partner.read(['credit_score'])

    def test_sales_call_nothing(self):
        account, score = self.account.with_user(self.sales_user), self.account.score_id.with_user(self.sales_user)
        line = self.account.score_id.line_ids[0].with_user(self.sales_user)
        for call in (
            account.action_compute_score,
            account.action_override_grade,
            account.action_end_override,
            account.action_apply_score_grade,
            score.action_apply_grade,
            line.action_view_documents,
            score.action_view_account,
        ):
            with self.assertRaises(AccessError):
                call()

    def test_auditors_read_and_change_nothing(self):
        account = self.account.with_user(self.auditor)
        self.assertEqual(account.read(['score'])[0]['score'], self.account.score)
        self.assertTrue(account.score_line_ids)
        with self.assertRaises(AccessError):
            account.action_compute_score()
        with self.assertRaises(AccessError):
            self.env['scoring.override'].with_user(self.auditor).create(
                {'account_id': account.id, 'grade_id': self.bad.id, 'reason': "x", 'date_until': self.today}
            )

    def test_partner_shows_the_score_to_analysts(self):
        self.assertEqual(self.customer.with_user(self.analyst).credit_score, self.account.score)


@tagged('post_install', '-at_install')
class TestGradeOfScore(ScoreCommon):
    def _compute(self, *late):
        self._trade(*late)
        self.account.action_compute_score()

    def test_hand_chosen_grade_stays_until_the_score_has_another(self):
        self._card()
        self.account.grade_id = self.bad
        self._compute(0, 0)
        self.assertEqual((self.account.score_grade_id, self.account.grade_id), (self.good, self.bad))
        self.assertTrue(self.account.score_differs)
        self.assertEqual(self.Account.search([('score_differs', '=', True)]), self.account)
        self._compute(90, 90, 90)
        self.assertEqual(self.account.grade_id, self.bad)
        self._compute(*[0] * 12)
        self.assertEqual((self.account.score_grade_id, self.account.grade_id), (self.middle, self.middle))
        self.assertFalse(self.account.score_differs)

    def test_card_that_proposes_writes_no_grade(self):
        self._card(grade_mode='propose')
        self._compute(0, 0)
        self.assertFalse(self.account.grade_id)
        action = self.account.with_user(self.analyst).action_apply_score_grade()
        wizard = self.env[action['res_model']].with_user(self.analyst).browse(action['res_id'])
        self.assertEqual(wizard.grade_id, self.good)
        wizard.action_apply()
        self.assertEqual(self.account.grade_id, self.good)

    def test_card_may_write_the_terms_of_the_grade_too(self):
        self.env.ref('base.group_user').implied_ids += self.env.ref('product.group_product_pricelist')
        term = self.env['account.payment.term'].create({'name': "Ten Days"})
        pricelist = self.env['product.pricelist'].create({'name': "Good Payers", 'company_id': False})
        self.good.write({'payment_term_id': term.id, 'pricelist_id': pricelist.id})
        self._card()
        self._compute(0, 0)
        self.assertEqual(self.account.grade_id, self.good)
        self.assertFalse(self.events('terms'), "unless the card says so")

        self.account.grade_id = False
        self.account.score_card_id.write_terms = True
        self.account.action_compute_score()
        customer = self.customer.with_company(self.company)
        self.assertEqual(customer.property_payment_term_id, term)
        self.assertEqual(customer.property_product_pricelist, pricelist)
        self.assertIn("Ten Days", self.events('terms').description)

        self.account.grade_id = False
        self.account.action_compute_score()
        self.assertEqual(self.account.grade_id, self.good)
        self.assertEqual(len(self.events('terms')), 1, "what is so already is no event")

        self.account.grade_id = False
        customer.property_payment_term_id = False
        self.account.action_compute_score()
        payload = json.loads(self.events('terms').sorted('number')[-1].payload)
        self.assertEqual(payload['payment_term_id'], term.id)
        self.assertNotIn('pricelist_id', payload, "nor is the half that is so already")

    def test_grade_of_a_natural_person_is_decided_by_somebody(self):
        person = self.env['res.partner'].create({'name': "Ms Zhao"})
        account = self._account(person)
        self._card()
        self._trade(0, 0, partner=person)
        account.action_compute_score()
        self.assertTrue(account.score_id.advisory)
        self.assertEqual((account.score_grade_id, account.grade_id), (self.good, self.env['credit.grade']))

    def test_override_holds_until_its_end_and_is_on_file(self):
        self._card()
        self._compute(0, 0)
        values = {'grade_id': self.bad.id, 'reason': "In court", 'date_until': self.today + timedelta(days=30)}
        override = (
            self.env['scoring.override']
            .with_user(self.analyst)
            .create({'account_id': self.account.id, 'user_id': self.manager.id, 'state': 'ended', **values})
        )
        self.assertEqual((override.user_id, override.state, override.direction), (self.analyst, 'active', 'worse'))
        self.assertEqual(self.account.grade_id, self.bad)
        self._compute(0, 90, 90)
        self.assertEqual(self.account.grade_id, self.bad)
        self.assertEqual(len(self.events('grade_overridden')), 1)
        self.env.cr.execute(
            SQL(
                "UPDATE scoring_override SET date_until = %s WHERE id = %s", self.today - timedelta(days=1), override.id
            )
        )
        override.invalidate_recordset()
        self.env['scoring.override'].sudo()._expire(self.company)
        self.assertEqual((override.state, override.date_ended), ('ended', self.today))
        self.assertEqual(self.account.grade_id, self.account.score_grade_id)
        self.assertEqual(len(self.events('override_ended')), 1)

    def test_where_a_card_only_proposes_the_grade_from_before_holds_again(self):
        self._card(grade_mode='propose')
        self.account.grade_id = self.middle
        self._compute(90, 90)
        values = {'account_id': self.account.id, 'reason': "x", 'date_until': self.today}
        Override = self.env['scoring.override'].with_user(self.manager)
        Override.create({**values, 'grade_id': self.good.id})
        second = Override.create({**values, 'grade_id': self.middle.id})
        self.assertEqual((second.grade_before_id, self.account.grade_id), (self.middle, self.middle))
        third = Override.create({**values, 'grade_id': self.good.id})
        third.action_end()
        self.assertEqual(self.account.grade_id, self.middle)
        last = Override.create({**values, 'grade_id': self.good.id})
        self.account.grade_id = False  # somebody has decided since
        last.action_end()
        self.assertFalse(self.account.grade_id)

    def test_override_expires_where_no_card_is_active_any_more(self):
        card = self._card()
        self._compute(0, 0)
        override = self.env['scoring.override'].create(
            {'account_id': self.account.id, 'grade_id': self.bad.id, 'reason': "x", 'date_until': self.today}
        )
        card.action_retire()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE scoring_override SET date_until = %s WHERE id = %s", self.today - timedelta(days=1), override.id
            )
        )
        override.invalidate_recordset()
        self.run_job()
        self.assertEqual((override.state, self.account.grade_id), ('ended', self.good))

    def test_override_needs_a_reason_a_later_day_and_another_grade(self):
        self._card()
        self._compute(0, 0)
        good = {'account_id': self.account.id, 'grade_id': self.bad.id, 'reason': "x", 'date_until': self.today}
        Override = self.env['scoring.override'].with_user(self.analyst)
        with self.assertRaises(ValidationError):
            Override.create({**good, 'reason': " "})
        with self.assertRaises(ValidationError):
            Override.create({**good, 'date_until': self.today - timedelta(days=1)})
        with self.assertRaises(UserError):
            Override.create({**good, 'grade_id': self.good.id})
        first, second = Override.create(good), Override.create({**good, 'grade_id': self.middle.id})
        self.assertEqual((first.state, second.state), ('ended', 'active'))
        with self.assertRaises(AccessError):
            second.write({'reason': "y"})
        with self.assertRaises(UserError):
            second.sudo().unlink()

    def test_better_grade_by_override_is_for_managers_where_grades_decide(self):
        self._policy(('grade_below', 'hold', {'grade_id': self.middle.id}))
        self._card()
        self._compute(90, 90)
        values = {
            'account_id': self.account.id,
            'grade_id': self.good.id,
            'reason': "Our own errors",
            'date_until': self.today,
        }
        with self.assertRaisesRegex(AccessError, "only credit managers"), self.env.cr.savepoint():
            self.env['scoring.override'].with_user(self.analyst).create(values)
        self.env['scoring.override'].with_user(self.manager).create(values)
        self.assertEqual(self.account.grade_id, self.good)


@tagged('post_install', '-at_install')
class TestScoringRun(ScoreCommon):
    def test_job_scores_all_customers_once_a_day(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self._card()
        self._trade(0)
        self._trade(60, 60, partner=other)
        self.run_job()
        account = self.Account.search([('partner_id', '=', other.id), ('company_id', '=', self.company.id)])
        self.assertEqual((self.account.score, account.score), (100, 0))
        run = self.env['scoring.run'].search([('company_id', '=', self.company.id)])
        self.assertEqual((run.state, run.date, run.score_count >= 2), ('done', self.today, True))
        self.run_job()
        self.assertEqual(len(self.scores()), 1)

    def test_managers_are_told_that_a_card_ends(self):
        card = self._card()
        self.run_job()
        self.assertFalse(card.activity_ids)

        card.date_to = self.today + timedelta(days=30)
        runs = self.env['scoring.run'].sudo()
        for _night in range(2):
            runs._again(self.company)
            self.run_job()
        asked = card.activity_ids
        self.assertEqual(asked.user_id, self.company._credit_managers())
        self.assertEqual(len(asked), len(asked.user_id))
        self.assertIn("nobody of its segment is scored", asked[0].note)

        card.date_to = self.today + timedelta(days=31)
        runs._again(self.company)
        self.run_job()
        self.assertFalse(card.activity_ids)
        card.date_to = self.today
        runs._again(self.company)
        self.run_job()
        self.assertTrue(card.activity_ids)
        card.action_retire()
        self.assertFalse(card.activity_ids)

    def test_interrupted_run_goes_on_where_it_was(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        account = self._account(other)
        self._card()
        self._trade(0)
        self._trade(0, partner=other)
        self.env['scoring.run'].sudo()._open(self.company)
        run = self.env['scoring.run'].sudo().search([('company_id', '=', self.company.id)])
        first, second = (self.account | account).sorted('id')
        run.write({'position': first.id})
        self.run_job()
        self.assertFalse(first.score_id)
        self.assertTrue(second.score_id)
        self.assertEqual(run.state, 'done')

    def test_run_of_a_day_that_passed_is_incomplete(self):
        self._card()
        runs = self.env['scoring.run'].sudo()
        runs.search([('company_id', '=', self.company.id)]).unlink()
        old = runs.create({'company_id': self.company.id, 'date': self.today - timedelta(days=1)})
        self.run_job()
        self.assertEqual(old.state, 'incomplete')
        self.assertEqual(runs.search([('date', '=', self.today), ('company_id', '=', self.company.id)]).state, 'done')

    def test_customer_who_can_not_be_scored_keeps_no_other_from_it(self):
        self._card()
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(4)])
        for partner in partners:
            self._trade(0, partner=partner)
        accounts = self.Account._for_partners(partners, self.company)
        poison, compute = accounts[2], type(self.env['scoring.score'])._compute_for

        def compute_for(scores, some, date=None):
            return 1 / 0 if poison.id in some.ids else compute(scores, some, date)

        self.patch(type(self.env['scoring.score']), '_compute_for', compute_for)
        with mute_logger('odoo.addons.customer_scoring.models.scoring_run'):
            self.run_job()
        run = self.env['scoring.run'].search([('company_id', '=', self.company.id)])
        self.assertEqual((run.state, run.bad_count), ('done', 1))
        self.assertEqual(accounts.filtered('score_id'), accounts - poison)
        self.assertTrue(self.company.partner_id.activity_search(['customer_scoring.mail_activity_type_run_failed']))

    def test_failure_of_a_company_is_told(self):
        self._card()
        self._trade(0)
        self.patch(type(self.env['scoring.score']), '_compute_for', lambda *_args: 1 / 0)
        with mute_logger('odoo.addons.credit_management.models.credit_day_run'):
            self.run_job()
        run = self.env['scoring.run'].search([('company_id', '=', self.company.id)])
        self.assertEqual((run.state, run.error), ('failed', 'ZeroDivisionError'))
        self.assertTrue(self.company.partner_id.activity_search(['customer_scoring.mail_activity_type_run_failed']))

    def test_company_without_an_active_card_has_no_run(self):
        self.run_job()
        self.assertFalse(self.env['scoring.run'].search([('company_id', '=', self.company.id)]))

    def test_statements_do_not_grow_with_the_customers(self):
        self._card('on_time_ratio', 'overdue_days')
        partners = self.env['res.partner'].create(
            [{'name': f"Customer {number}", 'is_company': True} for number in range(6)]
        )
        for partner in partners:
            self._trade(0, partner=partner)
        accounts = self.Account._for_partners(partners, self.company).sudo()
        (self.account | accounts).write({'grade_id': self.good.id})

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env['scoring.score']._compute_for(some, self.today)
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        count(accounts[:1])
        self.assertLessEqual(count(accounts[2:]), count(accounts[1:2]))


@tagged('post_install', '-at_install')
class TestScoreRule(ScoreCommon):
    def test_order_of_a_customer_with_a_low_score_is_held(self):
        self._policy(('score_below', 'hold', {'threshold': 60.0}))
        order = self._order()
        order.action_confirm()
        self.assertEqual(order.state, 'sale')  # not scored: not judged
        self._card()
        self._trade(50, 50)
        self.account.action_compute_score()
        order = self._order()
        order.action_confirm()
        self.assertEqual((order.state, order.credit_state), ('draft', 'on_hold'))
        line = order.credit_check_ids[:1].line_ids
        self.assertEqual((line.kind, line.actual), ('score_below', 0))
        self.assertEqual(line.message, "The credit score is lower than the policy asks for.")
        self._trade(*[0] * 20)
        self.account.action_compute_score()
        order = self._order()
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_check_does_not_tell_the_score(self):
        self._policy(('score_below', 'hold', {'threshold': 60.0}))
        self._card()
        accountant = self._new_user('an_accountant', 'account.group_account_invoice')
        for late, verdict in (((50, 0), 'hold'), ([0] * 20, 'pass')):
            self._trade(*late)
            self.account.action_compute_score()
            self.assertGreater(self.account.score, 0)
            order = self._order()
            order.action_confirm()
            [line] = order.credit_check_ids[:1].line_ids.with_user(accountant).read(['kind', 'verdict', 'actual'])
            self.assertEqual((line['kind'], line['verdict'], line['actual']), ('score_below', verdict, 0.0))
            with self.assertRaises(AccessError):
                self.account.with_user(accountant).read(['score'])

    def test_account_entered_by_hand_has_no_score_and_is_not_judged(self):
        self._policy(('score_below', 'hold', {'threshold': 60.0}))
        partner = self.env['res.partner'].create({'name': "By hand", 'is_company': True})
        account = self.Account.create({'partner_id': partner.id, 'company_id': self.company.id})
        self.env.flush_all()
        self.env.cr.execute("SELECT score FROM credit_account WHERE id = %s", [account.id])
        self.assertEqual(self.env.cr.fetchone(), (None,))
        order = self._order(partner=partner)
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_score_of_a_natural_person_stops_no_order(self):
        self._policy(('score_below', 'block', {'threshold': 60.0}))
        self._card()
        person = self.env['res.partner'].create({'name': "Ms Zhao"})
        account = self._account(person)
        self._trade(50, 50, partner=person)
        account.action_compute_score()
        self.assertEqual((account.score, account.score_advisory), (0, True))
        order = self._order(partner=person)
        order.action_confirm()
        self.assertEqual(order.state, 'sale')

    def test_rule_needs_a_threshold(self):
        with self.assertRaises(ValidationError):
            self._policy(('score_below', 'hold', {'threshold': 0.0}))

    def test_rule_without_scores_costs_no_statement(self):
        self._policy(('utilisation', 'hold', {'threshold': 100.0}))
        names = self.env['credit.account']._fact_columns()
        self.assertEqual(names, ['score', 'score_advisory'])
        self.figures(held=True)
        with self.assertQueryCount(1):
            self.figures(held=True)
        self.assertIn('score', self.figures(held=True))


@tagged('post_install', '-at_install')
class TestScoreIndexes(ScoreCommon):
    def test_two_active_cards_of_a_segment_are_refused_by_the_database(self):
        first, second = self._card(), self._card(active=False)
        self.assertEqual(first.state, 'active')
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            second._write_flow({'state': 'active'})
            self.env.flush_all()

    def test_dates_of_scores_are_days_of_the_company(self):
        self._card()
        self._trade(0)
        self.account.action_compute_score()
        self.assertEqual(self.account.score_id.date, fields.Date.to_date(self.company._credit_today()))
