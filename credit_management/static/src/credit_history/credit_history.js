import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { GraphModel } from "@web/views/graph/graph_model";
import { graphView } from "@web/views/graph/graph_view";
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

/** A graph in which what is not known is a gap, not 0. */
export class CreditHistoryGraphModel extends GraphModel {
    async _loadDataPoints(metaData) {
        const [dataPoints, ...rest] = await super._loadDataPoints(metaData);
        for (const dataPoint of dataPoints) {
            if (dataPoint.value === false) {
                dataPoint.value = null;
            }
        }
        return [dataPoints, ...rest];
    }
}

registry.category("views").add("credit_history_graph", { ...graphView, Model: CreditHistoryGraphModel });
