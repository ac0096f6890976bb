from odoo import api, fields, models

from .scoring_fact import LEGAL_BASIS_LABELS


class ScoringRatingImport(models.Model):
    """One import of ratings: from whom, why, on which legal basis, when and by whom.

    Written by the import only; the file itself is not kept, its fingerprint is.
    """

    _name = 'scoring.rating.import'
    _inherit = ['credit.root.company']
    _description = "Import of Ratings"
    _order = 'id desc'
    _rec_name = 'file_name'

    provider_id = fields.Many2one('scoring.rating.provider', required=True, readonly=True, ondelete='restrict')
    file_name = fields.Char(string="File", readonly=True)
    fingerprint = fields.Char(readonly=True, help="SHA-256 of the file.")
    purpose = fields.Char(required=True, readonly=True)
    legal_basis = fields.Selection(LEGAL_BASIS_LABELS, required=True, readonly=True)
    date = fields.Datetime(string="Imported On", required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one('res.users', string="Imported By", required=True, readonly=True)
    rating_ids = fields.One2many('scoring.rating', 'import_id', string="Ratings", readonly=True)
    imported_count = fields.Integer(string="Imported", readonly=True)
    same_count = fields.Integer(string="Already There", readonly=True)
    error_count = fields.Integer(string="Left Out", readonly=True)

    @api.model
    def _store(self, provider, company, vals_list, **values):
        """Keep ratings of a provider as one import, whichever way they came.

        :param vals_list: values for `scoring.rating`, as from `_fetch`
        :param values: `purpose`, `legal_basis`; maybe `file_name`, `fingerprint` and the counts
        :returns: the import
        :raise AccessError: if the user may not enter ratings
        """
        Rating = self.env['scoring.rating']
        Rating.check_access('create')
        # The log is nobody's to write.
        log = (
            self.sudo()
            .create(
                {
                    'provider_id': provider.id,
                    'company_id': company.root_id.id,
                    'user_id': self.env.uid,
                    'imported_count': len(vals_list),
                    **values,
                }
            )
            .with_env(self.env)
        )
        reason = {name: values[name] for name in ('purpose', 'legal_basis')}
        Rating.create(
            [
                {'provider_id': provider.id, 'company_id': company.root_id.id, 'import_id': log.id, **reason, **vals}
                for vals in vals_list
            ]
        )
        return log

    @api.model
    def _fetch_and_store(self, provider, partners, company, purpose, legal_basis):
        """Fetch the ratings of some customers from a provider that has a way in of its own, and keep them."""
        vals_list = provider._fetch(partners, company)
        return self._store(provider, company, vals_list, purpose=purpose, legal_basis=legal_basis)

    def action_view_ratings(self):
        """Open the ratings of this import."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('customer_scoring.scoring_rating_action')
        return action | {'domain': [('import_id', '=', self.id)], 'context': {}}
