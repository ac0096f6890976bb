import io
import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL, file_path, mute_logger

from ..engine.chain import GENESIS, Event, Seal, event_hash, seal_hash
from .common import CreditCommon

LOCKED = ('credit_event', 'credit_seal')


class CreditFileCommon(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Event = cls.env['credit.event']
        cls.auditor = cls._new_user('credit_auditor', 'credit_management.group_credit_auditor')
        # Out of the way of a demo company's own file.
        cls.account = cls._account()
        cls.other = cls._account(cls.env['res.partner'].create({'name': "Other Customer", 'is_company': True}))

    @classmethod
    def _events(cls, account, count=5):
        """Append so many events of the same kind."""
        return cls.Event._record([(account, 'status', {'before': 'normal', 'after': 'watch'})] * count)

    @classmethod
    def _seal(cls, company=None):
        return cls.env['credit.seal']._seal(company or cls.company)

    def sql(self, query, *args):
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args))
        self.env.invalidate_all()
        return self.env.cr.fetchall() if self.env.cr.description else None

    @contextmanager
    def unlocked(self):
        """Do what only a database owner can do, who covers his tracks."""
        for table in LOCKED:
            self.sql("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table))
        yield
        for table in LOCKED:
            self.Event._lock_table(table)

    def findings(self, accounts=None, company=None):
        """Return (kind, account id, number) of each finding of a look at the company's file."""
        result = self.Event._verify_chain(accounts, company or self.company)
        return [(finding.kind, finding.account_id, finding.number) for finding in result.findings]

    def export(self, user=None, **values):
        """Return the content of an exported file."""
        export = (
            self.env['credit.file.export']
            .with_user(user or self.auditor)
            .create({'company_id': self.company.id, **values})
        )
        target = io.BytesIO()
        export._write_file(target)
        return target.getvalue()

    def outside(self, content=None):
        """Run the program for use outside Odoo on an export; return its exit code and lines."""
        program = file_path('credit_management/static/verify/verify_credit_file.py')
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'file.json'
            path.write_bytes(self.export() if content is None else content)
            # Isolated: it must not see Odoo nor any package.
            done = subprocess.run(
                [sys.executable, '-I', '-S', program, str(path)], capture_output=True, text=True, check=False
            )
        self.assertEqual(done.stderr, '')
        return done.returncode, done.stdout.splitlines()

    def assertFound(self, kind, account, number, text):
        """Check that a tampering is found and named, in Odoo and outside, and nothing else is."""
        account_id = account and account.id
        self.assertEqual(self.findings(), [(kind, account_id, number)])
        code, lines = self.outside()
        self.assertEqual(code, 1, lines)
        self.assertEqual(len(lines), 2, lines)
        self.assertIn(text, lines[0])
        if account:
            self.assertIn(f'Account {account_id}:', lines[0])


@tagged('post_install', '-at_install')
class TestCreditEventChain(CreditFileCommon):
    def test_events_of_a_batch_follow_each_other_per_account(self):
        first = self._events(self.account, 1)

        events = self.Event._record(
            [
                (self.account, 'archived', {}),
                (self.other, 'archived', {}),
                (self.account, 'restored', {}),
            ]
        )

        self.assertEqual(events.mapped('number'), [2, 1, 3])
        self.assertEqual(events.mapped('kind'), ['archived', 'archived', 'restored'])
        self.assertEqual(events.mapped('previous_hash'), [first.hash, GENESIS, events[0].hash])
        self.assertEqual(events.user_id, self.env.user)
        counters = self.env['credit.counter'].search([('account_id', 'in', (self.account + self.other).ids)])
        self.assertEqual(
            {counter.account_id: (counter.head_number, counter.head_hash) for counter in counters},
            {self.account: (3, events[2].hash), self.other: (1, events[1].hash)},
        )
        self.assertEqual(self.findings(), [])

    def test_hash_is_that_of_the_documented_text(self):
        [event] = self.Event._record([(self.account, 'core_limit', {'note_id': 7, 'amount': 12.5, 'text': 'Ü"'})])

        [(date,)] = self.sql(
            "SELECT to_char(date, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM credit_event WHERE id = %s", event.id
        )
        text = (
            f'{{"account_id":{self.account.id},"date":"{date}","kind":"core_limit","number":1,"payload":'
            + json.dumps(event.payload)
            + f',"previous_hash":"{"0" * 64}","user_id":{self.env.uid}}}'
        )
        self.assertEqual(event.hash, sha256(text.encode('ascii')).hexdigest())
        self.assertEqual(json.loads(event.payload), {'note_id': 7, 'amount': 12.5, 'text': 'Ü"'})

    def test_any_number_of_events_costs_three_statements(self):
        self.env.flush_all()
        with self.assertQueryCount(3):
            self.Event._record([(account, 'archived', {}) for account in self.account + self.other] * 50)
        self.assertEqual(self.findings(), [])

    def test_nothing_to_record_costs_no_statement(self):
        with self.assertQueryCount(0):
            self.assertFalse(self.Event._record([]))

    def test_bump_and_events_share_the_counter_without_disturbing_each_other(self):
        self.env['credit.counter']._bump(self.account)
        self._events(self.account, 2)
        self.env['credit.counter']._bump(self.account)

        counter = self.env['credit.counter'].search([('account_id', '=', self.account.id)])
        self.assertEqual((counter.n, counter.head_number), (2, 2))
        self.assertEqual(self.findings(), [])

    def test_account_with_a_file_is_not_deleted(self):
        self._events(self.account, 1)
        with self.assertRaisesRegex(UserError, "Archive the account"):
            self.account.unlink()

    def test_deleting_a_user_leaves_the_file_as_it_is(self):
        user = self._new_user('leaver', 'credit_management.group_credit_manager')
        event = self.Event.with_user(user)._record([(self.account, 'archived', {})])
        user_id = user.id

        user.unlink()

        self.env.invalidate_all()
        self.assertEqual(self.sql("SELECT user_id FROM credit_event WHERE id = %s", event.id), [(user_id,)])
        self.assertEqual(self.findings(), [])
        reader = event.with_user(self.auditor)
        self.assertEqual(reader.web_read({'user_name': {}})[0]['user_name'], f"#{user_id}")
        self.assertEqual(self.Event.search([('user_id', '=', user_id)]), event)
        groups = self.Event.formatted_read_group([('account_id', '=', self.account.id)], ['user_id'], ['__count'])
        self.assertEqual([group['__count'] for group in groups], [1])


@tagged('post_install', '-at_install')
class TestCreditEventLock(CreditFileCommon):
    def test_orm_refuses_to_add_change_and_delete(self):
        event, seal = self._events(self.account, 1), self._seal()
        for record, values in ((event, {'payload': '{}'}), (seal, {'hash': 'x'})):
            for system in (record, record.sudo()):
                with self.assertRaises(UserError):
                    system.write(values)
                with self.assertRaises(UserError):
                    system.unlink()
                with self.assertRaises(UserError):
                    system.create(values)

    @mute_logger('odoo.sql_db')
    def test_database_refuses_its_owner_to_change_and_delete(self):
        self._events(self.account, 1)
        self._seal()
        statements = ("UPDATE %s SET hash = 'x'", "UPDATE %s SET hash = hash", "DELETE FROM %s", "TRUNCATE %s CASCADE")
        for table in LOCKED:
            for statement in statements:
                with (
                    self.subTest(table=table, statement=statement),
                    self.assertRaisesRegex(psycopg2.errors.InsufficientPrivilege, "credit file is kept as it is"),
                    self.cr.savepoint(),
                ):
                    self.sql(statement, SQL.identifier(table))

    def test_locking_again_changes_nothing(self):
        for table in LOCKED:
            self.Event._lock_table(table)
        self.assertEqual(self.Event._unlocked_tables(), [])

    def test_verify_says_that_the_lock_is_off(self):
        self.sql("ALTER TABLE credit_seal DISABLE TRIGGER credit_file_locked")
        [finding] = self.Event._verify_chain(company=self.company).findings
        self.assertEqual((finding.kind, finding.table), ('lock', 'credit_seal'))

    def test_verify_says_that_the_lock_was_made_to_do_nothing(self):
        weakened = (
            "CREATE OR REPLACE FUNCTION credit_file_locked() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'",
            "DROP TRIGGER credit_file_locked ON credit_event;"
            " CREATE TRIGGER credit_file_locked BEFORE UPDATE OR DELETE ON credit_event"
            " FOR EACH ROW WHEN (FALSE) EXECUTE FUNCTION credit_file_locked();"
            " ALTER TABLE credit_event ENABLE ALWAYS TRIGGER credit_file_locked",
            "DROP TRIGGER credit_file_locked ON credit_event;"
            " CREATE TRIGGER credit_file_locked BEFORE DELETE ON credit_event"
            " FOR EACH ROW EXECUTE FUNCTION credit_file_locked();"
            " ALTER TABLE credit_event ENABLE ALWAYS TRIGGER credit_file_locked",
        )
        for statement in weakened:
            with self.subTest(statement=statement):
                self.sql(statement)
                self.assertIn('credit_event', self.Event._unlocked_tables())
                for table in LOCKED:
                    self.Event._lock_table(table)
                self.assertEqual(self.Event._unlocked_tables(), [])


@tagged('post_install', '-at_install')
class TestCreditEventTampering(CreditFileCommon):
    """Whatever a database owner does with the trigger off is found and named, here and outside."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._events(cls.account, 5)
        cls._events(cls.other, 2)

    def _count(self, account, number):
        """Make the counter agree with a cut chain."""
        self.sql(
            "UPDATE credit_counter SET head_number = %s, head_hash = "
            "(SELECT hash FROM credit_event WHERE account_id = %s AND number = %s) WHERE account_id = %s",
            number, account.id, number, account.id,
        )  # fmt: skip

    def _rehash(self, account, number):
        """Give an event the hash that its content asks for, as one does who knows the rules."""
        [row] = self.sql(
            "SELECT %s FROM credit_event WHERE account_id = %s AND number = %s",
            SQL(", ").join(map(SQL.identifier, Event._fields)), account.id, number,
        )  # fmt: skip
        hash_ = event_hash(Event(*row))
        self.sql("UPDATE credit_event SET hash = %s WHERE account_id = %s AND number = %s", hash_, account.id, number)
        return hash_

    def test_untouched_file_is_sound(self):
        self._seal()
        self.assertEqual(self.findings(), [])
        result = self.Event._verify_chain(company=self.company)
        self.assertEqual((result.events, result.accounts), (7, 2))
        code, lines = self.outside()
        self.assertEqual(code, 0, lines)
        self.assertIn('All is sound: 7 events of 2 accounts, 1 seals.', lines[0])
        self.assertIn(result.last_seals[self.company].hash, lines[1])

    def test_content(self):
        for column, value in (('payload', '{}'), ('kind', 'released'), ('user_id', 1), ('date', '2020-01-01')):
            with self.subTest(column=column), self.env.cr.savepoint() as savepoint:
                with self.unlocked():
                    self.sql(
                        "UPDATE credit_event SET %s = %s WHERE account_id = %s AND number = 3",
                        SQL.identifier(column), value, self.account.id,
                    )  # fmt: skip
                self.assertFound('content', self.account, 3, "event 3 was changed")
                savepoint.rollback()

    def test_content_with_its_hash_made_anew(self):
        with self.unlocked():
            self.sql("UPDATE credit_event SET payload = '{}' WHERE account_id = %s AND number = 3", self.account.id)
            self._rehash(self.account, 3)
        self.assertFound('link', self.account, 4, "event 4 does not follow from the one before")

    def test_last_content_with_its_hash_made_anew(self):
        with self.unlocked():
            self.sql("UPDATE credit_event SET payload = '{}' WHERE account_id = %s AND number = 5", self.account.id)
            self._rehash(self.account, 5)
        self.assertFound('counter', self.account, 5, "the counter was changed")

    def test_chain_written_anew_with_its_counter_is_found_by_the_seal(self):
        self._seal()
        with self.unlocked():
            self.sql("UPDATE credit_event SET payload = '{}' WHERE account_id = %s AND number = 4", self.account.id)
            previous = self._rehash(self.account, 4)
            self.sql(
                "UPDATE credit_event SET previous_hash = %s WHERE account_id = %s AND number = 5",
                previous, self.account.id,
            )  # fmt: skip
            self._rehash(self.account, 5)
            self._count(self.account, 5)
        self.assertFound('rewritten', self.account, 5, "event 5 was rewritten after seal 1")

        self._seal()  # which seals the new one as well; the first seal is the one that counts

        self.assertFound('rewritten', self.account, 5, "event 5 was rewritten after seal 1")

    def _add(self, account, date):
        """Append an event by SQL as one does who knows the rules: with the right hashes and the counter advanced."""
        [[number, previous]] = self.sql(
            "SELECT COALESCE(MAX(number), 0), (array_agg(hash ORDER BY number DESC))[1] FROM credit_event "
            "WHERE account_id = %s",
            account.id,
        )
        event = Event(account.id, number + 1, 'status', date, self.env.uid, '{}', previous or GENESIS, '')
        event = event._replace(hash=event_hash(event))
        self.sql(
            "INSERT INTO credit_event (%s) VALUES %s",
            SQL(", ").join(map(SQL.identifier, Event._fields)), tuple(event),
        )  # fmt: skip
        self.sql(
            "INSERT INTO credit_counter (account_id, n, head_number, head_hash) VALUES (%s, 0, %s, %s) "
            "ON CONFLICT (account_id) DO UPDATE SET head_number = EXCLUDED.head_number, head_hash = EXCLUDED.head_hash",
            account.id, event.number, event.hash,
        )  # fmt: skip

    def _sentence(self):
        """Return what Odoo says about the only finding."""
        [finding] = self.Event._verify_chain(company=self.company).findings
        return self.env['credit.verification.finding']._message(finding)

    def test_event_added_under_an_earlier_date(self):
        self._add(self.account, datetime(2020, 1, 1))
        text = "event 6 is dated more than a day before one that precedes it"
        self.assertFound('date', self.account, 6, text)
        self.assertIn(text, self._sentence())

        self._seal()  # too late

        self.assertFound('date', self.account, 6, text)

    def test_event_added_under_a_date_before_the_seal(self):
        with freeze_time(datetime.now() + timedelta(days=3)):
            self._seal()
            self._events(self.other, 1)
        # Later than the events, but the seal would have had it.
        self._add(self.account, datetime.now() + timedelta(hours=1))
        text = "event 6 is dated before seal 1, which was made without it"
        self.assertFound('date', self.account, 6, text)
        self.assertIn(text, self._sentence())

        with freeze_time(datetime.now() + timedelta(days=4)):
            self._seal()

        self.assertFound('date', self.account, 6, text)

    def test_first_event_of_an_account_added_under_a_date_before_the_seal(self):
        self._seal()
        stranger = self._account(self.env['res.partner'].create({'name': "Third Customer", 'is_company': True}))
        self._add(stranger, datetime(2020, 1, 1))
        self.assertFound('date', stranger, 1, "event 1 is dated before seal 1")

    def test_dates_may_cross_by_less_than_a_day(self):
        self._seal()
        self._add(self.account, datetime.now() - timedelta(hours=23))
        self._seal()
        self._events(self.account, 1)
        self.assertEqual(self.findings(), [])
        code, lines = self.outside()
        self.assertEqual(code, 0, lines)

    def test_two_events_swapped(self):
        with self.unlocked():
            for before, after in ((2, -1), (4, 2), (-1, 4)):
                self.sql(
                    "UPDATE credit_event SET number = %s WHERE account_id = %s AND number = %s",
                    after, self.account.id, before,
                )  # fmt: skip
        self.assertFound('order', self.account, 2, "event 2 stands in the wrong place; it was written as number 4")

    def test_number_changed(self):
        with self.unlocked():
            self.sql("UPDATE credit_event SET number = 9 WHERE account_id = %s AND number = 3", self.account.id)
        self.assertFound('gap', self.account, 3, "events 3 to 3 are missing")

    def test_event_removed_from_the_middle(self):
        with self.unlocked():
            self.sql("DELETE FROM credit_event WHERE account_id = %s AND number IN (2, 3)", self.account.id)
        self.assertFound('gap', self.account, 2, "events 2 to 3 are missing")

    def test_event_moved_to_another_account(self):
        with self.unlocked():
            self.sql(
                "UPDATE credit_event SET account_id = %s, number = 3 WHERE account_id = %s AND number = 5",
                self.other.id, self.account.id,
            )  # fmt: skip
        self.assertEqual(self.findings(), [('tail', self.account.id, 5), ('content', self.other.id, 3)])
        self.assertEqual(self.outside()[0], 1)

    def test_tail_cut(self):
        with self.unlocked():
            self.sql("DELETE FROM credit_event WHERE account_id = %s AND number > 3", self.account.id)
        self.assertFound('tail', self.account, 4, "the end is cut off, events 4 to 5; the counter has them")

    def test_tail_cut_with_the_counter_adjusted_is_found_by_the_seal(self):
        self._seal()
        with self.unlocked():
            self.sql("DELETE FROM credit_event WHERE account_id = %s AND number > 3", self.account.id)
            self._count(self.account, 3)
        self.assertFound('tail', self.account, 4, "the end is cut off, events 4 to 5; seal 1 has them")

    def test_whole_account_removed_with_its_counter_is_found_by_the_seal(self):
        self._seal()
        with self.unlocked():
            self.sql("DELETE FROM credit_event WHERE account_id = %s", self.account.id)
            self.sql("DELETE FROM credit_counter WHERE account_id = %s", self.account.id)
        self.assertFound('removed', self.account, 1, "the whole file is gone, events 1 to 5; seal 1 has them")

    def test_account_itself_removed_is_found_by_the_seal(self):
        self._seal()
        gone = self.account.browse(self.account.id)
        with self.unlocked():
            self.sql("DELETE FROM credit_event WHERE account_id = %s", gone.id)
            self.sql("DELETE FROM credit_account WHERE id = %s", gone.id)
        self.assertFound('removed', gone, 1, "the whole file is gone, events 1 to 5; seal 1 has them")
        [finding] = self.Event._verify_chain(company=self.company).findings
        self.assertIn(f"#{gone.id}", self.env['credit.verification.finding']._message(finding))

    def test_events_removed_without_a_seal_are_found_by_the_counter(self):
        with self.unlocked():
            self.sql("DELETE FROM credit_event WHERE account_id = %s", self.account.id)
        self.assertFound('removed', self.account, 1, "events 1 to 5; the counter has them")

    def test_account_moved_to_another_company_is_found_by_the_seal(self):
        self._seal()
        elsewhere = self.env['res.company'].create({'name': "Elsewhere"})
        self.sql("UPDATE credit_account SET company_id = %s WHERE id = %s", elsewhere.id, self.account.id)
        self.assertFound('removed', self.account, 1, "the whole file is gone")

    def test_counter_changed(self):
        for change in ("head_hash = repeat('a', 64)", "head_number = 4", "head_number = 0, head_hash = NULL"):
            with self.subTest(change=change), self.env.cr.savepoint() as savepoint:
                self.sql("UPDATE credit_counter SET %s WHERE account_id = %s", SQL(change), self.account.id)
                self.assertFound('counter', self.account, 5, "the counter was changed")
                savepoint.rollback()

    def test_counter_removed(self):
        self.sql("DELETE FROM credit_counter WHERE account_id = %s", self.account.id)
        self.assertFound('counter', self.account, 5, "the counter was changed")

    def _three_seals(self):
        for _night in range(3):
            self._events(self.account, 1)
            self._seal()

    def test_seal_content(self):
        self._three_seals()
        for column, value in (('heads', ''), ('heads', 'x y z;1 2 3'), ('date', '2020-01-01')):
            with self.subTest(column=column, value=value), self.env.cr.savepoint() as savepoint:
                with self.unlocked():
                    self.sql("UPDATE credit_seal SET %s = %s WHERE number = 2", SQL.identifier(column), value)
                self.assertFound('seal_content', None, 2, "Seal 2 was changed")
                savepoint.rollback()

    def test_seal_removed(self):
        self._three_seals()
        with self.unlocked():
            self.sql("DELETE FROM credit_seal WHERE number = 2")
        self.assertFound('seal_gap', None, 2, "Seals 2 to 2 are missing")

    def test_last_seal_removed(self):
        self._three_seals()
        with self.unlocked():
            self.sql("DELETE FROM credit_seal WHERE number = 3")
        self.assertFound('seal_tail', None, 3, "Seals 3 to 3 are missing")

    def test_all_seals_removed(self):
        self._three_seals()
        with self.unlocked():
            self.sql("DELETE FROM credit_seal")
        self.assertFound('seal_tail', None, 1, "Seals 1 to 3 are missing")

    def test_seal_with_its_hash_made_anew(self):
        self._three_seals()
        with self.unlocked():
            self.sql("UPDATE credit_seal SET heads = '' WHERE number = 2")
            [row] = self.sql(
                "SELECT %s FROM credit_seal WHERE number = 2", SQL(", ").join(map(SQL.identifier, Seal._fields))
            )
            self.sql("UPDATE credit_seal SET hash = %s WHERE number = 2", seal_hash(Seal(*row)))
        self.assertFound('seal_link', None, 3, "Seal 3 does not follow")

    def test_company_counter_changed(self):
        self._three_seals()
        self.sql("UPDATE credit_counter SET head_hash = repeat('a', 64) WHERE company_id = %s", self.company.id)
        self.assertFound('seal_counter', None, 3, "does not agree with the last seal, 3")

    def test_each_broken_chain_is_named_once(self):
        with self.unlocked():
            self.sql("UPDATE credit_event SET payload = '{}' WHERE account_id IN %s", (self.account.id, self.other.id))
        self.assertEqual(self.findings(), [('content', self.account.id, 1), ('content', self.other.id, 1)])
        self.assertEqual(self.findings(self.other), [('content', self.other.id, 1)])

    def test_every_finding_has_a_sentence_and_opens_something(self):
        self._three_seals()
        with self.unlocked():
            self.sql("UPDATE credit_event SET payload = '{}' WHERE account_id = %s AND number = 2", self.account.id)
            self.sql("DELETE FROM credit_event WHERE account_id = %s", self.other.id)
            self.sql("DELETE FROM credit_seal WHERE number = 3")
        verification = self.env['credit.verification'].with_user(self.auditor).create({'company_id': self.company.id})

        verification.action_verify()

        self.assertEqual(verification.state, 'broken')
        self.assertIn("Broken chains: 3", verification.summary)
        self.assertEqual(
            verification.finding_ids.mapped('message'),
            [
                "Seal 3 is missing.",
                f"Hengda Trading (#{self.account.id}): event 2 was changed.",
                f"Other Customer (#{self.other.id}): the whole file is gone, events 1 to 2; seal 1 has them.",
            ],
        )
        opened = [finding.action_open() for finding in verification.finding_ids]
        self.assertEqual([action['res_model'] for action in opened], ['credit.seal', 'credit.event', 'credit.event'])
        self.assertEqual(self.Event.browse(opened[1]['res_id']).number, 2)


@tagged('post_install', '-at_install')
class TestCreditSeal(CreditFileCommon):
    def _heads(self, seal):
        return [tuple(map(int, head.split()[:2])) for head in seal.heads.split(';')]

    def test_seal_holds_what_changed_since_the_one_before(self):
        self._events(self.account, 3)
        self._events(self.other, 1)
        first = self._seal()
        self._events(self.other, 2)

        second = self._seal()

        self.assertEqual(self._heads(first), [(self.account.id, 3), (self.other.id, 1)])
        self.assertEqual(self._heads(second), [(self.other.id, 3)])
        self.assertEqual((second.number, second.previous_hash), (2, first.hash))
        counter = self.env['credit.counter'].search([('company_id', '=', self.company.id)])
        self.assertEqual((counter.head_number, counter.head_hash), (2, second.hash))

    def test_second_run_on_a_day_makes_no_seal(self):
        self._events(self.account, 1)
        with self.enter_registry_test_mode():
            cron = self.env.ref('credit_management.ir_cron_seal')
            cron.method_direct_trigger()
            cron.method_direct_trigger()
        self.assertEqual(self.env['credit.seal'].search_count([('company_id', '=', self.company.id)]), 1)
        self.assertEqual(self.findings(), [])

    def test_each_root_company_has_seals_of_its_own(self):
        elsewhere = self.env['res.company'].create({'name': "Elsewhere"})
        stranger = self._account(company=elsewhere)
        self._events(self.account, 1)
        self._events(stranger, 2)

        mine, theirs = self._seal(), self._seal(elsewhere)

        self.assertEqual(self._heads(mine), [(self.account.id, 1)])
        self.assertEqual(self._heads(theirs), [(stranger.id, 2)])
        self.assertEqual((mine.number, theirs.number), (1, 1))
        self.assertEqual(self.findings(), [])
        self.assertEqual(self.findings(company=elsewhere), [])

    def test_job_runs_again_when_another_was_first(self):
        tries = []

        def step():
            tries.append(1)
            if len(tries) < 3:
                raise psycopg2.errors.SerializationFailure
            return 'done'

        self.patch(self.env.cr, 'rollback', lambda: None)
        self.assertEqual(self.env['credit.counter']._in_turn(step), 'done')
        self.assertEqual(len(tries), 3)


@tagged('post_install', '-at_install')
class TestCreditEventRecording(CreditFileCommon):
    def _kinds(self, account=None):
        return self.Event.search([('account_id', '=', (account or self.account).id)], order='number').mapped('kind')

    def _payload(self, kind):
        return self.Event.search([('account_id', '=', self.account.id), ('kind', '=', kind)], limit=1)._content()

    def test_limit_from_proposal_to_end(self):
        first = self._limit(self.account, 100)
        second = self.env['credit.limit'].create({'account_id': self.account.id, 'amount': 200})
        second.action_submit()
        second.action_draft()
        second.action_submit()
        second.with_user(self.manager).action_approve()
        third = self.env['credit.limit'].create({'account_id': self.account.id, 'amount': 300, 'reason': "secret"})
        third.action_submit()
        third.with_user(self.manager)._reject("more secret words")

        self.assertEqual(
            self._kinds(),
            [
                'limit_submitted', 'limit_approved',
                'limit_submitted', 'limit_withdrawn', 'limit_submitted', 'limit_closed', 'limit_approved',
                'limit_submitted', 'limit_rejected',
            ],
        )  # fmt: skip
        closed = self._payload('limit_closed')
        self.assertEqual((closed['limit_id'], closed['superseded_by_id']), (first.id, second.id))
        rejected = self.Event.search([('account_id', '=', self.account.id), ('kind', '=', 'limit_rejected')])
        self.assertEqual(rejected.user_id, self.manager)
        self.assertFalse(self.Event.search([('payload', 'ilike', 'secret')]), "people's words stay on the documents")
        self.assertEqual(self.findings(), [])

    def test_status_policy_and_archiving(self):
        policy = self._policy(('utilisation', 'hold', {'threshold': 100.0}))
        self.account.write({'status': 'watch', 'policy_id': policy.id})
        self.account.write({'status': 'watch', 'status_reason': "the same"})
        self.account.action_archive()
        self.account.action_unarchive()
        blacklisted = self.Account.create(
            {
                'partner_id': self.env['res.partner'].create({'name': "Bad"}).id,
                'status': 'blacklisted',
                'status_reason': "insolvent",
            }
        )

        self.assertEqual(self._kinds(), ['status', 'policy', 'archived', 'restored'])
        self.assertEqual(self._payload('status'), {'before': 'normal', 'after': 'watch'})
        self.assertEqual(self._payload('policy'), {'policy_before_id': None, 'policy_id': policy.id})
        self.assertEqual(self._kinds(blacklisted), ['status', 'blacklisted'])

    def test_order_from_hold_to_release(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(150)
        order.with_user(self.sales_user).action_confirm()
        order.with_user(self.sales_user)._credit_request_release("please")
        order.with_user(self.manager)._credit_release("paid")

        self.assertEqual(order.state, 'sale')
        self.assertEqual(
            self._kinds(), ['limit_submitted', 'limit_approved', 'reviewed', 'held', 'release_requested', 'released']
        )
        held = self._payload('held')
        self.assertEqual((held['res_model'], held['res_id']), ('sale.order', order.id))
        self.assertEqual((held['amount'], held['excess'], held['effective_limit']), (150, 50, 100))
        self.assertEqual((held['outcome'], held['rules']), ('hold', ['utilisation']))
        released = self.Event.search([('account_id', '=', self.account.id), ('kind', '=', 'released')])
        self.assertEqual(released.user_id, self.manager)
        self.assertEqual(released._content()['release_id'], order.credit_release_id.id)
        self.assertEqual(self.findings(), [])

    def test_rules_that_only_warned_are_no_reason_of_a_hold(self):
        self._policy(
            ('utilisation', 'hold', {'threshold': 100.0}),
            ('overdue_amount', 'warn', {'threshold': 10.0}),
            ('days_overdue', 'warn', {'threshold': 20.0}),
        )
        self._account(limit=100)
        self._invoice(60, due='2020-01-01')
        self._order_of(150).action_confirm()
        self.assertEqual(self._payload('held')['rules'], ['utilisation'])

    def test_order_held_again_for_the_same_reason_is_noted_once(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(150)
        order.action_confirm()
        order.action_confirm()
        order.with_user(self.other_manager)._credit_reject("no")
        self.assertEqual(self._kinds()[3:], ['held', 'rejected'])

    def test_passing_check_writes_no_event(self):
        self._limit_policy()
        self._account(limit=100)
        before = self._kinds()
        self._order_of(50, confirm=True)
        self.assertEqual(self._kinds(), before)

    def test_shadow_mode_writes_no_event(self):
        self._limit_policy(mode='shadow')
        self._account(limit=100)
        before = self._kinds()
        self._order_of(150, confirm=True)
        self.assertEqual(self._kinds(), before)

    def test_growth_by_the_system_is_noted(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(90, confirm=True)
        order.sudo().order_line.price_unit = 150
        grown = self._payload('grown')
        self.assertEqual((grown['res_id'], grown['increase'], grown['amount']), (order.id, 60, 150))

    def test_order_in_another_currency_keeps_both(self):
        currency = self.setup_other_currency('EUR', rates=[('2000-01-01', 2.0)])
        self._limit_policy()
        self._account(limit=100)
        pricelist = self.env['product.pricelist'].create({'name': "EUR", 'currency_id': currency.id})
        order = self._order_of(300, pricelist_id=pricelist.id)
        order.action_confirm()
        held = self._payload('held')
        self.assertEqual((held['amount'], held['currency_id']), (300, currency.id))
        self.assertEqual((held['excess'], held['company_currency_id']), (50, self.currency.id))


@tagged('post_install', '-at_install')
class TestCreditEventReading(CreditFileCommon):
    def _described(self, kind, user=None):
        event = self.Event.search([('account_id', '=', self.account.id), ('kind', '=', kind)], limit=1)
        return event.with_user(user or self.auditor).description

    def test_events_are_told_in_words(self):
        self._limit_policy()
        self._account(limit=100, status='watch')
        order = self._order_of(150)
        order.with_user(self.sales_user).action_confirm()

        self.assertRegex(self._described('limit_approved'), r"100\.00.* from \d")
        self.assertEqual(self._described('status'), "Normal → Watch")
        text = self._described('held', self.env.user)
        self.assertRegex(text, rf"{order.name} over .*150.*Utilisation of the limit.*50")

    def test_what_the_reader_may_not_read_is_named_by_its_id(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(150)
        order.with_user(self.sales_user).action_confirm()
        reader = self._new_user('credit_reader', 'credit_management.group_credit_auditor')
        # Whoever reads the file need not read all orders.
        self.env['ir.rule'].create(
            {
                'name': "No orders",
                'model_id': self.env['ir.model']._get_id('sale.order'),
                'domain_force': f"[('id', '!=', {order.id})]",
            }
        )
        text = self._described('held', reader)
        with self.assertRaises(AccessError):
            self.Event.with_user(reader).search([('kind', '=', 'held')], limit=1).action_open_document()
        self.assertNotIn(order.sudo().name, text)
        self.assertIn(f"Sales Order #{order.id}", text)

    def test_what_other_parts_record_is_told_in_words(self):
        until = {'date_from': '2026-11-22', 'date_to': '2026-12-31', 'amount': 100.0}
        report = {'report_id': 1, 'check_id': 1, 'res_model': 'sale.order', 'res_id': 1}
        core = {'limit_id': 1, 'limit_kind': 'amount', 'amount': 70.0, 'currency_id': self.env.ref('base.JPY').id}
        merged = {'from_account_id': self.account.id, 'into_account_id': self.other.id}
        branches = [{'company_id': self.company.id, 'amount': 30.0}]
        events = self.Event._record(
            [
                (self.account, 'false_hold', {**report, 'reason': 'paid'}),
                (self.account, 'false_hold_decided', {**report, 'decision': 'declined'}),
                (self.account, 'accepted', until),
                (self.account, 'accepted', {**until, 'ended': True}),
                (self.account, 'core_limit', {'limit_id': 1, 'limit_kind': 'unlimited', 'amount': 0.0}),
                (self.account, 'held', {'rules': ['days_overdue'], 'amount': 5.0, 'excess': 0.0}),
                (self.account, 'core_limit', {**core, 'branches': branches}),
                (self.account, 'renamed', {'partner_id': self.customer.id, 'fields': ['name', 'vat']}),
                (self.account, 'remainder_reopened', {'order_id': 1, 'amount': 8.0}),
                (self.account, 'merged', {**merged, 'limit_kind': 'none', 'status': 'watch'}),
            ]
        )
        texts = events.mapped('description')
        self.assertIn("Paid already", texts[0])
        self.assertIn("Hold was right", texts[1])
        self.assertIn("12/31/2026", texts[2])
        self.assertIn("Ended at once", texts[3])
        self.assertEqual(texts[4], "Unlimited")
        self.assertNotIn("Over by", texts[5])
        self.assertEqual(texts[6], f"¥\xa070 · branches differ: {self.company.name} ¥\xa030")
        self.assertEqual(texts[7], "Name and Tax ID")
        self.assertIn(f"(#{self.account.id}) → {self.other.display_name} (#{self.other.id})", texts[9])
        self.assertIn("status: Watch", texts[9])
        self.assertIn("8.00", texts[8])
        self.assertEqual([event.kind for event in events[:2]], ['false_hold', 'false_hold_decided'])

    def test_unknown_and_broken_payloads_are_shown_all_the_same(self):
        events = self.Event._record(
            [
                (self.account, 'renamed', {'field': 'vat', 'amount': 5, 'currency_id': self.currency.id}),
                (self.account, 'merged', {}),
                (self.account, 'held', {}),
                (self.account, 'limit_approved', {'date_from': 'nonsense', 'limit_id': 2**31 - 1}),
                (self.account, 'accepted', {'res_model': 'no.such.model', 'res_id': 1}),
            ]
        )
        self.assertIn("field: vat", events[0].description)
        self.assertIn("5.00", events[0].description)
        self.assertEqual(events[1].description, '')
        self.assertTrue(events[2].description)
        self.assertIn("nonsense", events[3].description)
        self.assertIn("no.such.model", events[4].description or "no.such.model")
        self.assertEqual(events.mapped('has_document'), [False, False, False, True, False])

    def test_document_opens(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(150)
        order.action_confirm()
        event = self.Event.search([('account_id', '=', self.account.id), ('kind', '=', 'held')])
        self.assertEqual(event.action_open_document()['res_id'], order.id)
        order.sudo().unlink()
        with self.assertRaisesRegex(UserError, "has been deleted"):
            event.action_open_document()

    def test_who_reads_the_file(self):
        self._events(self.account, 1)
        domain = [('account_id', '=', self.account.id)]
        for user in (self.auditor, self.analyst, self.manager):
            self.assertEqual(self.Event.with_user(user).search_count(domain), 1)
            for right in ('write', 'create', 'unlink'):
                self.assertFalse(self.Event.with_user(user).has_access(right))
                self.assertFalse(self.env['credit.seal'].with_user(user).has_access(right))
                self.assertFalse(self.env['credit.counter'].with_user(user).has_access(right))
        with self.assertRaises(AccessError):
            self.Event.with_user(self.sales_user).search(domain)
        with self.assertRaises(AccessError):
            self.env['credit.seal'].with_user(self.analyst).search([])

    def test_other_companies_do_not_see_the_file(self):
        elsewhere = self.env['res.company'].create({'name': "Elsewhere"})
        self._events(self.account, 1)
        self._seal()
        self.auditor.write({'company_ids': [Command.set(elsewhere.ids)], 'company_id': elsewhere.id})
        self.assertFalse(self.Event.with_user(self.auditor).search([]))
        self.assertFalse(self.env['credit.seal'].with_user(self.auditor).search([]))
        for model, method in (('credit.verification', 'action_verify'), ('credit.file.export', 'action_export')):
            wizard = self.env[model].with_user(self.auditor).create({'company_id': self.company.id})
            with self.assertRaises(AccessError):
                getattr(wizard, method)()

    def test_branch_reads_the_file_of_its_main_company(self):
        branch = self.env['res.company'].create({'name': "Branch", 'parent_id': self.company.id})
        self._events(self.account, 1)
        self.auditor.write({'company_ids': [Command.set(branch.ids)], 'company_id': branch.id})
        reader = self.Event.with_user(self.auditor).with_context(allowed_company_ids=branch.ids)
        self.assertEqual(reader.search_count([('account_id', '=', self.account.id)]), 1)
        wizard = reader.env['credit.verification'].create({})
        wizard.action_verify()
        self.assertEqual((wizard.company_id, wizard.state), (self.company, 'sound'))


@tagged('post_install', '-at_install')
class TestCreditFileWizards(CreditFileCommon):
    def test_verify_says_what_is_sound(self):
        self._events(self.account, 3)
        wizard = self.env['credit.verification'].with_user(self.auditor).create({'company_id': self.company.id})
        wizard.action_verify()
        self.assertEqual(wizard.state, 'sound')
        self.assertIn("Events: 3, accounts: 1", wizard.summary)
        self.assertIn("No seal yet", wizard.seal_text)
        seal = self._seal()
        wizard.action_verify()
        self.assertIn(seal.hash, wizard.seal_text)

    def test_findings_are_for_whom_they_were_made(self):
        self._events(self.account, 2)
        with self.unlocked():
            self.sql("UPDATE credit_event SET payload = '{}' WHERE account_id = %s", self.account.id)
        wizard = self.env['credit.verification'].with_user(self.auditor).create({'company_id': self.company.id})
        wizard.action_verify()
        domain = [('verification_id', '=', wizard.id)]
        self.assertTrue(self.env['credit.verification.finding'].with_user(self.auditor).search(domain))
        self.assertFalse(self.env['credit.verification.finding'].with_user(self.manager).search(domain))

    def test_no_header_makes_the_program_look_away(self):
        self._events(self.account, 2)
        data = json.loads(self.export())
        data['events'][1]['payload'] = '{}'
        data['accounts'] = []
        code, lines = self.outside(json.dumps(data).encode())
        self.assertEqual(code, 1, lines)
        code, lines = self.outside(self.export(date_to='2000-01-01'))
        self.assertEqual(code, 0, lines)
        self.assertIn("Only a part was exported", lines[0])

    def test_file_of_an_archived_company_is_sealed_and_verified(self):
        gone = self.env['res.company'].create({'name': "Gone"})
        account = self._account(company=gone)
        self._events(account, 2)
        gone.active = False
        with self.unlocked():
            self.sql("UPDATE credit_event SET payload = '{}' WHERE account_id = %s", account.id)
        found = self.Event._verify_chain().findings
        self.assertIn(account.id, [finding.account_id for finding in found])

    def test_only_auditors_and_managers_verify_and_export(self):
        for model in ('credit.verification', 'credit.file.export'):
            self.assertTrue(self.env[model].with_user(self.manager).create({'company_id': self.company.id}))
            for user in (self.sales_user, self.analyst):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).create({'company_id': self.company.id})
                # Not through somebody else's either.
                other = self.env[model].with_user(self.auditor).create({'company_id': self.company.id})
                with self.assertRaises(AccessError):
                    getattr(other.with_user(user), 'action_verify' if 'verif' in model else 'action_export')()

    def test_json_holds_all_as_it_was_hashed(self):
        self._events(self.account, 2)
        self._seal()
        self._events(self.other, 1)
        data = json.loads(self.export())
        self.assertEqual(data['company_id'], self.company.id)
        self.assertEqual(
            [(event['account_id'], event['number']) for event in data['events']],
            [(self.account.id, 1), (self.account.id, 2), (self.other.id, 1)],
        )
        self.assertEqual(data['events'][0]['payload'], '{"after": "watch", "before": "normal"}')
        self.assertEqual(len(data['seals']), 1)
        self.assertNotIn(b'Hengda', self.export(), "names have no place in it")

    def test_account_and_period_are_verified_by_themselves(self):
        for day in (1, 2, 3):
            with freeze_time(f'2026-03-0{day} 12:00:00'):
                self._events(self.account, 1)
        self._seal()
        data = json.loads(self.export(date_from='2026-03-02', date_to='2026-03-02'))
        self.assertEqual([event['number'] for event in data['events']], [2])
        for values in (
            {'date_from': '2026-03-02'},
            {'date_to': '2026-03-02'},
            {'date_from': '2026-03-02', 'date_to': '2026-03-02'},
            {'account_ids': [Command.set(self.account.ids)]},
            {'date_from': '2030-01-01'},
        ):
            with self.subTest(values=values):
                code, lines = self.outside(self.export(**values))
                self.assertEqual(code, 0, lines)

    def test_edited_export_is_found(self):
        self._events(self.account, 3)
        data = json.loads(self.export())
        data['events'][1]['user_id'] += 1
        code, lines = self.outside(json.dumps(data).encode())
        self.assertEqual(code, 1)
        self.assertIn("event 2 was changed", lines[0])

    def test_sheet_has_events_seals_and_heads_as_text(self):
        import openpyxl

        self.customer.name = "=HYPERLINK(\"http://evil\")"
        self._events(self.account, 2)
        self._seal()
        book = openpyxl.load_workbook(io.BytesIO(self.export(file_format='xlsx')))
        self.assertEqual(book.sheetnames, ["Events", "Seals", "Sealed Ends"])
        rows = list(book["Events"].iter_rows(values_only=True))
        # The new name is an event of its own.
        self.assertEqual(len(rows), 4)
        self.assertEqual(rows[1][:3], ("=HYPERLINK(\"http://evil\")", self.account.id, 1))
        self.assertEqual(book["Events"]['A2'].data_type, 's', "text never becomes a formula")
        self.assertEqual(rows[2][-2], rows[1][-1])
        self.assertEqual(list(book["Sealed Ends"].iter_rows(values_only=True))[1][:3], (1, self.account.id, 3))
