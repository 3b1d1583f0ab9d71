/**
 * The netlink port of the sockets with which this process changes interfaces of endpoints. They are open as long as an endpoint is
 * attached, so that nobody else can have the port in its namespace: what has been asked for by it was asked for by netfold.
 */
import { randomPort } from '../../kernel/netlink/netlink-socket.ts';

export const OWN_PORT = randomPort();
