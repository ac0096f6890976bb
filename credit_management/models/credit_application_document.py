from odoo import api, fields, models
from odoo.exceptions import AccessError


class CreditApplicationPart(models.AbstractModel):
    """A line of an application: read and written by whoever may read and write the application as it stands."""

    _name = 'credit.application.part'
    _description = "Part of an Application"

    application_id = fields.Many2one('credit.application', required=True, index=True, ondelete='cascade')
    partner_id = fields.Many2one(related='application_id.partner_id', store=True, index=True)
    company_id = fields.Many2one(related='application_id.company_id', store=True, index=True)

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts.application_id._check_editable()
        return parts

    def write(self, vals):
        self.application_id._check_editable()
        if 'application_id' in vals:
            self.env['credit.application'].browse(vals['application_id'])._check_editable()
        return super().write(vals)

    def unlink(self):
        self.application_id._check_editable()
        return super().unlink()


class CreditApplicationDocument(models.Model):
    """One line of an application's checklist: what is needed, and the files that prove it."""

    _name = 'credit.application.document'
    _inherit = ['credit.application.part']
    _description = "Checklist Line of an Application"
    _order = 'application_id, sequence, id'

    item_id = fields.Many2one('credit.checklist.item', ondelete='set null', readonly=True)
    sequence = fields.Integer()
    name = fields.Char(string="What Is Needed", required=True)
    kind = fields.Selection([('document', "Document"), ('field', "Entry")], required=True, default='document')
    required = fields.Boolean(readonly=True)
    attachment_ids = fields.Many2many(
        'ir.attachment', 'credit_application_document_attachment_rel', 'document_id', 'attachment_id', string="Files"
    )
    note = fields.Char()
    done = fields.Boolean(string="There", compute='_compute_done')

    @api.depends(
        'kind',
        'attachment_ids',
        'item_id.field_name',
        'application_id.registration_code',
        'application_id.licence_number',
        'application_id.legal_representative',
        'application_id.guarantor',
        'application_id.payment_term_id',
        'application_id.monthly_sales',
        'application_id.visit_date',
        'application_id.visit_note',
        'application_id.reference_ids',
    )
    def _compute_done(self):
        for line in self:
            name = line.item_id.field_name
            line.done = (
                bool(line.attachment_ids) if line.kind == 'document' else bool(name and line.application_id[name])
            )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create([self._clean(vals) for vals in vals_list])
        lines._own_attachments()
        return lines

    def write(self, vals):
        result = super().write(self._clean(vals))
        if 'attachment_ids' in vals:
            self._own_attachments()
        return result

    def _clean(self, vals):
        """Return the values without what the checklist says, which is not a client's to say."""
        if self.env.su:
            return vals
        if {'item_id', 'required'} & vals.keys():
            raise AccessError(self.env._("What an application needs is said by the checklist of the policy."))
        return vals

    def _own_attachments(self):
        """Let whoever reads the application read the files that were attached to it, and nobody else's.

        :raise AccessError: for files that the user may not read
        """
        for line in self:
            line.attachment_ids.check_access('read')
            # Uploaded for a record that had no id yet, by this user: only he could read them.
            fresh = line.attachment_ids.sudo().filtered(
                lambda attachment: not attachment.res_id and attachment.create_uid == self.env.user
            )
            fresh.write({'res_model': 'credit.application', 'res_id': line.application_id.id})
            if foreign := line.attachment_ids.sudo().filtered(
                lambda attachment, line=line: (
                    (attachment.res_model, attachment.res_id) != ('credit.application', line.application_id.id)
                )
            ):
                # A copy, so that the file stays where it was.
                copies = foreign.copy({'res_model': 'credit.application', 'res_id': line.application_id.id})
                super(CreditApplicationDocument, line).write(  # pylint: disable=super-method-mismatch
                    {
                        'attachment_ids': [
                            *(fields.Command.unlink(attachment.id) for attachment in foreign),
                            *(fields.Command.link(attachment.id) for attachment in copies),
                        ]
                    }
                )
