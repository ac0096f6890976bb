import json

from odoo import api, models
from odoo.tools import SQL


class IrDefault(models.Model):
    _inherit = 'ir.default'

    # EXTENDS base: where a company has a credit policy, core's default credit limit is the policy's

    @api.model_create_multi
    def create(self, vals_list):
        defaults = super().create(vals_list)
        if defaults._credit_touched():
            self._credit_restore()
        return defaults

    def write(self, vals):
        touched = self._credit_touched()
        result = super().write(vals)
        if touched or self._credit_touched():
            self._credit_restore()
        return result

    def unlink(self):
        touched = self._credit_touched()
        result = super().unlink()
        if touched:
            self._credit_restore()
        return result

    def _credit_field(self):
        return self.env['ir.model.fields']._get('res.partner', 'credit_limit')

    def _credit_touched(self):
        """Return whether any of these is a company's default credit limit."""
        field = self._credit_field()
        # Users write defaults of their own without being able to read fields.
        return any(default.field_id == field and not default.user_id for default in self.sudo())

    def _credit_restore(self):
        for company in self.env['res.company'].sudo().search([('credit_policy_id', '!=', False)]).root_id:
            self.env['credit.core.limit']._restore_default(company)

    @api.model
    def _credit_set(self, company_ids, number):
        """Write the default credit limit of some companies, below what watches over it."""
        field = self._credit_field()
        self.flush_model()
        value = json.dumps(number)
        self.env.execute_query(
            SQL(
                """
                WITH changed AS (
                    UPDATE ir_default SET json_value = %(value)s
                     WHERE field_id = %(field)s AND company_id = ANY(%(companies)s)
                       AND user_id IS NULL AND condition IS NULL
                 RETURNING company_id
                )
                INSERT INTO ir_default (field_id, company_id, json_value)
                     SELECT %(field)s, company_id, %(value)s
                       FROM unnest(%(companies)s) AS company_id
                      WHERE company_id NOT IN (SELECT company_id FROM changed)
                  RETURNING id
                """,
                value=value,
                field=field.id,
                companies=company_ids,
            )
        )
        # As the ORM's own write does: every fallback in the caches may be another now.
        self.env.invalidate_all()
        self.env.registry.clear_cache()
