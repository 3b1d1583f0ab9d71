/** A whole desired state at once; the agent edits its own step by step. */
import type { Enforcer } from '../../agent/enforce/enforcer.ts';
import type { InterfaceState } from '../../agent/enforce/interface-state.ts';
import type { FailedOp } from '../../agent/enforce/ports.ts';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';

/** Gives the steps that failed. */
export function enforce(
  enforcer: Enforcer,
  endpoint: LocalEndpoint,
  desired: InterfaceState,
): readonly FailedOp[] {
  enforcer.desired(endpoint).replace(desired);
  return enforcer.reconcile(endpoint).failed;
}
