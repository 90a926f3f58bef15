/** A sender's clock as we know it: at `mediaS` on it, ours shows `mediaS + delayS + drift · (mediaS − fromS)`. */
export type ClockEstimate = {
  /** Smallest usual delay between sampling and arrival at `fromS`, in seconds, but for a constant that all share. */
  readonly delayS: number;
  readonly fromS: number;
  /** How much slower than ours it runs, as a part of 1; 0 where nothing certain can be said. */
  readonly drift: number;
};

/** Windows of the clock, of each of which the least delayed packet counts: only the network is late, never early. */
const firstWidthS = 1;
const mostWindows = 1_024;
/** In a window with this many packets the second best counts: one that lies does no harm. */
const crowd = 10;

const fewestWindows = 8;
/** Drift is corrected from this on over the whole segment; less is heard by nobody, and samples stay as they were. */
const leastShiftS = 0.004;
/** No crystal is further off than this: what is, is no clock that runs. */
const mostDrift = 0.001;
/** What drift must exceed the scatter of the delays by. */
const leastClarity = 6;

type Point = { readonly x: number; readonly y: number };
type Window = { best: Point; second: Point; packets: number };

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);

  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
};

const quarter = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0;

/** Slope by least squares, and its standard error. */
const leastSquares = (points: readonly Point[]): { readonly slope: number; readonly error: number } => {
  const n = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  let xx = 0;
  let xy = 0;
  for (const { x, y } of points) {
    xx += (x - meanX) ** 2;
    xy += (x - meanX) * (y - meanY);
  }
  const slope = xx > 0 ? xy / xx : 0;
  const rest = points.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);

  return { slope, error: xx > 0 && n > 2 ? Math.sqrt(rest / (n - 2) / xx) : Infinity };
};

/**
 * The slope of the lower edge: the median of slopes over half the length (Theil–Sen, cut short), which a third of bad
 * windows doesn't move, made precise by least squares over the windows that agree with it.
 */
const driftOf = (points: readonly Point[]): number => {
  const half = points.length >> 1;
  const first = points[0];
  const last = points.at(-1);
  if (points.length < fewestWindows || !first || !last) return 0;
  const slopes = points.slice(half).map(({ x, y }, i) => (y - points[i]!.y) / (x - points[i]!.x));
  const rough = median(slopes);
  const rests = points.map(({ x, y }) => y - rough * x);
  const middle = median(rests);
  const scatter = 1.4826 * median(rests.map((rest) => Math.abs(rest - middle)));
  const agreeing = points.filter((_, i) => Math.abs(rests[i]! - middle) <= 3 * scatter + 1e-6);
  const { slope, error } = leastSquares(agreeing);
  const shift = Math.abs(slope) * (last.x - first.x);
  const isCertain = shift >= leastShiftS && shift >= leastClarity * scatter && Math.abs(slope) >= 5 * error;

  return isCertain && Math.abs(slope) <= mostDrift ? slope : 0;
};

/** Fits one segment of a sender's clock to the arrivals of its packets, with bounded memory. */
export class ClockFit {
  #windows: (Window | undefined)[] = [];
  #width = firstWidthS;
  #from: number | undefined;

  /** A packet stamped at `mediaS` seconds of the sender's clock arrived at `arrivalS` of ours. */
  add(mediaS: number, arrivalS: number): void {
    this.#from ??= mediaS;
    const x = mediaS - this.#from;
    let index = Math.max(0, Math.floor(x / this.#width));
    while (index >= mostWindows) {
      this.#widen();
      index = Math.floor(x / this.#width);
    }
    const point = { x, y: arrivalS - mediaS };
    const window = this.#windows[index];
    if (!window) this.#windows[index] = { best: point, second: point, packets: 1 };
    else this.#take(window, point);
  }

  estimate(): ClockEstimate {
    const points = this.#windows
      .filter((window) => window !== undefined)
      .map(({ best, second, packets }) => (packets >= crowd ? second : best));
    const drift = driftOf(points);

    return { delayS: quarter(points.map(({ x, y }) => y - drift * x)), fromS: this.#from ?? 0, drift };
  }

  #take(window: Window, point: Point): void {
    window.packets += 1;
    if (point.y < window.best.y) {
      window.second = window.best;
      window.best = point;
    } else if (window.packets === 2 || point.y < window.second.y) window.second = point;
  }

  #widen(): void {
    const merged: (Window | undefined)[] = [];
    for (let i = 0; i < this.#windows.length; i += 2) {
      const [a, b] = [this.#windows[i], this.#windows[i + 1]];
      if (a && b) {
        const [best, other] = a.best.y <= b.best.y ? [a, b] : [b, a];
        const second = best.second.y <= other.best.y ? best.second : other.best;
        merged.push({ best: best.best, second, packets: a.packets + b.packets });
      } else merged.push(a ?? b);
    }
    this.#windows = merged;
    this.#width *= 2;
  }
}
