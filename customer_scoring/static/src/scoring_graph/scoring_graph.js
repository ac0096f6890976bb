import { CreditHistoryGraphModel } from "@credit_management/credit_history_graph/credit_history_graph";
import { registry } from "@web/core/registry";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { graphView } from "@web/views/graph/graph_view";

// These hold until they change; of the others (changes, numbers of scores) a day without one has none.
const LASTING = ["score", "behaviour", "stake", "prior", "drawn", "invoice_count"];

/**
 * Scores over time: a score is written when it changes, and holds until the next one.
 *
 * The context's `scoring_until` says up to which day the last one holds.
 */
export class ScoringScoreGraphModel extends CreditHistoryGraphModel {
    async _loadDataPoints(metaData) {
        if (!this.carries(metaData)) {
            return super._loadDataPoints(metaData);
        }
        const searchParams = this.searchParams;
        const until = searchParams.context.scoring_until;
        if (until) {
            const context = { ...searchParams.context, fill_temporal: { fill_to: until } };
            this.searchParams = { ...searchParams, context };
        }
        const loading = super._loadDataPoints(metaData);
        this.searchParams = searchParams;
        const [dataPoints, ...rest] = await loading;
        return [this.carry(dataPoints), ...rest];
    }

    carries({ fields, groupBy, measure }) {
        const first = groupBy[0] && fields[groupBy[0].fieldName].type;
        return LASTING.includes(measure) && first === "date";
    }

    /** Return a point for each day and line: where there is none, with the value of the day before. */
    carry(dataPoints) {
        const days = Map.groupBy(dataPoints, ({ labels }) => labels[0]);
        // A day without a score has a point of no line.
        const found = dataPoints.filter(({ count }) => count);
        const lines = new Map(found.map((dataPoint) => [JSON.stringify(dataPoint.labels.slice(1)), dataPoint]));
        const last = {};
        const carried = [];
        for (const [day, points] of days) {
            const ofDay = new Map(points.map((point) => [JSON.stringify(point.labels.slice(1)), point]));
            for (const [key, line] of lines) {
                const point = ofDay.get(key);
                if (point?.count) {
                    last[key] = point.value;
                    carried.push(point);
                } else {
                    carried.push({
                        ...points[0],
                        count: 0,
                        value: last[key] ?? null,
                        labels: [day, ...line.labels.slice(1)],
                        identifier: JSON.stringify([day, key]),
                    });
                }
            }
        }
        return carried;
    }
}

export class ScoringScoreGraphRenderer extends GraphRenderer {
    getLineChartData() {
        const data = super.getLineChartData();
        if (this.model.carries(this.model.metaData)) {
            for (const dataset of data.datasets) {
                dataset.stepped = true;
            }
        }
        return data;
    }
}

/** Figures of single days: between two reports nothing is known, and the line goes straight from one to the next. */
export class ScoringReportGraphRenderer extends GraphRenderer {
    getLineChartData() {
        const data = super.getLineChartData();
        for (const dataset of data.datasets) {
            dataset.spanGaps = true;
        }
        return data;
    }
}

registry
    .category("views")
    .add("scoring_score_graph", { ...graphView, Model: ScoringScoreGraphModel, Renderer: ScoringScoreGraphRenderer })
    .add("scoring_report_graph", { ...graphView, Model: CreditHistoryGraphModel, Renderer: ScoringReportGraphRenderer });
