// A small line of recent values. Decoration: its numbers stand beside it as text.

export interface SparklineProps {
  values: readonly (number | null)[];
  /** Value at the top; without it the highest value has a little room above. */
  top?: number;
  /** A dashed line. */
  threshold?: number;
}

const width = 120;
const height = 30;

export function Sparkline({ values, top, threshold }: SparklineProps) {
  const highest = top ?? Math.max(1e-9, ...values.map((value) => value ?? 0)) * 1.25;
  const yOf = (value: number) => height - 1 - Math.min(1, value / highest) * (height - 2);
  const step = width / Math.max(1, values.length - 1);
  let path = "";
  let pen = "M";
  values.forEach((value, index) => {
    if (value === null) return void (pen = "M");
    path += `${pen}${(index * step).toFixed(1)} ${yOf(value).toFixed(1)}`;
    pen = "L";
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {threshold !== undefined && <line x1="0" x2={width} y1={yOf(threshold)} y2={yOf(threshold)} />}
      <path d={path} />
    </svg>
  );
}
