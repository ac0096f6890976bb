from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

# What follows from entering, changing and withdrawing.
FLOW_FIELDS = {'active', 'known_from', 'known_until', 'current_id'}


class ScoringDated(models.AbstractModel):
    """What was known from one day on, and maybe until another.

    A score as of a past day counts what was known then. So what is entered is not
    overwritten: a change on a later day leaves the former version behind as an
    archived row of its own, and what turns out wrong is withdrawn. Changes on the
    day of the entry itself are taken for typing errors and leave none.
    """

    _name = 'scoring.dated'
    _inherit = ['credit.root.company', 'credit.import.rows']
    _description = "Dated Scoring Data"
    # Of what former versions are kept; the names of fields.
    _content_fields = ()

    active = fields.Boolean(default=True, readonly=True, copy=False)
    known_from = fields.Date(
        string="Known Since", readonly=True, copy=False, help="The day of the entry, or of the last change."
    )
    known_until = fields.Date(
        readonly=True, copy=False, help="From this day on it did not count any more: it was changed or withdrawn."
    )
    user_id = fields.Many2one(
        'res.users', string="Entered By", readonly=True, copy=False, default=lambda self: self.env.user
    )

    @api.model_create_multi
    def create(self, vals_list):
        given = FLOW_FIELDS | {'user_id'} | self._derived_fields()
        vals_list = [{name: value for name, value in vals.items() if name not in given} for vals in vals_list]
        # Explicit, so that no default from a client's context gets in.
        flow = {name: name == 'active' for name in FLOW_FIELDS & self._fields.keys() - {'known_from'}}
        asked = [
            vals.get('company_id') or self.env.context.get('default_company_id') or self.env.company.root_id.id
            for vals in vals_list
        ]
        companies = self.env['res.company'].browse(set(asked))
        # Before anything else: constraints see, and may name, what the user may not read.
        if not self.env.su and companies.root_id - self.env.companies.root_id:
            raise AccessError(self.env._("You can only enter data of the companies in which you work."))
        today = {company.id: company.sudo()._credit_today() for company in companies}
        for vals, company_id in zip(vals_list, asked, strict=True):
            vals.update(flow, known_from=today[company_id], user_id=self.env.uid)
        return super().create(vals_list)

    def write(self, vals):
        if (FLOW_FIELDS | {'user_id'}) & vals.keys():
            raise AccessError(self.env._("What was known when follows from entering and withdrawing."))
        if derived := self._derived_fields() & vals.keys():
            raise AccessError(
                self.env._(
                    "“%(field)s” follows from what is entered.",
                    field=self._fields[min(derived)]._description_string(self.env),
                )
            )
        if 'company_id' in vals and any(record.company_id.id != vals['company_id'] for record in self):
            raise UserError(self.env._("What was entered stays with its company. Enter it in the other one as well."))
        content = set(self._content_fields) & vals.keys()
        if not content:
            return super().write(vals)
        self.check_access('write')
        self._check_current()
        # Not through the cache's values alone: what is written may be what is there.
        before = {record: record._content_of(content) for record in self}
        # With what was computed then: a scale may have changed since.
        derived = self._derived_fields()
        copies = {record: (record.copy_data()[0], record._content_of(derived)) for record in self}
        result = super().write(vals)
        changed = self.filtered(lambda record: record._content_of(content) != before[record])
        changed._keep_versions(copies)
        changed._after_change()
        return result

    @api.model
    def _derived_fields(self):
        """Return the names of the stored fields that are computed, which a client could write all the same."""
        return {name for name, field in self._fields.items() if field.store and field.compute and field.readonly}

    def _content_of(self, names):
        return {name: self._fields[name].convert_to_write(self[name], self) for name in names}

    def _check_current(self):
        if former := self.filtered(lambda record: not record.active):
            raise UserError(
                self.env._(
                    "%(record)s doesn't count any more and is kept as it was. Enter it anew instead.",
                    record=former[0].display_name,
                )
            )

    def _keep_versions(self, copies):
        """Leave the former versions of records that were changed behind, unless they are of today."""
        old = self.browse()
        vals_list = []
        for record in self:
            today = record.company_id.sudo()._credit_today()
            if record.known_from < today:
                old |= record
                vals_list.append(
                    {
                        **copies[record][0],
                        'active': False,
                        'known_from': record.known_from,
                        'known_until': today,
                        'current_id': record.id,
                        'user_id': record.user_id.id,
                    }
                )
        if vals_list:
            # Below `create`, which enters something new; as the system, because nobody may make a former version.
            former = super(ScoringDated, self.sudo()).create(vals_list)  # pylint: disable=super-method-mismatch
            former.flush_recordset()
            for record, version in zip(old, former, strict=True):
                version._write_flow(copies[record][1])
        for record in old:
            record._write_flow({'known_from': record.company_id.sudo()._credit_today(), 'user_id': self.env.uid})

    def _write_flow(self, vals):
        """Write what `write` keeps clients from writing."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _after_change(self):
        """Hear that these records say something else now."""

    def action_withdraw(self):
        """Let these count no more from today on; they are kept, because scores of before rest on them.

        :raise AccessError: if the user may not write them
        """
        self.check_access('write')
        current = self.filtered('active')
        for company, records in current.grouped('company_id').items():
            records._write_flow({'active': False, 'known_until': company.sudo()._credit_today()})
        current._after_withdrawal()
        return True

    def _after_withdrawal(self):
        """Hear that these records count no more."""

    def action_archive(self):
        """Withdraw: what the list's *Archive* means here."""
        return self.action_withdraw()

    def action_unarchive(self):
        """Refuse: what was not known for some days can't have been known on them later.

        :raise UserError: always
        """
        raise UserError(self.env._("What was withdrawn stays so: scores were made without it. Enter it anew."))

    @api.model
    def _known_sql(self, alias, date):
        """Return the condition that a row of a table was known at the end of a day."""
        return SQL(
            "%(known_from)s <= %(date)s AND (%(known_until)s IS NULL OR %(known_until)s > %(date)s)",
            known_from=SQL.identifier(alias, 'known_from'),
            known_until=SQL.identifier(alias, 'known_until'),
            date=date,
        )

    def _versions_domain(self):
        """Return the domain of these records and their former versions."""
        return Domain('id', 'in', self.ids) | Domain('current_id', 'in', self.ids)
