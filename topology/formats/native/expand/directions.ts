/** Fields that a link has, and each of its directions may have. */
import { asMapping, below, type Origin } from './origins.ts';

/**
 * Calls `replace` for the link, and for a copy of each direction that has the field, which takes the direction's place: what a
 * file says may stand in it by reference several times. `originOf`: of a field of the link; `direction`: `undefined` for the link.
 */
export function inEachDirection(
  link: Record<string, unknown>,
  field: string,
  originOf: (key: string) => Origin,
  replace: (fields: Record<string, unknown>, origin: Origin, direction: 'up' | 'down' | undefined) => void,
): void {
  replace(link, originOf(field), undefined);
  for (const direction of ['up', 'down'] as const) {
    const own = asMapping(link[direction]);
    if (own?.[field] === undefined) continue;
    const copy = { ...own };
    replace(copy, below(originOf(direction), field), direction);
    link[direction] = copy;
  }
}
