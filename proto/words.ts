/** `1 endpoint`, `2 endpoints`, `2,668 endpoints`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
