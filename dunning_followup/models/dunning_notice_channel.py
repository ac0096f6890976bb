from datetime import datetime
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from .dunning_step import GATEWAY_CHANNELS

QUIET = {'mail_create_nolog': True, 'mail_notify_force_send': False, 'mail_activity_quick_update': True}


class DunningNotice(models.Model):
    """How notices go out: a method `_send_<channel>` for each channel, add-ons bring theirs.

    It gets notices that are locked and may go out, of one company or several,
    and leaves each in the state in which it is then; what it raises is shown on
    the notice, which is tried again. What talks to others by HTTP is called one
    by one, after a commit, see `_deliver`.
    """

    _inherit = 'dunning.notice'  # pylint: disable=consider-merging-classes-inherited

    # -------------------------------------------------------------------------
    # E-mail and letter
    # -------------------------------------------------------------------------

    def _send_email(self):
        """Put e-mails into Odoo's queue, in the transaction that changes their state: both or nothing happens."""
        heavy = self.filtered(
            lambda notice: (notice.step_id.attach_invoices or notice.step_id.attach_statement) and not notice.rendered
        )
        heavy.write({'state': 'rendering', 'reason': False})
        if heavy:
            self.env.ref('dunning_followup.ir_cron_render').sudo()._trigger()
        (self - heavy)._queue_mails()

    def _queue_mails(self):
        """Make the mails of these notices; one that failed is written anew: address and amounts may have changed."""
        self = self.with_context(dunning_claims=self._all_claims())
        ready, new, vals_list = self.browse(), [], []
        accounts = self._accounts()
        for notice in self:
            email = notice._addresses()
            if not email:
                notice._without_address()
                continue
            localized = notice._localized()
            values = localized._facts()
            subject, body = localized._long_text(values)
            notice.subject = subject
            ready |= notice
            sender = notice.run_id.user_id if notice.run_id.user_id.email and not notice.run_id.automatic else None
            address = (sender or notice.company_id.partner_id).email_formatted or self.env.user.email_formatted
            vals = {
                'subject': subject,
                'body_html': body,
                # What the chatter shows; to clean the whole text takes as long as all the rest.
                'body': subject,
                'email_from': address,
                'reply_to': address,
                'email_to': email,
                'email_cc': notice.step_id.copy_salesperson and notice.partner_id.user_id.email_formatted or False,
                'attachment_ids': [fields.Command.set(notice.file_ids.ids)],
            }
            # Cancelled: taken back from the queue, see `_take_back`.
            if notice.mail_mail_id.state in ('exception', 'outgoing', 'cancel'):
                notice.mail_mail_id.write({**vals, 'state': 'outgoing'})
                continue
            new.append(notice)
            # One that did not arrive is a message of its own: mail servers drop what they have seen.
            again = f'-{notice.mail_mail_id.id}' if notice.mail_mail_id else ''
            vals_list.append(
                {
                    **vals,
                    'auto_delete': False,
                    'is_notification': False,
                    'message_id': f'<dunning-{notice.key}{again}@{self.env.cr.dbname}>',
                    'headers': repr({'X-Dunning-Notice': notice.key}),
                    'model': 'credit.account',
                    'res_id': accounts[notice.company_id, notice.partner_id].id,
                }
            )
        for notice, mail in zip(new, self.env['mail.mail'].create(vals_list), strict=True):
            notice.mail_mail_id = mail
        for company, group in ready.grouped('company_id').items():
            group.write({**self._prepare_queued(), 'date_stated': company._credit_today()})
        if ready:
            self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger()

    @api.model
    def _prepare_queued(self):
        return {'state': 'queued', 'reason': False, 'date_queued': fields.Datetime.now()}

    def _has_address(self):
        """Tell whether this notice can reach anybody through its channel, which is one with addresses."""
        self.ensure_one()
        contacts = self._recipients()
        if self.channel == 'email':
            return any(contact.email for contact in contacts)
        return any(contact.phone for contact in (contacts if self.represented else contacts | self.partner_id))

    def _addresses(self):
        """Return the addresses of this notice as one line: all get the same mail."""
        contacts = self._recipients().filtered('email')
        return ", ".join(contacts.mapped('email_formatted'))

    def _recipients(self):
        """Return the contacts by role: the follow-up contact, that of the invoices, or both; or the lawyer alone."""
        self.ensure_one()
        first = self.contact_id or self.partner_id
        if self.step_id.recipient == 'both' and not self.represented:
            first |= self.env['res.partner'].browse(self.partner_id.address_get(['invoice'])['invoice'])
        return first

    def _without_address(self):
        """Turn these into letters, where the step says so; else they fail, for nobody can mend it but a person."""
        letters = self.filtered(lambda notice: notice._may_be_letter())
        letters.write({'channel': 'letter'})
        letters._send_letter()
        (self - letters)._set_error(
            self.env._("No address for this channel. Complete the contact, then send it again."), final=True
        )

    def _send_letter(self):
        """Have the PDFs made; they are sent when somebody notes that they were posted."""
        self.write({'state': 'rendering', 'reason': False})
        if self:
            self.env.ref('dunning_followup.ir_cron_render').sudo()._trigger()

    # -------------------------------------------------------------------------
    # SMS
    # -------------------------------------------------------------------------

    def _send_sms(self):
        """Put text messages into Odoo's queue."""
        ready, vals_list = self.browse(), []
        # One that failed is written anew: as a second one, both could go out.
        before = self._open_sms().grouped('uuid')
        for notice in self:
            number = notice._phone()
            if not number:
                notice._without_address()
                continue
            localized = notice._localized()
            notice.text = localized._short_text(localized._facts(with_claims=False))
            ready |= notice
            vals = {'number': number, 'body': notice.text, 'partner_id': notice._recipients()[:1].id}
            vals |= {'state': 'outgoing', 'failure_type': False}
            if sms := before.get(notice.sms_uuid):
                sms.write(vals)
            else:
                notice.sms_uuid = vals['uuid'] = uuid4().hex
                vals_list.append(vals)
        self.env['sms.sms'].create(vals_list)
        ready.write(self._prepare_queued())
        if ready:
            self.env.ref('sms.ir_cron_sms_scheduler_action').sudo()._trigger()

    def _open_sms(self):
        """Return the text messages of these notices that are not out yet."""
        uuids = list(filter(None, self.mapped('sms_uuid')))
        return self.env['sms.sms'].search([('uuid', 'in', uuids), ('state', 'in', ('outgoing', 'error'))])

    def _phone(self):
        """Return the number to which short messages go, in international form if it can be told."""
        contacts = self._recipients()
        for contact in contacts if self.represented else contacts | self.partner_id:
            if contact.phone:
                return contact._phone_format(fname='phone') or contact.phone
        return ''

    # -------------------------------------------------------------------------
    # People
    # -------------------------------------------------------------------------

    def _send_call(self):
        """Give the collector a call to make."""
        self._to_collector('dunning_followup.mail_activity_type_call')

    def _send_visit(self):
        """Give the collector a visit to make."""
        self._to_collector('dunning_followup.mail_activity_type_visit')

    def _to_collector(self, activity_type):
        accounts, vals_list = self._accounts(), []
        for notice in self:
            account = accounts[notice.company_id, notice.partner_id]
            user = account._collector(notice.run_id.user_id)
            reader = notice.with_context(lang=user.lang or self.env.lang)
            notice.text = reader._short_text(reader._facts(with_claims=False))
            if notice.represented:
                lawyer = notice.contact_id.display_name
                text = reader.env._("Represented by a lawyer: contact %(lawyer)s only.", lawyer=lawyer)
                notice.text = f"{text}\n{notice.text}"
            vals_list.append(account._prepare_dunning_activity(activity_type, user, reader.step_id.name, notice.text))
        self.env['mail.activity'].with_context(**QUIET).create(vals_list)
        self._set_sent()

    def _send_internal(self):
        """Note the text in the credit accounts; nothing leaves the house."""
        accounts, bodies = self._accounts(), {}
        for notice in self:
            notice.text = notice._short_text(notice._facts(with_claims=False))
            bodies[accounts[notice.company_id, notice.partner_id].id] = plaintext2html(notice.text)
        self.env['credit.account'].browse(bodies)._message_log_batch(bodies=bodies)
        self._set_sent()

    def _accounts(self):
        """Return {(company, customer): credit account}, making those that lack."""
        return {
            (company, account.partner_id): account
            for company, group in self.grouped('company_id').items()
            for account in self.env['credit.account']._for_partners(group.partner_id, company)
        }

    # -------------------------------------------------------------------------
    # HTTP
    # -------------------------------------------------------------------------

    @api.model
    def _deliver(self, ids):
        """Hand one notice to its gateway.

        That it is being handed over is committed before anything is sent: who
        is killed in between leaves it so, and nobody sends it a second time.
        """
        notice = self._take(ids, ['to_send'])
        notice = notice.filtered(lambda one: one.channel in GATEWAY_CHANNELS)._ready()
        if not notice:
            return
        if notice.channel not in GATEWAY_CHANNELS:
            # Another step leads now, or it has become a letter.
            notice._attempt(f'_send_{notice.channel}')
            return
        notice.write({'state': 'sending', 'date_claimed': datetime.now()})
        self.env['ir.cron']._commit_progress()
        if not notice.exists().try_lock_for_update() or notice.state != 'sending':
            return
        notice._attempt(f'_send_{notice.channel}')

    def _send_sms_gateway(self):
        """Send text messages through the step's gateway."""
        self._send_http()

    def _send_webhook(self):
        """Post signed messages to the step's address."""
        self._send_http()

    def _send_http(self):
        for notice in self:
            gateway = notice.step_id.gateway_id
            if not gateway:
                raise UserError(self.env._("The step has no gateway any more. Choose one."))
            number = notice._phone()
            if notice.channel == 'sms_gateway' and not number:
                notice._without_address()
                continue
            localized = notice._localized()
            values = localized._facts(with_claims=False)
            notice.text = localized._short_text(values)
            values |= {
                'phone': number,
                'text': notice.text,
                'template': notice.step_id.gateway_template or '',
                'key': notice.key,
                'amount': notice.amount_total,
                'currency': notice.currency_id.name,
                'email': notice._recipients()[:1].email or '',
                'step': localized.step_id.name,
            }
            result = gateway._post({name: value for name, value in values.items() if name not in ('items', 'claims')})
            if result.ok:
                notice.provider_ref = result.reference
                notice._set_sent()
            else:
                notice._set_error(result.error, final=result.final)
