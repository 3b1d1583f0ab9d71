/** The traffic during faults. */
import type { Flow, Place } from '../../controller/verify/traffic.ts';
import { TcpStreams } from '../measure/traffic/tcp-streams.ts';
import { UdpStream } from '../measure/traffic/udp-traffic.ts';
import { GREEDY, STEADY } from './topology.ts';

export class FaultTraffic {
  readonly #tcp = new TcpStreams();
  #udp: readonly UdpStream[] = [];

  async start(place: (name: string) => Place): Promise<void> {
    const between = ({ from, to }: { from: string; to: string }): Flow => ({
      from: place(from),
      to: place(to),
    });
    this.#udp = STEADY.map((stream) => new UdpStream(between(stream), stream));
    await this.#tcp.start(GREEDY.map(between));
  }

  async stop(): Promise<void> {
    this.#tcp.stop();
    await Promise.allSettled(this.#udp.map((stream) => stream.stop()));
  }
}
