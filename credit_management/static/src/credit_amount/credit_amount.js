import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { MonetaryField, monetaryField } from "@web/views/fields/monetary/monetary_field";

/** An amount of credit: a limit or what is left of it, "Unlimited" where there is none. */
export class CreditAmountField extends MonetaryField {
    static props = {
        ...MonetaryField.props,
        unlimitedField: { type: String, optional: true },
    };

    get formattedValue() {
        const { unlimitedField, record } = this.props;
        return unlimitedField && record.data[unlimitedField] ? _t("Unlimited") : super.formattedValue;
    }
}

export const creditAmountField = {
    ...monetaryField,
    component: CreditAmountField,
    displayName: _t("Credit Amount"),
    listViewWidth: 115,
    supportedOptions: [
        ...monetaryField.supportedOptions,
        {
            label: _t("Unlimited field"),
            name: "unlimited_field",
            type: "field",
            availableTypes: ["boolean"],
        },
    ],
    fieldDependencies: ({ options }) =>
        options.unlimited_field ? [{ name: options.unlimited_field, type: "boolean" }] : [],
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...monetaryField.extractProps(fieldInfo, dynamicInfo),
        unlimitedField: fieldInfo.options.unlimited_field,
    }),
};

registry.category("fields").add("credit_amount", creditAmountField);
