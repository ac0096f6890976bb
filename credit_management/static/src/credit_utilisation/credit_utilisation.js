import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

// The server's value for exposure against a limit of 0.
const NO_CREDIT = 999999;

/** Utilisation in percent as a bar and a number; in words where a percentage says nothing. */
export class CreditUtilisationField extends Component {
    static template = "credit_management.CreditUtilisationField";
    static props = {
        ...standardFieldProps,
        unlimitedField: { type: String, optional: true },
    };

    get value() {
        return this.props.record.data[this.props.name] || 0;
    }

    get unlimited() {
        return Boolean(this.props.unlimitedField && this.props.record.data[this.props.unlimitedField]);
    }

    get noCredit() {
        return this.value >= NO_CREDIT;
    }

    get width() {
        return Math.min(100, this.value);
    }

    get level() {
        return this.value > 100 ? "danger" : this.value >= 80 ? "warning" : "success";
    }

    get text() {
        if (this.unlimited) {
            return _t("Unlimited");
        }
        if (this.noCredit) {
            return _t("No credit");
        }
        const value = this.value >= 1000 ? Math.round(this.value) : this.value;
        return `${formatFloat(value, { digits: [16, value >= 100 ? 0 : 1], trailingZeros: false })} %`;
    }
}

export const creditUtilisationField = {
    component: CreditUtilisationField,
    displayName: _t("Credit Utilisation"),
    supportedTypes: ["float"],
    supportedOptions: [
        {
            label: _t("Unlimited field"),
            name: "unlimited_field",
            type: "field",
            availableTypes: ["boolean"],
        },
    ],
    listViewWidth: [130, 170],
    isEmpty: () => false,
    fieldDependencies: ({ options }) =>
        options.unlimited_field ? [{ name: options.unlimited_field, type: "boolean" }] : [],
    extractProps: ({ options }) => ({ unlimitedField: options.unlimited_field }),
};

registry.category("fields").add("credit_utilisation", creditUtilisationField);
