/** The licence that a user gives to what is exported: the name of a known one, or a file. */
import { existsSync, readFileSync } from 'node:fs';
import { ControllerError } from '../../errors.ts';

export interface Licence {
  /** An address, or a fragment where there is none. */
  readonly id: string;
  readonly name: string;
  /** Of a file; absent: only its name is known. */
  readonly text?: string;
}

/** An identifier of SPDX, such as CC-BY-4.0. */
const SPDX = /^[A-Za-z0-9][A-Za-z0-9.+-]{1,63}$/;

/** What stands there without a licence: nobody else may give one for the author. */
const NONE: Licence = {
  id: '#no-licence',
  name: 'no licence was given: all rights are with the authors',
};

/** Throws `ControllerError` (`LICENCE_UNKNOWN`). */
export function licenceOf(given: string | undefined): Licence {
  if (given === undefined) return NONE;
  if (existsSync(given)) {
    try {
      return { id: 'LICENSE', name: 'the licence of this folder', text: readFileSync(given, 'utf8') };
    } catch (cause) {
      throw unknown(given, (cause as Error).message, cause);
    }
  }
  if (SPDX.test(given)) return { id: `https://spdx.org/licenses/${given}`, name: given };
  throw unknown(given, 'there is no such file, and SPDX has no such name');
}

const unknown = (given: string, why: string, cause?: unknown): ControllerError =>
  new ControllerError(
    'LICENCE_UNKNOWN',
    `--license ${given}: ${why}`,
    'give a file, or a name of https://spdx.org/licenses such as CC-BY-4.0',
    cause,
  );
