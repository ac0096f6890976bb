from odoo import api, models


class CreditDialog(models.AbstractModel):
    """A dialog about records that its user may read.

    The web client reads the names of what a dialog refers to on behalf of the
    system; a client could have any record named by putting its id there.
    """

    _name = 'credit.dialog'
    _description = "Credit Dialog"

    @api.model_create_multi
    def create(self, vals_list):
        dialogs = super().create(vals_list)
        dialogs._check_named()
        return dialogs

    def write(self, vals):
        result = super().write(vals)
        self._check_named()
        return result

    def onchange(self, values, field_names, fields_spec):
        # EXTENDS web: the dialog before it is saved, made of defaults and of what the client says
        names = [name for name in self._named_fields() if name not in values]
        given = {name: values[name] for name in self._named_fields() if name in values}
        self.new({**self.default_get(names), **given})._check_named()
        return super().onchange(values, field_names, fields_spec)

    def _dialog_action(self, title, context=None):
        """Return the action that opens this dialog, or a new one."""
        return {
            'type': 'ir.actions.act_window',
            'name': title,
            'res_model': self._name,
            **({'res_id': self.id} if self else {}),
            'views': [(False, 'form')],
            'target': 'new',
            'context': context or {},
        }

    @api.model
    def _named_fields(self):
        """Return the names of the fields that refer to records; companies are no secret among colleagues."""
        return [
            name
            for name, field in self._fields.items()
            if field.type in ('many2one', 'many2many')
            and field.store
            and field.comodel_name not in ('res.company', 'res.users')
            and self._has_field_access(field, 'read')
        ]

    def _check_named(self):
        """Refuse what the user may not read.

        :raise AccessError: if there is any
        """
        if self.env.su:
            return
        for name in self._named_fields():
            # In a dialog that is not saved they are new records that stand for the saved ones.
            self[name]._origin.check_access('read')
