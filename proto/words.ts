/** `1 endpoint`, `2 endpoints`, `2,668 endpoints`. */
export function count(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** A whole number as `1,234,567`. By hand: what `toLocaleString` needs takes 11 ms to load. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
