/** LinuxTc keeps the contract of `TcPort`, on a veth pair in a namespace of its own. */
import { describe } from 'vitest';
import { close, open } from '../../agent/kernel/libc.ts';
import { createNamespaces, namespacePath, removeNamespace, within } from '../../agent/kernel/namespaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../agent/kernel/netlink-socket.ts';
import { loadPrograms } from '../../agent/kernel/programs.ts';
import { addVeth, setUp } from '../../agent/kernel/rtnetlink.ts';
import { tcPortContract } from '../support/tc-port-contract.ts';

let counter = 0;

describe('tc over netlink', () =>
  tcPortContract(() => {
    const namespace = `netfold.test-${process.pid}.tc.${counter++}`;
    createNamespaces([namespace]);
    const socket = within(namespacePath(namespace), () => new NetlinkSocket(NETLINK_ROUTE));
    const fd = open(namespacePath(namespace));
    const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, last);
    socket.run([
      addVeth({ index: 2, name: 'eth0', mac: mac(1) }, { index: 3, name: 'peer0', mac: mac(2) }, fd),
      setUp(2),
    ]);
    close(fd);
    socket.close();
    const programs = loadPrograms(64);
    return {
      tc: programs.tc,
      endpoint: {
        number: 3,
        name: 'client.0',
        namespace: namespacePath(namespace),
        ifname: 'eth0',
        ifindex: 2,
        addresses: ['10.1.0.1', 'fd00:1::1'],
      },
      close: () => {
        programs.close();
        removeNamespace(namespace);
      },
    };
  }));
