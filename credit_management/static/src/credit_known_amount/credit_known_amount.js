import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { CreditAmountField, creditAmountField } from "../credit_amount/credit_amount";

/** An amount of a day in the past: in words where it is not known. */
export class CreditKnownAmountField extends CreditAmountField {
    get formattedValue() {
        return this.props.record.data[this.props.name] === false ? _t("Not known") : super.formattedValue;
    }
}

export const creditKnownAmountField = {
    ...creditAmountField,
    component: CreditKnownAmountField,
    displayName: _t("Amount or Not Known"),
    isEmpty: () => false,
};

registry.category("fields").add("credit_known_amount", creditKnownAmountField);
