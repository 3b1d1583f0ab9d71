/**
 * Where an experiment runs, as given on the command line: options, and their meaning for a platform. Options of
 * further platforms are added here.
 */
import { InvalidArgumentError, Option } from 'commander';
import type { Exemption } from '../../../proto/bootstrap.ts';
import { formatMicros, type Micros, micros, parseDuration, toMillis } from '../../../proto/units.ts';
import { ControllerError } from '../../errors.ts';
import { parseExemptions, requireRoomFor } from '../../exemption.ts';
import type { OpenMesh } from '../../experiment/mesh-security.ts';
import { ANY_ADDRESS, type MeshAddress, parseListen, parsePeer } from '../../mesh-address.ts';
import { parseSelector, type Selector } from '../../platform/containers/selectors.ts';
import type { CriOptions } from '../../platform/cri/cri.ts';
import type { DockerOptions, MakingOptions } from '../../platform/docker/docker.ts';
import { IP_CHOICES, type IpChoice } from '../../platform/lab/ip-choice.ts';
import type { LabOptions } from '../../platform/lab/lab.ts';
import { SPREADS, type Spread } from '../../platform/lab/spread.ts';
import type { SiteOptions } from '../../platform/site/site.ts';
import { type Placement, parsePlacement } from '../../platform/site/site-plan.ts';

/** Long enough for a busy machine, short enough for a user who has locked himself out. */
const DEFAULT_LEASE = micros(30e6);

export interface PlacementFlags {
  readonly hosts: number;
  readonly ip?: IpChoice;
  /** How a lab spreads its endpoints over its hosts. */
  readonly placement?: Spread;
  /** Empty, and without `select`: a lab. */
  readonly at: readonly Placement[];
  /** Containers that run already; of those in several networks, the one that is meant. */
  readonly select?: readonly Selector[];
  readonly network?: string;
  /** With `select`, whose containers they are; without, where containers are made. */
  readonly engine?: string;
  /** With `select`: this machine's part of an experiment on several that start alike, with the key of the user who commands. */
  readonly userKey?: string;
  /** With `select`, of Docker: whether the topology's names resolve in the containers. */
  readonly names?: boolean;
  /** Images that are missing are fetched. */
  readonly pull?: boolean;
  readonly takeOver?: boolean;
  readonly lease?: Micros;
  readonly never?: readonly Exemption[];
  /** Endpoints without a place here come from hosts that join. */
  readonly elsewhere?: boolean;
  readonly listen?: MeshAddress;
  readonly meshKey?: string;
  /** Name of this machine in the experiment. */
  readonly host?: string;
  /** Before applications and timeline start. */
  readonly wait?: boolean;
  /** Folder of this agent's identity, files with the allow-list and users' keys, multiaddrs to announce. */
  readonly identity?: string;
  readonly allow?: string;
  readonly commanders?: string;
  readonly announce?: readonly string[];
}

/** A platform by its name, its own options, and the hosts that may join. */
export interface Chosen {
  readonly platform: string;
  readonly placement: unknown;
  readonly open?: OpenMesh;
}

/** Throws `JOIN_USAGE`. */
export function placementOf(flags: PlacementFlags): Chosen {
  if (flags.select) return containers(flags, flags.select);
  if (flags.engine !== undefined) return { platform: flags.engine, placement: madeContainers(flags) };
  if (flags.pull) throw wrong('--pull needs --engine: the local lab starts no images');
  const { at: placements, takeOver = false, lease, never, elsewhere, hosts, ip, placement: spread } = flags;
  requireMeeting(flags);
  if (lease !== undefined && placements.length === 0)
    throw wrong('--lease needs --at: a lab has interfaces of its own');
  if (takeOver && placements.length === 0)
    throw wrong('--take-over needs --at: a lab has interfaces of its own');
  if (never !== undefined && placements.length === 0)
    throw wrong('--never needs --at: in a lab all traffic is the topology’s');
  if (placements.length === 0)
    return {
      platform: 'lab',
      placement: { hosts, ...(ip && { ip }), ...(spread && { spread }) } satisfies LabOptions,
    };
  if (ip !== undefined)
    throw wrong('--ip is for a lab: interfaces of --at keep the addresses that they have');
  if (spread !== undefined) throw wrong('--placement is for a lab: --at says where endpoints are');
  const leaseMs = toMillis(lease ?? DEFAULT_LEASE);
  const here: SiteOptions = { placements, takeOver, leaseMs, ...exempting(never) };
  if (!elsewhere) return { platform: 'site', placement: here };
  const { listen = ANY_ADDRESS, host, meshKey, identity, allow, commanders, announce } = flags;
  const placement: SiteOptions = { ...here, elsewhere: { listen, host } };
  const open = {
    ...(meshKey !== undefined && { meshKey }),
    ...(identity !== undefined && { identity }),
    ...(allow !== undefined && { allow }),
    ...(commanders !== undefined && { commanders }),
    ...(announce && { announce }),
  };
  return { platform: 'site', placement, open };
}

/** Containers that the topology names. */
function madeContainers({
  at,
  hosts,
  ip,
  placement,
  takeOver,
  lease,
  elsewhere,
  pull = false,
  ...rest
}: PlacementFlags): MakingOptions {
  const engine = `--engine ${rest.engine}`;
  if (at.length > 0) throw wrong(`${engine} makes the endpoints, and --at names some that are there`);
  if (hosts !== 1 || placement !== undefined)
    throw wrong(`${engine}: all containers are of this machine's engine`);
  if (takeOver || lease !== undefined)
    throw wrong(`${engine}: containers that are made have interfaces of their own`);
  requireMeeting({ at, hosts, ...(elsewhere !== undefined && { elsewhere }), ...rest });
  if (ip === '6')
    throw wrong(`${engine}: networks of Docker always have IPv4; write --ip both for IPv6 as well`);
  return { make: true, pull, ipv6: ip === 'both' };
}

/** Of containers that run already: all of an experiment's, or those of one of its machines. */
function containers(flags: PlacementFlags, selectors: readonly Selector[]): Chosen {
  const { engine: platform = 'docker', userKey, meshKey, identity, listen = ANY_ADDRESS, host } = flags;
  const placement = containersOf(flags, selectors);
  if (userKey === undefined) return { platform, placement };
  return {
    platform,
    placement: { ...placement, here: { host: host!, listen } },
    open: { userKey, ...(meshKey !== undefined && { meshKey }), ...(identity !== undefined && { identity }) },
  };
}

function containersOf(
  { network, takeOver = false, lease, names = false, engine }: PlacementFlags,
  selectors: readonly Selector[],
): DockerOptions & CriOptions {
  if (names && engine === 'cri')
    throw wrong(
      '--names is for --engine docker: pods have the names that the DNS of their cluster gives them',
    );
  const leaseMs = toMillis(lease ?? DEFAULT_LEASE);
  return {
    ...{ selectors: [...selectors], takeOver, leaseMs },
    ...(network !== undefined && { network }),
    ...(names && { names }),
  };
}

/** Refuses options for joining hosts if there are none. */
function requireMeeting({ elsewhere, at, wait, ...flags }: PlacementFlags): void {
  const { listen, meshKey, host, identity, allow, commanders, announce } = flags;
  const meeting = { listen, meshKey, host, identity, allow, commanders, announce };
  const [needless] = Object.entries(meeting).flatMap(([name, given]) => (given === undefined ? [] : [name]));
  if (!elsewhere && needless !== undefined) throw wrong(`${optionOf(needless)} needs --elsewhere`);
  if (!elsewhere && wait) throw wrong('--wait needs --elsewhere: nobody else is awaited');
  if (elsewhere && at.length === 0) throw wrong('--elsewhere needs an endpoint that is here');
  if (allow !== undefined && identity === undefined)
    throw wrong('--allow needs --identity: a list can only name agents with a lasting identity');
}

/** `meshKey` is `--mesh-key`. */
const optionOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const wrong = (message: string): ControllerError =>
  new ControllerError('JOIN_USAGE', message, 'for example: netfold up wan.yaml --at client=eth0 --elsewhere');

/** Of a machine that joins, with its endpoints. */
export function joiningPlacement(
  flags: Omit<PlacementFlags, 'hosts' | 'ip' | 'placement'> & { readonly host: string },
): Chosen {
  const { at: placements, takeOver = false, lease, never, host, listen = ANY_ADDRESS } = flags;
  const leaseMs = toMillis(lease ?? DEFAULT_LEASE);
  const elsewhere = { host, listen };
  const placement: SiteOptions = { placements, takeOver, leaseMs, ...exempting(never), elsewhere };
  return { platform: 'site', placement };
}

/** `--at`, `--take-over`, `--lease`. `when`: for the help, e.g. `with --join`. */
export function placementOptions(when: string): Option[] {
  return [
    new Option(
      '--at <node=interface[@namespace]>',
      `${when}: an interface that exists already and what it is in the topology; once for each endpoint`,
    )
      .default([], 'none')
      .argParser((text: string, before: readonly Placement[]) => [...before, parsePlacement(text)]),
    ...borrowingOptions(`${when}: `),
    neverOption(`${when}: `),
  ];
}

/** `--never`; several times, they add up. */
export function neverOption(when: string): Option {
  return new Option(
    '--never <traffic>',
    `${when}traffic that is not shaped, beside SSH and the mesh: tcp:PORT, udp:PORT, networks; with commas`,
  ).argParser((text: string, before: readonly Exemption[] = []) => [...before, ...parseExemptions(text)]);
}

/** Throws `EXEMPTION_INVALID` if the kernel has no room for so many. */
function exempting(never: readonly Exemption[] | undefined): Pick<SiteOptions, 'never'> {
  if (!never) return {};
  requireRoomFor(never);
  return { never };
}

/** `--take-over`, `--lease`: of interfaces that stay. */
function borrowingOptions(when: string): Option[] {
  return [
    new Option('--take-over', `${when}replace a foreign root qdisc, and restore it in the end`),
    new Option(
      '--lease <time>',
      `${when}shaping ends when the agent has not renewed it for so long (default: ${formatMicros(DEFAULT_LEASE)})`,
    ).argParser(parseDuration),
  ];
}

/** `--engine`, `--pull`: endpoints are containers. */
export function engineOptions(): Option[] {
  return [
    new Option(
      '--engine <name>',
      'make a container of each endpoint, from the image of its service; the engine is that of DOCKER_HOST, or the usual one',
    ).choices(['docker']),
    new Option('--pull', 'with --engine: fetch images that the engine does not have'),
  ];
}

/** Which containers are which endpoints. */
export function containerOptions(): Option[] {
  return [
    new Option(
      '--engine <name>',
      'whose containers: those of Docker (at DOCKER_HOST, or the usual socket), or pods of a runtime of Kubernetes (at CONTAINER_RUNTIME_ENDPOINT, or where containerd, CRI-O and k3s have it)',
    )
      .choices(['docker', 'cri'])
      .makeOptionMandatory(),
    new Option(
      '--select <node=selector>',
      'which containers a service, or one replica, is: label:KEY=VALUE, name:NAME with *, compose:PROJECT/SERVICE, or of pods namespace:NAME; several with commas must all hold; once or more for each',
    )
      .argParser((text: string, before: readonly Selector[] = []) => [...before, parseSelector(text)])
      .makeOptionMandatory(),
    new Option(
      '--network <network>',
      'of containers in several networks, the one that is emulated: its name, or a range with their addresses',
    ),
    ...borrowingOptions(''),
  ];
}

/** `--ip` */
export function ipOption(): Option {
  return new Option(
    '--ip <version>',
    'IP versions of the endpoints of a lab (default: both, or 4 on a kernel without IPv6)',
  ).choices(IP_CHOICES);
}

/** `--placement` */
export function spreadOption(): Option {
  return new Option(
    '--placement <how>',
    'endpoints to the hosts of a lab in turn, or by traffic: as little as possible between hosts (default: turns)',
  ).choices(SPREADS);
}

export function listenOption(when: string): Option {
  return new Option(
    '--listen <address[:port]>',
    `${when}: where the agent listens for others (default: every address, port ${ANY_ADDRESS.port})`,
  ).argParser(parseListen);
}

/** It is a part of file names, next to `controller`. */
const HOST = /^(?!controller$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function hostOption(description: string): Option {
  return new Option('--host <name>', description).argParser((text) => {
    if (HOST.test(text)) return text;
    throw new InvalidArgumentError('write letters, digits, ".", "_" and "-", at most 64; not "controller"');
  });
}

/** Further options of a machine that others reach over a network. */
export function meetingOptions(when?: string): Option[] {
  const only = when === undefined ? '' : `${when}: `;
  return [
    new Option(
      '--identity <folder>',
      `${only}where this agent's identity is kept, e.g. /var/lib/netfold/identity (\`netfold mesh identity\`)`,
    ),
    new Option(
      '--allow <file>',
      `${only}who may take part: a line \`PEER [HOST [ENDPOINT]…]\` for each agent`,
    ),
    new Option(
      '--commanders <file>',
      `${only}whose keys may give commands: a line \`KEY NAME network,run\` for each user (\`netfold mesh user\`)`,
    ),
    new Option(
      '--announce <address>',
      `${only}where others can reach it, if not where it listens (behind NAT), e.g. 203.0.113.7; several may be named`,
    ).argParser((text: string, before: readonly string[] = []) => [...before, parsePeer(text)]),
  ];
}

/** The command for other machines that adds the rest of an experiment. `missing`: names of the missing endpoints. */
export function joinCommand(
  experiment: string,
  addresses: readonly string[],
  missing: readonly string[],
): string {
  const joins = addresses.map((address) => `--join ${address}`).join(' ');
  const places = missing.map((name) => `--at ${name}=INTERFACE`).join(' ');
  return `netfold agent ${joins} --experiment ${experiment} --mesh-key KEYFILE ${places}`;
}
