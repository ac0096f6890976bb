from odoo import models
from odoo.tools import SQL

from .res_partner import CODE

# What in a name says nothing about whose it is: legal forms and the like, as they are written in many countries.
LEGAL_FORMS = (
    'gmbh & co. kg', 'gmbh', 'aktiengesellschaft', 'ag', 'kg', 'ohg', 'se', 'sarl', 's.a.r.l.', 's.a.', 'sa', 'sas',
    's.p.a.', 'spa', 's.r.l.', 'srl', 'b.v.', 'bv', 'n.v.', 'nv', 'ab', 'oü', 'oy', 'a/s', 'aps', 'as', 'ltd.', 'ltd',
    'limited', 'llc', 'inc.', 'inc', 'corp.', 'corporation', 'co.', 'company', 'plc', 'pte', 'group', 'holding',
    '股份有限公司', '有限责任公司', '有限公司', '集团', '分公司', '公司', '（', '）',
)  # fmt: skip
# From which likeness on two names are called similar; PostgreSQL's own default is 0.3.
SIMILARITY = 0.55
# How many are shown.
MOST = 5


class ResPartner(models.Model):
    """Applications of a customer, and who else it may be.

    Apart from `res_partner.py`, which finds those of the same registration code.
    """

    _inherit = 'res.partner'  # pylint: disable=consider-merging-classes-inherited

    def init(self):
        # EXTENDS base: Odoo makes trigram indexes only where the extension is there; so do we
        super().init()
        if self.env.registry.has_trigram:
            self.env.cr.execute(
                SQL(
                    "CREATE INDEX IF NOT EXISTS res_partner_credit_similar_index ON res_partner"
                    " USING gin (%s gin_trgm_ops) WHERE commercial_partner_id = id",
                    self._credit_name_sql(SQL("name")),
                )
            )
        else:
            self.env.cr.execute(
                SQL(
                    "CREATE INDEX IF NOT EXISTS res_partner_credit_similar_index ON res_partner (%s)"
                    " WHERE commercial_partner_id = id",
                    self._credit_name_sql(SQL("name")),
                )
            )

    def _credit_name_sql(self, name):
        """Return the SQL of a name as it is compared: small letters, without legal forms, blanks and signs."""
        forms = '|'.join(form.replace('.', '[.]') for form in LEGAL_FORMS if form.isascii())
        others = '|'.join(form for form in LEGAL_FORMS if not form.isascii())
        # Literal, not parameters: an index holds the expression as it is.
        return SQL(
            "(regexp_replace(regexp_replace(lower(%%s), '(^|\\s)(%s)(?=\\s|,|$)|%s', '', 'g'),"
            " '[-\\s.,;:&+()/''\"]', '', 'g'))" % (forms, others),  # pylint: disable=sql-injection
            name,
        )

    def _credit_similar(self):
        """Return {partner id: other customers of nearly the same name that the user may read}."""
        ids = self._origin.ids
        if not ids:
            return {}
        self.flush_model(['active', 'commercial_partner_id', 'company_id', 'name', 'parent_id'])
        trigram = self.env.registry.has_trigram
        if trigram:
            self.env.cr.execute(SQL("SET LOCAL pg_trgm.similarity_threshold = %s", SIMILARITY))
        other = self._credit_name_sql(SQL("other.name"))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT asked.id, found.id
                  FROM (
                        SELECT id, parent_id, %(asked)s AS value FROM res_partner asked WHERE id = ANY(%(ids)s)
                       ) AS asked
            CROSS JOIN LATERAL (
                        SELECT other.id
                          FROM res_partner other
                         WHERE %(alike)s
                           AND other.commercial_partner_id = other.id
                           AND other.id <> asked.id
                           AND other.parent_id IS DISTINCT FROM asked.id
                           AND asked.parent_id IS DISTINCT FROM other.id
                           AND (other.company_id IS NULL OR other.company_id = ANY(%(companies)s))
                      ORDER BY %(order)s other.id
                         LIMIT %(most)s
                       ) AS found
                 WHERE asked.value <> ''
                """,
                asked=self._credit_name_sql(SQL("asked.name")),
                ids=ids,
                alike=SQL("%s %% asked.value", other) if trigram else SQL("%s = asked.value", other),
                companies=(self.env.companies | self.env.companies.parent_ids).ids,
                order=SQL("similarity(%s, asked.value) DESC,", other) if trigram else SQL(),
                most=MOST,
            )
        )
        return self._credit_pairs(rows)

    def _credit_with_codes(self, codes):
        """Return {code: customers with this tax or company number that the user may read}."""
        codes = [code for code in set(codes) if code]
        if not codes:
            return {}
        self.flush_model(['commercial_partner_id', 'company_id', 'company_registry', 'vat'])
        rows = self.env.execute_query(
            SQL(
                """
                  WITH asked AS MATERIALIZED (SELECT code, %(code)s AS value FROM unnest(%(codes)s) AS code),
                       found AS (
                           SELECT asked.code, asked.value, other.id FROM asked
                             JOIN res_partner other ON %(vat)s = asked.value
                            UNION
                           SELECT asked.code, asked.value, other.id FROM asked
                             JOIN res_partner other ON %(registry)s = asked.value)
                SELECT found.code, other.id
                  FROM found JOIN res_partner other ON other.id = found.id
                 WHERE length(found.value) > 3 AND other.commercial_partner_id = other.id
                   AND (other.company_id IS NULL OR other.company_id = ANY(%(companies)s))
                """,
                code=SQL(CODE % 'code'),
                codes=codes,
                vat=SQL(CODE % 'other.vat'),
                registry=SQL(CODE % 'other.company_registry'),
                companies=(self.env.companies | self.env.companies.parent_ids).ids,
            )
        )
        return self._credit_pairs(rows)

    def _credit_pairs(self, rows):
        """Return {key: partners that the user may read} of rows (key, partner id)."""
        readable = self.browse({other for _key, other in rows})._filtered_access('read')
        result = {}
        for key, other_id in rows:
            if other_id in readable._ids:
                result[key] = result.get(key, self.browse()) | self.browse(other_id)
        return result

    def action_credit_apply(self):
        """Open the application for a limit of this customer in the current company, making it if there is no draft.

        :raise AccessError: if the user may not apply for this customer
        """
        self.ensure_one()
        self.check_access('read')
        return self.env['credit.application']._open_for(self, self.env.company)._open_action()
