import { registry } from "@web/core/registry";
import { GraphModel } from "@web/views/graph/graph_model";
import { graphView } from "@web/views/graph/graph_view";

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
