/**
 * Sockets by which applications tell that something has happened, one in the namespace of each local endpoint. An application
 * writes a name and a line end, and reads the answer. Who may reach the socket may tell it: all that is in the namespace.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { LONGEST_NOTIFICATION, notifyDoor } from '../../proto/control.ts';
import { within } from '../kernel/netns/namespaces.ts';

export interface DoorsPorts {
  /** `experiment/endpoint`. */
  readonly lifeOf: (endpoint: string) => string;
  /** Returns the answer. */
  readonly onNotify: (endpoint: string, name: string) => string;
  readonly onProblem: (problem: string) => void;
}

/** Who says nothing for so long is not waited for. */
const PATIENCE_MS = 5000;

export class NotifyDoors {
  readonly #ports: DoorsPorts;
  readonly #servers = new Map<number, { readonly namespace: string; readonly server: Server }>();

  constructor(ports: DoorsPorts) {
    this.#ports = ports;
  }

  /** All local endpoints: those that are new get a socket, and others lose theirs. */
  set(endpoints: readonly LocalEndpoint[]): void {
    const now = new Map(endpoints.map((endpoint) => [endpoint.number, endpoint]));
    for (const [number, { namespace, server }] of this.#servers) {
      if (now.get(number)?.namespace === namespace) continue;
      server.close();
      this.#servers.delete(number);
    }
    for (const endpoint of endpoints) if (!this.#servers.has(endpoint.number)) this.#open(endpoint);
  }

  stop(): void {
    this.set([]);
  }

  #open({ number, name, namespace }: LocalEndpoint): void {
    const { lifeOf, onProblem } = this.#ports;
    const problem = (error: unknown): void =>
      onProblem(`applications of ${name} can't notify: ${(error as Error).message}`);
    const server = createServer((socket) => this.#hear(name, socket));
    server.on('error', problem);
    try {
      within(namespace, () => {
        server.listen(notifyDoor(lifeOf(name)));
      });
      this.#servers.set(number, { namespace, server });
    } catch (error) {
      problem(error);
    }
  }

  #hear(endpoint: string, socket: Socket): void {
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (piece: string) => {
      text += piece;
      const [name, rest] = text.split('\n');
      if (rest !== undefined) socket.end(`${this.#ports.onNotify(endpoint, name!.trim())}\n`);
      else if (text.length > LONGEST_NOTIFICATION) socket.end('this is too long for a name\n');
    });
  }
}
