import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useBus } from "@web/core/utils/hooks";
import { MonetaryField, monetaryField } from "@web/views/fields/monetary/monetary_field";
import { useEffect } from "@odoo/owl";

/** An amount that may be left open: nothing is not 0. */
export class ScoringAmountField extends MonetaryField {
    setup() {
        // Before those of the input itself, which take a 0 in an open field for no change and drop it.
        useBus(this.props.record.model.bus, "NEED_LOCAL_CHANGES", (ev) =>
            ev.detail.proms.push(this.keepZero())
        );
        super.setup();
        useEffect(
            (input) => {
                if (input) {
                    const onKeydown = (ev) => ["Tab", "Enter"].includes(ev.key) && this.keepZero();
                    input.addEventListener("keydown", onKeydown, { capture: true });
                    return () => input.removeEventListener("keydown", onKeydown, { capture: true });
                }
            },
            () => [this.inputRef.el]
        );
    }

    get inputOptions() {
        const options = super.inputOptions;
        return { ...options, parse: (text) => (text.trim() ? options.parse(text) : false) };
    }

    /** Take over a 0 that was typed into a field that was open. */
    async keepZero() {
        const { name, record } = this.props;
        const text = this.inputRef.el?.value.trim();
        if (text && /^0+([.,]0*)?$/.test(text) && record.data[name] === false) {
            await record.update({ [name]: 0 });
        }
    }
}

export const scoringAmountField = {
    ...monetaryField,
    component: ScoringAmountField,
    displayName: _t("Amount That May Be Left Open"),
};

registry.category("fields").add("scoring_amount", scoringAmountField);
