/** The agent's record of its reactions, from the run log. */
import type { Bootstrap } from '../../proto/bootstrap.ts';
import type { AgentRecord } from '../../proto/view.ts';
import type { RunLog } from '../runlog/run-log.ts';

export interface RecordSources {
  readonly bootstrap: Pick<Bootstrap, 'host' | 'tickMs'>;
  readonly runLog: Pick<RunLog, 'of' | 'forgotten'>;
}

export function agentRecord({ bootstrap: { host, tickMs }, runLog }: RecordSources): AgentRecord {
  return {
    ...{ host, tickMs },
    shares: runLog.of('share').map(({ atMicros, from, to, shareBps, epoch }) => ({
      ...{ atMicros: atMicros ?? 0, from, to, shareBps, epoch },
    })),
    events: runLog.of('epoch').map(({ dueMicros, appliedMicros, settledMicros, epoch }) => ({
      ...{ dueMicros, appliedMicros, settledMicros, epoch },
    })),
    forgotten: { shares: runLog.forgotten('share'), events: runLog.forgotten('epoch') },
  };
}
