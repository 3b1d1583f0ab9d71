/**
 * A process that takes part in a mesh, or tries to, and lies: `node mesh-intruder.ts JSON` with an `Intrusion`. It
 * repeats its messages each second until it is killed.
 */
import { SYSTEM_TIME, systemClock, systemTimers } from '../../../agent/clock/clock.ts';
import { Mesh } from '../../../agent/mesh/exchange/mesh.ts';
import type { FlowChange, OwnEndpoint } from '../../../agent/mesh/exchange/own-table.ts';
import { createLibp2pTransport } from '../../../agent/mesh/libp2p/libp2p-transport.ts';
import { openIdentity } from '../../../agent/mesh/trust/identity.ts';
import { encodeAgentMessage } from '../../../agent/mesh/wire/codec.ts';
import type { Command } from '../../../proto/command.ts';

export interface Intrusion {
  readonly experiment: string;
  readonly topology: string;
  readonly endpointNames: readonly string[];
  readonly host: string;
  readonly listen: string;
  readonly peers: readonly string[];
  /** Folder of the identity. */
  readonly identity: string;
  readonly key?: string;
  readonly endpoints: readonly OwnEndpoint[];
  readonly flows: readonly FlowChange[];
  /** Hosts in whose name it announces that they leave, with the highest incarnation. */
  readonly leaving: readonly string[];
  /** What it gossips, and gives in answers, as commands, whoever has signed them. */
  readonly commands?: readonly Command[];
}

if (import.meta.main) await intrude(JSON.parse(process.argv[2]!) as Intrusion);

async function intrude(intrusion: Intrusion): Promise<void> {
  const { experiment, topology, endpointNames, host, listen, peers, identity, key } = intrusion;
  const transport = await createLibp2pTransport({
    ...SYSTEM_TIME,
    experiment,
    listen: [listen],
    privateKey: await openIdentity(identity),
    ...(key !== undefined && { meshKey: key }),
  });
  const mesh = new Mesh(
    { transport, clock: systemClock, timers: systemTimers },
    { topology, endpointNames, host },
  );
  await mesh.start();
  for (const peer of peers) transport.connect(peer).catch(() => undefined);
  systemTimers.every(1000, () => {
    mesh.announceEndpoints([]);
    mesh.announceEndpoints(intrusion.endpoints);
    mesh.announceFlows(intrusion.flows.map((flow) => ({ ...flow, rateBps: 0 })));
    mesh.announceFlows(intrusion.flows);
    const digest = { entries: 0, low: 0, high: 0 };
    const nothing = { commands: [], commandDigest: digest, timed: false };
    const facts = {
      topology,
      incarnation: Number.MAX_SAFE_INTEGER,
      sequence: 1,
      digest,
      leaving: true,
      ...nothing,
    };
    // Without rules of its own it takes and sends everything.
    for (const command of intrusion.commands ?? []) mesh.own.give(command);
    for (const other of intrusion.leaving) transport.publish(encodeAgentMessage({ ...facts, host: other }));
  });
}
