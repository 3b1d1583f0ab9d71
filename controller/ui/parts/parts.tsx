/** Small parts that others are made of. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Refusal } from '../data/api.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'dim' | 'accent';

/** A state by shape, colour and word. */
const SHAPES: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '✕', dim: '○', accent: '◆' };

export function State({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <span class="shape" aria-hidden="true">
        {SHAPES[tone]}
      </span>
      {children}
    </span>
  );
}

/** How much of a whole: 0 to 1, by length and by text. */
export function Meter({ part, label }: { part: number; label: string }) {
  const width = `${(Math.min(1, Math.max(0, part)) * 100).toFixed(1)}%`;
  return (
    <span class="meter" title={label}>
      <span class={part > 0.9 ? 'fill full' : 'fill'} style={{ width }} />
    </span>
  );
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
  /** By which rows can be sorted, the greatest first. */
  readonly value?: (row: Row) => number | string;
}

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** The first cell of each row is a button then. */
  readonly onPick?: (row: Row, adds: boolean) => void;
  readonly isPicked?: (row: Row) => boolean;
  readonly empty: string;
}

/** Pixels; all rows have the same, so that only those that are seen are made. */
const ROW = 34;
const BEYOND = 6;

export function Table<Row>({ label, columns, rows, keyOf, onPick, isPicked, empty }: TableProps<Row>) {
  const scroller = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState({ first: 0, number: 40 });
  const [order, setOrder] = useState<{ readonly column: number; readonly sign: 1 | -1 }>();
  const look = (): void => {
    const { scrollTop = 0, clientHeight = 600 } = scroller.current ?? {};
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const number = Math.ceil(clientHeight / ROW) + 2 * BEYOND;
    if (first !== seen.first || number !== seen.number) setSeen({ first, number });
  };
  useLayoutEffect(look, [rows.length]);
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const sorted = order ? sortedBy(rows, columns[order.column]!, order.sign) : rows;
  const shown = sorted.slice(seen.first, seen.first + seen.number);
  const below = Math.max(0, rows.length - seen.first - shown.length);
  return (
    <section class="scroll" ref={scroller} onScroll={look} tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th
                key={column.title}
                scope="col"
                class={column.isNumber ? 'number' : ''}
                {...(order?.column === index && { 'aria-sort': order.sign < 0 ? 'descending' : 'ascending' })}
              >
                {column.value ? (
                  <button
                    type="button"
                    class="sort"
                    onClick={() =>
                      setOrder({
                        column: index,
                        sign: order?.column === index && order.sign < 0 ? 1 : -1,
                      })
                    }
                  >
                    {column.title}
                    <span aria-hidden="true">
                      {order?.column === index ? (order.sign < 0 ? ' ↓' : ' ↑') : ''}
                    </span>
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {seen.first > 0 && <tr aria-hidden="true" style={{ height: `${seen.first * ROW}px` }} />}
          {shown.map((row) => (
            <tr key={keyOf(row)} class={isPicked?.(row) ? 'picked' : ''}>
              {columns.map((column, index) => (
                <td key={column.title} class={column.isNumber ? 'number' : ''}>
                  {index === 0 && onPick ? (
                    <button
                      type="button"
                      class="pick"
                      aria-pressed={isPicked?.(row) ?? false}
                      onClick={(event) => onPick(row, event.shiftKey || event.ctrlKey || event.metaKey)}
                    >
                      {column.cell(row)}
                    </button>
                  ) : (
                    column.cell(row)
                  )}
                </td>
              ))}
            </tr>
          ))}
          {below > 0 && <tr aria-hidden="true" style={{ height: `${below * ROW}px` }} />}
        </tbody>
      </table>
    </section>
  );
}

function sortedBy<Row>(rows: readonly Row[], { value }: Column<Row>, sign: 1 | -1): readonly Row[] {
  if (!value) return rows;
  return [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  });
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly isShort?: boolean;
  readonly onInput: (value: string) => void;
}

export function Field({ label, value, placeholder = '', isShort = false, onInput }: FieldProps) {
  return (
    <label class={isShort ? 'field short' : 'field'}>
      <span>{label}</span>
      <input
        type="text"
        value={value}
        placeholder={placeholder}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

export function Refused({ refusal: { code, message, remedy } }: { refusal: Refusal }) {
  return (
    <div class="refused" role="alert">
      <State tone="bad">
        <strong>{code}</strong>
      </State>{' '}
      {message}
      {remedy !== '' && <span class="note"> — {remedy}</span>}
    </div>
  );
}
