// The library's own types, for charts whose every time is a number of Unix seconds.
import type { ChartOptionsImpl, DeepPartial, IChartApiBase, ISeriesApi, SeriesType } from "lightweight-charts";

export * from "lightweight-charts";

export type Chart = IChartApiBase<number>;
export type Series<Type extends SeriesType> = ISeriesApi<Type, number>;
export type ChartOptions = DeepPartial<ChartOptionsImpl<number>> & {
  timeScale: { tickMarkFormatter: (time: number, type: number) => string };
};

export declare function createChart(host: HTMLElement, options: ChartOptions): Chart;
