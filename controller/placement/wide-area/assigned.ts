/** Which host each endpoint is on, what that misses of the paths, and what a move or an exchange would change, kept up to date. */
import { mayBeIn, type Problem } from '../partition/problem.ts';
import { shortfall } from './shortfall.ts';
import type { PathTable, WayTable } from './tables.ts';

/** What is placed: endpoints are the first vertices of the problem, and hosts its parts. */
export interface MatchProblem {
  readonly room: Problem;
  readonly paths: PathTable;
  readonly ways: WayTable;
}

/** As much as a twentieth of a path's latency is missing: for each endpoint that a host has beyond its even part. */
const UNEVEN = 0.05;
/** All traffic together, if all of it crosses between hosts: it decides where the real network makes no difference. */
const CROSSING = 0.01;
/** The first resource is the number of endpoints, whose limit is the even part (`placementProblem`). */
const EVEN = 0;
/** Sums of fractions, such as a tenth of a core, are off by less. */
const NOISE = 1e-9;

export class Assigned {
  readonly problem: MatchProblem;
  readonly hostOf: Int32Array;
  /** Of all: what is missing, what crosses, and what is uneven. */
  cost = 0;
  readonly #endpoints: number;
  readonly #hosts: number;
  /** What an endpoint would cost on a host, with all others where they are: `[endpoint * hosts + host]`. */
  readonly #potential: Float64Array;
  /** `[host * resources + resource]` */
  readonly #loads: Float64Array;
  /** `[host * groups + group]` */
  readonly #members: Int32Array;

  /** `hostOf`: -1 for those that are placed later (`put`). It is changed. */
  constructor(problem: MatchProblem, hostOf: Int32Array) {
    const { room, paths, ways } = problem;
    this.problem = problem;
    this.hostOf = hostOf;
    this.#endpoints = paths.size;
    this.#hosts = ways.size;
    this.#potential = new Float64Array(paths.size * ways.size);
    this.#loads = new Float64Array(ways.size * room.resources);
    this.#members = new Int32Array(ways.size * room.groups);
    const placed = hostOf.slice();
    hostOf.fill(-1);
    for (const [endpoint, host] of placed.entries()) if (host !== -1) this.put(endpoint, host);
  }

  potential(endpoint: number, host: number): number {
    return this.#potential[endpoint * this.#hosts + host]!;
  }

  /** Of an endpoint that is nowhere. */
  putCost(endpoint: number, host: number): number {
    return this.potential(endpoint, host) + this.#uneven(host, 1);
  }

  /** Places an endpoint that is nowhere. */
  put(endpoint: number, host: number): void {
    this.cost += this.putCost(endpoint, host);
    this.#load(endpoint, host, 1);
    this.hostOf[endpoint] = host;
    this.#spread(endpoint, -1, host);
  }

  /** Whether there is room, without `leaving`, which goes elsewhere. */
  fits(endpoint: number, host: number, leaving = -1): boolean {
    const { room } = this.problem;
    const { resources, needs, limits, groups, groupsOf } = room;
    if (!mayBeIn(room, endpoint, host)) return false;
    for (let r = EVEN + 1; r < resources; r++) {
      const need = needs[endpoint * resources + r]!;
      const freed = leaving === -1 ? 0 : needs[leaving * resources + r]!;
      const load = this.#loads[host * resources + r]! - freed + need;
      if (need > 0 && load > limits[host * resources + r]! + NOISE) return false;
    }
    return groupsOf[endpoint]!.every((group) => {
      const others = this.#members[host * groups + group]!;
      return others - (leaving !== -1 && groupsOf[leaving]!.includes(group) ? 1 : 0) === 0;
    });
  }

  /** By how much the cost would grow. */
  moveCost(endpoint: number, to: number): number {
    const from = this.hostOf[endpoint]!;
    const uneven = this.#uneven(to, 1) + this.#uneven(from, -1);
    return this.potential(endpoint, to) - this.potential(endpoint, from) + uneven;
  }

  exchangeCost(one: number, other: number): number {
    const [a, b] = [this.hostOf[one]!, this.hostOf[other]!];
    const gains =
      this.potential(one, b) - this.potential(one, a) + this.potential(other, a) - this.potential(other, b);
    // Each potential takes the other endpoint to be where it was.
    return gains + this.#between(one, other, a, b) + this.#between(one, other, b, a);
  }

  move(endpoint: number, to: number): void {
    this.cost += this.moveCost(endpoint, to);
    const from = this.hostOf[endpoint]!;
    this.#load(endpoint, from, -1);
    this.#load(endpoint, to, 1);
    this.hostOf[endpoint] = to;
    this.#spread(endpoint, from, to);
  }

  exchange(one: number, other: number): void {
    const [a, b] = [this.hostOf[one]!, this.hostOf[other]!];
    this.move(one, b);
    this.move(other, a);
  }

  /** What both paths between two endpoints miss, with one on `a` and the other on `b`. */
  #between(one: number, other: number, a: number, b: number): number {
    if (a === b) return 0;
    const there = this.#oneWay(one * this.#endpoints + other, a * this.#hosts + b);
    return there + this.#oneWay(other * this.#endpoints + one, b * this.#hosts + a);
  }

  #oneWay(path: number, way: number): number {
    const { paths, ways } = this.problem;
    if (Number.isNaN(paths.latency[path]!)) return 0;
    const rate = Math.min(paths.bandwidth[path]!, paths.unlimitedBps);
    return shortfall(paths, path, ways, way) + (CROSSING * rate) / paths.totalBps;
  }

  /** What it costs that a host's number of endpoints changes by `by`, 1 or -1. */
  #uneven(host: number, by: number): number {
    const { resources, limits } = this.problem.room;
    const count = this.#loads[host * resources + EVEN]!;
    const limit = limits[host * resources + EVEN]!;
    return UNEVEN * (Math.max(0, count + by - limit) - Math.max(0, count - limit));
  }

  #load(endpoint: number, host: number, sign: number): void {
    const { resources, needs, groups, groupsOf } = this.problem.room;
    for (let r = 0; r < resources; r++)
      this.#loads[host * resources + r]! += sign * needs[endpoint * resources + r]!;
    for (const group of groupsOf[endpoint]!) this.#members[host * groups + group]! += sign;
  }

  /** What the others would cost, after an endpoint has left `from` (-1: it was nowhere) for `to`. */
  #spread(endpoint: number, from: number, to: number): void {
    for (let other = 0; other < this.#endpoints; other++) {
      if (other === endpoint) continue;
      for (let host = 0; host < this.#hosts; host++) {
        const before = from === -1 ? 0 : this.#between(endpoint, other, from, host);
        this.#potential[other * this.#hosts + host]! += this.#between(endpoint, other, to, host) - before;
      }
    }
  }
}
