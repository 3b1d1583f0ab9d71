/**
 * What shall be installed on one interface, and what of it is different since it was installed last. It is edited piece by
 * piece; then `Enforcer.reconcile` plans what is dirty, or everything. Pure.
 */
import { MAX_GSO_SEGMENTS } from './derive.ts';
import type { InterfaceChange, InterfaceState, MutableState, ShapedClass } from './interface-state.ts';

export class DesiredState {
  #state: MutableState = {
    foreignRoot: undefined,
    classifier: true,
    gsoSegments: MAX_GSO_SEGMENTS,
    classes: new Map(),
    targets: new Map(),
  };
  #isSet = false;
  #isAllDirty = true;
  #isGsoDirty = false;
  /** Of those that are not all dirty; what is in here and not in the state shall go. */
  readonly #dirtyClasses = new Set<number>();
  readonly #dirtyTargets = new Set<string>();

  /** False: it counts from the first `replace` or `markAll` on; until then, what is installed stays. */
  get isSet(): boolean {
    return this.#isSet;
  }

  get state(): InterfaceState {
    return this.#state;
  }

  /** Takes another state as a whole. */
  replace(state: InterfaceState): void {
    this.#state = { ...state, classes: new Map(state.classes), targets: new Map(state.targets) };
    this.markAll();
  }

  setGsoSegments(segments: number): void {
    this.#state.gsoSegments = segments;
    this.#isGsoDirty = true;
  }

  setClass(shaped: ShapedClass): void {
    this.#state.classes.set(shaped.minor, shaped);
    this.#dirtyClasses.add(shaped.minor);
  }

  deleteClass(minor: number): void {
    this.#state.classes.delete(minor);
    this.#dirtyClasses.add(minor);
  }

  /** `minor`: of a class, `UNSHAPED` or `NO_PATH`. */
  setTarget(destination: string, minor: number): void {
    this.#state.targets.set(destination, minor);
    this.#dirtyTargets.add(destination);
  }

  deleteTarget(destination: string): void {
    this.#state.targets.delete(destination);
    this.#dirtyTargets.add(destination);
  }

  /** Whatever was planned before, everything is compared with what is installed next time. */
  markAll(): void {
    this.#isSet = true;
    this.#isAllDirty = true;
  }

  /** All of it is installed. */
  markNothing(): void {
    this.#isAllDirty = false;
    this.#isGsoDirty = false;
    this.#dirtyClasses.clear();
    this.#dirtyTargets.clear();
  }

  get isDirty(): boolean {
    return this.#isAllDirty || this.#isGsoDirty || this.#dirtyClasses.size + this.#dirtyTargets.size > 0;
  }

  /** What is dirty, in the order in which it became so; `undefined`: everything. */
  get change(): InterfaceChange | undefined {
    if (this.#isAllDirty) return undefined;
    const { gsoSegments, classes: wanted, targets: led } = this.#state;
    const classes: ShapedClass[] = [];
    const goneClasses: number[] = [];
    const targets = new Map<string, number>();
    const goneTargets: string[] = [];
    for (const minor of this.#dirtyClasses) {
      const shaped = wanted.get(minor);
      if (shaped) classes.push(shaped);
      else goneClasses.push(minor);
    }
    for (const destination of this.#dirtyTargets) {
      const minor = led.get(destination);
      if (minor === undefined) goneTargets.push(destination);
      else targets.set(destination, minor);
    }
    return { gsoSegments, classes, goneClasses, targets, goneTargets };
  }
}
