/** What keeps netfold from deploying a topology on a cluster. */
import { type Blame, NetfoldError } from '../../proto/errors.ts';

const BLAME = {
  DEPLOY_USAGE: 'usage',
  /** The folder has files that are not of a former deployment. */
  DEPLOY_FOLDER: 'input',
  /** A name that the orchestrator does not take. */
  DEPLOY_NAME: 'input',
  /** What this orchestrator does not have. */
  DEPLOY_UNSUPPORTED: 'input',
  /** No command line, no cluster, no rights. */
  CLUSTER_MISSING: 'machine',
  /** It has refused what it was given. */
  CLUSTER_REFUSED: 'machine',
  /** Agents have not begun in time. */
  CLUSTER_LATE: 'machine',
} as const satisfies Readonly<Record<string, Blame>>;

export class DeployError extends NetfoldError {
  declare readonly code: keyof typeof BLAME;

  constructor(code: keyof typeof BLAME, message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code], message, remedy, ...(cause !== undefined && { cause }) });
  }
}
