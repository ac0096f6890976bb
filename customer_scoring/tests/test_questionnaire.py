from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from .common_entered import EnteredCommon


@tagged('post_install', '-at_install')
class TestQuestionnaire(EnteredCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.questionnaire = cls.env.ref('customer_scoring.questionnaire_impression')
        cls.Answer = cls.env['scoring.answer']

    def _answer(self, user=None, partner=None, best=True, submit=True):
        answer = self.Answer.with_user(user or self.sales_user).create({'partner_id': (partner or self.customer).id})
        for line in answer.line_ids:
            options = line.sudo().question_id.option_ids.sorted('points')
            line.option_id = options[-1 if best else 0].id
        if submit:
            answer.action_submit()
        return answer

    def _questionnaire(self, questions=5):
        return self.env['scoring.questionnaire'].create(
            {
                'name': "Own",
                'company_id': self.company.id,
                'question_ids': [
                    Command.create(
                        {
                            'name': f"Question {number}",
                            'option_ids': [
                                Command.create({'name': "Yes", 'points': 4}),
                                Command.create({'name': "No", 'points': 0}),
                            ],
                        }
                    )
                    for number in range(questions)
                ],
            }
        )

    def test_shipped_questionnaire_is_in_use(self):
        self.assertEqual((self.questionnaire.state, len(self.questionnaire.question_ids)), ('active', 7))

    def test_from_the_salesperson_to_the_score(self):
        answer = self._answer()
        self.assertEqual((answer.state, answer.date, len(answer.line_ids)), ('done', self.company._credit_today(), 7))
        self.assertEqual(answer.with_user(self.analyst).score, 100)
        self.assertEqual(self.values(self.company._credit_today())['questionnaire'], {self.customer.id: 100})
        [event] = self.events('questionnaire_answered')
        self.assertIn("100 of 100", event.description)
        self.assertEqual(event.user_id, self.sales_user)

    def test_score_by_weight(self):
        questionnaire = self._questionnaire()
        questionnaire.question_ids[0].weight = 4
        questionnaire.action_activate()
        answer = self.Answer.create({'partner_id': self.customer.id, 'questionnaire_id': questionnaire.id})
        for number, line in enumerate(answer.line_ids):
            line.option_id = line.question_id.option_ids[0 if number == 0 else 1]
        answer.action_submit()
        self.assertEqual(answer.score, 50)

    def test_form_asks_the_questions(self):
        with Form(self.Answer.with_user(self.sales_user)) as form:
            form.partner_id = self.customer
            self.assertEqual(len(form.line_ids), 7)
        self.assertEqual(len(form.record.line_ids), 7)

    def test_open_question_is_named(self):
        answer = self._answer(submit=False)
        answer.line_ids[0].option_id = False
        with self.assertRaisesRegex(UserError, "How well do you know"):
            answer.action_submit()
        # Nor does it help to drop the question.
        answer.line_ids[0].unlink()
        with self.assertRaisesRegex(UserError, "How well do you know"):
            answer.action_submit()

    def test_handed_in_stays(self):
        answer = self._answer()
        option = answer.line_ids[0].sudo().question_id.option_ids[-1]
        with self.assertRaises(UserError):
            answer.line_ids[0].option_id = option.id
        with self.assertRaises(UserError):
            answer.note = "later"
        with self.assertRaises(UserError):
            answer.unlink()
        with self.assertRaises(UserError):
            answer.action_submit()
        with self.assertRaises(AccessError):
            self._answer(submit=False).write({'state': 'done'})

    def test_answer_of_another_question(self):
        answer = self._answer(submit=False)
        with self.assertRaisesRegex(UserError, "is no answer to"):
            answer.line_ids[0].option_id = answer.line_ids[1].option_id

    def test_salesperson_answers_for_own_customers_only(self):
        with self.assertRaisesRegex(AccessError, "own customers"):
            self._answer(partner=self.other_customer)

    def test_salesperson_sees_own_answers_and_no_score(self):
        mine, other = self._answer(), self._answer(self.analyst)
        seen = self.Answer.with_user(self.sales_user).search([])
        self.assertIn(mine, seen)
        self.assertNotIn(other, seen)
        self.assertLessEqual(mine + other, self.Answer.with_user(self.analyst).search([]))
        self.assertLessEqual(mine + other, self.Answer.with_user(self.auditor).search([]))
        self.assertNotIn(other.line_ids, self.env['scoring.answer.line'].with_user(self.sales_user).search([]))
        for record, name in (
            (mine, 'score'),
            (mine.line_ids.option_id, 'points'),
            (mine.line_ids.question_id, 'weight'),
        ):
            with self.assertRaises(AccessError):
                record.with_user(self.sales_user).read([name])
        with self.assertRaisesRegex(AccessError, "Credit analysts"):
            mine.action_withdraw()

    def test_latest_answers_count_while_they_are_valid(self):
        with freeze_time('2026-02-01'):
            self._answer()
        with freeze_time('2026-03-01'):
            worst = self._answer(best=False)
        for day, score in ((date(2026, 2, 1), 100), (date(2026, 3, 1), 0)):
            self.assertEqual(self.values(day)['questionnaire'], {self.customer.id: score})
        self.assertNotIn('questionnaire', self.values(date(2026, 1, 31)))
        self.assertNotIn('questionnaire', self.values(date(2027, 3, 2)))
        with freeze_time('2026-04-01'):
            worst.with_user(self.analyst).action_withdraw()
        self.assertEqual(self.values(date(2026, 4, 1))['questionnaire'], {self.customer.id: 100})

    def test_in_use_is_not_changed(self):
        manager = self.questionnaire.with_user(self.manager)
        with self.assertRaisesRegex(UserError, "new version"):
            manager.name = "Other"
        with self.assertRaises(UserError):
            manager.question_ids[0].weight = 9
        with self.assertRaises(UserError):
            manager.question_ids[0].option_ids[0].points = 9
        with self.assertRaises(UserError):
            manager.question_ids[0].unlink()
        with self.assertRaises(UserError):
            manager.state = 'draft'

    def test_new_version_retires_the_former(self):
        first = self._questionnaire()
        first.action_activate()
        second = self.env['scoring.questionnaire'].browse(first.action_new_version()['res_id'])
        self.assertEqual((second.state, second.version, len(second.question_ids)), ('draft', 2, 5))
        second.question_ids[0].name = "Another question"
        second.action_activate()
        self.assertEqual((first.state, second.state), ('retired', 'active'))
        third = self.env['scoring.questionnaire'].browse(second.action_new_version()['res_id'])
        third.action_activate()
        self.assertEqual((second.state, third.version), ('retired', 3))
        with self.assertRaisesRegex(UserError, "not in use"):
            self.Answer.create({'partner_id': self.customer.id, 'questionnaire_id': first.id})

    def test_incomplete_questionnaire(self):
        with self.assertRaisesRegex(UserError, "has 4 questions"):
            self._questionnaire(4).action_activate()
        with self.assertRaisesRegex(UserError, "has 11 questions"):
            self._questionnaire(11).action_activate()
        draft = self._questionnaire()
        draft.question_ids[0].option_ids[0].points = 0
        with self.assertRaisesRegex(UserError, "at least two answers"):
            draft.action_activate()

    def test_own_comes_before_the_one_for_all(self):
        own = self._questionnaire()
        self.assertEqual(self.Answer.new({}).questionnaire_id, self.questionnaire)
        own.action_activate()
        self.assertEqual(self.Answer.new({}).questionnaire_id, own)
