from odoo import api, fields, models
from odoo.tools import SQL


class CreditRuleStatistic(models.Model):
    """What each rule held, and what became of it: one row per rule and document."""

    _name = 'credit.rule.statistic'
    _description = "Rules and Holds"
    _auto = False
    _order = 'date desc, id desc'
    _rec_name = 'document_name'

    rule_id = fields.Many2one('credit.rule', string="Policy Rule", readonly=True)
    kind = fields.Selection('_kinds', string="Rule", readonly=True)
    policy_id = fields.Many2one('credit.policy', readonly=True)
    check_id = fields.Many2one('credit.check', readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    company_id = fields.Many2one('res.company', readonly=True)
    user_id = fields.Many2one('res.users', readonly=True, help="Who wanted the document to go on.")
    date = fields.Datetime(readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    shadow = fields.Boolean(string="Recorded Only", readonly=True, help="The policy or the rule was not enforced.")
    hold_count = fields.Integer(string="Holds", readonly=True, help="Documents that this rule held or blocked.")
    shadow_count = fields.Integer(
        string="Would Have Held", readonly=True, help="Documents that this rule would have held, had it been enforced."
    )
    reported_count = fields.Integer(string="Said To Be Wrong", readonly=True)
    justified_count = fields.Integer(string="Holds That Were Wrong", readonly=True)
    declined_count = fields.Integer(string="Reported, But Right", readonly=True)
    released_count = fields.Integer(string="Released", readonly=True)
    rejected_count = fields.Integer(string="Rejected", readonly=True)
    reported_rate = fields.Float(
        string="Said To Be Wrong (%)", readonly=True, aggregator='avg', help="In percent of the holds."
    )
    justified_rate = fields.Float(
        string="Wrong (%)", readonly=True, aggregator='avg', help="Holds that were wrong, in percent of the holds."
    )

    @api.model
    def _kinds(self):
        return self.env['credit.check.line']._fields['kind']._description_selection(self.env)

    @property
    def _table_query(self):
        for model in ('credit.check.line', 'credit.check', 'credit.false.hold', 'credit.release'):
            self.env[model].flush_model()
        # One row per rule and document, of its first check: who confirms a held
        # order again and again does not make it several holds.
        return SQL(
            """
            SELECT stopped.id, stopped.rule_id, stopped.kind, stopped.policy_id, stopped.check_id, stopped.partner_id,
                   stopped.company_id, stopped.user_id, stopped.date, stopped.document_name, stopped.shadow,
                   (NOT stopped.shadow)::int AS hold_count,
                   stopped.shadow::int AS shadow_count,
                   (report.reported AND NOT stopped.shadow)::int AS reported_count,
                   (report.justified AND NOT stopped.shadow)::int AS justified_count,
                   (report.declined AND NOT stopped.shadow)::int AS declined_count,
                   (decision.released AND NOT stopped.shadow)::int AS released_count,
                   (decision.rejected AND NOT stopped.shadow)::int AS rejected_count,
                   CASE WHEN NOT stopped.shadow THEN 100.0 * report.reported::int END AS reported_rate,
                   CASE WHEN NOT stopped.shadow THEN 100.0 * report.justified::int END AS justified_rate
              FROM (
                SELECT DISTINCT ON (line.rule_id, line.kind, checked.res_model, checked.res_id,
                                    checked.shadow OR line.shadow IS TRUE)
                       line.id, line.rule_id, line.kind, checked.policy_id, line.check_id, checked.partner_id,
                       checked.company_id, checked.user_id, checked.date, checked.document_name,
                       checked.res_model, checked.res_id, checked.shadow OR line.shadow IS TRUE AS shadow
                  FROM credit_check_line line
                  JOIN credit_check checked ON checked.id = line.check_id
                 WHERE line.verdict IN ('hold', 'block')
              ORDER BY line.rule_id, line.kind, checked.res_model, checked.res_id,
                       checked.shadow OR line.shadow IS TRUE, line.id
              ) AS stopped
        CROSS JOIN LATERAL (
                SELECT COUNT(*) > 0 AS reported,
                       COALESCE(bool_or(report.state = 'justified'), FALSE) AS justified,
                       COALESCE(bool_or(report.state = 'declined'), FALSE) AS declined
                  FROM credit_false_hold report
                 WHERE report.res_model = stopped.res_model AND report.res_id = stopped.res_id
                   AND EXISTS (SELECT 1 FROM credit_check_line line
                                WHERE line.check_id = report.check_id AND line.kind = stopped.kind
                                  AND line.rule_id IS NOT DISTINCT FROM stopped.rule_id
                                  AND line.shadow IS NOT TRUE AND line.verdict IN ('hold', 'block'))
              ) AS report
        CROSS JOIN LATERAL (
                SELECT COALESCE(bool_or(release.state = 'released'), FALSE) AS released,
                       COALESCE(bool_or(release.state = 'rejected'), FALSE) AS rejected
                  FROM credit_release release
                 WHERE release.res_model = stopped.res_model AND release.res_id = stopped.res_id
              ) AS decision
            """
        )

    def action_open_document(self):
        """Open the document that this rule held."""
        self.ensure_one()
        return self.check_id.action_open_document()
