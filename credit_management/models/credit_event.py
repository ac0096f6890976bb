import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from heapq import merge
from itertools import count, groupby, starmap
from operator import itemgetter

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date, format_list, formatLang

from ..engine.chain import Event, Finding, Head, Seal, check_account, check_seals, event_hash

KIND_LABELS = [
    ('limit_submitted', "Limit submitted"),
    ('limit_withdrawn', "Limit taken back"),
    ('limit_approved', "Limit approved"),
    ('limit_rejected', "Limit rejected"),
    ('limit_closed', "Limit closed"),
    ('reviewed', "Reviewed"),
    ('status', "Status changed"),
    ('grade', "Grade changed"),
    ('terms', "Payment term or price list changed"),
    ('blacklisted', "Blacklisted"),
    ('blacklist_lifted', "Taken off the blacklist"),
    ('promise_broken', "Payment promise broken"),
    ('payment_returned', "Payment returned"),
    ('application_submitted', "Application submitted"),
    ('application_decided', "Application decided"),
    ('policy', "Own policy changed"),
    ('archived', "Account archived"),
    ('restored', "Account restored"),
    ('held', "Order held"),
    ('grown', "Order grown beyond the credit"),
    ('release_requested', "Release requested"),
    ('approval_given', "Approved at a level"),
    ('approval_passed_on', "Approval asked of somebody else"),
    ('outside_policy', "Decided outside policy"),
    ('emergency_released', "Released in an emergency"),
    ('emergency_confirmed', "Emergency release confirmed"),
    ('emergency_refused', "Emergency release refused"),
    ('emergency_overdue', "Emergency release not confirmed in time"),
    ('released', "Released"),
    ('rejected', "Rejected"),
    ('condition_kept', "Condition of a release kept"),
    ('condition_broken', "Condition of a release broken"),
    ('condition_reopened', "Money of a condition gone back"),
    ('accepted', "Accepted as is"),
    ('false_hold', "Hold reported as false"),
    ('false_hold_decided', "Reported hold judged"),
    ('remainder_closed', "Remainder closed"),
    ('remainder_reopened', "Remainder reopened"),
    ('core_limit', "Limit written in the contact"),
    ('renamed', "Customer renamed"),
    ('merged', "Customer merged"),
    ('handed_over', "Handed over"),
]
# What the triggers of the credit file run, and when: tgtype of PostgreSQL's catalogue.
LOCK_BODY = """
                BEGIN
                    RAISE EXCEPTION USING
                        ERRCODE = 'insufficient_privilege',
                        MESSAGE = 'The credit file is kept as it is: no ' || TG_OP || ' on ' || TG_TABLE_NAME;
                END """
LOCK_TRIGGERS = {
    'credit_file_locked': 27,  # before update or delete, for each row
    'credit_file_locked_truncate': 34,  # before truncate
}
AUDITOR = 'credit_management.group_credit_auditor'
# Rows that are fetched at once when a chain is read.
FETCH = 5000
STREAMS = count(1)
# What the payload's keys refer to.
REFERENCES = {
    'limit_id': 'credit.limit',
    'superseded_by_id': 'credit.limit',
    'check_id': 'credit.check',
    'release_id': 'credit.release',
    'policy_id': 'credit.policy',
    'policy_before_id': 'credit.policy',
    'order_id': 'sale.order',
    'report_id': 'credit.false.hold',
    'partner_id': 'res.partner',
    'company_id': 'res.company',
    'from_account_id': 'credit.account',
    'into_account_id': 'credit.account',
    'from_partner_id': 'res.partner',
    'into_partner_id': 'res.partner',
}
# Between parts of a text that are no list: the same in all languages.
SEPARATOR = " · "
# What an event is about: the first of these that its payload has.
DOCUMENTS = ('document', 'order_id', 'limit_id', 'release_id', 'check_id', 'policy_id')


class Many2oneWithoutKey(fields.Many2one):
    """A reference that outlives what it refers to.

    A user may be deleted, a portal user even deletes himself; with a foreign
    key that would change, or be stopped by, what can't be changed.
    """

    def update_db_foreign_key(self, model, column):
        """Make no foreign key."""


@dataclass
class Verification:
    """What a look through the credit file has found: how much there is, and each chain's first broken link."""

    findings: list = field(default_factory=list)
    events: int = 0
    accounts: int = 0
    # Beside it: where the last seal stands, to be compared with what was exported earlier.
    last_seals: dict = field(default_factory=dict)  # {root company: Seal or None}


class CreditEvent(models.Model):
    """The credit file: what bears on a customer's credit, in the order in which it happened.

    Append only. Each event carries the hash of its content and of the event
    before of the same account, see `engine/chain.py`.
    """

    _name = 'credit.event'
    _description = "Credit Event"
    _order = 'id desc'
    _log_access = False

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='restrict')
    # Not stored: nothing may ever write a row again.
    company_id = fields.Many2one(related='account_id.company_id')
    number = fields.Integer(required=True, readonly=True, aggregator=None, help="Counts the account's events from 1.")
    kind = fields.Selection(KIND_LABELS, required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True, index=True)
    user_id = Many2oneWithoutKey('res.users', required=True, readonly=True)
    payload = fields.Text(required=True, readonly=True, help="Ids and figures, no names, as JSON.")
    previous_hash = fields.Char(
        string="Hash Before", required=True, readonly=True, help="Of the account's event before."
    )
    hash = fields.Char(required=True, readonly=True, help="SHA-256 of the content and the hash before.")
    description = fields.Text(compute='_compute_description', help="In words, made from the content when it is read.")
    has_document = fields.Boolean(compute='_compute_description')
    user_name = fields.Char(string="By", compute='_compute_user_name', help="Of a deleted user the id.")

    _account_number_unique = models.UniqueIndex('(account_id, number)', "An event has a number of its own.")

    def init(self):
        # EXTENDS base: what the ORM refuses, the database refuses below it as well
        super().init()
        self._lock_table(self._table)

    # -------------------------------------------------------------------------
    # Kept as it is
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise UserError(self.env._("The credit file writes itself; nothing can be added by hand."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The credit file is kept as it is and can't be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The credit file is kept as it is and can't be deleted."))

    @api.model
    def _lock_table(self, table):
        """Let the database refuse changes to the rows of a table, whoever asks; uninstalling drops the function."""
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION credit_file_locked() RETURNS trigger LANGUAGE plpgsql AS %(body)s;
                DROP TRIGGER IF EXISTS credit_file_locked ON %(table)s;
                DROP TRIGGER IF EXISTS credit_file_locked_truncate ON %(table)s;
                CREATE TRIGGER credit_file_locked BEFORE UPDATE OR DELETE ON %(table)s
                   FOR EACH ROW EXECUTE FUNCTION credit_file_locked();
                CREATE TRIGGER credit_file_locked_truncate BEFORE TRUNCATE ON %(table)s
                   FOR EACH STATEMENT EXECUTE FUNCTION credit_file_locked();
                ALTER TABLE %(table)s ENABLE ALWAYS TRIGGER credit_file_locked;
                ALTER TABLE %(table)s ENABLE ALWAYS TRIGGER credit_file_locked_truncate
                """,
                table=SQL.identifier(table),
                body=LOCK_BODY,
            )
        )

    @api.model
    def _unlocked_tables(self):
        """Return those tables of the credit file that the database does not protect.

        A trigger that is there and on may have been made to do nothing.
        """
        tables = [self._table, self.env['credit.seal']._table]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT class.relname, trigger.tgname, trigger.tgtype
                  FROM pg_trigger trigger
                  JOIN pg_class class ON class.oid = trigger.tgrelid
                  JOIN pg_proc function ON function.oid = trigger.tgfoid
                 WHERE class.oid = ANY(%s::regclass[])
                   AND trigger.tgenabled = 'A' AND trigger.tgqual IS NULL AND trigger.tgattr = ''
                   AND function.prosrc = %s
                """,
                tables,
                LOCK_BODY,
            )
        )
        wanted = set(LOCK_TRIGGERS.items())
        return [table for table in tables if wanted - {(name, type_) for found, name, type_ in rows if found == table}]

    # -------------------------------------------------------------------------
    # Recording
    # -------------------------------------------------------------------------

    @api.model
    def _record(self, entries):
        """Append to the credit files of some accounts, in three statements whatever their number.

        Two who append to the same account at once queue up on its counter.

        :param entries: list of (credit.account, kind, payload): ids, figures, dates
            and codes that JSON can carry, no names of persons
        :returns: the events, in the order of the entries
        """
        if not entries:
            return self.browse()
        Counters = self.env['credit.counter']
        heads = Counters._advance('account_id', Counter(account.id for account, _kind, _payload in entries))
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        events = []
        for account, kind, payload in entries:
            head = heads[account.id]
            text = json.dumps(payload, sort_keys=True, default=str)
            event = Event(account.id, head.number + 1, kind, now, self.env.uid, text, head.hash, '')
            event = event._replace(hash=event_hash(event))
            heads[account.id] = Head(event.number, event.hash)
            events.append(event)
        ids = {
            (account_id, number): id_
            for id_, account_id, number in self.env.execute_query(
                SQL(
                    """
                    INSERT INTO credit_event (%s)
                         SELECT * FROM unnest(%s, %s, %s, %s::timestamp[], %s, %s, %s, %s)
                      RETURNING id, account_id, number
                    """,
                    SQL(", ").join(map(SQL.identifier, Event._fields)),
                    *(list(column) for column in zip(*events, strict=True)),
                )
            )
        }
        Counters._set_heads('account_id', {account_id: head.hash for account_id, head in heads.items()})
        # As made by the system: who decides need not be who reads the file.
        return self.sudo().browse(ids[event.account_id, event.number] for event in events)

    # -------------------------------------------------------------------------
    # Verification
    # -------------------------------------------------------------------------

    @api.model
    def _verify_chain(self, accounts=None, company=None):
        """Go through the credit file and find the first broken link of each chain.

        Reads what the database has, whatever the user may read: in one stream
        per company, with little memory.

        :param accounts: credit.account; None for all
        :param company: a company, whose root's file it is; None for the accounts', or all
        :returns: a Verification
        """
        if company:
            companies = company.root_id
        elif accounts is not None:
            companies = accounts.company_id
        else:
            Company = self.env['res.company'].sudo().with_context(active_test=False)
            companies = Company.search([('parent_id', '=', False)], order='id')
        result = Verification([Finding('lock', table=table) for table in self._unlocked_tables()])
        for root in companies:
            self._verify_company(root, accounts, result)
        return result

    @api.model
    def _verify_company(self, company, accounts, result):
        """Verify the seals and the chains of one root company into `result`."""
        Seals = self.env['credit.seal']
        # Few at a time: the first seal of a large company is a large text.
        seals = starmap(Seal, self._stream(Seals._rows_sql(company), 5))
        sound, since, last, finding = check_seals(self.env['credit.counter']._company_head(company), seals)
        result.findings += [finding] if finding else []
        result.last_seals[company] = last
        # Three streams in the order of the accounts; of one account first its
        # counter, then its sealed heads, then its events.
        sources = [
            self._stream(self._counters_sql(company, accounts)),
            self._stream(Seals._heads_sql(company, sound, accounts)),
            self._stream(self._events_sql(company, accounts)),
        ]
        rows = merge(*map(_tagged, count(), sources), key=itemgetter(0, 1))
        # pylint: disable=bad-builtin-groupby; Odoo's own reads everything first.
        for account_id, of_account in groupby(rows, key=itemgetter(0)):
            counter, sealed, events = None, {}, ()
            for source, of_source in groupby(of_account, key=itemgetter(1)):
                values = map(itemgetter(2), of_source)
                if source == 0:
                    counter = Head(*next(values)[1:])
                elif source == 1:
                    sealed = {row[1]: Head(*row[1:], sound[row[3]]) for row in values}
                else:
                    events = starmap(Event, values)
                    break
            number, finding = check_account(account_id, counter, sealed, events, since)
            result.events += number
            result.accounts += bool(number)
            result.findings += [finding] if finding else []

    @api.model
    def _stream(self, query, size=FETCH):
        """Yield the rows of a query, which stay on the database's side until they are asked for."""
        name = SQL.identifier(f'credit_stream_{next(STREAMS)}')
        self.env.cr.execute(SQL("DECLARE %s NO SCROLL CURSOR FOR %s", name, query))
        fetch = SQL("FETCH %s FROM %s", size, name)
        while rows := self.env.execute_query(fetch):
            yield from rows
        self.env.cr.execute(SQL("CLOSE %s", name))

    @api.model
    def _accounts_sql(self, column, company, accounts):
        """Return the condition that a column is an account of a root company, and one of `accounts` if given."""
        mine = SQL("%s IN (SELECT id FROM credit_account WHERE company_id = %s)", column, company.id)
        return mine if accounts is None else SQL("%s AND %s = ANY(%s)", mine, column, accounts.ids)

    @api.model
    def _counters_sql(self, company, accounts):
        return SQL(
            "SELECT account_id, head_number, COALESCE(head_hash, '') FROM credit_counter "
            "WHERE head_number <> 0 AND %s ORDER BY account_id",
            self._accounts_sql(SQL("account_id"), company, accounts),
        )

    @api.model
    def _events_sql(self, company, accounts, period=None):
        """Return the SELECT of events as `Event`, in the order of the chains.

        :param period: (first, last) date and time in UTC, each may be None: of
            each account all events from the first to the last of the period
        """
        condition = self._accounts_sql(SQL("account_id"), company, accounts)
        if period and any(period):
            first, last = period
            within = SQL("%s AND date >= %s AND date <= %s", condition, first or datetime.min, last or datetime.max)
            condition = SQL(
                "(account_id, number) IN (SELECT account_id, generate_series(min(number), max(number)) "
                "FROM credit_event WHERE %s GROUP BY account_id)",
                within,
            )
        return SQL(
            "SELECT %s FROM credit_event WHERE %s ORDER BY account_id, number, id",
            SQL(", ").join(map(SQL.identifier, Event._fields)),
            condition,
        )

    @api.model
    def _check_auditor(self):
        """Refuse what is for auditors and credit managers."""
        if not self.env.su and not self.env.user.has_group(AUDITOR):
            raise AccessError(self.env._("Only auditors and credit managers verify and export the credit file."))

    # -------------------------------------------------------------------------
    # In words
    # -------------------------------------------------------------------------

    def _read_group_postprocess_groupby(self, groupby_spec, raw_values):
        # EXTENDS base: what a deleted user did is grouped under nobody
        if groupby_spec == 'user_id':
            there = set(self.env['res.users'].sudo().browse(filter(None, raw_values)).exists().ids)
            raw_values = [value if value in there else None for value in raw_values]
        return super()._read_group_postprocess_groupby(groupby_spec, raw_values)

    @api.depends('account_id', 'number')
    def _compute_display_name(self):
        for event in self:
            event.display_name = self.env._(
                "%(customer)s, event %(number)s", customer=event.account_id.display_name, number=event.number
            )

    @api.depends('user_id')
    def _compute_user_name(self):
        # Also of users that the reader may not read; names are no secret among colleagues.
        names = {user.id: user.name for user in self.sudo().user_id.exists()}
        for event in self:
            event.user_name = names.get(event.user_id.id, f"#{event.user_id.id}")

    @api.depends('kind', 'payload')
    @api.depends_context('lang', 'uid')
    def _compute_description(self):
        payloads = {event: event._content() for event in self}
        names = self._reference_names(payloads.values())
        for event, payload in payloads.items():
            event.description = event._describe(payload, names)
            event.has_document = bool(event._document_reference(payload))

    def _content(self):
        """Return the payload as a dict; empty where somebody has broken it."""
        try:
            payload = json.loads(self.payload or '{}')
        except ValueError:
            payload = {}
        return payload if isinstance(payload, dict) else {}

    @api.model
    def _reference_models(self):
        """Return {key of a payload: model of its id}; extend with those of your add-on."""
        return REFERENCES

    @api.model
    def _references(self, payload):
        """Return {key: (model, id)} of what a payload refers to."""
        references = {
            key: (model, payload[key])
            for key, model in self._reference_models().items()
            if isinstance(payload.get(key), int) and payload[key]
        }
        if payload.get('res_model') in self.env and isinstance(payload.get('res_id'), int):
            references['document'] = (payload['res_model'], payload['res_id'])
        return references

    @api.model
    def _reference_names(self, payloads):
        """Return {(model, id): name}; what the reader may not read, or is gone, is named by its id."""
        wanted = defaultdict(set)
        for payload in payloads:
            for model, id_ in self._references(payload).values():
                wanted[model].add(id_)
        names = {}
        for model, ids in wanted.items():
            # Whoever reads the file may know what kind of document it was.
            label = self.env['ir.model'].sudo()._get(model).name
            names |= {(model, id_): f"{label} #{id_}" for id_ in ids}
            readable = self.env[model].browse(ids).exists()._filtered_access('read')
            names |= {(model, record.id): record.display_name for record in readable}
        return names

    def _describe(self, payload, names):
        """Return what happened, in the reader's language."""
        references = {key: names[reference] for key, reference in self._references(payload).items()}
        describe = getattr(self, f'_describe_{self.kind}', None) or self._describe_other
        return describe(payload, references) or ''

    def _describe_limit(self, payload, references):
        values = {
            'limit': self.env._("Unlimited")
            if payload.get('limit_kind') == 'unlimited'
            else self._money(payload, 'amount'),
            'start': self._day(payload, 'date_from'),
            'end': self._day(payload, 'date_to'),
        }
        if not payload.get('date_from'):  # a number on the contact
            return values['limit']
        if payload.get('date_to'):
            if payload.get('kind') == 'temporary':
                return self.env._("%(limit)s, temporary, from %(start)s until %(end)s", **values)
            return self.env._("%(limit)s from %(start)s until %(end)s", **values)
        return self.env._("%(limit)s from %(start)s", **values)

    _describe_limit_submitted = _describe_limit
    _describe_limit_withdrawn = _describe_limit
    _describe_limit_approved = _describe_limit
    _describe_limit_rejected = _describe_limit
    _describe_limit_closed = _describe_limit

    def _describe_core_limit(self, payload, references):
        parts = [self._describe_limit(payload, references)]
        if name := references.get('company_id'):
            parts.append(self.env._("written in %(company)s", company=name))
        if branches := payload.get('branches'):
            parts.append(self.env._("branches differ: %(branches)s", branches=self._branch_limits(payload, branches)))
        return SEPARATOR.join(parts)

    def _branch_limits(self, payload, branches):
        rows = [row for row in branches if isinstance(row, dict)] if isinstance(branches, list) else []
        ids = [row['company_id'] for row in rows if isinstance(row.get('company_id'), int)]
        # Names only: whoever reads the account's file may know its company's branches.
        names = {company.id: company.name for company in self.env['res.company'].sudo().browse(ids).exists()}
        return self._list(
            f"{names.get(row.get('company_id')) or row.get('company_id')} {self._money({**payload, **row}, 'amount')}"
            for row in rows
        )

    def _describe_status(self, payload, references):
        labels = dict(self.env['credit.account']._fields['status']._description_selection(self.env))
        before, after = (labels.get(payload.get(key), payload.get(key)) for key in ('before', 'after'))
        return f"{before} → {after}"

    def _describe_policy(self, payload, references):
        default = self.env._("The company's default policy")
        return " → ".join(references.get(key, default) for key in ('policy_before_id', 'policy_id'))

    def _describe_held(self, payload, references):
        labels = dict(self.env['credit.check.line']._fields['kind']._description_selection(self.env))
        values = {
            'document': references.get('document', ''),
            'amount': self._money(payload, 'amount'),
            'rules': self._list(labels.get(kind, kind) for kind in payload.get('rules') or []),
            'excess': self._money(payload, 'excess', 'company_currency_id'),
        }
        if not payload.get('excess'):  # held for another reason than the limit
            return self.env._("%(document)s over %(amount)s: %(rules)s.", **values)
        return self.env._("%(document)s over %(amount)s: %(rules)s. Over by %(excess)s.", **values)

    def _describe_grown(self, payload, references):
        return self.env._(
            "%(document)s has grown by %(increase)s to %(amount)s.",
            document=references.get('document', ''),
            increase=self._money(payload, 'increase'),
            amount=self._money(payload, 'amount'),
        )

    def _describe_release(self, payload, references):
        return self.env._(
            "%(document)s up to %(amount)s",
            document=references.get('document', ''),
            amount=self._money(payload, 'amount'),
        )

    _describe_release_requested = _describe_release
    _describe_released = _describe_release
    _describe_rejected = _describe_release
    _describe_condition_kept = _describe_release
    _describe_condition_broken = _describe_release
    _describe_condition_reopened = _describe_release
    _describe_promise_broken = _describe_release

    def _describe_false_hold(self, payload, references):
        labels = {
            name: dict(self.env['credit.false.hold']._fields[name]._description_selection(self.env))
            for name in ('reason', 'state')
        }
        said = labels['reason'].get(payload.get('reason')) or labels['state'].get(payload.get('decision')) or ''
        return self.env._("%(document)s: %(text)s", document=references.get('document', ''), text=said)

    _describe_false_hold_decided = _describe_false_hold

    def _describe_renamed(self, payload, references):
        labels = dict(self.env['credit.partner.name']._fields['kind']._description_selection(self.env))
        changed = payload.get('fields')
        if not isinstance(changed, list):
            return self._describe_other(payload, references)
        return self._list(labels.get(name, name) for name in changed)

    def _describe_merged(self, payload, references):
        # With the number of the account: both have the customer that is left.
        parties = [
            f"{references[side + '_account_id']} (#{payload[side + '_account_id']})"
            if side + '_account_id' in references
            else references.get(f'{side}_partner_id', '')
            for side in ('from', 'into')
        ]
        parts = [' → '.join(parties)] if any(parties) else []
        if payload.get('limit_kind') in ('amount', 'unlimited'):
            parts.append(self.env._("former limit: %(limit)s", limit=self._describe_limit(payload, references)))
        if status := payload.get('status'):
            labels = dict(self.env['credit.account']._fields['status']._description_selection(self.env))
            parts.append(self.env._("status: %(status)s", status=labels.get(status, status)))
        return SEPARATOR.join(parts)

    def _describe_accepted(self, payload, references):
        if 'date_to' not in payload:
            return self._describe_other(payload, references)
        values = {'exposure': self._money(payload, 'amount'), 'end': self._day(payload, 'date_to')}
        if payload.get('ended'):
            return self.env._("Ended at once: exposure of up to %(exposure)s until %(end)s", **values)
        return self.env._("Exposure of up to %(exposure)s until %(end)s", **values)

    def _describe_reviewed(self, payload, references):
        return self.env._("Next review due on %(date)s", date=self._day(payload, 'date_to'))

    def _describe_other(self, payload, references):
        """Say what the payload holds: names for ids, amounts, then the rest as it stands."""
        hidden = {'res_model', 'res_id', 'currency_id', *references}
        parts = list(references.values())
        for key, value in payload.items():
            if key in hidden or value in (None, False, '', []):
                continue
            parts.append(self._money(payload, key) if 'amount' in key else f"{key}: {value}")
        return SEPARATOR.join(parts)

    def _list(self, parts):
        """Join words as the reader's language does."""
        return format_list(self.env, list(parts))

    def _money(self, payload, key, currency='currency_id'):
        """Return an amount of the payload in its currency."""
        amount = payload.get(key)
        if not isinstance(amount, (int, float)) or isinstance(amount, bool):
            return str(amount or '')
        currency = self.env['res.currency'].browse(payload.get(currency) or 0).exists()
        return formatLang(self.env, amount, currency_obj=currency or self.account_id.sudo().currency_id)

    def _day(self, payload, key):
        try:
            return format_date(self.env, fields.Date.to_date(payload.get(key) or False) or '')
        except (TypeError, ValueError):
            return str(payload[key])

    def _document_reference(self, payload):
        """Return (model, id) of what the event is about, the nearest to what people know."""
        references = self._references(payload)
        return next((references[key] for key in DOCUMENTS if key in references), None)

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_open_document(self):
        """Open the order, limit, release or check that the event is about.

        :raise UserError: if there is none, or no more
        :raise AccessError: if the user may not read it
        """
        self.ensure_one()
        model, id_ = self._document_reference(self._content()) or ('credit.account', self.account_id.id)
        document = self.env[model].browse(id_).exists()
        if not document:
            raise UserError(self.env._("What this event is about has been deleted."))
        document.check_access('read')
        return document.get_formview_action()


def _tagged(source, rows):
    return ((row[0], source, row) for row in rows)
