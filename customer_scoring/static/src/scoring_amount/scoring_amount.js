import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { MonetaryField, monetaryField } from "@web/views/fields/monetary/monetary_field";

/** An amount that may be left open: nothing is not 0. */
export class ScoringAmountField extends MonetaryField {
    get inputOptions() {
        const options = super.inputOptions;
        return { ...options, parse: (text) => (text.trim() ? options.parse(text) : false) };
    }
}

export const scoringAmountField = {
    ...monetaryField,
    component: ScoringAmountField,
    displayName: _t("Amount That May Be Left Open"),
};

registry.category("fields").add("scoring_amount", scoringAmountField);
