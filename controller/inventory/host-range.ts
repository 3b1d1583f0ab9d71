/** Ansible's ranges of hosts: `web[01:50].example`, `db-[a:f]`. */

const RANGE = /^([^[\]]*)\[(\d{1,9}|[A-Za-z]):(\d{1,9}|[A-Za-z])(?::(\d{1,9}))?\]([^[\]]*)$/;
const MAX_PATTERN = 300;

/** The names that a pattern stands for, itself if it has no range; `undefined` for a wrong range, or more than `most`. */
export function expandRange(pattern: string, most: number): string[] | undefined {
  if (!pattern.includes('[')) return [pattern];
  const match = RANGE.exec(pattern.slice(0, MAX_PATTERN));
  if (!match || pattern.length > MAX_PATTERN) return undefined;
  const [, before = '', first = '', last = '', stepText = '1', after = ''] = match;
  const isNumber = /^\d/.test(first);
  if (isNumber !== /^\d/.test(last)) return undefined;
  const [from, to] = isNumber ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)];
  const step = Number(stepText);
  if (step < 1 || to < from || Math.floor((to - from) / step) + 1 > most) return undefined;
  const names: string[] = [];
  for (let value = from; value <= to; value += step) {
    // Leading zeros of the first are kept in all.
    const middle = isNumber ? String(value).padStart(first.length, '0') : String.fromCharCode(value);
    names.push(`${before}${middle}${after}`);
  }
  return names;
}
