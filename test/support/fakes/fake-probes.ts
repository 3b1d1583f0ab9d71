/** What endpoints that don't exist answer. */
import type { RunCommand } from '../../../agent/endpoints/command-words.ts';
import type { ProbePort } from '../../../agent/endpoints/probes.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';

export class FakeProbes implements ProbePort {
  /** `a.0:80`: something listens there; `a.0 check`: this command succeeds. */
  readonly good = new Set<string>();
  /** How often it was asked. */
  asked = 0;

  listens({ name }: LocalEndpoint, port: number): boolean {
    this.asked++;
    return this.good.has(`${name}:${port}`);
  }

  async succeeds({ endpoint, command }: RunCommand): Promise<boolean> {
    this.asked++;
    return this.good.has(`${endpoint.name} ${command}`);
  }

  stop(): void {}
}
