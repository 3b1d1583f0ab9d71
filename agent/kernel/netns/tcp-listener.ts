/**
 * A TCP server of netfold's inside an endpoint, which listens anew if its socket is destroyed (`ss -K`, by an application that has
 * the capability). Such a socket is readable for ever, and accept4(2) refuses it: libuv tries again for ever, and tells nobody.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { isListening } from '../sys/inet-sockets.ts';

const LOOK_MS = 2000;

export interface TcpListenerOptions {
  /** A descriptor of a socket that listens. Throws `KernelError` while there can't be one. */
  readonly open: () => number;
  readonly serve: (connection: Socket) => void;
  readonly mostConnections?: number;
}

/** Of this thread. */
const listeners = new Set<TcpListener>();
let looks: NodeJS.Timeout | undefined;

export class TcpListener {
  readonly #options: TcpListenerOptions;
  #listening: { readonly fd: number; readonly server: Server } | undefined;

  /** `fd`: the first one of `open`. */
  constructor(fd: number, options: TcpListenerOptions) {
    this.#options = options;
    this.#listen(fd);
    listeners.add(this);
    looks ??= setInterval(() => {
      for (const one of listeners) one.look();
    }, LOOK_MS).unref();
  }

  /** Connections that there are remain. */
  close(): void {
    listeners.delete(this);
    if (listeners.size === 0) {
      clearInterval(looks);
      looks = undefined;
    }
    this.#leave();
  }

  /** Listens anew if its socket does not listen any more. Never throws. */
  look(): void {
    try {
      if (this.#listening) {
        if (isListening(this.#listening.fd)) return;
        this.#leave();
      }
      this.#listen(this.#options.open());
    } catch {
      // Somebody else has the port: the next look tries again.
    }
  }

  #listen(fd: number): void {
    const server = createServer(this.#options.serve);
    if (this.#options.mostConnections !== undefined) server.maxConnections = this.#options.mostConnections;
    // Too many open files: there will be others.
    server.on('error', () => {});
    server.listen({ fd });
    this.#listening = { fd, server };
  }

  #leave(): void {
    this.#listening?.server.close();
    this.#listening = undefined;
  }
}
