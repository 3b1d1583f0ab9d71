/** Where control groups can be made, by what the machine has mounted. */
import { expect, test } from 'vitest';
import { findHierarchy } from '../../../agent/kernel/groups/task-groups.ts';

const V1 = '38 30 0:35 / /sys/fs/cgroup/pids rw,relatime shared:9 - cgroup cgroup rw,pids';
const V1_JOINED = '38 30 0:35 / /sys/fs/cgroup/a\\040b rw - cgroup cgroup rw,cpu,pids';
const V1_OTHER = '31 30 0:28 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu';
const V2 = '40 30 0:37 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate';
const PROC = '21 26 0:20 / /proc rw,relatime - proc proc rw';

const having = (files: Readonly<Record<string, string>>) => (file: string) => files[file] ?? '';

test('version 1, also with other controllers and with a space in its folder', () => {
  expect(findHierarchy([PROC, V1_OTHER, V1, V2].join('\n'), having({}))).toEqual({
    folder: '/sys/fs/cgroup/pids',
    version: 1,
  });
  expect(findHierarchy(V1_JOINED, having({}))).toEqual({ folder: '/sys/fs/cgroup/a b', version: 1 });
});

test('version 2, if the groups at its top have the controller', () => {
  const controllers = { '/sys/fs/cgroup/cgroup.controllers': 'cpu memory pids\n' };
  const given = { ...controllers, '/sys/fs/cgroup/cgroup.subtree_control': 'memory pids\n' };
  expect(findHierarchy([V1_OTHER, V2].join('\n'), having(given))).toEqual({
    folder: '/sys/fs/cgroup',
    version: 2,
  });
  expect(findHierarchy(V2, having(controllers))).toEqual({
    reason: '/sys/fs/cgroup/cgroup.subtree_control does not have pids',
  });
  expect(findHierarchy(V2, having({}))).toEqual({
    reason: '/sys/fs/cgroup does not have the controller pids',
  });
});

test('none is said', () => {
  expect(findHierarchy(`${PROC}\n`, having({}))).toEqual({ reason: 'no control groups are mounted' });
  expect(findHierarchy('', having({}))).toEqual({ reason: 'no control groups are mounted' });
});
