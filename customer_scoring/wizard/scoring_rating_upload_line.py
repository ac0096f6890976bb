from odoo import fields, models

from .scoring_rating_upload import TARGET_LABELS


class ScoringRatingUploadColumn(models.TransientModel):
    """A column of the file, and what it is."""

    _name = 'scoring.rating.upload.column'
    _description = "Column of a File of Ratings"
    _order = 'number, id'

    upload_id = fields.Many2one('scoring.rating.upload', required=True, readonly=True, ondelete='cascade')
    number = fields.Integer(readonly=True, aggregator=None)
    name = fields.Char(string="Column", readonly=True)
    sample = fields.Char(string="For Example", readonly=True)
    target = fields.Selection(TARGET_LABELS, string="Is", help="Empty: the column is left out.")


class ScoringRatingUploadRow(models.TransientModel):
    """What the import would do with a row of the file."""

    _name = 'scoring.rating.upload.row'
    _description = "Row of a File of Ratings"
    _order = 'upload_id, state, line, id'

    upload_id = fields.Many2one('scoring.rating.upload', required=True, readonly=True, index=True, ondelete='cascade')
    line = fields.Integer(string="Row", readonly=True, aggregator=None, help="As counted in the file.")
    state = fields.Selection([('error', "Wrong"), ('ok', "To Import"), ('same', "Already There")], readonly=True)
    customer = fields.Char(string="In the File", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    matched_by = fields.Selection(
        [('code', "Registration code"), ('vat', "Tax ID"), ('ref', "Reference"), ('name', "Name")],
        string="Found By",
        readonly=True,
    )
    rating = fields.Char(readonly=True)
    date = fields.Date(string="As Of", readonly=True)
    message = fields.Char(readonly=True)
