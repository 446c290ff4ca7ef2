// The shapes that the page reads from the API, named as in src/models (a test holds the two together), and those that
// several of its modules share.

export type Status = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "timed_out";

export interface ProgressAnswer {
  share: number;
  day: string;
  equity: number;
}

export interface RunErrorAnswer {
  code: string;
  errors: string[];
  traceback: string;
  logs: string[];
}

export interface RecomputedAnswer {
  differences: string[];
  error: RunErrorAnswer | null;
}

export interface RunSummary {
  run_hash: string;
  name: string | null;
  status: Status;
  symbols: string[];
  start_date: string;
  end_date: string;
  submitted_at: string;
  progress: ProgressAnswer | null;
  metrics: Metrics | null;
  error: RunErrorAnswer | null;
  recomputed: RecomputedAnswer | null;
  has_result: boolean;
}

export interface RunList {
  runs: RunSummary[];
  next_cursor: string | null;
}

export interface Explanation {
  differences: { ingredient: string; this: unknown; other: unknown }[];
  code_difference: string | null;
}

/** What a form or the editor sends, or a stored request: the page reads its code and leaves the rest to the form. */
export interface RunRequest {
  strategy_code: string;
  [field: string]: unknown;
}

export interface ViolationAnswer {
  message: string;
  line: number | null;
  column: number | null;
  end_line: number | null;
  end_column: number | null;
}

export interface ValidationAnswer {
  violations: ViolationAnswer[];
  universe: string[] | null;
  cadence: { bar_size: string; execution: string } | null;
}

/** Every metric by its name, and why those that are null are undefined. */
export type Metrics = { [name: string]: number | null } & { undefined?: Record<string, string> };

export type Cost = number | { model: string; [field: string]: unknown };

export interface ParametersAnswer {
  name: string | null;
  starting_equity: number;
  start_date: string;
  end_date: string;
  universe: string[];
  bar_size: string;
  execution: string;
  commission: Cost;
  slippage: Cost;
  benchmark: string | null;
  risk_free_rate: number | null;
  min_trade_value: number;
  seed: number;
  parameters: Record<string, unknown>;
}

export interface EquityStats {
  equity: number;
  fees: number;
  slippage_cost: number;
}

export interface Candle {
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
}

export interface OrderAnswer {
  id: string;
  timestamp: string;
  symbol: string;
  action: "Buy" | "Sell";
  price: number;
  shares: number;
  fee: number;
  /** Missing from results of earlier versions. */
  slippage_cost?: number;
  /** Why there was no signal for it; missing where there was one. */
  reason?: Exclude<ExitReason, "signal" | "end">;
}

export type ExitReason = "signal" | "stop_loss" | "take_profit" | "trailing_stop" | "delisting" | "ruin" | "end";

export interface TradeAnswer {
  symbol: string;
  side: "long" | "short";
  entry_time: string;
  exit_time: string;
  entry_price: number;
  exit_price: number;
  shares: number;
  pnl: number;
  bars_held: number;
  fees: number;
  mae: number;
  mfe: number;
  exit_reason: ExitReason;
}

export interface RollingWindow {
  days: number;
  sharpe_ratio: (number | null)[];
  volatility: (number | null)[];
  beta: (number | null)[];
  max_drawdown: (number | null)[];
}

/** A series of the strategy's own. */
export interface PlotSeries {
  name: string;
  points: [time: number, value: number][];
}

/** A line of the strategy's output; without a time it came while the strategy was loaded. */
export interface LogLine {
  time: number | null;
  line: string;
}

/** What an answer has because the page asks for it; results of earlier versions lack some. */
export interface SectionsAnswer {
  trades?: (TradeAnswer & { return: number })[] | null;
  benchmark_metrics?: Metrics | null;
  rolling?: { windows: RollingWindow[] } | null;
  periods?: { benchmark_years: YearAnswer[] | null } | null;
  plots?: PlotSeries[] | null;
  log_lines?: LogLine[] | null;
  metrics_lean?: Record<string, unknown> | null;
}

export interface Ruin {
  date: string;
  shortfall: number;
}

export interface HoldingWeights {
  time: number;
  weights: Record<string, number>;
}

export interface BenchmarkPoint {
  time: number;
  value: number;
}

export interface SymbolOrigin {
  symbol: string;
  first_day: string | null;
  last_day: string | null;
  rows: number;
  fetched_at: string | null;
}

export interface Provenance {
  data_source: string;
  /** Missing from results of earlier versions, as `data` is. */
  is_synthetic?: boolean;
  data_hash: string;
  data?: SymbolOrigin[];
  code_hash: string;
  engine_version: string;
  sandbox: string;
  seed: number;
  timings_ms: TimingsMs;
}

export interface TimingsMs {
  analysis: number;
  data: number;
  sandbox: number;
  audit: number;
  metrics: number;
  total: number;
}

export interface BacktestResponse extends SectionsAnswer {
  run_hash: string;
  parameters: ParametersAnswer;
  metrics: Metrics;
  equity_stats: EquityStats;
  ruin?: Ruin;
  candles: Candle[];
  orders: OrderAnswer[];
  holding_weights: HoldingWeights[];
  benchmark: BenchmarkPoint[] | null;
  logs: string[];
  warnings: string[];
  provenance: Provenance;
}

export interface DrawdownPeriodAnswer {
  depth: number;
  peak: string | null;
  trough: string;
  recovery: string | null;
  n_days: number;
}

export interface YearAnswer {
  year: number;
  months: (number | null)[];
  total: number | null;
}

export interface RunStatistics {
  drawdown: number[];
  drawdown_periods: DrawdownPeriodAnswer[];
  years: YearAnswer[];
}

/** An event of a run's stream. */
export type RunEvent =
  | { kind: "queued"; data: { position: number } }
  | { kind: "started"; data: { attempt: number } }
  | { kind: "progress"; data: ProgressAnswer }
  | { kind: "log"; data: { lines: string[] } }
  | { kind: "finished"; data: unknown };

/** One entry of /studio/strategy.json: a name of the strategy API, or a function of TA-Lib. */
export interface StrategyName {
  name: string;
  signature: string | null;
  type: string;
  summary: string;
  details: string;
}

/** One entry of /studio/catalogue.json. */
export interface Metric {
  name: string;
  group: string;
  label: string;
  unit: "fraction" | "ratio" | "days" | "count" | "basis points";
  explanation: string;
}

/** One entry of /studio/examples.json. */
export interface Example {
  title: string;
  request: RunRequest;
}

/** A result without its large parts. */
export type Facts = Omit<BacktestResponse, "candles" | "orders" | "holding_weights" | "benchmark" | "trades" | "plots" | "rolling">;

/** From and to, Unix seconds. */
export type Range = [number, number];

/** How a result is looked at: an open tab, the place of a selected order, the days in sight. */
export interface Look {
  tab: string;
  order: number | null;
  range: Range | null;
}

/** A place in the form and what is wrong there. */
export interface Fault {
  field: string;
  message: string;
}

/** Attributes of an element, and listeners. False, null and undefined are left out. */
export interface Properties {
  onclick?: (event: MouseEvent) => void;
  onkeydown?: (event: KeyboardEvent) => void;
  onchange?: (event: Event) => void;
  oninput?: (event: Event) => void;
  [attribute: string]: unknown;
}

export type Child = Node | string | number | null | undefined | false | "";

/** The element that a tag with classes makes: "button.quiet" an HTMLButtonElement. */
export type ElementOf<Tag extends string> = Tag extends keyof HTMLElementTagNameMap
  ? HTMLElementTagNameMap[Tag]
  : Tag extends `${infer Name}.${string}`
    ? Name extends keyof HTMLElementTagNameMap
      ? HTMLElementTagNameMap[Name]
      : HTMLElement
    : HTMLElement;

/** The parts of index.html that the page's code asks for. */
export interface PageElements {
  announcer: HTMLElement;
  divider: HTMLElement;
  editor: HTMLElement;
  example: HTMLSelectElement;
  reading: HTMLElement;
  result: HTMLElement;
  runs: HTMLElement;
  skip: HTMLElement;
  studio: HTMLElement;
  terms: HTMLFormElement;
  "theme-button": HTMLButtonElement;
  "token-button": HTMLButtonElement;
  "token-field": HTMLInputElement;
  "token-forget": HTMLButtonElement;
  "token-form": HTMLFormElement;
}

declare global {
  /** What the vendored scripts of /redoc and /docs bring. */
  const Redoc: { init(document: string, options: object, host: HTMLElement | null): void };
  const SwaggerUIBundle: (options: object) => unknown;
  interface Window {
    ui: unknown;
  }
  interface Navigator {
    /** Not in every browser, so not in TypeScript's library. */
    userAgentData?: { platform: string };
  }
}
